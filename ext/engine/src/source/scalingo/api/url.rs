//! URLs of the API.

use crate::error::{Error, Kind, Result};
use crate::failure::{ScalingoFailure, ScalingoRemedy};
use ::url::Url;

/// A base URL: `http` or `https`, and a host.
pub(super) fn base(url: &str) -> Result<Url> {
    let parsed = Url::parse(url.trim()).ok();
    parsed
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Error::new(
                Kind::Configuration,
                ScalingoFailure::BaseNoUrl,
                ScalingoRemedy::CheckAddresses,
            )
        })
}

/// A URL below `base`; every segment is percent-encoded, so a name cannot change the path.
pub(super) fn within(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_cannot_change_the_path() {
        let url = within(
            &Url::parse("https://api.example/").unwrap(),
            &["v1", "apps", "../x?y#z/w", "addons"],
        );
        assert_eq!(
            url.as_str(),
            "https://api.example/v1/apps/..%2Fx%3Fy%23z%2Fw/addons"
        );
    }

    #[test]
    fn a_base_url_may_have_a_path_of_its_own() {
        let url = within(
            &Url::parse("http://127.0.0.1:1234/scalingo/").unwrap(),
            &["v1", "regions"],
        );
        assert_eq!(url.as_str(), "http://127.0.0.1:1234/scalingo/v1/regions");
    }
}

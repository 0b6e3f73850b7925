//! What a server's answer says of the file and of the way to it (RFC 9110).

use crate::failure::Hitch;
use reqwest::header::{HeaderMap, CONTENT_LENGTH, CONTENT_RANGE, LOCATION};
use reqwest::StatusCode;
use url::Url;

/// The most redirects that one try follows.
pub(in crate::source) const REDIRECTS: usize = 10;

/// Whether a status says no to the link, which may have expired: a fresh one may do better.
pub(in crate::source) fn refuses_a_link(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 401 | 403 | 404 | 410)
}

pub(in crate::source) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads to, or why it is not followed. It may hold a secret, as the link does.
pub(in crate::source) fn led_to(from: &Url, headers: &HeaderMap) -> Result<Url, Hitch> {
    let place = headers.get(LOCATION).and_then(|place| place.to_str().ok());
    let place = place.ok_or(Hitch::RedirectsNowhere)?;
    let to = from.join(place).map_err(|_| Hitch::RedirectsToNoUrl)?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(to),
        ("https", "http") => Err(Hitch::RedirectsToHttp),
        _ => Err(Hitch::RedirectsElsewhere),
    }
}

/// `Content-Range: bytes FIRST-LAST/TOTAL`, where `FIRST-LAST` and `TOTAL` may each be `*`.
pub(in crate::source) struct ContentRange {
    pub(super) first: Option<u64>,
    pub(in crate::source) total: Option<u64>,
}

impl ContentRange {
    pub(in crate::source) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_RANGE)?.to_str().ok()?;
        let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
        let first = range
            .split_once('-')
            .and_then(|(first, _)| first.trim().parse().ok());
        Some(Self {
            first,
            total: total.trim().parse().ok(),
        })
    }
}

/// The length of the body.
pub(super) fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn range(value: &str) -> Option<(Option<u64>, Option<u64>)> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_RANGE, value.parse().unwrap());
        ContentRange::of(&headers).map(|range| (range.first, range.total))
    }

    #[test]
    fn a_content_range_is_read_with_and_without_its_parts() {
        assert_eq!(range("bytes 10-99/100"), Some((Some(10), Some(100))));
        assert_eq!(range("bytes 10-99/*"), Some((Some(10), None)));
        assert_eq!(range("bytes */100"), Some((None, Some(100))));
        assert_eq!(range("lines 1-2/3"), None);
        assert_eq!(range("bytes 10-99"), None);
    }

    #[test]
    fn a_redirect_leads_to_http_or_https_and_never_from_https_to_http() {
        let to = |from: &str, place: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, place.parse().unwrap());
            led_to(&Url::parse(from).unwrap(), &headers).map(|url| url.to_string())
        };
        assert_eq!(
            to("https://a.example/x", "/y").as_deref(),
            Ok("https://a.example/y")
        );
        assert_eq!(
            to("http://a.example/x", "https://b.example/").as_deref(),
            Ok("https://b.example/")
        );
        assert_eq!(
            to("https://a.example/x", "http://a.example/y"),
            Err(Hitch::RedirectsToHttp)
        );
        for place in ["file:///etc/passwd", "ftp://a.example/", "data:,x", "http://"] {
            assert!(to("http://a.example/x", place).is_err(), "{place}");
        }
        assert!(led_to(&Url::parse("http://a.example/").unwrap(), &HeaderMap::new()).is_err());
    }
}

//! `url`.

use crate::bytes::write_hex;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::key::Function;
use crate::pseudonym::{Pseudonym, Work};
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("https://ada.example.org/cv?token=1"),
    joins: true,
    own_form: |_| true,
    ..CatalogueEntry::new(
        "url",
        "an address at `example.com` with the same scheme, the same host for the same host",
        fit,
    )
};

/// `url`: the scheme, a host made of the host, a path made of the whole.
#[derive(Debug)]
struct Url {
    function: Function,
}

/// What stands between the pseudonyms of host and path.
const DOMAIN: &[u8] = b".example.com/";

impl Pseudonym for Url {
    fn write(&self, value: &[u8], _: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let (scheme, rest) = match memchr::memmem::find(value, b"://") {
            Some(at) => (&value[..at], &value[at + 3..]),
            None => (&b""[..], value),
        };
        let scheme = [&b"http"[..], b"https", b"ftp"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(scheme))
            .unwrap_or(b"https");
        let host = rest
            .split(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .next()
            .unwrap_or(rest);
        out.extend_from_slice(scheme);
        out.extend_from_slice(b"://h");
        work.first.clear();
        work.first.extend(host.iter().map(u8::to_ascii_lowercase));
        write_hex(&self.function.digest(&work.first), 8, out);
        out.extend_from_slice(DOMAIN);
        write_hex(&self.function.digest(value), 20, out);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        let text = String::from_utf8_lossy(value);
        let Some((scheme, rest)) = text.split_once("://h") else {
            return false;
        };
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        matches!(scheme, "http" | "https" | "ftp")
            && rest.split_once(".example.com/").is_some_and(|(host, path)| {
                host.len() == 8 && path.len() == 20 && is_hex(host) && is_hex(path)
            })
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    fitting.text_of(50)?;
    let mask = Url {
        function: fitting.function("url"),
    };
    let form = fitting.matches("^(https?|ftp)://h[0-9a-f]{8}\\.example\\.com/[0-9a-f]{20}$");
    Ok(fitting.fitted(mask, form))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, plain, Case};

    pub(crate) const CASES: &[Case] = &[case(
        "url",
        "https://[a-z]{1,6}\\.fr/[a-z]{0,6}(\\?t=[a-z]{1,3})?",
        |_, new| {
            url::Url::parse(new)
                .is_ok_and(|url| url.host_str().is_some_and(|host| host.ends_with(".example.com")))
        },
    )];

    #[test]
    fn the_same_host_has_the_same_pseudonym() {
        let url = plain("url", "https://ada.example.org/cv?token=1");
        assert!(url.starts_with("https://h") && !url.contains("ada"));
        assert_eq!(url[..30], plain("url", "https://ADA.example.org/other")[..30]);
    }
}

//! HTTP as both the API client and the download use it: clients, failures, and what of a foreign text may be quoted.
//!
//! Nothing here knows whose API it is. Every text that comes from elsewhere passes [`quotable`] before it gets
//! into an error; reqwest's own texts never do, because they name the URL.

use super::find_inside;
use super::patience::Patience;
use crate::error::{Error, Kind, Result};
use crate::failure::{DownloadFailure, DownloadRemedy, Hitch};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, StatusCode};
use std::time::Duration;
use url::{Host, Url};

const USER_AGENT: &str = concat!("scalingo-staging-sync/", env!("CARGO_PKG_VERSION"));
/// The most characters of a foreign text that are quoted.
const QUOTED: usize = 200;

/// A client for an API: it follows no redirect, so a token goes nowhere but to the host it is meant for.
///
/// `bases` are the URLs it will talk to. Proxies are taken from the environment, except when all of `bases` are on
/// this machine.
pub(super) fn api_client(bases: &[&Url], patience: &Patience) -> Result<Client> {
    build(
        client(bases, patience)
            .timeout(patience.answer)
            .redirect(Policy::none()),
    )
}

/// A client for the download: it sends no Referer (the URL is a secret), and when the API that names the download's URL is
/// reached by HTTPS, so must be the download. Redirects are the download's to follow.
pub(super) fn download_client(api: &Url, patience: &Patience) -> Result<Client> {
    build(
        client(&[api], patience)
            .redirect(Policy::none())
            .referer(false)
            .https_only(api.scheme() == "https"),
    )
}

fn client(bases: &[&Url], patience: &Patience) -> ClientBuilder {
    // reqwest uses the process's provider. Another library's choice is as good as ours, so an error here does no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(patience.connect);
    if bases.iter().all(|url| is_local(url)) {
        builder.no_proxy()
    } else {
        builder
    }
}

fn build(builder: ClientBuilder) -> Result<Client> {
    builder.build().map_err(|error| {
        Error::new(
            Kind::Configuration,
            DownloadFailure::NoHttps { why: reason(&error) },
            DownloadRemedy::InstallCertificates,
        )
    })
}

pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Why a request brought no answer that is of use. Holds no secret and no URL.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum HttpFailure {
    /// No answer, or half of one.
    Transport {
        /// "connection refused", for the end of a sentence.
        reason: Hitch,
        /// Another try may do better.
        passing: bool,
        /// The request may have arrived, and may have done what it was to do.
        arrived: bool,
    },
    /// An answer that says no.
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its explanation, fit to be quoted.
        explanation: Option<String>,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// An answer that says yes and cannot be read.
    Unreadable,
    /// A failure that is an error of ours already.
    Final(Error),
}

impl HttpFailure {
    /// A server that says nothing.
    pub(super) fn silent() -> Self {
        Self::Transport {
            reason: Hitch::NothingCame,
            passing: true,
            arrived: true,
        }
    }

    /// Whether the server accepted the request and did not answer in time.
    pub(super) fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Transport {
                reason: Hitch::NoAnswer,
                arrived: true,
                ..
            }
        )
    }

    /// From an error of reqwest.
    pub(super) fn transport(error: reqwest::Error) -> Self {
        let hopeless = error.is_builder() || is_about_certificates(&error) || is_too_large_a_head(&error);
        Self::Transport {
            passing: !hopeless,
            arrived: !hopeless && !error.is_connect(),
            reason: reason(&error.without_url()),
        }
    }

    /// The status, if there was an answer.
    pub(super) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same request may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Transport { passing, .. } => *passing,
            Self::Refused { status, .. } => is_passing(*status),
            Self::Unreadable | Self::Final(_) => false,
        }
    }

    /// Whether the request may have done what it was to do, although no good answer came.
    pub(super) fn may_have_worked(&self) -> bool {
        match self {
            Self::Transport { arrived, .. } => *arrived,
            Self::Refused { status, .. } => status.is_server_error() || status.as_u16() == 408,
            Self::Unreadable => true,
            Self::Final(_) => false,
        }
    }

    /// When the server wants to be asked again, if it said so.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Whether a status is about the server's moment and not about the request.
pub(super) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// How long `Retry-After` wants us to wait: seconds or an HTTP date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    Some(Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// What is at the bottom of an error of reqwest, in words for the end of a sentence.
///
/// The upper layers of such an error name the URL; the lowest is the operating system's or rustls's own word.
fn reason(error: &reqwest::Error) -> Hitch {
    if error.is_timeout() {
        return Hitch::NoAnswer;
    }
    if is_too_large_a_head(error) {
        return Hitch::EndlessHeaders;
    }
    lowest(error)
        .and_then(|error| quotable(&error.to_string(), &[]))
        .map_or(Hitch::ConnectionFailed, |message| Hitch::TransportFailed {
            message,
        })
}

fn is_about_certificates(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(find_inside(error), Some(rustls::Error::InvalidCertificate(_)))
}

/// Whether an answer's headers are more than the client takes. Below reqwest only these words say so.
fn is_too_large_a_head(error: &reqwest::Error) -> bool {
    lowest(error).is_some_and(|error| error.to_string() == "message head is too large")
}

/// What is at the bottom of an error.
fn lowest(error: &reqwest::Error) -> Option<&(dyn std::error::Error + 'static)> {
    let mut lowest = None;
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        lowest = Some(error);
        next = error.source();
    }
    lowest
}

/// A foreign text, fit to be quoted in an error: one line, at most 200 characters; None when it is empty or when
/// anything in it is one of `secrets`, looks like a token, or like a URL.
pub(super) fn quotable(text: &str, secrets: &[&str]) -> Option<String> {
    const SUSPICIOUS: [&str; 9] = [
        "://",
        "www.",
        "tk-us-",
        "eyj",
        "token=",
        "signature=",
        "bearer ",
        "basic ",
        "authorization",
    ];
    let lower = text.to_lowercase();
    if SUSPICIOUS.iter().any(|sign| lower.contains(sign))
        || secrets
            .iter()
            .any(|secret| !secret.is_empty() && text.contains(secret))
    {
        return None;
    }
    let line = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let line = line.trim_end_matches('.');
    if line.is_empty() {
        return None;
    }
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => Some(format!("{}…", &line[..end])),
        None => Some(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn waits(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers, "2025-11-20T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_an_http_date() {
        assert_eq!(waits("17"), Some(Duration::from_secs(17)));
        assert_eq!(
            waits("Thu, 20 Nov 2025 10:00:30 GMT"),
            Some(Duration::from_secs(30))
        );
    }

    #[test]
    fn a_retry_after_in_the_past_means_now_and_nonsense_means_nothing() {
        assert_eq!(waits("Thu, 20 Nov 2025 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(waits("soon"), None);
        assert_eq!(waits("-4"), None);
    }

    #[test]
    fn a_text_with_a_secret_or_a_url_is_not_quoted() {
        for text in [
            "token tk-us-abc is wrong",
            "got hunter2!",
            "see https://db.example/backup?x",
            "Authorization: Bearer abc",
            "GET /archive?token=abc",
            "jwt eyJhbGciOi",
        ] {
            assert_eq!(quotable(text, &["hunter2"]), None, "{text}");
        }
    }

    #[test]
    fn a_quoted_text_is_one_line_of_at_most_200_characters() {
        assert_eq!(
            quotable(" not\n found\t\u{7} here. ", &[]).as_deref(),
            Some("not found here")
        );
        assert_eq!(quotable(&"é".repeat(500), &[]).unwrap().chars().count(), 201);
        assert_eq!(quotable(" \n", &[]), None);
    }

    #[test]
    fn a_certificate_that_does_not_hold_is_found_below_wrapped_errors() {
        use std::io::Error;
        let error = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert!(is_about_certificates(&Error::other(Error::other(error))));
        assert!(!is_about_certificates(&Error::other(
            rustls::Error::HandshakeNotComplete
        )));
    }

    #[test]
    fn only_addresses_of_this_machine_go_without_a_proxy() {
        for (url, local) in [
            ("http://127.0.0.1:99/", true),
            ("http://localhost/", true),
            ("http://[::1]:80/", true),
            ("https://api.osc-fr1.scalingo.com/", false),
            ("http://localhost.example/", false),
        ] {
            assert_eq!(is_local(&Url::parse(url).unwrap()), local, "{url}");
        }
    }
}

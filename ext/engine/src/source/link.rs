//! A backup behind a pre-signed link, which a job of production's has pushed there: no account of Scalingo's is needed.
//!
//! The link is a secret, and neither it nor its path is shown. One byte is asked for before anything else, so that a link
//! that has expired ends the run before the target is touched, and so that it is known which file the link leads to: a
//! file that takes its place later is another backup.

use super::download::{self, is_redirect, led_to, ContentRange, Links, NoLink, REDIRECTS};
use super::file::hex;
use super::http::{self, HttpFailure};
use super::patience::Patience;
use super::{BackupInfo, PackedBackup};
use crate::error::{Error, Kind, Result};
use crate::event::Sink;
use crate::failure::{BackupFailure, BackupRemedy, BackupSubject, Hitch};
use backon::BackoffBuilder;
use reqwest::header::{HeaderMap, ACCEPT_ENCODING, CONTENT_LENGTH, ETAG, LAST_MODIFIED, RANGE};
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};
use url::Url;

/// The file that the link leads to now.
pub(super) async fn find(link: &SecretString, patience: &Patience, events: &Sink) -> Result<PackedBackup> {
    let url = safe(link)?;
    let client = http::download_client(&url, patience)?;
    let info = look(&client, &url, patience).await?;
    let digest = Arc::new(OnceLock::new());
    let (reader, download) = download::start(
        client,
        Same(url),
        BackupSubject::BackupBehindLink,
        patience.clone(),
        events.clone(),
        Arc::clone(&digest),
    );
    Ok(PackedBackup {
        name: info.id.clone(),
        info,
        packed: Box::new(reader),
        digest,
        copying: None,
        download: Some(download),
    })
}

/// The same file once more.
///
/// # Errors
/// [`Kind::Download`] when another one has taken its place.
pub(super) async fn find_again(
    link: &SecretString,
    known: &BackupInfo,
    patience: &Patience,
    events: &Sink,
) -> Result<PackedBackup> {
    let found = find(link, patience, events).await?;
    if found.info == *known {
        return Ok(found);
    }
    Err(Error::new(
        Kind::Download,
        BackupFailure::LinkChanged,
        BackupRemedy::RunFromNewBackup,
    ))
}

/// The link, if it goes by HTTPS, or stays on this machine.
fn safe(link: &SecretString) -> Result<Url> {
    let wrong = |what| Error::new(Kind::Configuration, what, BackupRemedy::GiveHttpsLink);
    let url = Url::parse(link.expose_secret().trim()).map_err(|_| wrong(BackupFailure::LinkNoUrl))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if http::is_local(&url) => Ok(url),
        _ => Err(wrong(BackupFailure::LinkNotHttps)),
    }
}

/// The one link there is: it lasts for the whole download, or not.
struct Same(Url);

impl Links for Same {
    async fn fresh(&mut self) -> Result<Url, NoLink> {
        Ok(self.0.clone())
    }
}

/// What is known of the file without reading it.
async fn look(client: &Client, url: &Url, patience: &Patience) -> Result<BackupInfo> {
    let mut delays = patience.delays(patience.api_attempts).build();
    loop {
        let failure = match first_byte(client, url.clone(), patience).await? {
            Ok(headers) => return Ok(info(url, &headers)),
            Err(failure) => failure,
        };
        match delays.next() {
            Some(delay) if failure.is_passing() => tokio::time::sleep(delay).await,
            _ => return Err(unanswered(&failure)),
        }
    }
}

/// The head of the answer to a request for the first byte, which a link that is signed for GET permits.
async fn first_byte(
    client: &Client,
    mut url: Url,
    patience: &Patience,
) -> Result<Result<HeaderMap, HttpFailure>> {
    for _ in 0..=REDIRECTS {
        let request = client
            .get(url.clone())
            .header(ACCEPT_ENCODING, "identity")
            .header(RANGE, "bytes=0-0");
        let response = match tokio::time::timeout(patience.stalled, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Ok(Err(HttpFailure::transport(error))),
            Err(_) => return Ok(Err(HttpFailure::silent())),
        };
        let status = response.status();
        if !is_redirect(status) {
            return Ok(match status {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(response.headers().clone()),
                status => Err(HttpFailure::Refused {
                    status,
                    explanation: None,
                    retry_after: None,
                }),
            });
        }
        url = led_to(&url, response.headers()).map_err(no_use)?;
    }
    Err(no_use(Hitch::RedirectsTooOften))
}

fn info(url: &Url, headers: &HeaderMap) -> BackupInfo {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let made = text(LAST_MODIFIED)
        .and_then(|date| {
            jiff::fmt::rfc2822::DateTimeParser::new()
                .parse_timestamp(date)
                .ok()
        })
        .map(|date| date.to_string());
    let size = match ContentRange::of(headers) {
        Some(range) => range.total,
        None => text(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
    };
    let identity = format!("{:?} {made:?} {size:?}", text(ETAG));
    let digest = hex(Sha256::new_with_prefix(identity));
    BackupInfo {
        id: format!("link-{}", digest.get(..12).unwrap_or_default()),
        created_at: made,
        size,
        origin: format!("the link to {}", url.host_str().unwrap_or("a server")),
        file: true,
        database: None,
    }
}

/// What the failure of a request means here. Its own text could quote the link, and is not repeated.
fn unanswered(failure: &HttpFailure) -> Error {
    no_use(match failure {
        HttpFailure::Refused { status, .. } if download::refuses_a_link(*status) => {
            Hitch::AnsweredAsExpired {
                status: status.as_u16(),
            }
        }
        HttpFailure::Refused { status, .. } => Hitch::Answered {
            status: status.as_u16(),
        },
        HttpFailure::Transport { reason, .. } => reason.clone(),
        _ => Hitch::AnswerUnreadable,
    })
}

fn no_use(why: Hitch) -> Error {
    Error::new(
        Kind::Download,
        BackupFailure::LinkUseless { why },
        BackupRemedy::MakeNewLink,
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_link_goes_by_https_or_stays_on_this_machine() {
        for link in [
            "https://store.example/a?signature=x",
            "http://127.0.0.1:9000/a",
            "http://localhost/a",
            "http://[::1]/a",
        ] {
            assert!(safe(&link.into()).is_ok(), "{link}");
        }
        for link in [
            "http://store.example/hush",
            "ftp://store.example/hush",
            "file:///hush",
            "hush",
            "",
        ] {
            let error = safe(&link.into()).unwrap_err();
            assert_eq!(error.kind, Kind::Configuration, "{link}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

    #[test]
    fn what_is_known_of_the_file_names_the_host_and_not_the_link() {
        let url = Url::parse("https://store.example/shop/hush.dump?signature=hush").unwrap();
        let head = |pairs: &[(&'static str, &str)]| -> HeaderMap {
            pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect()
        };
        let first = head(&[
            ("etag", "\"a\""),
            ("content-range", "bytes 0-0/123"),
            ("last-modified", "Sat, 28 Nov 2026 02:00:00 GMT"),
        ]);
        let known = info(&url, &first);
        assert_eq!(
            (known.size, known.created_at.as_deref()),
            (Some(123), Some("2026-11-28T02:00:00Z"))
        );
        assert_eq!(known.origin, "the link to store.example");
        assert!(!format!("{known:?}").contains("hush"));
        assert_eq!(info(&url, &first), known);
        let second = head(&[("etag", "\"b\""), ("content-length", "123")]);
        assert_ne!(info(&url, &second).id, known.id);
    }
}

//! A download that survives: it resumes where it broke, with a fresh link each time, and is read as a stream.
//!
//! A task fetches pieces and feeds a bounded channel; a reader on a blocking thread takes them out. When the
//! reader is slow the channel fills, the task stops reading the socket, and TCP slows the server down. At most
//! [`PIECES`] pieces of the HTTP library's read buffer (up to about 400 KiB each) are in memory at a time.
//!
//! Resuming is RFC 9110: `Range` from the first missing byte, with `If-Range` where the server gave a validator.
//! A server that starts over instead is coped with: what was delivered already is skipped, and must be the same
//! bytes. Nothing here knows where links come from: that is [`Links`].

use super::file::hex;
use super::http::{is_passing, retry_after, HttpFailure};
use super::patience::Patience;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Sink};
use backon::BackoffBuilder;
use bytes::{Buf, Bytes};
use reqwest::header::{
    HeaderMap, HeaderValue, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, LAST_MODIFIED,
    LOCATION, RANGE,
};
use reqwest::{Client, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::future::Future;
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use url::Url;

/// Pieces in the channel.
const PIECES: usize = 3;
/// The most redirects that one try follows.
pub(super) const REDIRECTS: usize = 10;
/// Between two reports of progress.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Where links come from: a fresh one for every try, since each may be short-lived.
pub(super) trait Links: Send + 'static {
    /// A link that works now. It is a secret.
    fn fresh(&mut self) -> impl Future<Output = Result<Url, NoLink>> + Send;
}

/// Why there is no link.
#[derive(Debug)]
pub(super) struct NoLink {
    /// What to say in the end.
    pub error: Error,
    /// It may work later.
    pub passing: bool,
}

/// Starts the download in the background and returns its reader and what stops it.
///
/// `subject` is what it is called in an error ("the backup 5f…"). Must be called within a tokio runtime.
pub(super) fn start(
    client: Client,
    links: impl Links,
    subject: String,
    patience: Patience,
    events: Sink,
    digest: Arc<OnceLock<String>>,
) -> (DownloadReader, AbortHandle) {
    let (sender, receiver) = mpsc::channel(PIECES);
    let task = tokio::spawn(async move {
        let end = {
            let mut download = Download::new(client, links, subject, patience, events, &sender);
            tokio::select! {
                // The reader is gone, so a silent server need not be waited for.
                () = sender.closed() => return,
                end = download.run() => end,
            }
        };
        let message = match end {
            Ok(digest) => Message::End(digest),
            Err(error) => Message::Failed(error),
        };
        let _ = sender.send(message).await;
    });
    let reader = DownloadReader {
        receiver,
        piece: Bytes::new(),
        end: None,
        digest,
    };
    (reader, task.abort_handle())
}

enum Message {
    Piece(Bytes),
    /// All has been sent; with its digest.
    End(String),
    Failed(Error),
}

/// Reads what the download brings. Blocks, and so must not be used in async code.
pub(super) struct DownloadReader {
    receiver: mpsc::Receiver<Message>,
    piece: Bytes,
    end: Option<Result<()>>,
    digest: Arc<OnceLock<String>>,
}

impl Read for DownloadReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.piece.is_empty() {
                let length = self.piece.len().min(into.len());
                self.piece.split_to(length).copy_to_slice(&mut into[..length]);
                return Ok(length);
            }
            match &self.end {
                Some(Ok(())) => return Ok(0),
                Some(Err(error)) => return Err(io::Error::other(error.clone())),
                None => {}
            }
            match self.receiver.blocking_recv() {
                Some(Message::Piece(piece)) => self.piece = piece,
                Some(Message::End(digest)) => {
                    let _ = self.digest.set(digest);
                    self.end = Some(Ok(()));
                }
                Some(Message::Failed(error)) => self.end = Some(Err(error)),
                // The task went without a word: its runtime was shut down.
                None => self.end = Some(Err(Error::interrupted())),
            }
        }
    }
}

/// Why a try ended before the end of the file.
enum Break {
    /// Another try may bring more.
    Passing {
        /// For the end of a sentence: "the connection was reset".
        why: String,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
        /// The server said no to the link.
        refused: bool,
    },
    /// There is no use.
    Final(Error),
}

impl Break {
    fn passing(why: impl Into<String>) -> Self {
        Self::Passing {
            why: why.into(),
            retry_after: None,
            refused: false,
        }
    }
}

/// Whether bytes come as fast as they have to. What waits for the reader does not count.
#[derive(Default)]
struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// Notes that these bytes came after so much waiting.
    fn is_too_slow(&mut self, waited: Duration, bytes: u64, patience: &Patience) -> bool {
        self.waited += waited;
        self.bytes += bytes;
        if self.bytes >= patience.least {
            *self = Self::default();
        }
        self.waited >= patience.slow
    }
}

struct Download<'a, L> {
    client: Client,
    links: L,
    subject: String,
    patience: Patience,
    events: Sink,
    sender: &'a mpsc::Sender<Message>,
    /// Bytes delivered, and their digest so far.
    offset: u64,
    hasher: Sha256,
    /// What is known of the file, from the first answer that said so.
    total: Option<u64>,
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
    /// The server can do ranges, as far as we know.
    ranges: bool,
    breaks: u32,
    reported: Option<Instant>,
}

impl<'a, L: Links> Download<'a, L> {
    fn new(
        client: Client,
        links: L,
        subject: String,
        patience: Patience,
        events: Sink,
        sender: &'a mpsc::Sender<Message>,
    ) -> Self {
        Self {
            client,
            links,
            subject,
            patience,
            events,
            sender,
            offset: 0,
            hasher: Sha256::new(),
            total: None,
            etag: None,
            modified: None,
            ranges: true,
            breaks: 0,
            reported: None,
        }
    }

    /// Tries until all is delivered, and returns its digest.
    async fn run(&mut self) -> Result<String> {
        let attempts = self.patience.delays(self.patience.download_attempts);
        let mut delays = attempts.build();
        let mut refusals = 0;
        loop {
            let before = self.offset;
            let (why, retry_after, refused) = match self.attempt().await {
                Ok(()) => {
                    self.report(true);
                    return Ok(hex(self.hasher.clone()));
                }
                Err(Break::Final(error)) => return Err(error),
                Err(Break::Passing {
                    why,
                    retry_after,
                    refused,
                }) => (why, retry_after, refused),
            };
            self.breaks += 1;
            refusals = if refused { refusals + 1 } else { 0 };
            // A server that closes after each byte gets on no more than one that sends none.
            let own = if self.offset - before >= self.patience.morsel {
                delays = attempts.build();
                Some(self.patience.first_delay)
            } else {
                delays.next()
            };
            let delay = own.and_then(|own| self.patience.delay(retry_after, own));
            match delay {
                Some(delay) if refusals < self.patience.refusals && self.breaks < self.patience.breaks => {
                    tokio::time::sleep(delay).await;
                }
                _ => return Err(self.failed(&why)),
            }
        }
    }

    /// One request and its outcome.
    async fn attempt(&mut self) -> Result<(), Break> {
        let url = self
            .links
            .fresh()
            .await
            .map_err(|NoLink { error, passing }| match passing {
                true => Break::passing(format!(
                    "there was no link to it ({})",
                    error.what.trim_end_matches('.')
                )),
                false => Break::Final(error),
            })?;
        let ranged = self.offset > 0 && self.ranges;
        let response = self.ask(url, ranged).await?;
        let skip = match response.status() {
            StatusCode::OK => {
                self.compare(length_of(response.headers()), response.headers())?;
                self.offset
            }
            StatusCode::PARTIAL_CONTENT if ranged => {
                self.accept_range(response.headers())?;
                0
            }
            StatusCode::RANGE_NOT_SATISFIABLE if ranged => return self.past_the_end(response.headers()),
            status => {
                let why = format!("the server answered {}", status.as_u16());
                let refused = refuses_a_link(status);
                if !refused && !is_passing(status) {
                    return Err(self.hopeless(&why));
                }
                return Err(Break::Passing {
                    why,
                    retry_after: retry_after(response.headers(), jiff::Timestamp::now()),
                    refused,
                });
            }
        };
        if self.breaks > 0 && self.offset > 0 {
            self.events.send(Event::DownloadResumed {
                attempt: self.breaks,
                bytes: self.offset,
            });
        }
        self.pour(response, skip).await
    }

    /// The answer to a request for the rest of the file, or for all of it. Redirects are followed here, because each place
    /// that one leads to is a new request to be judged, and what is wrong with one will be so the next time.
    async fn ask(&mut self, mut url: Url, ranged: bool) -> Result<Response, Break> {
        let mut seen = vec![url.clone()];
        loop {
            let mut request = self.client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
            if ranged {
                request = request.header(RANGE, format!("bytes={}-", self.offset));
                if let Some(validator) = self.validator() {
                    request = request.header(IF_RANGE, validator);
                }
            }
            let response = match tokio::time::timeout(self.patience.stalled, request.send()).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(self.no_answer(error)),
                Err(_) => return Err(self.stalled()),
            };
            if !is_redirect(response.status()) {
                return Ok(response);
            }
            url = led_to(&url, response.headers()).map_err(|why| self.hopeless(why))?;
            if seen.contains(&url) {
                return Err(self.hopeless("its redirects lead in a circle"));
            }
            if seen.len() > REDIRECTS {
                return Err(self.hopeless("it redirects too often"));
            }
            seen.push(url.clone());
        }
    }

    /// Hands the body on, without its first `skip` bytes, which must be those that were delivered before.
    async fn pour(&mut self, mut response: Response, skip: u64) -> Result<(), Break> {
        let mut left = skip;
        let mut skipped = Sha256::new();
        let mut pace = Pace::default();
        loop {
            let since = Instant::now();
            let mut piece = match tokio::time::timeout(self.patience.stalled, response.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(self.no_answer(error)),
                Err(_) => return Err(self.stalled()),
            };
            if pace.is_too_slow(since.elapsed(), piece.len() as u64, &self.patience) {
                return Err(self.trickles());
            }
            if left > 0 {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                skipped.update(&piece[..length]);
                piece.advance(length);
                left -= length as u64;
                if left == 0 && skipped.clone().finalize() != self.hasher.clone().finalize() {
                    return Err(self.changed());
                }
            }
            if !piece.is_empty() {
                self.deliver(piece).await?;
            }
        }
        match self.total {
            _ if left > 0 => Err(self.changed()),
            Some(total) if self.offset < total => {
                Err(Break::passing("the connection was closed before the end"))
            }
            _ => Ok(()),
        }
    }

    async fn deliver(&mut self, piece: Bytes) -> Result<(), Break> {
        let offset = self.offset + piece.len() as u64;
        if self.total.is_some_and(|total| offset > total) {
            return Err(self.changed());
        }
        self.hasher.update(&piece);
        // The rest is no longer waited for; `start` ends the task.
        self.sender
            .send(Message::Piece(piece))
            .await
            .map_err(|_| Break::Final(Error::interrupted()))?;
        self.offset = offset;
        self.report(false);
        Ok(())
    }

    fn report(&mut self, last: bool) {
        if last || self.reported.is_none_or(|then| then.elapsed() >= REPORT_EVERY) {
            self.reported = Some(Instant::now());
            self.events.send(Event::Downloaded {
                bytes: self.offset,
                total: self.total,
            });
        }
    }

    /// Fails when an answer is about another file than the one that the delivered bytes are from; notes what it
    /// says of the file otherwise.
    fn compare(&mut self, total: Option<u64>, headers: &HeaderMap) -> Result<(), Break> {
        let etag = headers.get(ETAG);
        let modified = headers.get(LAST_MODIFIED);
        if self.offset == 0 {
            (self.total, self.etag, self.modified) = (total, etag.cloned(), modified.cloned());
            return Ok(());
        }
        let differs = |then: &Option<HeaderValue>, now: Option<&HeaderValue>| matches!((then, now), (Some(then), Some(now)) if then != now);
        let same_tag = self.etag.is_some() && self.etag.as_ref() == etag;
        if matches!((self.total, total), (Some(then), Some(now)) if then != now)
            || total.is_some_and(|total| total < self.offset)
            || differs(&self.etag, etag)
            || (!same_tag && differs(&self.modified, modified))
        {
            return Err(self.changed());
        }
        self.total = self.total.or(total);
        self.etag = self.etag.take().or_else(|| etag.cloned());
        self.modified = self.modified.take().or_else(|| modified.cloned());
        Ok(())
    }

    /// Checks that a 206 begins where the delivered bytes end.
    fn accept_range(&mut self, headers: &HeaderMap) -> Result<(), Break> {
        match ContentRange::of(headers) {
            Some(ContentRange {
                first: Some(first),
                total,
            }) if first == self.offset => self.compare(total, headers),
            _ => {
                self.ranges = false;
                Err(Break::passing(
                    "the server sent another part of the file than it was asked for",
                ))
            }
        }
    }

    /// A 416: either all has been delivered already and only its length was not known, or ranges are of no use.
    fn past_the_end(&mut self, headers: &HeaderMap) -> Result<(), Break> {
        let total = ContentRange::of(headers).and_then(|range| range.total);
        self.compare(total, headers)?;
        if total == Some(self.offset) {
            return Ok(());
        }
        self.ranges = false;
        Err(Break::passing("the server refused to go on from where it was"))
    }

    /// What makes a server send its 206 only if the file is still the same: a strong ETag or else the date.
    fn validator(&self) -> Option<HeaderValue> {
        let strong = self
            .etag
            .as_ref()
            .filter(|etag| !etag.as_bytes().starts_with(b"W/"));
        strong.or(self.modified.as_ref()).cloned()
    }

    fn no_answer(&self, error: reqwest::Error) -> Break {
        match HttpFailure::transport(error) {
            HttpFailure::Transport {
                reason,
                passing: true,
                ..
            } => Break::passing(reason),
            HttpFailure::Transport { reason, .. } => self.hopeless(&reason),
            _ => Break::passing("the connection failed"),
        }
    }

    fn trickles(&self) -> Break {
        Break::passing(format!(
            "fewer than {} KiB came in {} seconds",
            self.patience.least / 1024,
            self.patience.slow.as_secs_f32()
        ))
    }

    fn stalled(&self) -> Break {
        Break::passing(format!(
            "nothing came for {} seconds",
            self.patience.stalled.as_secs_f32()
        ))
    }

    fn changed(&self) -> Break {
        Break::Final(Error::new(
            Kind::Download,
            format!(
                "The file of {} changed while it was being downloaded.",
                self.subject
            ),
            "Run it again: its two parts do not fit together.",
        ))
    }

    /// What is wrong will be so the next time.
    fn hopeless(&self, why: &str) -> Break {
        Break::Final(Error::new(
            Kind::Download,
            format!("{} cannot be downloaded: {why}.", capitalized(&self.subject)),
            "Another try would end in the same way. Check a proxy between this machine and the platform (HTTPS_PROXY), and \
             ask the platform's support.",
        ))
    }

    fn failed(&self, why: &str) -> Error {
        let of = self
            .total
            .map_or_else(|| "an unknown number of".to_owned(), |total| total.to_string());
        let times = match self.breaks {
            0 | 1 => "once".to_owned(),
            breaks => format!("{breaks} times, the last time"),
        };
        Error::new(
            Kind::Download,
            format!(
                "The download of {} broke off {times} because {why}; {} of {of} bytes had arrived.",
                self.subject, self.offset
            ),
            "Run it again; if it happens again, check this machine's network and the platform's status page.",
        )
    }
}

/// Whether a status says no to the link, which may have expired: a fresh one may do better.
pub(super) fn refuses_a_link(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 401 | 403 | 404 | 410)
}

pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads to, or why it is not followed. It may hold a secret, as the link does.
pub(super) fn led_to(from: &Url, headers: &HeaderMap) -> Result<Url, &'static str> {
    let place = headers.get(LOCATION).and_then(|place| place.to_str().ok());
    let place = place.ok_or("it redirects without saying where to")?;
    let to = from
        .join(place)
        .map_err(|_| "it redirects to something that is not a URL")?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(to),
        ("https", "http") => Err("it redirects from https to http, where anyone on the way could read it"),
        _ => Err("it redirects to something that is neither http nor https"),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `Content-Range: bytes FIRST-LAST/TOTAL`, where `FIRST-LAST` and `TOTAL` may each be `*`.
pub(super) struct ContentRange {
    first: Option<u64>,
    pub(super) total: Option<u64>,
}

impl ContentRange {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
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

fn length_of(headers: &HeaderMap) -> Option<u64> {
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
        assert!(to("https://a.example/x", "http://a.example/y")
            .unwrap_err()
            .contains("https to http"));
        for place in ["file:///etc/passwd", "ftp://a.example/", "data:,x", "http://"] {
            assert!(to("http://a.example/x", place).is_err(), "{place}");
        }
        assert!(led_to(&Url::parse("http://a.example/").unwrap(), &HeaderMap::new()).is_err());
    }

    #[test]
    fn a_reader_whose_task_vanished_says_that_the_run_was_stopped() {
        let (sender, receiver) = mpsc::channel(1);
        drop(sender);
        let mut reader = DownloadReader {
            receiver,
            piece: Bytes::new(),
            end: None,
            digest: Arc::default(),
        };
        for _ in 0..2 {
            let error = reader.read(&mut [0; 8]).unwrap_err();
            assert_eq!(
                super::super::error_from_io(&error).unwrap().kind,
                Kind::Interrupted
            );
        }
    }
}

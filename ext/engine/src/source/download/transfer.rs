//! The tries: each asks for what is still missing, and hands on what comes.

use super::super::file::hex;
use super::super::http::{is_passing, retry_after};
use super::super::patience::Patience;
use super::answer::{is_redirect, led_to, length_of, refuses_a_link, ContentRange, REDIRECTS};
use super::broken::{Break, Pace};
use super::known::Known;
use super::reader::Message;
use super::{Links, NoLink};
use crate::error::{Error, Result};
use crate::event::{Event, Sink};
use crate::failure::{BackupSubject, Hitch, ScalingoFailure};
use crate::phrase::Phrase;
use backon::BackoffBuilder;
use bytes::{Buf, Bytes};
use reqwest::header::{HeaderMap, ACCEPT_ENCODING, IF_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

/// Between two reports of progress.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// The download of one file.
pub(super) struct Download<'a, L> {
    client: Client,
    links: L,
    pub(super) subject: BackupSubject,
    pub(super) patience: Patience,
    events: Sink,
    sender: &'a mpsc::Sender<Message>,
    /// Bytes delivered, and their digest so far.
    pub(super) offset: u64,
    hasher: Sha256,
    pub(super) known: Known,
    /// The server can do ranges, as far as we know.
    ranges: bool,
    pub(super) breaks: u32,
    reported: Option<Instant>,
}

impl<'a, L: Links> Download<'a, L> {
    pub(super) fn new(
        client: Client,
        links: L,
        subject: BackupSubject,
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
            known: Known::default(),
            ranges: true,
            breaks: 0,
            reported: None,
        }
    }

    /// Tries until all is delivered, and returns its digest.
    pub(super) async fn run(&mut self) -> Result<String> {
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
                _ => return Err(self.failed(why)),
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
                true => Break::passing(no_link(&error)),
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
                let why = Hitch::Answered {
                    status: status.as_u16(),
                };
                let refused = refuses_a_link(status);
                if !refused && !is_passing(status) {
                    return Err(self.hopeless(why));
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
                if let Some(validator) = self.known.validator() {
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
                return Err(self.hopeless(Hitch::RedirectsInCircle));
            }
            if seen.len() > REDIRECTS {
                return Err(self.hopeless(Hitch::RedirectsTooOften));
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
        match self.known.total {
            _ if left > 0 => Err(self.changed()),
            Some(total) if self.offset < total => Err(Break::passing(Hitch::ClosedEarly)),
            _ => Ok(()),
        }
    }

    async fn deliver(&mut self, piece: Bytes) -> Result<(), Break> {
        let offset = self.offset + piece.len() as u64;
        if self.known.total.is_some_and(|total| offset > total) {
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
                total: self.known.total,
            });
        }
    }

    /// Fails when an answer is about another file than the one that the delivered bytes are from.
    fn compare(&mut self, total: Option<u64>, headers: &HeaderMap) -> Result<(), Break> {
        if self.known.agrees(self.offset, total, headers) {
            Ok(())
        } else {
            Err(self.changed())
        }
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
                Err(Break::passing(Hitch::OtherPart))
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
        Err(Break::passing(Hitch::RefusedToGoOn))
    }
}

/// Why there is no link to be tried.
fn no_link(error: &Error) -> Hitch {
    let failure: Option<&ScalingoFailure> = error.what.phrase().and_then(Phrase::downcast_ref);
    failure.map_or(Hitch::NoLink, |failure| Hitch::NoLinkBecause {
        failure: Box::new(failure.clone()),
    })
}

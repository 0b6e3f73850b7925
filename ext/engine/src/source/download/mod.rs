//! A download that survives: it resumes where it broke, with a fresh link each time, and is read as a stream.
//!
//! A task fetches pieces and feeds a bounded channel; a reader on a blocking thread takes them out. When the
//! reader is slow the channel fills, the task stops reading the socket, and TCP slows the server down. At most
//! [`PIECES`] pieces of the HTTP library's read buffer (up to about 400 KiB each) are in memory at a time.
//!
//! Resuming is RFC 9110: `Range` from the first missing byte, with `If-Range` where the server gave a validator.
//! A server that starts over instead is coped with: what was delivered already is skipped, and must be the same
//! bytes. Nothing here knows where links come from: that is [`Links`].

mod answer;
mod broken;
mod known;
mod reader;
mod transfer;

pub(super) use answer::{is_redirect, led_to, refuses_a_link, ContentRange, REDIRECTS};
pub(super) use reader::DownloadReader;

use super::patience::Patience;
use crate::error::{Error, Result};
use crate::event::Sink;
use crate::failure::BackupSubject;
use reader::Message;
use reqwest::Client;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use transfer::Download;
use url::Url;

/// Pieces in the channel.
const PIECES: usize = 3;
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
/// `subject` is what it is called in an error. Must be called within a tokio runtime.
pub(super) fn start(
    client: Client,
    links: impl Links,
    subject: BackupSubject,
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
    (DownloadReader::new(receiver, digest), task.abort_handle())
}

//! The end that is read: it takes what the task hands over.

use crate::error::{Error, Result};
use bytes::{Buf, Bytes};
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc;

/// What the task hands over.
pub(super) enum Message {
    Piece(Bytes),
    /// All has been sent; with its digest.
    End(String),
    Failed(Error),
}

/// Reads what the download brings. Blocks, and so must not be used in async code.
pub(in crate::source) struct DownloadReader {
    receiver: mpsc::Receiver<Message>,
    piece: Bytes,
    end: Option<Result<()>>,
    digest: Arc<OnceLock<String>>,
}

impl DownloadReader {
    /// Reads what comes through `receiver`, and sets `digest` when all has come.
    pub(super) fn new(receiver: mpsc::Receiver<Message>, digest: Arc<OnceLock<String>>) -> Self {
        Self {
            receiver,
            piece: Bytes::new(),
            end: None,
            digest,
        }
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_reader_whose_task_vanished_says_that_the_run_was_stopped() {
        let (sender, receiver) = mpsc::channel(1);
        drop(sender);
        let mut reader = DownloadReader::new(receiver, Arc::default());
        for _ in 0..2 {
            let error = reader.read(&mut [0; 8]).unwrap_err();
            assert_eq!(
                crate::source::error_from_io(&error).unwrap().kind,
                crate::error::Kind::Interrupted
            );
        }
    }
}

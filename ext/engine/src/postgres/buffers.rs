//! Buffers that are used again, so that no piece of rows costs an allocation.

use bytes::Buf;
use std::sync::{Arc, Mutex, PoisonError};

/// A buffer that grew beyond this for one huge field is given back to the system instead.
const LARGEST_KEPT: usize = 1024 * 1024;

/// A bounded store of empty buffers. Clones share it.
#[derive(Debug, Clone)]
pub struct Buffers {
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
    most: usize,
}

impl Buffers {
    /// A store that keeps at most `most` idle buffers.
    pub fn new(most: usize) -> Self {
        Self {
            idle: Arc::new(Mutex::new(Vec::with_capacity(most))),
            most,
        }
    }

    /// An empty buffer, used before if there is one.
    pub fn take(&self) -> Vec<u8> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_default()
    }

    /// Gives a buffer back; its contents are forgotten.
    pub(crate) fn give(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() == 0 || buffer.capacity() > LARGEST_KEPT {
            return;
        }
        buffer.clear();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.most {
            idle.push(buffer);
        }
    }
}

/// The most bytes of one message on its way: each is copied once more to be sent, so a huge field goes in several.
const LARGEST_MESSAGE: usize = 512 * 1024;

/// Bytes on their way to the server, whose buffer goes back to its store when all of them have left.
pub(crate) struct Outgoing {
    whole: Arc<Whole>,
    at: usize,
    end: usize,
}

/// A buffer, and where it belongs.
struct Whole {
    bytes: Vec<u8>,
    home: Buffers,
}

impl Outgoing {
    /// A buffer as messages, in their order.
    pub(crate) fn messages(bytes: Vec<u8>, home: &Buffers) -> impl Iterator<Item = Self> {
        let length = bytes.len();
        let home = home.clone();
        let whole = Arc::new(Whole { bytes, home });
        (0..length).step_by(LARGEST_MESSAGE).map(move |at| Self {
            whole: Arc::clone(&whole),
            at,
            end: length.min(at + LARGEST_MESSAGE),
        })
    }
}

impl Buf for Outgoing {
    fn remaining(&self) -> usize {
        self.end - self.at
    }

    fn chunk(&self) -> &[u8] {
        self.whole.bytes.get(self.at..self.end).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.at = self.end.min(self.at + count);
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.home.give(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_buffer_goes_in_messages_and_a_usual_one_in_one_and_comes_home() {
        let home = Buffers::new(1);
        let usual: Vec<Outgoing> = Outgoing::messages(vec![b'a'; 300_000], &home).collect();
        assert_eq!(usual.len(), 1);
        drop(usual);
        assert!(home.take().capacity() >= 300_000, "it is used again");

        let huge: Vec<u8> = (0..2_000_000u32).map(|at| at as u8).collect();
        let mut put = Vec::new();
        for mut message in Outgoing::messages(huge.clone(), &home) {
            assert!(message.remaining() <= LARGEST_MESSAGE);
            while message.has_remaining() {
                put.extend_from_slice(&message.chunk()[..1]);
                message.advance(1);
                let rest = message.remaining();
                put.extend_from_slice(message.chunk());
                message.advance(rest);
            }
        }
        assert_eq!(put, huge);
        assert_eq!(home.take().capacity(), 0, "it goes back to the system");
        assert_eq!(Outgoing::messages(Vec::new(), &home).count(), 0);
    }
}

//! Buffers that are used again, so that no piece of rows costs an allocation.

use bytes::Buf;
use std::sync::{Arc, Mutex, PoisonError};

/// A buffer that grew beyond this for one huge field is given back to the system instead.
const LARGEST_KEPT: usize = 1024 * 1024;

/// A bounded store of empty buffers. Clones share it.
///
/// ```
/// use staging_sync_engine::target::Buffers;
/// let buffers = Buffers::new(2);
/// let mut buffer = buffers.take();
/// buffer.extend_from_slice(b"1\tada\n");
/// buffers.give(buffer);
/// assert!(buffers.take().is_empty());
/// ```
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
    pub fn give(&self, mut buffer: Vec<u8>) {
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

/// Bytes on their way to the server, whose buffer goes back to its store when they have left.
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    home: Buffers,
}

impl Outgoing {
    pub(crate) fn new(bytes: Vec<u8>, home: &Buffers) -> Self {
        Self {
            bytes,
            sent: 0,
            home: home.clone(),
        }
    }
}

impl Buf for Outgoing {
    fn remaining(&self) -> usize {
        self.bytes.len() - self.sent
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.sent = self.bytes.len().min(self.sent + count);
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.home.give(std::mem::take(&mut self.bytes));
    }
}

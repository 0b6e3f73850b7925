//! AES-256 whose clones share one key schedule. FF1 clones its cipher in each of its ten rounds, and the schedule has nearly a
//! kilobyte: the copies would take longer than the encryption.

use aes::cipher::{BlockCipher, BlockClosure, BlockEncrypt, BlockSizeUser, Key, KeyInit, KeySizeUser};
use aes::Aes256Enc;
use std::sync::Arc;

/// AES-256, to encrypt with, which is all that FF1 needs.
#[derive(Clone)]
pub(super) struct Schedule(Arc<Aes256Enc>);

impl KeySizeUser for Schedule {
    type KeySize = <Aes256Enc as KeySizeUser>::KeySize;
}

impl KeyInit for Schedule {
    fn new(key: &Key<Self>) -> Self {
        Self(Arc::new(Aes256Enc::new(key)))
    }
}

impl BlockSizeUser for Schedule {
    type BlockSize = <Aes256Enc as BlockSizeUser>::BlockSize;
}

impl BlockCipher for Schedule {}

impl BlockEncrypt for Schedule {
    fn encrypt_with_backend(&self, with: impl BlockClosure<BlockSize = Self::BlockSize>) {
        self.0.encrypt_with_backend(with);
    }
}

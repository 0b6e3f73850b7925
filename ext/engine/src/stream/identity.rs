//! Whether an archive that is read again is the one that was read before.

use pg_dump_archive::{Archive, Entry, Header};
use sha2::{Digest, Sha256};
use std::io::{Read, Write as _};

/// What distinguishes one archive from another: its header, and a digest of its table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    header: Header,
    contents: [u8; 32],
}

impl Identity {
    pub(super) fn of<R: Read>(archive: &Archive<R>) -> Self {
        let mut digest = Sha256::new();
        let mut line = Vec::new();
        for entry in archive.entries() {
            let Entry {
                dump_id,
                tag,
                namespace,
                kind,
                copy_stmt,
                defn,
                ..
            } = entry;
            line.clear();
            // Writing to a buffer cannot fail.
            let _ = write!(
                line,
                "{dump_id}\0{kind}\0{namespace}\0{tag}\0{copy_stmt}\0{defn}\0"
            );
            digest.update(&line);
        }
        Self {
            header: archive.header().clone(),
            contents: digest.finalize().into(),
        }
    }
}

//! pg_dump's custom archive format, read as a stream: header, table of contents, then data blocks in file order.
//!
//! It is a parser of untrusted bytes: no seeking, no trust in lengths, nothing allocated on a length's word
//! alone. The format's only specification is PostgreSQL's source: `src/bin/pg_dump/pg_backup_archiver.c`
//! (ReadHead, ReadToc, ReadInt, ReadStr), `pg_backup_custom.c` (blocks), `compress_*.c`.

mod toc;

pub use toc::{Compression, DumpId, Entry, Header, Section, Version};

//! PostgreSQL's COPY text format, both ways, for any byte and without an allocation per row; and the rows
//! of `pg_dump --inserts`, turned into it. [`binary`] turns rows of COPY text into those of binary COPY.
//!
//! Rows end in a newline, fields are separated by tabs, `\N` alone is NULL, and a backslash escapes the rest
//! (PostgreSQL's documentation, "COPY", "Text Format"). COPY TO writes a newline or tab in the data as `\n`
//! and `\t`, so a raw newline byte is always the end of a row, and a raw tab byte the end of a field.
//!
//! The module cuts, decodes and encodes; it does not know of tables, types or masks. It works on bytes
//! and holds for every encoding in which an ASCII byte is always that character: UTF-8 and all others
//! that PostgreSQL allows for a server. The archive refuses those it allows for clients only.

pub mod binary;
mod error;
mod field;
mod inserts;
mod pieces;
mod rows;

pub use error::RowError;
pub use field::{decode, encode, encode_from, fields, Fields};
pub use inserts::InsertRows;
pub use pieces::Pieces;
pub use rows::{Row, Rows, Splitter};

/// The longest row that is read, in bytes. PostgreSQL gathers a row of COPY in one buffer, which holds
/// 1 GiB (`MaxAllocSize`), so a longer one cannot be loaded anyway; a damaged stream without newlines
/// ends here instead of filling the memory.
pub const MAX_ROW: usize = 1 << 30;

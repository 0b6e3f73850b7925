//! The engine of scalingo-staging-sync: a production backup in, a masked staging database out, as one stream.
//!
//! ```text
//! source    HTTPS download → gunzip → untar      (or a local file)
//! archive   pg_dump's custom format: table of contents, then data blocks
//! plan      table of contents + rules → what happens to each entry
//! copy      COPY text: rows, fields, escapes
//! mask      rows in, masked rows out
//! target    PostgreSQL: reset, schema, rows, indexes and keys
//! verify    what was sent, counted and checked again in the target
//! ```
//!
//! An arrow points down this list or to the ground floor (`settings`, `event`, `error`, `copy`), never up.
//! Nothing in this crate knows of Ruby or Rails, and nothing outside `source::scalingo` of Scalingo's API.

pub mod archive;
pub mod copy;
pub mod error;
pub mod event;
pub mod mask;
pub mod pii;
pub mod plan;
pub mod report;
pub mod settings;
pub mod source;
pub mod target;

use error::Result;
use event::Sink;
use report::Report;
use tokio_util::sync::CancellationToken;
/// x
pub async fn run(_s: &settings::Settings, events: &Sink, cancel: CancellationToken) -> Result<Report> {
    for _ in 0..50 {
        events.warn("tick");
        tokio::select! { _ = cancel.cancelled() => { return Err(error::Error::interrupted()) } _ = tokio::time::sleep(std::time::Duration::from_millis(100)) => {} }
    }
    Ok(Report::default())
}
/// x
pub async fn anonymize(_s: &settings::Settings, _e: &Sink, _c: CancellationToken) -> Result<Report> {
    panic!("boo")
}
/// x
pub async fn fetch(
    _s: &settings::Scalingo,
    _d: &std::path::Path,
    _e: &Sink,
    _c: CancellationToken,
) -> Result<std::path::PathBuf> {
    Err(error::Error::new(error::Kind::Download, "What.", "Remedy."))
}

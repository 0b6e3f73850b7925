//! The engine of scalingo-staging-sync: a production backup in, a masked staging database out, as one stream.
//!
//! ```text
//! jobs         run, dump, anonymize, dry_run, sample, scan, check, cleanup, fetch: what the binding starts
//!
//! stream       an archive's bytes, cut into the loader's items (rows: the rows of one block)
//! planned      one door to a plan: from an archive, a catalogue, SQL
//! leak_report  the leak check's beginning and end; verify, passwords: what is counted in the target afterwards
//! report       what a job says in the end, gathered from its events; part_report: which rows of a part came, of how many
//! sink         an archive that rows go into instead of a database
//! detect       personal data that no rule covers, from rows
//! postgres     PostgreSQL: sessions, reset, rows, what may run when, rules in SQL
//! identity     whether the target is the source itself
//! source       where a backup comes from: HTTPS download → gunzip → untar, or a local file
//! plan         table of contents + rules → what happens to each entry
//!
//! channel      what holds personal data beside columns
//! settings, error, event; alike: warnings of one kind as one
//! text         sentences with suggestions in them, as data
//! phrase       what is said as data, without a word: kinds with fields
//! notice       warnings as data
//! failure      what ended a job and what to do about it, as data
//! left_out     what of a backup does not come, and why
//! finding      what is reported of a column that looks personal, and why it stands as it does
//! ```
//!
//! Below it stand crates that know nothing of this product: [`leak_check`] (originals of masked columns that survive in
//! others), [`masking`] (rows in, masked rows out), [`personal_data`] (what personal data looks like),
//! [`pg_dump_archive`] (pg_dump's custom format and the COPY format).
//!
//! A module knows those below it and none above; `tests/architecture.rs` fails when one does. Nothing in this crate
//! knows of Ruby or Rails, and nothing outside `source::scalingo` of Scalingo's API.

mod alike;
pub mod channel;
mod detect;
pub mod error;
pub mod event;
pub mod failure;
pub mod finding;
mod identity;
pub mod jobs;
mod leak_report;
pub mod left_out;
pub mod notice;
pub mod part;
pub mod part_report;
mod passwords;
pub mod phrase;
pub mod plan;
mod planned;
pub mod postgres;
pub mod report;
mod rows;
pub mod settings;
mod sink;
pub mod source;
mod stream;
pub mod text;
pub mod verify;

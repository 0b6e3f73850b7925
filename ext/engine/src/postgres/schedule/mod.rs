//! What may run when, beside rows that still come, and how much memory it gets.

pub(in crate::postgres) mod analyze;
pub(in crate::postgres) mod graph;
pub(in crate::postgres) mod keys;
pub(in crate::postgres) mod questions;
pub(in crate::postgres) mod working_memory;

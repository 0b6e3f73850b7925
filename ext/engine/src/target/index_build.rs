//! How much memory and how many workers a B-tree's build gets.
//!
//! Measured with PostgreSQL 17 on three million rows, in CPU seconds: an index on random text takes 4.3 in one
//! process with 16 MB, 5.5 with 64 MB, because what is sorted at a time then no longer fits the processor's cache,
//! and 5.1 with two workers beside it, which hand sorted runs on by way of files. So several builds at once do best
//! with one process and little memory each. A build that nothing else runs beside keeps the server's own setting:
//! there workers save time.

use crate::plan::Step;

/// Builds on less than this fit any setting.
const LARGE: u64 = 16 * 1024 * 1024;

/// A run of a sort is read back in pieces of this size (`MERGE_BUFFER_SIZE` in PostgreSQL's tuplesort.c).
const MERGE_BUFFER: u64 = 256 * 1024;

/// No less than this, in KiB.
const LEAST: u64 = 16 * 1024;

/// A step's SQL, with settings for the time of its transaction where it builds a B-tree. `bytes`: what its tables
/// hold; `alone`: nothing else runs, or could.
pub(super) fn sql(step: &Step, bytes: u64, alone: bool) -> String {
    if alone || !builds_btree(step) {
        return step.sql.clone();
    }
    let mut settings = String::from("SET LOCAL max_parallel_maintenance_workers = 0; ");
    if bytes >= LARGE {
        // Never more than the session has.
        settings.push_str(&format!(
            "SELECT set_config('maintenance_work_mem', least(setting::bigint, {})::text || 'kB', true) \
             FROM pg_settings WHERE name = 'maintenance_work_mem'; ",
            sort_memory(bytes)
        ));
    }
    settings + &step.sql
}

/// KiB to sort up to so many bytes with, so that the runs can be merged in one pass: a run is as large as the
/// memory, and each takes a buffer of it when they are merged. Twice that, since rows in memory are larger.
fn sort_memory(bytes: u64) -> u64 {
    (2 * bytes.saturating_mul(MERGE_BUFFER).isqrt() / 1024).max(LEAST)
}

fn builds_btree(step: &Step) -> bool {
    match step.kind.as_str() {
        "INDEX" => step.sql.contains(" USING btree "),
        "CONSTRAINT" => step.sql.contains(" PRIMARY KEY ") || step.sql.contains(" UNIQUE "),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Refusal;

    fn step(kind: &str, sql: &str) -> Step {
        Step {
            dump_id: 1,
            kind: kind.into(),
            name: "one".into(),
            sql: sql.into(),
            waits_for: Vec::new(),
            locks: Vec::new(),
            shared: Vec::new(),
            last: false,
            weight: 0,
            refusal: Refusal::Fatal,
        }
    }

    #[test]
    fn b_trees_beside_others_get_one_process_and_what_one_merge_needs() {
        let index = step("INDEX", "CREATE INDEX i ON public.t USING btree (a);");
        assert_eq!(
            sql(&index, 1_000, false),
            "SET LOCAL max_parallel_maintenance_workers = 0; CREATE INDEX i ON public.t USING btree (a);"
        );
        assert!(sql(&index, 400_000_000, false).contains("least(setting::bigint, 20000)"));
        assert_eq!(sort_memory(20_000_000), 16 * 1024);
        // 60 GB: a quarter of a gigabyte, if the session has it.
        assert_eq!(sort_memory(60_000_000_000), 244_948);
        let key = step(
            "CONSTRAINT",
            "ALTER TABLE ONLY public.t ADD CONSTRAINT k PRIMARY KEY (id);",
        );
        assert!(sql(&key, 0, false).starts_with("SET LOCAL"));
    }

    #[test]
    fn other_statements_and_a_build_that_runs_alone_are_left_as_they_are() {
        let index = step("INDEX", "CREATE INDEX i ON public.t USING btree (a);");
        assert_eq!(sql(&index, 400_000_000, true), index.sql);
        for other in [
            step("INDEX", "CREATE INDEX i ON public.t USING gin (a);"),
            step("CONSTRAINT", "ALTER TABLE t ADD CONSTRAINT c CHECK ((a > 0));"),
            step("TRIGGER", "CREATE TRIGGER …"),
        ] {
            assert_eq!(sql(&other, 400_000_000, false), other.sql);
        }
    }
}

//! How much memory and how many workers a B-tree's build gets, and how much the check of a foreign key.
//!
//! Measured with PostgreSQL 17 on three million rows beside other work, in CPU seconds. An index on random text: 4.0
//! with 10 MB, 4.4 with 16 MB, 5.5 with 64 MB, because what is sorted at a time then no longer fits the processor's
//! cache; and 5.1 with two workers beside it, which hand sorted runs on by way of files. So several builds at once do
//! best with one process and little memory each. A build that nothing else runs beside keeps the server's own setting:
//! there workers save time. A foreign key to a million rows: 1.1 with 3 MB, 2.1 with 8 MB or more. The rows that it
//! refers to are hashed (`RI_Initial_Check` in PostgreSQL's ri_triggers.c runs one query, with maintenance_work_mem as
//! its work_mem), and nearly every look into a large hash table waits for memory, while parts of one fit the cache.

use crate::plan::{Step, StepKind};
use pg_dump_archive::EntryKind;

/// Builds on less than this fit any setting.
const LARGE: u64 = 16 * 1024 * 1024;

/// A run of a sort is read back in pieces of this size (`MERGE_BUFFER_SIZE` in PostgreSQL's tuplesort.c).
const MERGE_BUFFER: u64 = 256 * 1024;

/// No less than this for a sort, in KiB.
const LEAST_TO_SORT: u64 = 10 * 1024;

/// No less than this for a hash table, in KiB.
const LEAST_TO_HASH: u64 = 3 * 1024;

/// A hash table is made in no more parts than about this, times how much smaller it is than its table.
const PARTS: u64 = 256;

/// A step's SQL, with settings for the time of its transaction where it builds a B-tree or checks a foreign key.
/// `bytes`: what its tables hold; `alone`: nothing else runs, or could.
pub(in crate::postgres) fn sql(step: &Step, bytes: u64, alone: bool) -> String {
    let mut settings = String::new();
    if step.kind == EntryKind::ForeignKey && bytes >= LARGE {
        settings = at_most((bytes / PARTS / 1024).max(LEAST_TO_HASH));
    } else if builds_btree(step) && !alone {
        settings.push_str("SET LOCAL max_parallel_maintenance_workers = 0; ");
        if bytes >= LARGE {
            settings.push_str(&at_most(to_sort(bytes)));
        }
    }
    settings + &step.sql
}

/// Sets maintenance_work_mem to so many KiB, and never to more than the session has.
fn at_most(kib: u64) -> String {
    format!(
        "SELECT set_config('maintenance_work_mem', least(setting::bigint, {kib})::text || 'kB', true) \
         FROM pg_settings WHERE name = 'maintenance_work_mem'; "
    )
}

/// KiB to sort the keys of a table of so many bytes with, so that the runs can be merged in one pass: a run is as
/// large as the memory, and each takes a buffer of it when they are merged. Keys take less than rows.
fn to_sort(bytes: u64) -> u64 {
    (bytes.saturating_mul(MERGE_BUFFER).isqrt() / 1024).max(LEAST_TO_SORT)
}

fn builds_btree(step: &Step) -> bool {
    let StepKind::Entry(kind) = &step.kind else {
        return false;
    };
    match kind {
        EntryKind::Index => step.sql.contains(" USING btree "),
        EntryKind::Constraint => step.sql.contains(" PRIMARY KEY ") || step.sql.contains(" UNIQUE "),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_trees_beside_others_get_one_process_and_what_one_merge_needs() {
        let index = Step::bare(EntryKind::Index, "CREATE INDEX i ON public.t USING btree (a);");
        assert_eq!(
            sql(&index, 1_000, false),
            "SET LOCAL max_parallel_maintenance_workers = 0; CREATE INDEX i ON public.t USING btree (a);"
        );
        assert!(sql(&index, 1_600_000_000, false).contains("least(setting::bigint, 20000)"));
        assert_eq!(to_sort(20_000_000), 10 * 1024);
        // 60 GB: an eighth of a gigabyte, if the session has it.
        assert_eq!(to_sort(60_000_000_000), 122_474);
        let key = Step::bare(
            EntryKind::Constraint,
            "ALTER TABLE ONLY public.t ADD CONSTRAINT k PRIMARY KEY (id);",
        );
        assert!(sql(&key, 0, false).starts_with("SET LOCAL"));
    }

    #[test]
    fn a_large_foreign_key_is_checked_in_parts_also_alone() {
        let key = Step::bare(
            EntryKind::ForeignKey,
            "ALTER TABLE public.t VALIDATE CONSTRAINT k",
        );
        assert_eq!(sql(&key, 1_000, true), key.sql);
        for alone in [true, false] {
            let checked = sql(&key, 400_000_000, alone);
            assert!(checked.contains("least(setting::bigint, 3072)"), "{checked}");
            assert!(checked.ends_with(&key.sql));
        }
        assert!(sql(&key, 100_000_000_000, false).contains("least(setting::bigint, 381469)"));
    }

    #[test]
    fn other_statements_and_a_build_that_runs_alone_are_left_as_they_are() {
        let index = Step::bare(EntryKind::Index, "CREATE INDEX i ON public.t USING btree (a);");
        assert_eq!(sql(&index, 400_000_000, true), index.sql);
        for other in [
            Step::bare(EntryKind::Index, "CREATE INDEX i ON public.t USING gin (a);"),
            Step::bare(
                EntryKind::Constraint,
                "ALTER TABLE t ADD CONSTRAINT c CHECK ((a > 0));",
            ),
            Step::bare(EntryKind::Trigger, "CREATE TRIGGER …"),
        ] {
            assert_eq!(sql(&other, 400_000_000, false), other.sql);
        }
    }
}

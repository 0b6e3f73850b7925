//! The report of a finished dump.

use super::{Begun, Done, Dumping};
use crate::leak_report::LeakReport;
use crate::part_report;
use crate::passwords;
use crate::plan::Plan;
use crate::postgres::{new_run_id, LoadReport};
use crate::report::{self, ArchiveReport, ArchivedTable, Report};
use crate::sink::Written;

impl Dumping<'_> {
    /// The report's part about the archive, in a file or on standard output.
    pub(super) fn archive_of(&self, begun: &Begun, done: &Done, plan: &Plan) -> ArchiveReport {
        let tables = done.written.loads.iter().filter_map(|one| {
            let load = plan.loads.get(&one.dump_id)?;
            let place = done.written.places.get(&one.dump_id)?;
            Some(ArchivedTable {
                table: load.table.to_string(),
                columns: load.columns.clone(),
                primary_key: begun.tables.key(load.dump_id),
                offset: place.offset,
                length: place.length,
            })
        });
        ArchiveReport {
            size: done.written.size,
            sha256: None,
            format_version: done.version.clone(),
            compression: self.compression.to_string(),
            tables: tables.collect(),
            order: begun.tables.order().to_vec(),
        }
    }

    pub(super) fn conclude(
        &self,
        begun: &Begun,
        plan: &Plan,
        done: Done,
        found: LeakReport,
        (archive, verified): (ArchiveReport, bool),
    ) -> Report {
        for warning in part_report::warnings(plan, begun.selection.as_deref()) {
            self.events.warn(warning);
        }
        let verified = verified && done.warnings.is_empty() && !found.leaks();
        let Written {
            loads, large_objects, ..
        } = done.written;
        let known_passwords = passwords::replaced(plan, &loads);
        let loaded = LoadReport {
            loads,
            ..LoadReport::default()
        };
        found.into_report(Report {
            run_id: new_run_id(),
            backup: Some(report::BackupReport::new(
                &begun.info,
                begun.digest.get(),
                &begun.header,
            )),
            tables: self
                .recorder
                .placed(report::tables(plan, &loaded, begun.selection.as_deref())),
            part: part_report::reports(plan, begun.selection.as_deref()),
            excluded: plan.excluded.iter().map(ToString::to_string).collect(),
            left_out: plan.left_out.clone(),
            findings: begun.detection.findings(),
            known_passwords,
            large_objects,
            archive: Some(archive),
            verified,
            ..self.recorder.finish()
        })
    }
}

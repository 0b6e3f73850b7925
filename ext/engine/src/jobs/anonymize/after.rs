//! What follows when the rows are masked: materialized views, verification, the look for originals that survived.

use super::Masking;
use crate::channel::Channel;
use crate::error::{About, Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobRemedy, LeakRemedy};
use crate::leak_report::read_back::read_back;
use crate::leak_report::{self, LeakReport};
use crate::notice::Mismatch;
use leak_check::LookTime;

impl Masking<'_> {
    /// The database's large objects, which are not looked into.
    async fn large_objects(&self) -> Result<Option<Channel>> {
        let count = "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata";
        let row = self.reader.query_one(count, &[]).await;
        let row = row.map_err(|error| {
            Error::from_server(Doing::WithoutRows(&Attempt::CountingLargeObjects), &error)
        })?;
        let count: i64 = row.try_get(0).map_err(|error| {
            Error::from_server(Doing::WithoutRows(&Attempt::CountingLargeObjects), &error)
        })?;
        let count = u64::try_from(count).unwrap_or_default();
        Ok((count > 0).then(|| Channel::large_objects_unscanned(count)))
    }

    /// Reads every table for originals of the columns that were masked. Nothing is emptied here: the database was
    /// there before.
    pub(super) async fn look_for_leaks(&self) -> Result<LeakReport> {
        let plan = self.plan;
        if let Some(check) = &self.leaks {
            for load in plan.loads.values() {
                read_back(self.reader, load, load.mask.as_deref(), check, LookTime::ReadBack).await?;
            }
        }
        let objects = self.large_objects().await?;
        let leak_report = leak_report::collect(plan, self.leaks.as_ref(), objects, self.events);
        match leak_report
            .failure()
            .filter(|_| self.settings.masking.fail_on_verification_error)
        {
            Some(failure) => Err(leak_report::refusal(failure, LeakRemedy::MaskedInPlace)),
            None => {
                leak_report::warn(&leak_report, self.events);
                Ok(leak_report)
            }
        }
    }

    /// Fills every populated materialized view anew, older ones first, since a view reads only older ones.
    pub(super) async fn refresh_materialized_views(&self) -> Result<()> {
        let rows = self
            .writer
            .query(
                "SELECT c.oid::regclass::text FROM pg_catalog.pg_class c
                 WHERE c.relkind = 'm' AND c.relispopulated
                   AND pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY c.oid",
                &[],
            )
            .await
            .map_err(|error| {
                Error::from_server(Doing::WithoutRows(&Attempt::ReadingMaterializedViews), &error)
            })?;
        for row in &rows {
            let view: &str = row.get(0);
            self.execute(
                Doing::WithRows(&Attempt::FillingAnew {
                    view: view.to_string(),
                }),
                &format!("REFRESH MATERIALIZED VIEW {view}"),
            )
            .await?;
        }
        Ok(())
    }

    /// Whether every masked value has its mask's form, as SQL sees it.
    pub(super) async fn verify(&self) -> Result<bool> {
        let mut sound = true;
        for load in self.plan.loads.values() {
            for column in load.mask.iter().flat_map(|mask| mask.columns()) {
                let row = self
                    .reader
                    .query_one(
                        &format!(
                            "SELECT count(*) FROM ONLY {} WHERE NOT coalesce({}, false)",
                            load.table.sql(),
                            column.form_sql
                        ),
                        &[],
                    )
                    .await
                    .map_err(|error| {
                        Error::from_server(
                            Doing::WithRows(&Attempt::Checking {
                                table: load.table.to_string(),
                            }),
                            &error,
                        )
                    })?;
                let violations: i64 = row.get(0);
                if violations == 0 {
                    continue;
                }
                sound = false;
                let what = Mismatch::FormLostInPlace {
                    column: format!("{}.{}", load.table, column.name),
                    count: violations.unsigned_abs(),
                };
                if self.settings.masking.fail_on_verification_error {
                    return Err(
                        Error::new(Kind::Verification, what, JobRemedy::LookForTrigger).about(
                            About::table(&load.table)
                                .column(&column.name)
                                .rows(violations.unsigned_abs()),
                        ),
                    );
                }
                self.events.warn(what);
            }
        }
        Ok(sound)
    }
}

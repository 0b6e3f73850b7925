//! The rows of a table on their way: out through their masks into a temporary table, and back into the emptied one.

use super::{Failure, Masking};
use crate::error::{Doing, Error, Result};
use crate::event::Event;
use crate::failure::Attempt;
use crate::leak_report;
use crate::plan::{quote_identifier, Load, TableName};
use crate::postgres::load::copy::{raw_ways, Way};
use crate::postgres::load::in_place;
use crate::postgres::sql_rules;
use crate::report;
use leak_check::LookTime;
use pg_dump_archive::DumpId;
use std::collections::HashMap;
use std::time::Instant;

/// A table's masked rows in a temporary table.
pub(super) struct Copy {
    /// The temporary table, for SQL.
    name: String,
    pub(super) report: report::TableReport,
}

fn quoted_list(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|name| quote_identifier(name)).collect();
    quoted.join(", ")
}

/// The triggers that make the search vectors of a table anew while its rows go in.
fn awake_triggers(load: &Load) -> Vec<String> {
    let vectors = load.vectors_under(load.mask.as_deref());
    vectors.map_or_else(Vec::new, |vectors| vectors.triggers.clone())
}

impl Masking<'_> {
    /// Fills a temporary table with the table's rows, masked.
    pub(super) async fn copy_masked(&self, load: &Load, name: String) -> Result<Copy> {
        let sql = format!(
            "CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA",
            quoted_list(&load.columns),
            load.table.sql()
        );
        self.execute(Doing::WithoutRows(&Attempt::CreatingCopy), &sql)
            .await?;
        let name = format!("pg_temp.{name}");
        let report = self
            .copy(load, vec![Way::Text(load.copy_sql_into(&name, &[], "UTF8"))])
            .await?;
        self.send_progress(&report);
        Ok(Copy { name, report })
    }

    /// Streams a table's rows through its masks, by one of these ways.
    async fn copy(&self, load: &Load, ways: Vec<Way>) -> Result<report::TableReport> {
        let started = Instant::now();
        let table = load.table.to_string();
        self.events.send(Event::TableStarted { table });
        // The tables are read when all is done.
        let stages = leak_report::stages(self.leaks.as_ref(), LookTime::Masked);
        let buffers = self.target.buffers();
        let done = in_place::copy(self.reader, self.writer, load, ways, buffers, stages).await?;
        let seconds = started.elapsed().as_secs_f64();
        let counts = &done.counts.columns;
        Ok(report::TableReport::new(
            load,
            done.stored,
            done.bytes,
            seconds,
            counts,
        ))
    }

    fn send_progress(&self, done: &report::TableReport) {
        self.events.send(Event::TableLoaded {
            table: done.table.clone(),
            rows: done.rows,
            bytes: done.bytes,
            masked: done.masked(),
            seconds: done.seconds,
        });
    }

    /// Empties the table, which gives it new files, and fills it from its copy.
    pub(super) async fn replace_rows(&self, load: &Load, copy: &Copy) -> Result<()> {
        let (table, name) = (load.table.sql(), &load.table);
        let columns = quoted_list(&load.columns);
        let awake = awake_triggers(load);
        let triggers = self.silence_triggers(&load.table, &awake).await?;
        self.empty(name).await?;
        let fill = format!(
            "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {}",
            copy.name
        );
        self.execute(
            Doing::WithRows(&Attempt::FillingMasked {
                table: name.to_string(),
            }),
            &fill,
        )
        .await?;
        self.execute(
            Doing::WithoutRows(&Attempt::RestoringTriggersOf {
                table: name.to_string(),
            }),
            &triggers,
        )
        .await?;
        self.execute(
            Doing::WithoutRows(&Attempt::DroppingCopy),
            &format!("DROP TABLE {}", copy.name),
        )
        .await
    }

    /// Empties a table without a word to its triggers.
    pub(super) async fn empty_silently(&self, table: &TableName) -> Result<()> {
        let triggers = self.silence_triggers(table, &[]).await?;
        self.empty(table).await?;
        self.execute(
            Doing::WithoutRows(&Attempt::RestoringTriggersOf {
                table: table.to_string(),
            }),
            &triggers,
        )
        .await
    }

    async fn empty(&self, table: &TableName) -> Result<()> {
        let sql = format!("TRUNCATE ONLY {}", table.sql());
        self.execute(
            Doing::WithRows(&Attempt::Emptying {
                table: table.to_string(),
            }),
            &sql,
        )
        .await
    }

    /// Creates a group's temporary tables and fills them.
    pub(super) async fn copy_group(&self, number: usize) -> Result<HashMap<DumpId, report::TableReport>> {
        let Some(group) = self.group(number) else {
            return Err(Error::internal("A group of rules in SQL is not there."));
        };
        sql_rules::prepare(self.writer, group).await?;
        let mut reports = HashMap::new();
        for table in &group.tables {
            for id in &table.loads {
                if let Some(load) = self.plan.loads.get(id) {
                    reports.insert(*id, self.copy(load, raw_ways(table, load, "UTF8")).await?);
                }
            }
        }
        Ok(reports)
    }

    /// Empties a group's tables, runs its statements on the temporary ones, and moves the finished rows.
    pub(super) async fn run_group(
        &self,
        number: usize,
        mut reports: HashMap<DumpId, report::TableReport>,
    ) -> Result<Vec<report::TableReport>, Failure> {
        let Some(group) = self.group(number) else {
            return Err(Error::internal("A group of rules in SQL is not there.").into());
        };
        for step in self.reads(number) {
            let doing = Attempt::GatheringStatistics {
                table: step.name.to_string(),
            };
            self.execute(Doing::WithRows(&doing), &step.sql).await?;
        }
        let loads = self.group_loads(number);
        // Rows go in by a partitioned table, and its triggers and rules are others than its partitions'.
        let mut silent: Vec<&TableName> = group.tables.iter().map(|table| &table.into).collect();
        silent.extend(loads.iter().map(|load| &load.table));
        silent.sort();
        silent.dedup();
        let mut triggers = String::new();
        for table in silent {
            let here = loads.iter().filter(|load| load.table == *table);
            let awake: Vec<String> = here.flat_map(|load| awake_triggers(load)).collect();
            triggers.push_str(&self.silence_triggers(table, &awake).await?);
        }
        for load in &loads {
            self.empty(&load.table).await?;
        }
        let (attempts, delay) = (
            self.settings.target.retry_attempts,
            self.settings.target.retry_delay,
        );
        let run = sql_rules::run_within(self.writer, self.plan, number, attempts, delay).await;
        let finished = run.map_err(|error| Failure { error, again: false })?;
        self.execute(Doing::WithoutRows(&Attempt::RestoringRuledTriggers), &triggers)
            .await?;
        for warning in &finished.warnings {
            self.events.warn(warning);
        }
        let stored: HashMap<_, _> = reports.iter().map(|(id, table)| (*id, table.rows)).collect();
        let done = finished.by_load(group, |id| stored.get(&id).copied().unwrap_or(0));
        let mut tables = Vec::new();
        for (id, rows, changes) in done {
            if let Some(mut table) = reports.remove(&id) {
                table.rows = rows;
                table.add_changes(&changes);
                self.send_progress(&table);
                tables.push(table);
            }
        }
        Ok(tables)
    }
}

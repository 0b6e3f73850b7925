//! A database to compute in, for a job that fills none. Rules in SQL run there on rows that pass through temporary tables, in
//! one transaction that is rolled back: types and functions of the backup's are made in it and go with it (`made`), and no
//! table of the database's own is read or written.

use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, TargetFailure, TargetRemedy};
use crate::plan::sql_rules::SqlTable;
use crate::plan::{quote_identifier, quote_literal, Load, Plan};
use crate::postgres::buffers::Buffers;
use crate::postgres::inspect;
use crate::postgres::inspect::ask::Beside;
use crate::postgres::load::copy::raw_ways;
use crate::postgres::load::lane::{Lane, LaneReport, Queue};
use crate::postgres::load::stage::Stages;
use crate::postgres::session::connect::Session;
use crate::postgres::session::url::ConnectionUrl;
use crate::postgres::sql_rules::{self, Finished};
use crate::settings::TargetSettings;
use masking::RowMask;
use std::sync::Arc;
use tokio::sync::mpsc;

/// About how many bytes of rows come back together.
const PIECE: usize = 128 * 1024;

/// A session there. What it began is rolled back when it is dropped.
pub(crate) struct Workspace {
    session: Session,
    plan: Arc<Plan>,
    buffers: Buffers,
    attempts: (u32, f64),
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace").finish_non_exhaustive()
    }
}

/// A session of its own in a workspace, for a choice of rows.
///
/// # Errors
/// [`Kind::TargetConnection`] when it cannot be reached.
pub(crate) async fn session(settings: &TargetSettings) -> Result<Session> {
    inspect::connect(ConnectionUrl::of(settings)?).await
}

impl Workspace {
    /// Begins, with the temporary tables of every group of rules, empty.
    ///
    /// # Errors
    /// [`Kind::TargetConnection`] when it cannot be reached; [`Kind::Plan`] when a table cannot be made there as the backup
    /// has it.
    pub(crate) async fn begin(settings: &TargetSettings, plan: &Arc<Plan>, buffers: Buffers) -> Result<Self> {
        let session = session(settings).await?;
        let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::PreparingRules), &error);
        session.batch_execute("BEGIN").await.map_err(doing)?;
        let beside = Beside::begin(&session, plan).await?;
        for (number, group) in plan.sql_rules.groups.iter().enumerate() {
            let copy = |place: usize| format!("scalingo_staging_sync_as_dumped_{number}_{place}");
            for (place, table) in group.tables.iter().enumerate() {
                if !beside.copy(&table.table, &copy(place)).await? {
                    return Err(lacking(&table.table.to_string()));
                }
            }
            sql_rules::discreet::prepare(&session).await?;
            let like = |place| format!("pg_temp.{}", copy(place));
            sql_rules::create_temporaries_like(&session, group, like).await?;
        }
        Ok(Self {
            session,
            plan: Arc::clone(plan),
            buffers,
            attempts: (settings.retry_attempts, settings.retry_delay),
        })
    }

    /// Takes a load's rows in, masked, until there are no more.
    ///
    /// # Errors
    /// When the server refuses a row, or the mask cannot read one.
    pub(crate) async fn take(
        &self,
        load: &Load,
        mask: Option<Arc<RowMask>>,
        stages: Stages,
        rows: mpsc::Receiver<Vec<u8>>,
    ) -> Result<LaneReport> {
        let table = self.table(load)?;
        let vectors = load.vectors_under(mask.as_deref());
        let lane = Lane {
            load: load.dump_id,
            table: load.table.to_string(),
            ways: raw_ways(table, load, &self.plan.encoding),
            emptied_first: None,
            conditional: load.conditional.clone(),
            emptied: vectors.map(|vectors| Arc::clone(&vectors.mask)),
            mask,
            stages,
            queue: Queue::new(tokio::sync::Mutex::new(rows)),
            buffers: self.buffers.clone(),
        };
        lane.run(&self.session).await
    }

    fn table(&self, load: &Load) -> Result<&SqlTable> {
        let group = load
            .sql_group
            .and_then(|number| self.plan.sql_rules.groups.get(number));
        let mut tables = group.into_iter().flat_map(|group| &group.tables);
        let table = tables.find(|table| table.loads.contains(&load.dump_id));
        table.ok_or_else(|| Error::internal(format!("{} has no temporary table.", load.table)))
    }

    /// Runs a group's statements, all of its rows having come.
    ///
    /// # Errors
    /// The statement's.
    pub(crate) async fn run(&self, number: usize) -> Result<Finished> {
        let ran = sql_rules::run_and_stay(&self.session, &self.plan, number, self.attempts).await;
        ran.map_err(|mut error| {
            if error.kind != Kind::TargetConnection {
                error.remedy = TargetRemedy::RuleInWorkspace.into();
            }
            error
        })
    }

    /// Sends the finished rows of a group's table, as COPY text in pieces of whole rows.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn send(&self, group: usize, place: usize, sender: mpsc::Sender<Vec<u8>>) -> Result<()> {
        let group = self.plan.sql_rules.groups.get(group);
        let Some(table) = group.and_then(|group| group.tables.get(place)) else {
            return Err(Error::internal("A table with rules in SQL is not there."));
        };
        let doing = Attempt::ReadingFinishedRows {
            table: table.table.to_string(),
        };
        let refused = |error: tokio_postgres::Error| Error::from_server(Doing::WithRows(&doing), &error);
        let columns: Vec<String> = table.columns.iter().map(|name| quote_identifier(name)).collect();
        let sql = format!(
            "COPY (SELECT {} FROM ONLY {}) TO STDOUT WITH (ENCODING {})",
            columns.join(", "),
            table.temporary(),
            quote_literal(&self.plan.encoding)
        );
        let mut rows = self.session.copy_out(&sql).await.map_err(refused)?;
        loop {
            let mut piece = self.buffers.take();
            if !rows.next_piece(PIECE, &mut piece).await.map_err(refused)? {
                self.buffers.give(piece);
                return Ok(());
            }
            if sender.send(piece).await.is_err() {
                // What takes them has failed, and says why.
                return Ok(());
            }
        }
    }
}

fn lacking(table: &str) -> Error {
    Error::new(
        Kind::Plan,
        TargetFailure::WorkspaceLacks {
            table: table.to_owned(),
        },
        TargetRemedy::FilledWorkspace,
    )
}

//! Tables whose session was lost while their rows came, or whose rows were refused for want of something that may be there
//! later: they are streamed once more, behind the first pass. Of a
//! group of rules in SQL nothing is committed; what other lanes have committed of a table without such rules is taken
//! out first. Whatever waits for the tables waits that long.

use super::rows::Progress;
use super::{Item, Restore};
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobRemedy, TargetFailure};
use crate::notice::Notice;
use crate::plan::{TableName, TaskId};
use crate::text::text;
use pg_dump_archive::DumpId;
use std::collections::HashSet;
use std::future::Future;
use tokio::sync::mpsc;

/// Where rows come from once more.
pub trait Replay: Sync {
    /// Opens the same stream again, for the items of `loads` alone, in the archive's order.
    ///
    /// # Errors
    /// When the source cannot be read again, or is not what it was.
    fn open(
        &self,
        loads: HashSet<DumpId>,
    ) -> impl Future<Output = Result<mpsc::Receiver<Result<Item, Error>>>> + Send;

    /// Whether [`Replay::open`] is worth waiting for; without it a lost session ends the run at once.
    fn is_possible(&self) -> bool {
        true
    }
}

/// For rows that come once only.
#[derive(Debug, Clone, Copy)]
pub struct Never;

impl Replay for Never {
    async fn open(&self, _: HashSet<DumpId>) -> Result<mpsc::Receiver<Result<Item, Error>>> {
        Err(Error::new(
            Kind::TargetConnection,
            TargetFailure::NotTwice,
            JobRemedy::Again,
        ))
    }

    fn is_possible(&self) -> bool {
        false
    }
}

/// Whether a group's rows can go on.
#[derive(Debug, Default)]
pub(super) enum State {
    #[default]
    Sound,
    /// Its session is lost. What still arrives of its rows is passed over, until they are streamed again.
    Lost(Error),
    /// It is given up; this is why.
    Failed(Error),
}

impl Restore<'_> {
    /// Whether a group's session is lost.
    pub(super) fn is_lost(&self, number: usize) -> bool {
        let group = self.groups.get(number);
        group.is_some_and(|group| !matches!(group.state, State::Sound))
    }

    /// Whether rows of this load are of no use now, because the session that they were for is lost.
    pub(super) fn passes_over(&self, id: DumpId) -> bool {
        let load = self.plan.loads.get(&id);
        let group = load.and_then(|load| load.sql_group);
        group.is_some_and(|group| self.is_lost(group))
            || self
                .tables
                .get(&id)
                .is_some_and(|progress| progress.lost.is_some())
    }

    /// A lane's session is gone. The others of its table may go on, to no avail.
    pub(super) fn lose_lane(&mut self, id: DumpId, error: Error) -> Result<()> {
        self.to_replace += 1;
        self.lose_rows(id, error)
    }

    /// Rows that a lane took are gone.
    pub(super) fn lose_rows(&mut self, id: DumpId, error: Error) -> Result<()> {
        self.target.check_hold()?;
        let Some(progress) = self.tables.get_mut(&id) else {
            return Err(error);
        };
        progress.lanes -= 1;
        if progress.lost.is_some() {
            return Ok(());
        }
        progress.lost = Some(error.clone());
        if error.kind != Kind::TargetConnection {
            // The second refusal is the last word.
            let is_first = self.may_come_again && self.under_path.insert(id);
            return if is_first { Ok(()) } else { Err(error) };
        }
        let losses = self.losses.entry(id).or_default();
        *losses += 1;
        if *losses > self.most_passes {
            return Err(too_often(error, *losses));
        }
        Ok(())
    }

    /// Every lane of a load has ended before its rows have: whether that is the end of the run.
    pub(super) async fn lanes_ended(&mut self, id: DumpId) -> Result<()> {
        while let Some(done) = self.tasks.join_next().await {
            self.finished(done)?;
            if self.passes_over(id) {
                return Ok(());
            }
        }
        Err(Error::internal(
            "A connection stopped taking rows without saying why.",
        ))
    }

    /// A group's session is gone, and its transaction with it.
    pub(super) fn lose(&mut self, number: usize, error: Error) -> Result<()> {
        self.target.check_hold()?;
        let most = self.most_passes;
        let lasting = self.plan.sql_rules.groups.get(number).map(|group| group.lasting);
        let Some(group) = self.groups.get_mut(number) else {
            return Err(error);
        };
        if lasting == Some(false) {
            self.to_replace += 1;
        }
        group.session = None;
        group.open = false;
        group.losses += 1;
        if group.losses <= most {
            group.state = State::Lost(error);
            return Ok(());
        }
        let error = too_often(error, group.losses);
        self.give_up(number, error)
    }

    /// Ends the run, or leaves the group's tables empty where the others may go on.
    fn give_up(&mut self, number: usize, error: Error) -> Result<()> {
        if self.plan.sql_rules.rollback_on_error {
            return Err(error);
        }
        if let Some(group) = self.groups.get_mut(number) {
            group.state = State::Failed(error);
        }
        if self.streaming {
            // More of its rows may arrive; they have to be reported before it ends.
            return Ok(());
        }
        self.settle()
    }

    /// Ends the groups that are given up, once no more rows arrive.
    pub(super) fn settle(&mut self) -> Result<()> {
        for number in 0..self.groups.len() {
            let Some(group) = self.groups.get_mut(number) else {
                break;
            };
            if !matches!(group.state, State::Failed(_)) {
                continue;
            }
            match group.step {
                Some(index) => self.run_group(index, number)?,
                // The graph starts it when what else it waits for is done.
                None => self.all_arrived(number),
            }
        }
        Ok(())
    }

    /// A load of a group has arrived whole: its statements run when it was the last.
    pub(super) fn arrived(&mut self, number: usize) -> Result<()> {
        let missing = self.loads_of(number).into_iter().any(|id| {
            let progress = self.tables.get(&id);
            !progress.is_some_and(|progress| progress.ended && progress.lanes == 0)
        });
        if missing {
            return Ok(());
        }
        match self.groups.get(number).and_then(|group| group.step) {
            // Its step was started in an earlier pass, and waits for nothing any more.
            Some(index) => self.run_group(index, number),
            None => {
                self.all_arrived(number);
                Ok(())
            }
        }
    }

    fn all_arrived(&mut self, number: usize) {
        for id in self.loads_of(number) {
            self.graph.data_done(TaskId::Arrival(id));
        }
    }

    fn loads_of(&self, number: usize) -> Vec<DumpId> {
        let group = self.plan.sql_rules.groups.get(number);
        let tables = group.into_iter().flat_map(|group| &group.tables);
        tables.flat_map(|table| table.loads.iter().copied()).collect()
    }

    /// Opens sessions in the place of those that were lost.
    pub(super) async fn replace_lost(&mut self) -> Result<()> {
        while self.to_replace > 0 {
            let session = self.target.session().await?;
            self.free.push(session);
            self.to_replace -= 1;
        }
        Ok(())
    }

    /// Whether rows are to be streamed again, and nothing is under way any more that could add to their tables.
    pub(super) fn any_lost(&self) -> bool {
        self.groups
            .iter()
            .any(|group| matches!(group.state, State::Lost(_)))
            || self.tables.values().any(is_to_come_again)
    }

    fn all_lost(&self) -> Lost {
        let mut lost = Lost::default();
        for (number, group) in self.groups.iter().enumerate() {
            if let State::Lost(error) = &group.state {
                lost.groups.push((number, error.clone()));
                lost.attempt = lost.attempt.max(group.losses);
                lost.loads.extend(self.loads_of(number));
            }
        }
        for (id, progress) in &self.tables {
            if let Some(error) = progress.lost.as_ref().filter(|_| is_to_come_again(progress)) {
                lost.alone.push((*id, error.clone()));
                let losses = self.losses.get(id).copied().unwrap_or(1);
                lost.attempt = lost.attempt.max(losses);
                lost.loads.insert(*id);
            }
        }
        lost
    }

    /// The stream of the rows whose session was lost: after a while, since what ended the session may last. None
    /// when it cannot be had, and their tables are given up.
    pub(super) async fn stream_again(
        &mut self,
        again: &impl Replay,
    ) -> Result<Option<mpsc::Receiver<Result<Item, Error>>>> {
        let lost = self.all_lost();
        let errors = lost.groups.iter().map(|(_, error)| error);
        for error in errors.chain(lost.alone.iter().map(|(_, error)| error)) {
            self.target.events.warn(&error.what);
        }
        let tables = self.names(&lost.loads);
        self.target.events.warn(Notice::StreamedAgain { tables });
        self.target.may_retry(lost.attempt).await;
        self.target.check_hold()?;
        for (id, _) in &lost.alone {
            let load = self.load(*id)?;
            self.take_back(&load.table).await?;
        }
        let stream = match again.open(lost.loads.clone()).await {
            Ok(stream) => stream,
            Err(cause) => {
                self.cannot_come_again(lost, &cause)?;
                return Ok(None);
            }
        };
        for id in &lost.loads {
            self.tables.remove(id);
            for stage in &self.stages {
                stage.forget(*id);
            }
        }
        for (number, _) in lost.groups {
            if let Some(group) = self.groups.get_mut(number) {
                group.state = State::Sound;
            }
        }
        self.streaming = true;
        Ok(Some(stream))
    }

    fn names(&self, loads: &HashSet<DumpId>) -> Vec<String> {
        let all = self.plan.loads.values();
        let mut names: Vec<String> = all
            .filter(|load| loads.contains(&load.dump_id))
            .map(|load| load.table.to_string())
            .collect();
        names.sort();
        names
    }

    /// Empties a table whose rows are this run's alone.
    async fn take_back(&mut self, table: &TableName) -> Result<()> {
        let session = self.free_session().await?;
        // The lost session may hold the table until the server has noticed.
        let sql = format!("{}; COMMIT", self.begin_with_none_of(table));
        session.batch_execute(&sql).await.map_err(|error| {
            Error::from_server(
                Doing::WithRows(&Attempt::Emptying {
                    table: table.to_string(),
                }),
                &error,
            )
        })?;
        self.free.push(session);
        Ok(())
    }

    fn cannot_come_again(&mut self, lost: Lost, cause: &Error) -> Result<()> {
        let named = |error: Error| {
            let what = text!(error.what, " ", TargetFailure::NotStreamedAgain, " ", &cause.what);
            Error::new(error.kind, what, cause.remedy.clone())
        };
        if let Some((_, error)) = lost.alone.into_iter().next() {
            return Err(named(error));
        }
        for (number, error) in lost.groups {
            self.give_up(number, named(error))?;
        }
        Ok(())
    }
}

/// What is to be streamed again.
#[derive(Default)]
struct Lost {
    /// Groups of rules in SQL, by number.
    groups: Vec<(usize, Error)>,
    /// Loads without such rules.
    alone: Vec<(DumpId, Error)>,
    /// The loads of both.
    loads: HashSet<DumpId>,
    /// How often that has happened, at most.
    attempt: u32,
}

/// Every lane has ended, so what they have committed can be taken out.
fn is_to_come_again(progress: &Progress) -> bool {
    progress.lost.is_some() && progress.lanes == 0
}

fn too_often(error: Error, times: u32) -> Error {
    if times < 2 {
        return error;
    }
    Error {
        what: error
            .what
            .clone()
            .and(" ")
            .and(TargetFailure::LostTimes { count: times }),
        ..error
    }
}

//! Who has a session and who waits for one; idle sessions say something now and then, so that nothing cuts them.

use super::Restore;
use crate::error::{Error, Kind, Result};
use crate::postgres::session::connect::Session;
use crate::postgres::sql_rules;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Idle sessions say something after this long, so that no proxy takes them for dead.
const SILENCE: Duration = Duration::from_secs(120);

impl Restore<'_> {
    /// An idle session, waiting for one if need be.
    pub(super) async fn free_session(&mut self) -> Result<Session> {
        loop {
            self.replace_lost().await?;
            if let Some(session) = self.free.pop() {
                return Ok(session);
            }
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("There is no connection to load rows over.")),
            }
            // A group that is ready has one, and gives it back.
            self.start_groups()?;
        }
    }

    /// The session of a group of rules in SQL, when nothing is done on it; begins the group if need be. None when
    /// it is lost.
    pub(super) async fn group_session(&mut self, number: usize) -> Result<Option<Session>> {
        let plan = Arc::clone(self.plan);
        let Some(group) = plan.sql_rules.groups.get(number) else {
            return Err(Error::internal(
                "Rows arrived for rules in SQL that are not there.",
            ));
        };
        let open = self.groups.get(number).is_some_and(|group| group.open);
        if !open {
            let session = if group.lasting {
                self.target.session().await?
            } else {
                self.free_session().await?
            };
            if let Some(state) = self.groups.get_mut(number) {
                (state.begun, state.open) = (true, true);
            }
            return match sql_rules::begin(&session, group, self.target.settings.lock_timeout).await {
                Ok(()) => Ok(Some(session)),
                Err(error) if error.kind == Kind::TargetConnection => {
                    self.lose(number, error)?;
                    Ok(None)
                }
                Err(error) => Err(error),
            };
        }
        loop {
            let state = self.groups.get_mut(number);
            if let Some(session) = state.and_then(|group| group.session.take()) {
                return Ok(Some(session));
            }
            if self.is_lost(number) {
                return Ok(None);
            }
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("The session of rules in SQL is gone.")),
            }
        }
    }

    pub(super) async fn keep_alive(&mut self) -> Result<()> {
        self.target.check_hold()?;
        if self.last_word.elapsed() >= SILENCE {
            self.last_word = Instant::now();
            for session in &self.free {
                session.ping().await?;
            }
            for session in self.groups.iter().filter_map(|group| group.session.as_ref()) {
                // One that is lost is missed when it is needed.
                let _ = session.ping().await;
            }
        }
        Ok(())
    }
}

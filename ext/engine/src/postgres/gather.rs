//! Every session that a load works with is opened before the old data goes: how many the role may have, or the server has
//! left, is known then and not when half of the new data is there.

use super::inspect::connections::{fewer, Wanted};
use super::session::connect::Session;
use super::Target;
use crate::error::{Error, Result};
use crate::failure::SessionFailure;
use crate::plan::Plan;
use futures_util::future::join_all;
use std::sync::atomic::Ordering;

/// too_many_connections, of the role, the database or the server (PostgreSQL's documentation, "PostgreSQL Error Codes").
const TOO_MANY: &str = "53300";

impl Target {
    /// Opens them. Fewer will do where the role or the server has no more.
    pub(in crate::postgres) async fn gather(&self, plan: &Plan) -> Result<()> {
        let wanted = Wanted::of(plan, self.parallel());
        let mut opened: Vec<Session> = Vec::with_capacity(wanted.all());
        let mut refusal = None;
        // Side by side: opening one takes several round trips.
        for session in join_all((0..wanted.all()).map(|_| self.session())).await {
            match session {
                Ok(session) => opened.push(session),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        let count = opened.len();
        for session in opened {
            self.give_back(session);
        }
        let Some(error) = refusal else { return Ok(()) };
        if error.about.sqlstate.as_deref() != Some(TOO_MANY) {
            return Err(error);
        }
        if count < wanted.least() {
            return Err(Error {
                what: error.what.and(" ").and(SessionFailure::HadConnections {
                    needed: 1 + wanted.least(),
                    had: 1 + count,
                }),
                ..error
            });
        }
        let parallel = wanted.parallel_of(count);
        self.most_sessions.store(parallel, Ordering::Relaxed);
        self.events.warn(fewer(parallel));
        Ok(())
    }
}

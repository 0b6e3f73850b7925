//! Emptying the target and creating the schema: in one transaction, so that what fails there costs nothing, or in
//! steps where the server's lock table is too small for that.
//!
//! Every object is dropped by name. CASCADE is only ever said after it is known that nothing of another role and
//! nothing of an extension hangs on what goes (see `inspect::inventory`).

mod batches;
mod chunks;
mod create;
mod drop;
mod keep;
mod lock_watch;
mod refusal;
mod replace;
mod settle;
pub(crate) mod trial;

pub(crate) use keep::{look as look_at_kept, refused_in};

use crate::alike::{Alike, Many};
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::notice::Notice;
use crate::plan::Plan;
use crate::postgres::inspect::extensions;
use crate::postgres::state;
use crate::postgres::{JobRecord, Target};
use lock_watch::LockWatch;
use std::sync::Arc;
use std::time::Duration;

impl Target {
    /// Empties the target of everything that its role owns, except extensions and the gem's own schema, and
    /// creates the plan's schema. In one transaction, or in steps with a warning when that has more objects
    /// than the server's lock table holds. From here on the target counts as incomplete, and other sessions of
    /// the role are kept out until [`Target::close`]. The gem's own schema keeps `job` with it.
    ///
    /// # Errors
    /// [`Kind::Privilege`](crate::error::Kind::Privilege) when another role or an extension would lose something, or a right is missing;
    /// [`Kind::LockTimeout`](crate::error::Kind::LockTimeout) when another session holds a lock for longer than `lock_timeout`, naming who;
    /// [`Kind::TargetBusy`](crate::error::Kind::TargetBusy) when other sessions are there and may not be ended; [`Kind::Restore`](crate::error::Kind::Restore) when the
    /// server refuses a statement. Unless done in steps, the target is then as it was.
    pub async fn reset_and_create(&self, plan: &Plan, job: &JobRecord) -> Result<()> {
        let outcome = self.guarded_reset(plan, job).await;
        if outcome.is_err() {
            // The run ends here, so the app may go on with the data it has.
            let _ = self.guard.lift().await;
        }
        outcome
    }

    async fn guarded_reset(&self, plan: &Plan, job: &JobRecord) -> Result<()> {
        self.check_hold()?;
        extensions::refuse_misplaced(&self.control, plan).await?;
        let (differing, absent) = keep::look(&self.control, &plan.keep).await?;
        if let Some(error) = Error::together(differing, keep::refused_in) {
            return Err(error);
        }
        for table in absent {
            self.events.warn(nothing_to_keep(&table));
        }
        state::prepare(&self.control).await?;
        state::record_start(&self.control, &self.run_id, job).await?;
        if self.settings.terminate_connections {
            if !self.guard.raise().await? {
                self.events.warn(Notice::CannotLockOut);
            }
        } else {
            crate::postgres::guard::refuse_others(&self.control, self.connector.application_name()).await?;
        }
        self.gather(plan).await?;
        let session = self.session().await?;
        session
            .batch_execute(&self.lock_timeout_sql())
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::PreparingReset), &error))?;
        let watch = LockWatch::start(
            Arc::clone(&self.control),
            session.pid(),
            self.settings.lock_timeout,
        );
        let outcome = self.reset_on(&session, plan, job).await;
        let outcome = outcome.map_err(|error| watch.explain(error));
        drop(watch);
        outcome?;
        self.warn_of_missing();
        session
            .batch_execute("SET lock_timeout = 0")
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::EndingReset), &error))?;
        self.give_back(session);
        Ok(())
    }

    /// Once the schema stands: until then what was refused may be rolled back and tried again.
    fn warn_of_missing(&self) {
        let missing = self.missing.all();
        let mut alike = Alike::default();
        for one in &missing {
            let (object, why) = (format!("{} {}", one.kind, one.name), one.why.clone());
            alike.add(object.clone(), Notice::LeftOut { object, why });
        }
        let warnings =
            alike.into_warnings(|Many { count, names, more }| Notice::ManyLeftOut { count, names, more });
        for warning in warnings {
            self.events.warn(warning);
        }
    }

    fn lock_timeout_sql(&self) -> String {
        let milliseconds = lock_timeout_ms(self.settings.lock_timeout);
        format!("SET lock_timeout = {milliseconds}")
    }
}

/// What is said of a table of `keep_tables` that the target does not have.
pub(crate) fn nothing_to_keep(table: &str) -> Notice {
    Notice::NothingToKeep {
        table: table.to_owned(),
    }
}

fn lock_timeout_ms(seconds: f64) -> u64 {
    let timeout = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    // 0 would mean no limit to PostgreSQL, and its largest is that of an int.
    u64::try_from(timeout.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, 2_147_483_647)
}

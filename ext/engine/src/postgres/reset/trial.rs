//! The reset and all that a run creates, tried in a transaction that is rolled back: what the target would refuse is known
//! before anything goes. Tables of the target are locked meanwhile, so nothing waits long for anything.

use super::create::ROLL_BACK;
use super::lock_timeout_ms;
use super::refusal::{run, Refused};
use super::replace::creation_locks;
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::left_out::LeftOut;
use crate::notice::Untried;
use crate::plan::{Plan, Refusal, StepKind};
use crate::postgres::enclosed::enclosed;
use crate::postgres::inspect::inventory;
use crate::postgres::refused;
use crate::postgres::session::connect::Session;
use crate::postgres::state;
use crate::postgres::Target;

/// A lock is waited for, and a statement runs, no longer than this many seconds.
const PATIENCE: f64 = 5.0;

/// What came of the trial.
#[derive(Debug)]
pub(crate) enum Tried {
    /// The run would create all but these.
    Without(Vec<LeftOut>),
    /// It could not be tried, for this reason.
    NotTried(Untried),
}

impl Target {
    /// Tries it, and leaves the target unchanged.
    ///
    /// # Errors
    /// What a run would end with before its rows come.
    pub(crate) async fn try_schema(&self, plan: &Plan) -> Result<Tried> {
        // Nothing else keeps a statement of the archive's from ending the transaction.
        if !self.facts.plpgsql {
            return Ok(Tried::NotTried(Untried::NoPlpgsql));
        }
        let session = self.session().await?;
        let limits = format!(
            "SET lock_timeout = {}; SET statement_timeout = {}",
            lock_timeout_ms(self.settings.lock_timeout.min(PATIENCE)),
            lock_timeout_ms(PATIENCE * 4.0)
        );
        let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::TryingSchema), &error);
        session.batch_execute(&limits).await.map_err(doing)?;
        let owned = inventory::take(&session).await?;
        let locks = owned.locks + creation_locks(&plan.schema) + plan.steps.len() as u64;
        if locks * 10 > self.facts.lock_slots * 7 {
            session.close().await;
            return Ok(Tried::NotTried(Untried::FewLocks));
        }
        let tried = self.try_within(&session, plan).await;
        session.batch_execute("ROLLBACK").await.map_err(doing)?;
        session.close().await;
        let missing = self.missing.all();
        self.missing.clear();
        match tried {
            Ok(()) => Ok(Tried::Without(missing)),
            Err(refused) if refused.out_of_locks || refused.too_late => Ok(Tried::NotTried(Untried::InUse)),
            Err(refused) => Err(refused.error),
        }
    }

    async fn try_within(&self, session: &Session, plan: &Plan) -> Result<(), Refused> {
        run(session, &Attempt::BeginningTrial, "BEGIN").await?;
        if !plan.keep.tables.is_empty() {
            // A run has created it by then.
            state::make_room(session).await?;
        }
        self.replace_schema(session, plan).await?;
        // What runs when all others are done may act on those.
        let (last, first): (Vec<_>, Vec<_>) = plan.steps.iter().partition(|step| step.last);
        for step in first.into_iter().chain(last) {
            let StepKind::Entry(kind) = &step.kind else {
                continue;
            };
            let crate::plan::TaskId::Entry(id) = step.id else {
                continue;
            };
            let may_go = step.refusal == Refusal::LeftOut;
            if let Some(why) = self.missing.needed_by(&step.needs).filter(|_| may_go) {
                self.missing.add(id, kind.clone(), &step.name, vec![why]);
                continue;
            }
            let doing = Attempt::Creating {
                object: format!("{kind} {}", step.name),
            };
            run(session, &doing, "SAVEPOINT may_be_left_out").await?;
            let mut tried = session.batch_execute(&enclosed(&step.sql)).await;
            if tried.as_ref().is_err_and(|_| may_go) {
                run(session, &doing, "ROLLBACK TO SAVEPOINT may_be_left_out").await?;
                let sql = format!("SET LOCAL search_path = {};\n{}", plan.search_path, step.sql);
                tried = session.batch_execute(&enclosed(&sql)).await;
            }
            match tried {
                Ok(()) => {
                    run(
                        session,
                        &doing,
                        "RELEASE SAVEPOINT may_be_left_out; SET LOCAL search_path = ''",
                    )
                    .await?
                }
                Err(error) if may_go && refused::is_of_the_object(&error) => {
                    run(session, &doing, ROLL_BACK).await?;
                    let why = refused::why(Doing::WithoutRows(&doing), &error, kind, &step.needs, plan);
                    self.missing.add(id, kind.clone(), &step.name, why);
                }
                Err(error) => return Err(Refused::new(&doing, &error)),
            }
        }
        Ok(())
    }
}

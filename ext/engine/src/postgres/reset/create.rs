//! Creating the schema: the archive's statements, of which some may be left out.

use super::refusal::{extension_refused, run, statement_refused, Refused};
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::{Plan, Refusal, Statement};
use crate::postgres::enclosed::enclosed;
use crate::postgres::inspect::extensions::{self, Need};
use crate::postgres::refused;
use crate::postgres::session::connect::Session;
use crate::postgres::Target;
use futures_util::future::{join, join3, join_all};
use pg_dump_archive::EntryKind;
use std::collections::HashSet;

/// Statements on their way to the server at once.
const PIPELINE: usize = 100;

/// Undoes a statement, or some, that the transaction goes on without.
pub(super) const ROLL_BACK: &str = "ROLLBACK TO SAVEPOINT may_be_left_out; RELEASE SAVEPOINT may_be_left_out";

impl Target {
    pub(super) async fn create_batch(
        &self,
        session: &Session,
        plan: &Plan,
        statements: &[&Statement],
    ) -> Result<(), Refused> {
        // The statements follow it without waiting for its answer.
        let begun = run(session, &Attempt::BeginningPartOfSchema, "BEGIN");
        let (begun, created) = join(begun, self.create(session, plan, statements)).await;
        begun?;
        let end = if created.is_ok() { "COMMIT" } else { "ROLLBACK" };
        run(session, &Attempt::EndingPartOfSchema, end).await?;
        created
    }

    /// `config.postgis`: the extension comes first, so that a server without it costs nothing. Where the plan
    /// itself creates it, perhaps in a schema of its own, the plan's statement does.
    pub(super) async fn require_postgis(&self, session: &Session, plan: &Plan) -> Result<(), Refused> {
        let Some(name) = extensions::beside(plan, self.settings.postgis) else {
            return Ok(());
        };
        if !schemas(session).await?.contains("public") {
            run(session, &Attempt::CreatingSchemaPublic, "CREATE SCHEMA public").await?;
        }
        let sql = format!("CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA public");
        session
            .batch_execute(&sql)
            .await
            .map_err(|error| extension_refused(name, Need::Configuration, &error))
    }

    /// The plan's statements without the schemas that outlived the reset (`public`, those of extensions), and with
    /// `public` where it was dropped: pg_dump takes it for granted.
    pub(super) async fn needed<'p>(&self, session: &Session, plan: &'p Plan) -> Result<Vec<&'p Statement>> {
        let there = schemas(session).await?;
        let plans_public = plan
            .schema
            .iter()
            .any(|one| one.kind == EntryKind::Schema && one.name == "public");
        if !there.contains("public") && !plans_public {
            run(session, &Attempt::CreatingSchemaPublic, "CREATE SCHEMA public")
                .await
                .map_err(|refused| refused.error)?;
        }
        Ok(plan
            .schema
            .iter()
            .filter(|one| one.kind != EntryKind::Schema || !there.contains(&one.name))
            .collect())
    }

    /// Runs statements within a transaction, several on their way at once. Where one of them may be left out, the
    /// transaction outlives its refusal.
    pub(super) async fn create(
        &self,
        session: &Session,
        plan: &Plan,
        statements: &[&Statement],
    ) -> Result<(), Refused> {
        for now in statements.chunks(PIPELINE) {
            if now.iter().any(|one| self.may_leave_out(one)) {
                self.create_by_halves(session, plan, now).await?;
                continue;
            }
            let answers = join_all(now.iter().map(|one| self.say(session, one))).await;
            // The first refusal is the cause; what came after it only says that the transaction has failed.
            if let Some((one, Err(error))) = now.iter().zip(answers).find(|(_, answer)| answer.is_err()) {
                return Err(statement_refused(one, self.need(one), &error));
            }
        }
        Ok(())
    }

    /// Runs statements of which some may be left out: all in one go, and where that is refused each half in one go, so that
    /// one that is refused does not cost all others a round trip.
    async fn create_by_halves(
        &self,
        session: &Session,
        plan: &Plan,
        statements: &[&Statement],
    ) -> Result<(), Refused> {
        let needs_missing = |one: &&Statement| self.missing.needed_by(&one.needs).is_some();
        let mut left = vec![statements];
        while let Some(now) = left.pop() {
            if let [one] = now {
                self.create_one(session, plan, one).await?;
            } else if now.iter().any(needs_missing) || !self.create_together(session, now).await? {
                let (first, second) = now.split_at(now.len() / 2);
                left.extend([second, first]);
            }
        }
        Ok(())
    }

    /// All of these or none, in one go. Says whether they are there.
    async fn create_together(&self, session: &Session, statements: &[&Statement]) -> Result<bool, Refused> {
        let doing = &Attempt::CreatingPartOfSchema;
        // All on their way at once: what comes behind one that is refused is refused, too.
        let begun = run(session, doing, "SAVEPOINT may_be_left_out");
        let said = join_all(statements.iter().map(|one| self.say(session, one)));
        let ended = run(session, doing, "RELEASE SAVEPOINT may_be_left_out");
        let (begun, answers, ended) = join3(begun, said, ended).await;
        begun?;
        if answers.iter().all(Result::is_ok) {
            ended?;
            for statement in statements {
                self.missing.found(statement.dump_id);
            }
            return Ok(true);
        }
        run(session, doing, ROLL_BACK).await?;
        Ok(false)
    }

    async fn create_one(&self, session: &Session, plan: &Plan, statement: &Statement) -> Result<(), Refused> {
        if self.may_leave_out(statement) {
            return self.create_or_leave_out(session, plan, statement).await;
        }
        let said = self.say(session, statement).await;
        said.map_err(|error| statement_refused(statement, self.need(statement), &error))
    }

    /// Runs a statement of the archive's, which cannot end the transaction.
    async fn say(&self, session: &Session, statement: &Statement) -> Result<(), tokio_postgres::Error> {
        match self.facts.plpgsql {
            true => session.batch_execute(&enclosed(&statement.sql)).await,
            false => session.batch_execute(&statement.sql).await,
        }
    }

    fn may_leave_out(&self, statement: &Statement) -> bool {
        statement.refusal == Refusal::LeftOut && self.need(statement).is_none()
    }

    /// What needs the extension that a statement creates; None for a statement of another kind.
    fn need(&self, statement: &Statement) -> Option<Need> {
        (statement.kind == EntryKind::Extension)
            .then(|| extensions::need(statement, self.settings.postgis))
            .flatten()
    }

    async fn create_or_leave_out(
        &self,
        session: &Session,
        plan: &Plan,
        statement: &Statement,
    ) -> Result<(), Refused> {
        let Statement {
            dump_id,
            kind,
            name,
            needs,
            ..
        } = statement;
        if let Some(why) = self.missing.needed_by(needs) {
            self.missing.add(*dump_id, kind.clone(), name, vec![why]);
            return Ok(());
        }
        let doing = Attempt::Creating {
            object: format!("{kind} {name}"),
        };
        run(session, &doing, "SAVEPOINT may_be_left_out").await?;
        match self.say(session, statement).await {
            Ok(()) => {
                self.missing.found(*dump_id);
                run(session, &doing, "RELEASE SAVEPOINT may_be_left_out").await
            }
            Err(error) if refused::is_of_the_object(&error) => {
                run(session, &doing, ROLL_BACK).await?;
                let why = refused::why(Doing::WithoutRows(&doing), &error, kind, needs, plan);
                self.missing.add(*dump_id, kind.clone(), name, why);
                Ok(())
            }
            Err(error) => Err(Refused::new(&doing, &error)),
        }
    }
}

/// The names of the target's schemas.
async fn schemas(session: &Session) -> Result<HashSet<String>> {
    let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::LookingAtSchemas), &error);
    let rows = session
        .query("SELECT nspname::text FROM pg_namespace", &[])
        .await
        .map_err(doing)?;
    rows.iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()
        .map_err(doing)
}

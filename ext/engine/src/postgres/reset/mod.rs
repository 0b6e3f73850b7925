//! Emptying the target and creating the schema: in one transaction, so that what fails there costs nothing, or in
//! steps where the server's lock table is too small for that.
//!
//! Every object is dropped by name. CASCADE is only ever said after it is known that nothing of another role and
//! nothing of an extension hangs on what goes (see `inspect::inventory`).

use crate::alike::Alike;
use crate::error::{Doing, Error, Kind, Result};
use crate::plan::{Plan, Refusal, Statement};
use crate::postgres::enclosed::enclosed;
use crate::postgres::inspect::extensions::{self, Need};
use crate::postgres::inspect::inventory::{self, Inventory};
use crate::postgres::refused;
use crate::postgres::session::connect::Session;
use crate::postgres::session::is_passing;
use crate::postgres::sql_rules;
use crate::postgres::state;
use crate::postgres::{JobRecord, Target};
use drop::{drop_statements, unlink_in_batches, PER_STATEMENT};
use futures_util::future::join_all;
use lock_watch::LockWatch;
use pg_dump_archive::EntryKind;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

mod drop;
mod keep;
mod lock_watch;
mod parts;
mod settle;

pub(crate) mod trial;

pub(crate) use keep::look as look_at_kept;

/// Statements on their way to the server at once.
const PIPELINE: usize = 24;

/// Objects dropped, or statements run, per transaction when it is done in steps.
const PER_STEP: usize = 100;

/// More large objects than these are unlinked after the reset, in transactions of their own: each takes a lock
/// (20,000 in one transaction exhaust a default lock table, 5,000 do not).
const LARGE_OBJECTS_AT_ONCE: u64 = 2_000;

/// Undoes a statement, or some, that the transaction goes on without.
const ROLL_BACK: &str = "ROLLBACK TO SAVEPOINT may_be_left_out; RELEASE SAVEPOINT may_be_left_out";

/// A statement that was refused, and how.
struct Refused {
    error: Error,
    /// 53200: out of shared memory, which is the lock table's.
    out_of_locks: bool,
    /// Worth another try as it is.
    passing: bool,
    /// A lock was not had, or a statement not done, in time.
    too_late: bool,
}

impl Refused {
    fn new(doing: &str, error: &tokio_postgres::Error) -> Self {
        Self {
            out_of_locks: error.code().is_some_and(|code| code.code() == "53200"),
            // A lock timeout is not tried again: `lock_timeout` says how long to wait.
            passing: is_passing(error) && error.code().is_none_or(|code| code.code() != "55P03"),
            too_late: error
                .code()
                .is_some_and(|code| matches!(code.code(), "55P03" | "57014" | "40P01")),
            error: Error::from_server(Doing::WithoutRows(doing), error),
        }
    }
}

/// Work cut into transactions, into smaller ones while the lock table is too small even for these.
struct Batches {
    all: usize,
    start: usize,
    end: usize,
    size: usize,
    attempt: u32,
}

impl Batches {
    fn of(all: usize) -> Self {
        Self {
            all,
            start: 0,
            end: 0,
            size: PER_STEP,
            attempt: 0,
        }
    }

    /// What to do next.
    fn next(&mut self) -> Option<Range<usize>> {
        self.end = self.all.min(self.start + self.size);
        (self.start < self.all).then_some(self.start..self.end)
    }

    /// Notes how it went. What failed for want of locks, or for a reason that passes, is next again.
    async fn done(&mut self, target: &Target, outcome: Result<(), Refused>) -> Result<()> {
        match outcome {
            Ok(()) => {
                self.start = self.end;
                self.attempt = 0;
            }
            Err(refused) if refused.out_of_locks && self.end - self.start > 1 => {
                self.size = (self.end - self.start) / 2;
            }
            Err(refused) => {
                self.attempt += 1;
                if !refused.passing || !target.may_retry(self.attempt).await {
                    return Err(refused.error);
                }
            }
        }
        Ok(())
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self {
            error,
            out_of_locks: false,
            passing: false,
            too_late: false,
        }
    }
}

impl Target {
    /// Empties the target of everything that its role owns, except extensions and the gem's own schema, and
    /// creates the plan's schema. In one transaction, or in steps with a warning when that has more objects
    /// than the server's lock table holds. From here on the target counts as incomplete, and other sessions of
    /// the role are kept out until [`Target::close`]. The gem's own schema keeps `job` with it.
    ///
    /// # Errors
    /// [`Kind::Privilege`] when another role or an extension would lose something, or a right is missing;
    /// [`Kind::LockTimeout`] when another session holds a lock for longer than `lock_timeout`, naming who;
    /// [`Kind::TargetBusy`] when other sessions are there and may not be ended; [`Kind::Restore`] when the
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
        let (differing, absent) = keep::look(&self.control, plan).await?;
        if let Some(error) = differing {
            return Err(error);
        }
        for table in absent {
            self.events.warn(nothing_to_keep(&table));
        }
        state::prepare(&self.control).await?;
        state::record_start(&self.control, &self.run_id, job).await?;
        if self.settings.terminate_connections {
            if !self.guard.raise().await? {
                self.events.warn(
                    "The target's role may not change its own settings, so sessions that reconnect during the run \
                     are only ended as fast as they are seen. Stop the app's workers if the run fails.",
                );
            }
        } else {
            crate::postgres::guard::refuse_others(&self.control, self.connector.application_name()).await?;
        }
        self.gather(plan).await?;
        let session = self.session().await?;
        session
            .batch_execute(&self.lock_timeout_sql())
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows("preparing the reset"), &error))?;
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
            .map_err(|error| Error::from_server(Doing::WithoutRows("ending the reset"), &error))?;
        self.give_back(session);
        Ok(())
    }

    /// Once the schema stands: until then what was refused may be rolled back and tried again.
    fn warn_of_missing(&self) {
        let missing = self.missing.all();
        let mut alike = Alike::default();
        for one in &missing {
            alike.add(
                format!("{} {}", one.kind, one.name),
                refused::warning(&one.kind, &one.name, &one.why),
            );
        }
        let warnings = alike.into_warnings(
            |count| {
                format!("{count} objects are left out, because the target refuses them or what they need")
            },
            "The audit lists each with its reason under \"left_out\", and so does report.left_out.",
        );
        for warning in warnings {
            self.events.warn(warning);
        }
    }

    fn lock_timeout_sql(&self) -> String {
        let milliseconds = lock_timeout_ms(self.settings.lock_timeout);
        format!("SET lock_timeout = {milliseconds}")
    }

    async fn reset_on(&self, session: &Session, plan: &Plan, job: &JobRecord) -> Result<()> {
        let owned = inventory::take(session).await?;
        inventory::refuse_losses(session, &self.facts).await?;
        inventory::refuse_taken_oids(session, &plan.large_objects.oids).await?;
        let locks = owned.locks + creation_locks(&plan.schema);
        // The table also serves other databases, and holds a little more than it promises.
        if locks * 10 > self.facts.lock_slots * 7 {
            return self.in_steps(session, &owned, plan, job).await;
        }
        let mut attempt = 0;
        loop {
            match self.in_one_transaction(session, plan, job).await {
                Ok(()) => break,
                Err(refused) => {
                    session.batch_execute("ROLLBACK").await.map_err(|error| {
                        Error::from_server(Doing::WithoutRows("rolling the reset back"), &error)
                    })?;
                    if refused.out_of_locks {
                        return self.in_steps(session, &owned, plan, job).await;
                    }
                    attempt += 1;
                    if !refused.passing || !self.may_retry(attempt).await {
                        return Err(refused.error);
                    }
                }
            }
        }
        unlink_in_batches(session).await
    }

    async fn in_one_transaction(
        &self,
        session: &Session,
        plan: &Plan,
        job: &JobRecord,
    ) -> Result<(), Refused> {
        run(session, "beginning the reset", "BEGIN").await?;
        let owned = self.replace_schema(session, plan).await?;
        if owned.large_objects <= LARGE_OBJECTS_AT_ONCE {
            let sql = "SELECT count(lo_unlink(l.oid)) FROM pg_largeobject_metadata l \
                       JOIN pg_roles r ON r.oid = lomowner WHERE r.rolname = current_user";
            run(session, "unlinking large objects", sql).await?;
        }
        sql_rules::explain(session, plan).await?;
        state::mark_incomplete(session, &self.run_id, job).await?;
        run(session, "committing the reset", "COMMIT").await
    }

    /// Empties the target and creates the schema, within a transaction.
    async fn replace_schema(&self, session: &Session, plan: &Plan) -> Result<Inventory, Refused> {
        let owned = inventory::take(session).await?;
        let tables: Vec<&str> = owned.tables().collect();
        for some in tables.chunks(PER_STATEMENT) {
            let sql = format!(
                "LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE",
                some.join(", ONLY ")
            );
            run(session, "locking the target's tables", &sql).await?;
        }
        // Looked at again, now that no other session can hang anything new on these tables.
        inventory::refuse_losses(session, &self.facts).await?;
        self.require_postgis(session, plan).await?;
        let asides = keep::put_aside(session, plan).await?;
        for sql in drop_statements(&owned.objects) {
            run(session, "emptying the target", &sql).await?;
        }
        self.missing.clear();
        let statements = self.needed(session, plan).await?;
        self.create(session, plan, &statements).await?;
        keep::bring_back(session, &asides).await?;
        Ok(owned)
    }

    /// The same without the safety of one transaction: what fails in the middle leaves the target incomplete.
    async fn in_steps(
        &self,
        session: &Session,
        owned: &Inventory,
        plan: &Plan,
        job: &JobRecord,
    ) -> Result<()> {
        self.events.warn(format!(
            "The target's lock table ({} locks) is too small to replace the schema in one transaction, so it is done \
             in steps: should one fail, the old data is gone, and the next run starts anew.",
            self.facts.lock_slots
        ));
        self.require_postgis(session, plan)
            .await
            .map_err(|refused| refused.error)?;
        state::mark_incomplete(session, &self.run_id, job).await?;
        let asides = keep::put_aside(session, plan).await?;
        let mut batches = Batches::of(owned.objects.len());
        while let Some(range) = batches.next() {
            let sql = drop_statements(owned.objects.get(range).unwrap_or_default()).join("; ");
            let dropped = run(session, "emptying the target", &sql).await;
            batches.done(self, dropped).await?;
        }
        unlink_in_batches(session).await?;
        let statements = self.needed(session, plan).await?;
        self.missing.clear();
        self.create_in_parts(session, plan, &self.lock_timeout_sql(), &statements)
            .await?;
        keep::bring_back(session, &asides).await?;
        if plan.sql_rules.groups.is_empty() && plan.part.is_none() {
            return Ok(());
        }
        run(session, "checking rules in SQL", "BEGIN")
            .await
            .map_err(|refused| refused.error)?;
        let explained = sql_rules::explain(session, plan).await;
        run(session, "checking rules in SQL", "ROLLBACK")
            .await
            .map_err(|refused| refused.error)?;
        explained.map_err(|mut error| {
            if error.kind == Kind::Plan {
                error.kind = Kind::Restore;
            }
            error
        })
    }

    async fn create_batch(
        &self,
        session: &Session,
        plan: &Plan,
        statements: &[&Statement],
    ) -> Result<(), Refused> {
        run(session, "beginning a part of the schema", "BEGIN").await?;
        let created = self.create(session, plan, statements).await;
        let end = if created.is_ok() { "COMMIT" } else { "ROLLBACK" };
        run(session, "ending a part of the schema", end).await?;
        created
    }

    /// `config.postgis`: the extension comes first, so that a server without it costs nothing. Where the plan
    /// itself creates it, perhaps in a schema of its own, the plan's statement does.
    async fn require_postgis(&self, session: &Session, plan: &Plan) -> Result<(), Refused> {
        let Some(name) = extensions::beside(plan, self.settings.postgis) else {
            return Ok(());
        };
        if !schemas(session).await?.contains("public") {
            run(session, "creating the schema public", "CREATE SCHEMA public").await?;
        }
        let sql = format!("CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA public");
        session
            .batch_execute(&sql)
            .await
            .map_err(|error| extension_refused(name, Need::Configuration, &error))
    }

    /// The plan's statements without the schemas that outlived the reset (`public`, those of extensions), and with
    /// `public` where it was dropped: pg_dump takes it for granted.
    async fn needed<'p>(&self, session: &Session, plan: &'p Plan) -> Result<Vec<&'p Statement>> {
        let there = schemas(session).await?;
        let plans_public = plan
            .schema
            .iter()
            .any(|one| one.kind == EntryKind::Schema && one.name == "public");
        if !there.contains("public") && !plans_public {
            run(session, "creating the schema public", "CREATE SCHEMA public")
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
    async fn create(&self, session: &Session, plan: &Plan, statements: &[&Statement]) -> Result<(), Refused> {
        for now in statements.chunks(PIPELINE) {
            let needs_missing = |one: &&Statement| self.missing.needed_by(&one.needs).is_some();
            if now.iter().any(|one| self.may_leave_out(one)) {
                let is_whole = !now.iter().any(needs_missing) && self.create_together(session, now).await?;
                if !is_whole {
                    self.create_one_by_one(session, plan, now).await?;
                }
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

    /// All of these or none, in one go. Says whether they are there.
    async fn create_together(&self, session: &Session, statements: &[&Statement]) -> Result<bool, Refused> {
        let doing = "creating a part of the schema";
        run(session, doing, "SAVEPOINT may_be_left_out").await?;
        let answers = join_all(statements.iter().map(|one| self.say(session, one))).await;
        if answers.iter().all(Result::is_ok) {
            run(session, doing, "RELEASE SAVEPOINT may_be_left_out").await?;
            for statement in statements {
                self.missing.found(statement.dump_id);
            }
            return Ok(true);
        }
        run(session, doing, ROLL_BACK).await?;
        Ok(false)
    }

    async fn create_one_by_one(
        &self,
        session: &Session,
        plan: &Plan,
        statements: &[&Statement],
    ) -> Result<(), Refused> {
        for statement in statements {
            if self.may_leave_out(statement) {
                self.create_or_leave_out(session, plan, statement).await?;
            } else if let Err(error) = self.say(session, statement).await {
                return Err(statement_refused(statement, self.need(statement), &error));
            }
        }
        Ok(())
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
            self.missing.add(*dump_id, kind.clone(), name, why);
            return Ok(());
        }
        let doing = format!("creating {kind} {name}");
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

/// What is said of a table of `keep_tables` that the target does not have.
pub(crate) fn nothing_to_keep(table: &str) -> String {
    format!("keep_tables: {table} is not in the target, so there is nothing to keep: it is created empty.")
}

/// The names of the target's schemas.
async fn schemas(session: &Session) -> Result<HashSet<String>> {
    let doing = |error| Error::from_server(Doing::WithoutRows("looking at the target's schemas"), &error);
    let rows = session
        .query("SELECT nspname::text FROM pg_namespace", &[])
        .await
        .map_err(doing)?;
    rows.iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()
        .map_err(doing)
}

async fn run(session: &Session, doing: &str, sql: &str) -> Result<(), Refused> {
    session
        .batch_execute(sql)
        .await
        .map_err(|error| Refused::new(doing, &error))
}

fn statement_refused(statement: &Statement, need: Option<Need>, error: &tokio_postgres::Error) -> Refused {
    if let Some(need) = need {
        return extension_refused(&statement.name, need, error);
    }
    let mut refused = Refused::new(&format!("creating {} {}", statement.kind, statement.name), error);
    // Duplicate table, object, function, schema.
    let taken = error
        .code()
        .is_some_and(|code| matches!(code.code(), "42P07" | "42710" | "42723" | "42P06"));
    if taken {
        refused.error.remedy =
            "It belongs to another role, or to an extension, and the reset drops only what the \
            target's role owns: drop it as its owner, or give it to the target's role, and run it again."
                .into();
    }
    refused
}

fn extension_refused(name: &str, need: Need, error: &tokio_postgres::Error) -> Refused {
    match extensions::refused(name, need, error) {
        Some(error) => error.into(),
        None => Refused::new(&format!("creating the extension {name}"), error),
    }
}

/// Locks that creating the schema takes: a table comes with a TOAST table and its index.
fn creation_locks(statements: &[Statement]) -> u64 {
    let locks = |statement: &Statement| match &statement.kind {
        EntryKind::Table | EntryKind::MaterializedView => 4,
        // It holds its sequence's lock already, from creating it.
        EntryKind::SequenceSet => 0,
        _ => 1,
    };
    statements.iter().map(locks).sum()
}

fn lock_timeout_ms(seconds: f64) -> u64 {
    let timeout = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    // 0 would mean no limit to PostgreSQL, and its largest is that of an int.
    u64::try_from(timeout.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, 2_147_483_647)
}

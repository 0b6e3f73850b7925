//! The target's schema is replaced: in one transaction, or in steps where the server's lock table is too small for that.

use super::batches::Batches;
use super::drop::{drop_statements, unlink_in_batches, PER_STATEMENT};
use super::keep;
use super::refusal::{run, Refused};
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::Attempt;
use crate::notice::Notice;
use crate::plan::{Plan, Statement};
use crate::postgres::inspect::inventory::{self, Inventory};
use crate::postgres::session::connect::Session;
use crate::postgres::sql_rules;
use crate::postgres::state;
use crate::postgres::{JobRecord, Target};
use pg_dump_archive::EntryKind;

/// More large objects than these are unlinked after the reset, in transactions of their own: each takes a lock
/// (20,000 in one transaction exhaust a default lock table, 5,000 do not).
const LARGE_OBJECTS_AT_ONCE: u64 = 2_000;

impl Target {
    /// Replaces the schema over this session.
    pub(super) async fn reset_on(&self, session: &Session, plan: &Plan, job: &JobRecord) -> Result<()> {
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
                        Error::from_server(Doing::WithoutRows(&Attempt::RollingResetBack), &error)
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
        run(session, &Attempt::BeginningReset, "BEGIN").await?;
        let owned = self.replace_schema(session, plan).await?;
        if owned.large_objects <= LARGE_OBJECTS_AT_ONCE {
            let sql = "SELECT count(lo_unlink(l.oid)) FROM pg_largeobject_metadata l \
                       JOIN pg_roles r ON r.oid = lomowner WHERE r.rolname = current_user";
            run(session, &Attempt::UnlinkingLargeObjects, sql).await?;
        }
        sql_rules::explain(session, plan).await?;
        state::mark_incomplete(session, &self.run_id, job).await?;
        run(session, &Attempt::CommittingReset, "COMMIT").await
    }

    /// Empties the target and creates the schema, within a transaction.
    pub(super) async fn replace_schema(&self, session: &Session, plan: &Plan) -> Result<Inventory, Refused> {
        let owned = inventory::take(session).await?;
        let tables: Vec<&str> = owned.tables().collect();
        for some in tables.chunks(PER_STATEMENT) {
            let sql = format!(
                "LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE",
                some.join(", ONLY ")
            );
            run(session, &Attempt::LockingTables, &sql).await?;
        }
        // Looked at again, now that no other session can hang anything new on these tables.
        inventory::refuse_losses(session, &self.facts).await?;
        self.require_postgis(session, plan).await?;
        let asides = keep::put_aside(session, plan).await?;
        for sql in drop_statements(&owned.objects) {
            run(session, &Attempt::EmptyingTarget, &sql).await?;
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
        self.events.warn(Notice::ReplacedInSteps {
            locks: self.facts.lock_slots.to_string(),
        });
        self.require_postgis(session, plan)
            .await
            .map_err(|refused| refused.error)?;
        state::mark_incomplete(session, &self.run_id, job).await?;
        let asides = keep::put_aside(session, plan).await?;
        let mut batches = Batches::of(owned.objects.len());
        while let Some(range) = batches.next() {
            let sql = drop_statements(owned.objects.get(range).unwrap_or_default()).join("; ");
            let dropped = run(session, &Attempt::EmptyingTarget, &sql).await;
            batches.done(self, dropped).await?;
        }
        unlink_in_batches(session).await?;
        let statements = self.needed(session, plan).await?;
        self.missing.clear();
        self.create_in_chunks(session, plan, &self.lock_timeout_sql(), &statements)
            .await?;
        keep::bring_back(session, &asides).await?;
        if plan.sql_rules.groups.is_empty() && plan.part.is_none() {
            return Ok(());
        }
        run(session, &Attempt::CheckingRules, "BEGIN")
            .await
            .map_err(|refused| refused.error)?;
        let explained = sql_rules::explain(session, plan).await;
        run(session, &Attempt::CheckingRules, "ROLLBACK")
            .await
            .map_err(|refused| refused.error)?;
        explained.map_err(|mut error| {
            if error.kind == Kind::Plan {
                error.kind = Kind::Restore;
            }
            error
        })
    }
}

/// Locks that creating the schema takes: a table comes with a TOAST table and its index.
pub(super) fn creation_locks(statements: &[Statement]) -> u64 {
    let locks = |statement: &Statement| match &statement.kind {
        EntryKind::Table | EntryKind::MaterializedView => 4,
        // It holds its sequence's lock already, from creating it.
        EntryKind::SequenceSet => 0,
        _ => 1,
    };
    statements.iter().map(locks).sum()
}

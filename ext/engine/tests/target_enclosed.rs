//! Definitions of an archive that try to end the transaction of the reset: the server does not let them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod target_support;

use staging_sync_engine::error::{Error, Result};
use staging_sync_engine::event::Sink;
use staging_sync_engine::plan::Plan;
use staging_sync_engine::postgres::{JobRecord, Target};
use target_support::{Database, Planner};

async fn reset(database: &Database, plan: &Plan) -> Result<(), Error> {
    let target = Target::open(&database.settings(), &Sink::silent()).await?;
    let outcome = target.reset_and_create(plan, &JobRecord::default()).await;
    target.close().await.expect("the target is let go");
    outcome
}

/// What a definition may hold behind what it defines.
const SLY: [&str; 8] = [
    "COMMIT",
    "ROLLBACK",
    "DO $$ BEGIN EXECUTE 'COMMIT'; END $$",
    "DO $$ BEGIN COMMIT; END $$",
    "COPY public.old FROM stdin",
    "COPY public.old TO stdout",
    "PREPARE TRANSACTION 'sly'",
    "SAVEPOINT may_be_left_out; ROLLBACK TO SAVEPOINT may_be_left_out; COMMIT AND CHAIN",
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_definition_says_ends_the_resets_transaction() {
    let database = Database::of_owner().await;
    database
        .as_role("CREATE TABLE public.old (a int); INSERT INTO public.old VALUES (1)")
        .await;
    for more in SLY {
        let sql = format!("CREATE TABLE public.fresh (a int); {more}");
        let plan = Planner::new().statement("TABLE", "fresh", &sql);
        let error = reset(&database, &plan.plan()).await.expect_err(more);
        assert!(error.what.contains("TABLE fresh"), "{more}: {error}");
        assert_eq!(
            database.number("SELECT count(*) FROM public.old").await,
            1,
            "{more}"
        );
        assert_eq!(database.state().await, "untouched", "{more}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_so_may_be_left_out_and_the_rest_stands() {
    let database = Database::of_owner().await;
    let mut planner = Planner::new();
    for (at, more) in SLY.iter().enumerate() {
        let sql = format!("CREATE TABLE public.sly_{at} (a int); {more}");
        planner = planner.statement("VIEW", &format!("sly_{at}"), &sql).optional();
    }
    let plan = planner.table(1, "fresh", "id int").plan();
    reset(&database, &plan).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM public.fresh").await, 0);
    let sly = "SELECT count(*) FROM pg_class WHERE relname LIKE 'sly%'";
    assert_eq!(database.number(sly).await, 0);
}

//! A lock table that is fuller than it looks. Alone in its file, since cargo runs one file's tests at a time, and
//! this one leaves the whole server little room.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod target_support;

use staging_sync_engine::postgres::{JobRecord, Target};
use target_support::{cluster_url, session, Database, Events, Planner};

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_that_runs_out_of_locks_is_done_in_steps_instead() {
    let database = Database::of_restricted().await;
    for some in (0..200).collect::<Vec<_>>().chunks(50) {
        let sql = some
            .iter()
            .map(|n| format!("CREATE TABLE public.old_{n} (id serial PRIMARY KEY, name text UNIQUE);"));
        database.as_role(&sql.collect::<String>()).await;
    }
    // Another session's locks, elsewhere on the server, until there is no room for more; then a little room.
    let greedy = session(&cluster_url()).await;
    let mut held = 0;
    while greedy
        .batch_execute(&format!(
            "SELECT pg_advisory_lock(n) FROM generate_series({held}, {held} + 99) n"
        ))
        .await
        .is_ok()
    {
        held += 100;
    }
    let release = format!("SELECT pg_advisory_unlock(n) FROM generate_series({held} - 1200, {held} - 1) n");
    greedy.batch_execute(&release).await.unwrap();

    let events = Events::default();
    let target = Target::open(&database.settings(), &events.sink()).await.unwrap();
    let plan = (0..200).fold(Planner::new(), |plan, n| {
        plan.table(n, &format!("new_{n}"), "id int, name text")
    });
    target
        .reset_and_create(&plan.plan(), &JobRecord::default())
        .await
        .expect("smaller steps fit");
    target.close().await.unwrap();
    assert!(
        events
            .warnings()
            .iter()
            .any(|warning| warning.contains("\"replaced_in_steps\"")),
        "{:?}",
        events.warnings()
    );
    let count = |name: &str| {
        format!("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE '{name}\\_%'")
    };
    assert_eq!(database.number(&count("old")).await, 0);
    assert_eq!(database.number(&count("new")).await, 200);
}

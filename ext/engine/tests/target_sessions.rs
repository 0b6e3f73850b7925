//! Other sessions, other runs, and what a run leaves behind when it ends badly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod target_support;

use staging_sync_engine::error::Kind;
use staging_sync_engine::event::Sink;
use staging_sync_engine::postgres::{JobRecord, Target};
use staging_sync_engine::settings;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use target_support::{load, rows, Database, Planner};
use tokio_postgres::NoTls;

async fn open(database: &Database) -> Target {
    Target::open(&database.settings(), &Sink::silent())
        .await
        .expect("the target opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_fails_at_once_and_says_which_one_is_there() {
    let database = Database::of_restricted().await;
    let first = open(&database).await;
    let since = Instant::now();
    let error = Target::open(&database.settings(), &Sink::silent())
        .await
        .expect_err("the lock is held");
    assert_eq!(error.kind, Kind::TargetBusy);
    assert!(since.elapsed() < Duration::from_secs(5));
    assert!(
        error.what.contains(first.run_id()) && error.what.contains("since"),
        "{error}"
    );
    first.close().await.unwrap();
    let second = open(&database).await;
    // Another database of the same server is another target.
    let elsewhere = Database::of_restricted().await;
    open(&elsewhere).await.close().await.unwrap();
    second.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_terminate_connections_off_other_sessions_are_counted_and_named() {
    let database = Database::of_restricted().await;
    let mut settings = database.settings();
    settings.terminate_connections = false;
    let web = database.app("web").await;
    let worker = database.app("worker").await;
    let error = Target::open(&settings, &Sink::silent())
        .await
        .expect_err("sessions are there");
    assert_eq!(error.kind, Kind::TargetBusy);
    assert!(
        error.what.contains(r#""count":2"#) && error.what.contains("web, worker"),
        "{error}"
    );
    drop((web, worker));
    database
        .wait_until_gone("application_name IN ('web', 'worker')")
        .await;
    let target = Target::open(&settings, &Sink::silent())
        .await
        .expect("no session is in the way");
    target
        .reset_and_create(&Planner::new().plan(), &JobRecord::default())
        .await
        .unwrap();
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn other_roles_sessions_are_left_alone_and_the_roles_own_are_ended() {
    let database = Database::of_restricted().await;
    let web = database.app("web").await;
    web.batch_execute("CREATE TABLE public.old (a int); BEGIN; LOCK TABLE public.old")
        .await
        .unwrap();
    let target = open(&database).await;
    assert_eq!(
        database.sessions("application_name = 'web'").await,
        1,
        "nothing is ended before the reset"
    );
    target
        .reset_and_create(&Planner::new().plan(), &JobRecord::default())
        .await
        .expect("the lock's holder is ended");
    assert_eq!(database.sessions("application_name = 'web'").await, 0);
    assert_eq!(
        database.number("SELECT 1").await,
        1,
        "the superuser's session lives"
    );
    target.close().await.unwrap();
}

/// A worker that reconnects whenever it is thrown out, and writes a row each time it can.
fn stubborn_writer(url: &str, wrote: &Arc<AtomicU64>) -> tokio::task::JoinHandle<()> {
    let (url, wrote) = (format!("{url}?application_name=worker"), Arc::clone(wrote));
    tokio::spawn(async move {
        loop {
            if let Ok((client, connection)) = tokio_postgres::connect(&url, NoTls).await {
                let driver = tokio::spawn(connection);
                while !client.is_closed() {
                    if client
                        .batch_execute("INSERT INTO public.jobs VALUES (0, 'written by a worker')")
                        .await
                        .is_ok()
                    {
                        wrote.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                driver.abort();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_keeps_reconnecting_writes_nothing_into_the_new_tables() {
    let database = Database::of_restricted().await;
    database
        .as_role("CREATE TABLE public.jobs (id int, what text)")
        .await;
    let wrote = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..3).map(|_| stubborn_writer(&database.url, &wrote)).collect();
    while wrote.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let target = open(&database).await;
    let plan = Planner::new()
        .table(1, "jobs", "id int, what text")
        .step(
            2,
            "ALTER TABLE public.jobs ADD PRIMARY KEY (id)",
            &[1],
            &["jobs"],
            &[],
        )
        .plan();
    target
        .reset_and_create(&plan, &JobRecord::default())
        .await
        .expect("the reset succeeds");
    let pieces: Vec<String> = (0..200).map(|piece| format!("{piece}\tours\n")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    load(&target, &plan, rows(1, &pieces))
        .await
        .expect("the load succeeds");
    let before = wrote.load(Ordering::Relaxed);
    assert_eq!(database.number("SELECT count(*) FROM public.jobs").await, 200);
    target.mark_end().await.unwrap();
    target.close().await.expect("the target is let go");
    // The primary key lets one worker's row in, and then no more: the writers can write again.
    for _ in 0..400 {
        if database
            .number("SELECT count(*) FROM public.jobs WHERE id = 0 AND what <> 'ours'")
            .await
            == 0
            && wrote.load(Ordering::Relaxed) > before
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        database
            .admin
            .batch_execute("DELETE FROM public.jobs WHERE id = 0")
            .await
            .unwrap();
    }
    assert!(
        wrote.load(Ordering::Relaxed) > before,
        "the writers may write again"
    );
    writers.iter().for_each(|writer| writer.abort());
}

const SETTING: &str =
    "SELECT coalesce((SELECT string_agg(s, ',') FROM pg_db_role_setting, unnest(setconfig) s \
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())), 'none')";

#[tokio::test(flavor = "multi_thread")]
async fn the_target_stays_incomplete_where_the_caller_has_more_to_do_in_it() {
    let database = Database::of_restricted().await;
    let state = "SELECT concat_ws(' ', status, finished_at IS NOT NULL) FROM scalingo_staging_sync.state";
    for (more_to_come, expected) in [
        (true, "incomplete f"),
        (false, "complete t"),
        (true, "incomplete f"),
    ] {
        let settings = settings::TargetSettings {
            more_to_come,
            ..database.settings()
        };
        let target = Target::open(&settings, &Sink::silent()).await.unwrap();
        target
            .reset_and_create(&Planner::new().plan(), &JobRecord::default())
            .await
            .unwrap();
        target.mark_end().await.unwrap();
        target.close().await.unwrap();
        assert_eq!(database.text(state).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_own_setting_comes_back_whatever_happens() {
    let database = Database::of_restricted().await;
    for (statement, expected) in [
        ("SELECT 1".to_owned(), "none"),
        (
            format!(
                "ALTER ROLE {} IN DATABASE {} SET default_transaction_read_only = off",
                database.role, database.name
            ),
            "default_transaction_read_only=off",
        ),
    ] {
        database.admin.batch_execute(&statement).await.unwrap();
        // A run that comes to its end.
        let target = open(&database).await;
        target
            .reset_and_create(&Planner::new().plan(), &JobRecord::default())
            .await
            .unwrap();
        assert_eq!(database.text(SETTING).await, "default_transaction_read_only=on");
        target.mark_end().await.unwrap();
        target.close().await.unwrap();
        target.close().await.expect("closing twice does no harm");
        assert_eq!(database.text(SETTING).await, expected);
        assert_eq!(database.state().await, "complete");
        drop(target);

        // One that is left open.
        let target = open(&database).await;
        target
            .reset_and_create(&Planner::new().plan(), &JobRecord::default())
            .await
            .unwrap();
        drop(target);
        for _ in 0..200 {
            if database.text(SETTING).await == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(database.text(SETTING).await, expected);

        // One that is killed: its runtime goes with it. The next run puts the setting back as it opens.
        killed_after_reset(&database).await;
        assert_eq!(database.text(SETTING).await, "default_transaction_read_only=on");
        let target = open(&database).await;
        assert_eq!(database.text(SETTING).await, expected);
        target.close().await.unwrap();
    }
}

/// A run whose runtime is shut down in the middle, with a long statement under way.
async fn killed_after_reset(database: &Database) {
    let settings = database.settings();
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let target = Target::open(&settings, &Sink::silent()).await.unwrap();
            let plan = Planner::new()
                .step(1, "SELECT pg_sleep(600)", &[], &[], &[])
                .plan();
            target
                .reset_and_create(&plan, &JobRecord::default())
                .await
                .unwrap();
            let run = load(&target, &plan, []);
            assert!(
                tokio::time::timeout(Duration::from_millis(300), run)
                    .await
                    .is_err(),
                "the step runs on"
            );
            // Leaked, so that no destructor is there to tidy up.
            std::mem::forget(target);
        });
        runtime.shutdown_background();
    })
    .await
    .unwrap();
    database
        .wait_until_gone("application_name LIKE 'scalingo-staging-sync%'")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_dropped_leaves_no_session_behind() {
    let database = Database::of_restricted().await;
    let target = open(&database).await;
    let plan = Planner::new()
        .table(1, "t", "id int")
        .step(2, "SELECT pg_sleep(600)", &[], &[], &[])
        .step(3, "SELECT pg_sleep(600)", &[], &[], &[])
        .plan();
    target
        .reset_and_create(&plan, &JobRecord::default())
        .await
        .unwrap();
    let run = load(&target, &plan, rows(1, &["1\n", "2\n"]));
    assert!(
        tokio::time::timeout(Duration::from_millis(500), run)
            .await
            .is_err(),
        "the steps run on"
    );
    database
        .wait_until_gone("query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()")
        .await;
    target.close().await.unwrap();
    drop(target);
    database
        .wait_until_gone("application_name LIKE 'scalingo-staging-sync%'")
        .await;
}

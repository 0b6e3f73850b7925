//! A target behind a proxy that stops moving bytes and keeps its connections: what stands still is given up, and what
//! works is waited for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod target_support;

use staging_sync_engine::error::{Error, Kind};
use staging_sync_engine::postgres::{restore_from, JobRecord, Never, Target, Watching};
use staging_sync_engine::settings::TargetSettings;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;
use target_support::{cluster_port, load, rows, settings, Database, Events, Planner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the proxy does with bytes from now on.
const MOVES: u32 = 0;
/// Those of connections that are there are swallowed; new ones work.
const HOLDS_OLD: u32 = 1;
/// Those of every connection are.
const HOLDS_ALL: u32 = 2;

/// A proxy in front of the test's cluster. It acknowledges everything it gets.
struct Proxy {
    port: u16,
    mode: Arc<AtomicU32>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = Arc::new(AtomicU32::new(MOVES));
        let shared = Arc::clone(&mode);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(format!("127.0.0.1:{}", cluster_port()))
                    .await
                    .unwrap();
                // A connection of the time after works, unless none does.
                let begun = shared.load(Ordering::SeqCst);
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(pass(from_client, to_server, Arc::clone(&shared), begun));
                tokio::spawn(pass(from_server, to_client, Arc::clone(&shared), begun));
            }
        });
        Self { port, mode }
    }

    fn set(&self, mode: u32) {
        self.mode.store(mode, Ordering::SeqCst);
    }

    /// The target's settings by way of the proxy, with a second's patience.
    fn settings(&self, database: &Database) -> TargetSettings {
        let url = database
            .url
            .replace(&format!(":{}/", cluster_port()), &format!(":{}/", self.port));
        TargetSettings {
            stall_timeout: 1.0,
            lock_timeout: 0.5,
            parallel_connections: 2,
            ..settings(&url)
        }
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mode: Arc<AtomicU32>, begun: u32) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let mode = mode.load(Ordering::SeqCst);
        let is_held = mode == HOLDS_ALL || mode == HOLDS_OLD && begun == MOVES;
        if !is_held && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// A database, a proxy before it, and what the target says.
async fn scene() -> (Database, Proxy, Events) {
    (
        Database::of_owner().await,
        Proxy::start().await,
        Events::default(),
    )
}

fn one_table() -> Planner {
    Planner::new().table(1, "users", "id int, email text")
}

async fn open(proxy: &Proxy, database: &Database, plan: &Planner, events: &Events) -> Target {
    let target = Target::open(&proxy.settings(database), &events.sink())
        .await
        .unwrap();
    target
        .reset_and_create(&plan.clone().plan(), &JobRecord::default())
        .await
        .unwrap();
    target
}

fn is_lost(error: &Error) {
    assert_eq!(error.kind, Kind::TargetConnection, "{error}");
}

fn says_so(events: &Events, why: &str) {
    let said = events.warnings();
    let stood_still = |said: &String| said.contains(r#""stood_still","seconds":"1""#) && said.contains(why);
    assert!(said.iter().any(stood_still), "{said:?}");
}

/// Loads rows of which the proxy lets only the first pass.
async fn load_held(proxy: &Proxy, database: &Database, target: &Target, plan: &Planner, mode: u32) -> Error {
    let (sender, receiver) = mpsc::channel(1);
    let copies = "SELECT count(*) FROM pg_stat_progress_copy WHERE tuples_processed > 0 AND datname = current_database()";
    let feed = async move {
        let many = "1\tada@example.com\n".repeat(20_000);
        for item in rows(1, &[many.as_str(); 64]) {
            if sender.send(Ok(item)).await.is_err() {
                return;
            }
            while proxy.mode.load(Ordering::SeqCst) == MOVES && database.number(copies).await > 0 {
                proxy.set(mode);
            }
        }
    };
    let load = restore_from(target, plan.clone().plan(), Watching::default(), receiver, &Never);
    let (outcome, ()) = tokio::join!(load, feed);
    outcome.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_no_longer_arrive_end_the_run() {
    let (database, proxy, events) = scene().await;
    let plan = one_table();
    let target = open(&proxy, &database, &plan, &events).await;
    is_lost(&load_held(&proxy, &database, &target, &plan, HOLDS_OLD).await);
    says_so(&events, "nothing_arrives");
    drop(target);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_no_one_ends_the_run() {
    let (database, proxy, events) = scene().await;
    let plan = one_table();
    let target = open(&proxy, &database, &plan, &events).await;
    is_lost(&load_held(&proxy, &database, &target, &plan, HOLDS_ALL).await);
    says_so(&events, "no_answer_either");
    drop(target);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_back_ends_the_run() {
    let (database, proxy, events) = scene().await;
    let plan = one_table().step(2, "SELECT pg_sleep(2)", &[1], &["users"], &[]);
    let target = open(&proxy, &database, &plan, &events).await;
    let hold = async {
        let sleeps =
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep' \
            AND datname = current_database()";
        while database.number(sleeps).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        proxy.set(HOLDS_OLD);
    };
    let plan = plan.plan();
    let (outcome, ()) = tokio::join!(load(&target, &plan, rows(1, &["1\ta@example.com\n"])), hold);
    is_lost(&outcome.unwrap_err());
    says_so(&events, "answer_lost");
    drop(target);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_longer_is_waited_for() {
    let (database, proxy, events) = scene().await;
    let plan = one_table().step(2, "SELECT pg_sleep(4)", &[1], &["users"], &[]);
    let target = open(&proxy, &database, &plan, &events).await;
    let report = load(&target, &plan.plan(), rows(1, &["1\ta@example.com\n"]))
        .await
        .unwrap();
    assert_eq!(report.steps, 1);
    assert_eq!(events.warnings(), Vec::<String>::new());
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_take_their_time_are_waited_for() {
    let (database, proxy, events) = scene().await;
    let plan = one_table();
    let target = open(&proxy, &database, &plan, &events).await;
    let (sender, receiver) = mpsc::channel(1);
    let feed = tokio::spawn(async move {
        for item in rows(1, &["1\ta@example.com\n", "2\tb@example.com\n"]) {
            tokio::time::sleep(Duration::from_secs(2)).await;
            sender.send(Ok(item)).await.unwrap();
        }
    });
    let plan = plan.plan();
    restore_from(&target, plan, Watching::default(), receiver, &Never)
        .await
        .unwrap();
    feed.await.unwrap();
    assert_eq!(events.warnings(), Vec::<String>::new());
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_another_holds_is_not_waited_for_without_end() {
    let (database, proxy, events) = scene().await;
    let plan = one_table().step(2, "ALTER TABLE public.users ADD b int", &[1], &["users"], &[]);
    let target = open(&proxy, &database, &plan, &events).await;
    database
        .admin
        .batch_execute("BEGIN; LOCK TABLE public.users IN ACCESS SHARE MODE")
        .await
        .unwrap();
    is_lost(
        &load(&target, &plan.plan(), rows(1, &["1\ta@example.com\n"]))
            .await
            .unwrap_err(),
    );
    says_so(
        &events,
        r#""lock_held","holders":[{"kind":"known_process","pid":"#,
    );
    drop(target);
}

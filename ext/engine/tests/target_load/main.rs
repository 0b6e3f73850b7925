//! Rows, large objects and steps: what arrives, in which order, and what a failure in the middle does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod failures;
#[path = "../target_support/mod.rs"]
mod target_support;

use masking::ColumnCounts;
use pg_dump_archive::DumpId;
use staging_sync_engine::error::{Error, Kind};
use staging_sync_engine::event::{Event, Sink};
use staging_sync_engine::plan::Plan;
use staging_sync_engine::postgres::{restore, Item, JobRecord, LoadReport, Target};
use staging_sync_engine::verify::verify;
use std::sync::Arc;
use std::time::{Duration, Instant};
use target_support::{large_object, load, rows, Database, Events, Planner};
use tokio::sync::mpsc;

async fn open_and_reset(database: &Database, plan: &Plan, parallel: usize, events: &Sink) -> Target {
    let mut settings = database.settings();
    settings.parallel_connections = parallel;
    let target = Target::open(&settings, events).await.expect("the target opens");
    target
        .reset_and_create(plan, &JobRecord::default())
        .await
        .expect("the reset succeeds");
    target
}

/// Everything from the opening to the close.
async fn run(
    database: &Database,
    plan: &Arc<Plan>,
    parallel: usize,
    items: Vec<Item>,
) -> Result<LoadReport, Error> {
    let target = open_and_reset(database, plan, parallel, &Sink::silent()).await;
    let report = load(&target, plan, items).await;
    target.close().await.unwrap();
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_a_task_and_its_record_names_the_backup() {
    let database = Database::of_restricted().await;
    let settings = database.settings();
    let run = async move {
        let plan = Planner::new().table(1, "t", "id int").plan();
        let target = Target::open(&settings, &Sink::silent()).await?;
        let job = JobRecord {
            mode: "run",
            backup_id: Some("bk-1".into()),
            backup_created_at: Some("2024-05-01T03:00:00Z".into()),
            ..JobRecord::default()
        };
        target.reset_and_create(&plan, &job).await?;
        let report = load(&target, &plan, rows(1, &["1\n"])).await?;
        target.analyze().await?;
        verify(&target, &plan, &report, true).await?;
        target.mark_end().await?;
        target.close().await
    };
    tokio::spawn(run).await.unwrap().expect("the run succeeds");
    let record = "SELECT concat_ws(' ', status, backup_id, backup_created_at, finished_at IS NOT NULL, role_kept_out IS NULL) \
        FROM scalingo_staging_sync.state";
    assert_eq!(
        database.text(record).await,
        "complete bk-1 2024-05-01T03:00:00Z t t"
    );
}

/// A table with a masked column, an empty one, and one without a column.
fn three_tables() -> Arc<Plan> {
    Planner::new()
        .table(1, "users", "id int, email text, bio text")
        .mask(1, 1)
        .table(2, "empty", "id int")
        .statement("TABLE", "bare", "CREATE TABLE public.bare ()")
        .load(3, "bare", vec![])
        .plan()
}

fn rows_of_three_tables() -> Vec<Item> {
    let mut items = rows(
        1,
        &[
            "1\tada@example.com\ttab\\there\n2\t\\N\t\\N\n",
            "3\tbob@example.com\té\\\\N\n",
        ],
    );
    items.extend(rows(2, &[]));
    items.extend(rows(3, &["\n\n"]));
    items
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_arrive_as_they_were_sent_and_masked_ones_masked() {
    let database = Database::of_restricted().await;
    let plan = three_tables();
    let target = open_and_reset(&database, &plan, 3, &Sink::silent()).await;
    let report = load(&target, &plan, rows_of_three_tables())
        .await
        .expect("the load succeeds");
    let all = "SELECT string_agg(concat_ws('|', id, coalesce(email, 'NULL'), coalesce(bio, 'NULL')), ',' ORDER BY id) FROM public.users";
    assert_eq!(
        database.text(all).await,
        "1|masked|tab\there,2|NULL|NULL,3|masked|é\\N"
    );
    assert_eq!(database.number("SELECT count(*) FROM public.bare").await, 2);
    target.analyze().await.expect("ANALYZE succeeds");
    assert_eq!(
        database
            .number("SELECT reltuples FROM pg_class WHERE relname = 'users'")
            .await,
        3
    );
    let verification = verify(&target, &plan, &report, true).await.expect("all is well");
    assert_eq!((verification.tables.len(), verification.problems.len()), (3, 0));
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_counts_rows_and_masked_values_and_each_table_is_an_event() {
    let database = Database::of_restricted().await;
    let plan = three_tables();
    let events = Events::default();
    let target = open_and_reset(&database, &plan, 3, &events.sink()).await;
    let report = load(&target, &plan, rows_of_three_tables())
        .await
        .expect("the load succeeds");
    let users = report.loads.iter().find(|one| one.dump_id == DumpId(1)).unwrap();
    assert_eq!(users.rows, 3);
    assert_eq!(
        users.masked,
        [ColumnCounts {
            masked: 2,
            kept: 0,
            nulls: 1,
            violations: 0
        }]
    );
    assert_eq!(
        report
            .loads
            .iter()
            .find(|one| one.dump_id == DumpId(3))
            .unwrap()
            .rows,
        2
    );
    let loaded = events
        .all()
        .into_iter()
        .filter(|event| matches!(event, Event::TableLoaded { .. }))
        .count();
    assert_eq!(loaded, 3);
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_table_whose_rows_cannot_be_frozen_is_loaded_over_several_sessions() {
    let database = Database::of_restricted().await;
    let plan = Planner::new()
        .table(1, "large", "id int, filler text")
        .not_freezable(1)
        .mask(1, 1)
        .plan();
    let target = open_and_reset(&database, &plan, 3, &Sink::silent()).await;
    let (sender, receiver) = mpsc::channel(4);
    let buffers = target.buffers();
    // Until all three sessions wait for this lock, so that none can be so quick as to need no other.
    database
        .admin
        .batch_execute("BEGIN; LOCK TABLE public.large IN SHARE MODE")
        .await
        .unwrap();
    let feed = tokio::spawn(async move {
        sender.send(Ok(Item::TableStart(DumpId(1)))).await.unwrap();
        let mut id = 0;
        for _ in 0..10 {
            let mut piece = buffers.take();
            while piece.len() < 5 * 1024 * 1024 {
                piece.extend_from_slice(format!("{id}\t{}\n", "x".repeat(200)).as_bytes());
                id += 1;
            }
            sender.send(Ok(Item::Rows(piece))).await.unwrap();
        }
        sender.send(Ok(Item::TableEnd)).await.unwrap();
        id
    });
    let unlock = async {
        let waiting =
            "SELECT count(*) FROM pg_locks WHERE relation = 'public.large'::regclass AND NOT granted";
        while database.number(waiting).await < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        database.admin.batch_execute("COMMIT").await.unwrap();
    };
    let loading = restore(&target, Arc::clone(&plan), receiver);
    let (report, ()) = tokio::join!(loading, unlock);
    let report = report.expect("the load succeeds");
    let sent: i64 = feed.await.unwrap();
    assert_eq!(report.loads[0].rows, sent as u64);
    assert_eq!(
        database
            .number("SELECT count(DISTINCT id) FROM public.large")
            .await,
        sent
    );
    let transactions = database
        .number("SELECT count(DISTINCT xmin::text) FROM public.large")
        .await;
    assert_eq!(transactions, 3, "each session commits its share");
    target.close().await.unwrap();
}

/// Rows of a table `(id int, filler text)`, some 200 bytes each.
fn filled(ids: std::ops::Range<u32>) -> Item {
    let rows: Vec<String> = ids.map(|id| format!("{id}\t{}\n", "x".repeat(200))).collect();
    Item::Rows(rows.concat().into_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_tables_rows_are_frozen_in_one_transaction_and_a_small_ones_are_not_worth_one() {
    let database = Database::of_restricted().await;
    let columns = "id int, filler text";
    let plan = Planner::new()
        .table(1, "large", columns)
        .table(2, "small", columns)
        .plan();
    let target = open_and_reset(&database, &plan, 3, &Sink::silent()).await;
    let mut items = vec![Item::TableStart(DumpId(1))];
    items.extend((0..60).map(|piece| filled(piece * 1_000..(piece + 1) * 1_000)));
    items.extend([
        Item::TableEnd,
        Item::TableStart(DumpId(2)),
        filled(0..100),
        Item::TableEnd,
    ]);
    let report = load(&target, &plan, items).await.unwrap();
    target.close().await.unwrap();
    assert_eq!(report.loads.iter().map(|load| load.rows).sum::<u64>(), 60_100);
    database.admin.batch_execute("ANALYZE").await.unwrap();
    // PostgreSQL leaves out pages on which one of its batches ends and the next begins.
    let message = database
        .text(
            "SELECT string_agg(relname || ' ' || (relallvisible > relpages * 0.9), ' ' ORDER BY relname) \
             FROM pg_class WHERE relname IN ('large', 'small')",
        )
        .await;
    assert_eq!(message, "large true small false");
    let transactions = "SELECT count(DISTINCT xmin::text) FROM public.large";
    assert_eq!(database.number(transactions).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_large_table_when_its_last_row_is_refused() {
    let database = Database::of_restricted().await;
    let plan = Planner::new().table(1, "large", "id int, filler text").plan();
    let target = open_and_reset(&database, &plan, 2, &Sink::silent()).await;
    let items = vec![
        Item::TableStart(DumpId(1)),
        filled(0..1_000),
        Item::Rows(b"many\t\n".to_vec()),
        Item::TableEnd,
    ];
    let refused = load(&target, &plan, items).await.unwrap_err();
    assert!(refused.what.contains("public.large"), "{}", refused.what);
    assert_eq!(database.number("SELECT count(*) FROM public.large").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_run_when_what_they_wait_for_is_done_and_last_ones_last() {
    for parallel in [1, 2, 4] {
        let database = Database::of_restricted().await;
        let note = |what: &str| {
            format!("INSERT INTO public.diary (what, rows) SELECT '{what}', count(*) FROM public.a")
        };
        let plan = Planner::new()
            .statement(
                "TABLE",
                "diary",
                "CREATE TABLE public.diary (id serial, what text, rows int)",
            )
            .table(1, "a", "id int")
            .table(2, "b", "id int")
            .step(19, &note("last but one"), &[], &[], &[])
            .last()
            .step(20, &note("last"), &[19], &[], &[])
            .last()
            .step(10, "ALTER TABLE public.a ADD PRIMARY KEY (id)", &[1], &["a"], &[])
            .step(
                11,
                "ALTER TABLE public.b ADD FOREIGN KEY (id) REFERENCES public.a",
                &[2, 10],
                &["a", "b"],
                &[],
            )
            .step(12, &note("after both"), &[11], &[], &[])
            .step(13, "CREATE INDEX ON public.b (id)", &[2], &[], &["b"])
            .step(14, "CREATE INDEX ON public.b ((id + 1))", &[2], &[], &["b"])
            .step(15, "CREATE EXTENSION no_such_extension", &[], &[], &[])
            .optional_step()
            .plan();
        let mut items = rows(1, &["1\n2\n", "3\n"]);
        items.extend(rows(2, &["1\n3\n"]));
        let report = run(&database, &plan, parallel, items)
            .await
            .expect("the load succeeds");
        assert_eq!(
            (report.steps, report.warnings.len()),
            (7, 1),
            "{:?}",
            report.warnings
        );
        let diary = "SELECT string_agg(what || ' ' || rows, ', ' ORDER BY id) FROM public.diary";
        assert_eq!(database.text(diary).await, "after both 3, last but one 3, last 3");
        assert_eq!(
            database
                .number("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'")
                .await,
            3
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_built_while_later_tables_still_stream() {
    let database = Database::of_restricted().await;
    let plan = Planner::new()
        .table(1, "early", "id int")
        .table(2, "late", "id int")
        .step(
            10,
            "CREATE INDEX early_id ON public.early (id)",
            &[1],
            &[],
            &["early"],
        )
        .plan();
    let target = open_and_reset(&database, &plan, 2, &Sink::silent()).await;
    let (sender, receiver) = mpsc::channel(1);
    let run = restore(&target, Arc::clone(&plan), receiver);
    let feed = async {
        for item in rows(1, &["1\n"])
            .into_iter()
            .chain([Item::TableStart(DumpId(2)), Item::Rows(b"1\n".to_vec())])
        {
            sender.send(Ok(item)).await.unwrap();
        }
        let since = Instant::now();
        while database
            .number("SELECT count(*) FROM pg_class WHERE relname = 'early_id'")
            .await
            == 0
        {
            assert!(
                since.elapsed() < Duration::from_secs(10),
                "the index waits for the end of the stream"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        sender.send(Ok(Item::TableEnd)).await.unwrap();
        drop(sender);
    };
    let (report, ()) = tokio::join!(run, feed);
    assert_eq!(report.expect("the load succeeds").loads.len(), 2);
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn large_objects_keep_their_oids_and_contents() {
    let database = Database::of_restricted().await;
    let mut planner = Planner::new().table(1, "t", "id int").step(
        30,
        "COMMENT ON LARGE OBJECT 100 IS 'there'",
        &[50],
        &[],
        &[],
    );
    planner.0.large_objects.oids = (100..2_400).collect();
    planner.0.large_objects.blocks.insert(DumpId(50));
    let plan = planner.plan();
    let chunk = vec![7u8; 300_000];
    let mut items = rows(1, &["1\n"]);
    items.extend(large_object(100, &[b"small"]));
    items.extend(large_object(
        101,
        &[
            &chunk, &chunk, &chunk, &chunk, &chunk, &chunk, &chunk, &chunk, b"end",
        ],
    ));
    items.extend(large_object(102, &[]));
    for oid in 103..2_300 {
        items.extend(large_object(oid, &[b"one of many"]));
    }
    // One that the table of contents does not name, as in archives before 1.12's BLOB entries.
    items.extend(large_object(5_000, &[b"unnamed"]));
    let report = run(&database, &plan, 2, items).await.expect("the load succeeds");
    assert_eq!(report.large_objects, 2_301);
    assert_eq!(
        database
            .number("SELECT count(*) FROM pg_largeobject_metadata")
            .await,
        2_301
    );
    assert_eq!(
        database.text("SELECT convert_from(lo_get(100), 'UTF8')").await,
        "small"
    );
    assert_eq!(
        database.number("SELECT length(lo_get(101))").await,
        8 * 300_000 + 3
    );
    assert_eq!(
        database
            .text("SELECT convert_from(substr(lo_get(101), 2400001), 'UTF8')")
            .await,
        "end"
    );
    assert_eq!(database.number("SELECT length(lo_get(2399))").await, 0);
    assert_eq!(
        database
            .text("SELECT obj_description(100, 'pg_largeobject')")
            .await,
        "there"
    );
}

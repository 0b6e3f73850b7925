//! Failures in the middle of a load, and what verification finds after it.

use super::*;
use staging_sync_engine::notice::Mismatch;
use staging_sync_engine::text::Text;

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_row_ends_the_load_and_its_value_is_not_shown() {
    let database = Database::of_restricted().await;
    let plan = Planner::new()
        .table(1, "numbers", "id int")
        .table(2, "other", "id int")
        .plan();
    let mut items = rows(1, &["1\n", "33612345678\n", "2\n"]);
    items.extend(rows(2, &["1\n"]));
    let error = run(&database, &plan, 3, items).await.unwrap_err();
    assert_eq!(error.kind, Kind::Restore);
    assert!(error.what.contains("public.numbers"), "{error}");
    assert!(!error.to_string().contains("33612345678"), "{error}");
    assert_eq!(database.state().await, "incomplete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_step_stops_everything_promptly_and_is_named() {
    let database = Database::of_restricted().await;
    let plan = Planner::new()
        .table(1, "twice", "id int")
        .step(
            10,
            "ALTER TABLE public.twice ADD PRIMARY KEY (id)",
            &[1],
            &["twice"],
            &[],
        )
        .step(11, "SELECT pg_sleep(600)", &[], &[], &[])
        .plan();
    let since = Instant::now();
    let error = run(&database, &plan, 3, rows(1, &["77\n77\n"]))
        .await
        .unwrap_err();
    assert!(since.elapsed() < Duration::from_secs(20));
    assert!(
        error.what.contains("INDEX step_10") && !error.to_string().contains("77"),
        "{error}"
    );
    database
        .wait_until_gone("query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_reader_is_the_loads_error() {
    let database = Database::of_restricted().await;
    let plan = Planner::new().table(1, "t", "id int").plan();
    let target = open_and_reset(&database, &plan, 2, &Sink::silent()).await;
    let (sender, receiver) = mpsc::channel(8);
    sender.send(Ok(Item::TableStart(DumpId(1)))).await.unwrap();
    sender.send(Ok(Item::Rows(b"1\n".to_vec()))).await.unwrap();
    let cause = Error::new(Kind::Archive, "The archive is damaged.", "Take another one.");
    sender.send(Err(cause.clone())).await.unwrap();
    assert_eq!(restore(&target, Arc::clone(&plan), receiver).await, Err(cause));

    let (sender, receiver) = mpsc::channel(8);
    drop(sender);
    let error = restore(&target, Arc::clone(&plan), receiver).await.unwrap_err();
    assert_eq!(error.kind, Kind::Archive);
    assert!(error.what.contains("public.t"), "{error}");
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_met_a_deadlock_is_tried_again() {
    let database = Database::of_restricted().await;
    let fails_twice = "DO $$ BEGIN PERFORM nextval('public.tries'); IF currval('public.tries') < 3 \
        THEN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END IF; END $$";
    let plan = Planner::new()
        .statement("SEQUENCE", "tries", "CREATE SEQUENCE public.tries")
        .step(10, fails_twice, &[], &[], &[])
        .plan();
    assert_eq!(
        run(&database, &plan, 1, vec![])
            .await
            .expect("the third try succeeds")
            .steps,
        1
    );
}

/// A masked table with a view, a materialized view of that, and keys.
fn viewed() -> Arc<Plan> {
    Planner::new()
        .table(1, "users", "id int, email text")
        .mask(1, 1)
        .table(2, "orders", "id int, user_id int")
        .statement(
            "VIEW",
            "v",
            "CREATE VIEW public.v AS SELECT email FROM public.users",
        )
        .statement(
            "MATERIALIZED VIEW",
            "mv",
            "CREATE MATERIALIZED VIEW public.mv AS SELECT email FROM public.v WITH NO DATA",
        )
        .step(
            10,
            "ALTER TABLE public.users ADD PRIMARY KEY (id)",
            &[1],
            &["users"],
            &[],
        )
        .step(
            11,
            "ALTER TABLE public.orders ADD FOREIGN KEY (user_id) REFERENCES public.users",
            &[2, 10],
            &["users", "orders"],
            &[],
        )
        .step(12, "REFRESH MATERIALIZED VIEW public.mv", &[1], &[], &[])
        .last()
        .plan()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_without_its_masks_form_empties_the_table_and_the_views_of_it() {
    let database = Database::of_restricted().await;
    let plan = viewed();
    for fail in [true, false] {
        let events = Events::default();
        let target = open_and_reset(&database, &plan, 2, &events.sink()).await;
        let mut items = rows(1, &["1\tada@example.com\n2\tbob@example.com\n"]);
        items.extend(rows(2, &["1\t1\n"]));
        let report = load(&target, &plan, items).await.expect("the load succeeds");
        // As a mask with a defect would have written it.
        database.admin.batch_execute("UPDATE public.users SET email = 'ada@example.com' WHERE id = 1; REFRESH MATERIALIZED VIEW public.mv").await.unwrap();
        let outcome = verify(&target, &plan, &report, fail).await;
        let message = match outcome {
            Err(error) => {
                assert!(fail && error.kind == Kind::Verification);
                error.to_string()
            }
            Ok(verification) => {
                assert!(!fail);
                let problems: Vec<String> = verification
                    .problems
                    .iter()
                    .map(|one| Text::from(one).to_string())
                    .collect();
                assert_eq!(problems, events.warnings());
                problems.join(" ")
            }
        };
        assert!(
            message.contains(r#""form_lost","column":"public.users.email","count":1,"#)
                && !message.contains("ada"),
            "{message}"
        );
        assert_eq!(database.number("SELECT count(*) FROM public.users").await, 0);
        assert_eq!(
            database
                .number("SELECT relispopulated::int FROM pg_class WHERE relname = 'mv'")
                .await,
            0
        );
        target.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_another_session_wrote_or_removed_are_noticed() {
    let database = Database::of_restricted().await;
    let plan = Planner::new().table(1, "t", "id int").plan();
    let target = open_and_reset(&database, &plan, 2, &Sink::silent()).await;
    let report = load(&target, &plan, rows(1, &["1\n2\n"])).await.unwrap();
    database
        .admin
        .batch_execute("DELETE FROM public.t WHERE id = 1")
        .await
        .unwrap();
    let error = verify(&target, &plan, &report, true).await.unwrap_err();
    let differ = Mismatch::RowsDiffer {
        table: "public.t".into(),
        count: 1,
        sent: 2,
    };
    assert_eq!(error.what, Text::from(differ));
    assert_eq!(
        database.number("SELECT count(*) FROM public.t").await,
        1,
        "the table itself is left alone"
    );
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn row_level_security_hides_nothing_from_verification() {
    let database = Database::of_restricted().await;
    let plan = Planner::new()
        .table(1, "secret", "id int, email text")
        .mask(1, 1)
        .step(10, "ALTER TABLE public.secret ENABLE ROW LEVEL SECURITY; ALTER TABLE public.secret FORCE ROW LEVEL SECURITY", &[1], &["secret"], &[])
        .plan();
    let target = open_and_reset(&database, &plan, 2, &Sink::silent()).await;
    let report = load(&target, &plan, rows(1, &["1\ta\n2\tb\n"])).await.unwrap();
    let verification = verify(&target, &plan, &report, true)
        .await
        .expect("every row is seen");
    assert_eq!(verification.tables[0].rows, 2);
    let forced = "SELECT relforcerowsecurity::int FROM pg_class WHERE relname = 'secret'";
    assert_eq!(database.number(forced).await, 1);
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_keeps_reading_a_large_table_ends_the_run_instead_of_holding_it_up() {
    let database = Database::of_restricted().await;
    let plan = Planner::new().table(1, "large", "id int, filler text").plan();
    let mut settings = database.settings();
    settings.lock_timeout = 0.4;
    let target = Target::open(&settings, &Sink::silent()).await.unwrap();
    target
        .reset_and_create(&plan, &JobRecord::default())
        .await
        .unwrap();
    let reads = "BEGIN; LOCK TABLE public.large IN ACCESS SHARE MODE";
    database.admin.batch_execute(reads).await.unwrap();
    let items = vec![Item::TableStart(DumpId(1)), filled(0..1_000), Item::TableEnd];
    let waited = tokio::time::timeout(Duration::from_secs(30), load(&target, &plan, items)).await;
    let refused = waited.expect("it does not wait for ever").unwrap_err();
    assert_eq!(refused.kind, Kind::LockTimeout, "{}", refused.what);
    assert!(refused.what.contains("public.large"), "{}", refused.what);
    database.admin.batch_execute("COMMIT").await.unwrap();
}

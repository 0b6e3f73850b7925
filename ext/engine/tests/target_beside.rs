//! What is done beside the load: foreign keys of large tables are declared first and checked while other steps run,
//! and tables are looked at as soon as their rows are in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod target_support;

use pg_dump_archive::{DumpId, EntryKind};
use staging_sync_engine::error::Error;
use staging_sync_engine::event::Sink;
use staging_sync_engine::plan::Plan;
use staging_sync_engine::postgres::{
    restore_from, Item, JobRecord, LoadReport, Never, Questions, Target, Watching,
};
use staging_sync_engine::verify::{questions, verify};
use std::sync::Arc;
use target_support::{table, Database, Planner};
use tokio::sync::mpsc;

async fn load(
    database: &Database,
    plan: &Arc<Plan>,
    questions: Questions,
    items: Vec<Item>,
) -> Result<LoadReport, Error> {
    let target = Target::open(&database.settings(), &Sink::silent()).await?;
    target.reset_and_create(plan, &JobRecord::default()).await?;
    let report = feed(&target, plan, questions, items).await;
    target.close().await?;
    report
}

async fn feed(
    target: &Target,
    plan: &Arc<Plan>,
    questions: Questions,
    items: Vec<Item>,
) -> Result<LoadReport, Error> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        for item in items {
            if sender.send(Ok(item)).await.is_err() {
                return;
            }
        }
    });
    let watching = Watching {
        questions,
        ..Watching::default()
    };
    restore_from(target, Arc::clone(plan), watching, receiver, &Never).await
}

/// Rows `id, user_id, filler`, some 5 MB of them when `many`. The last refers to `last_user`.
fn orders(id: i32, many: bool, last_user: u32) -> Vec<Item> {
    let filler = "x".repeat(1_000);
    let count = if many { 5_000 } else { 5 };
    let mut rows: String = (1..count)
        .map(|order| format!("{order}\t{}\t{filler}\n", 1 + order % 2))
        .collect();
    rows.push_str(&format!("{count}\t{last_user}\t{filler}\n"));
    vec![
        Item::TableStart(DumpId(id)),
        Item::Rows(rows.into_bytes()),
        Item::TableEnd,
    ]
}

fn users(id: i32) -> Vec<Item> {
    vec![
        Item::TableStart(DumpId(id)),
        Item::Rows(b"1\n2\n".to_vec()),
        Item::TableEnd,
    ]
}

/// Users, orders, and a foreign key between them that is step 11.
fn planner(orders: &str) -> Planner {
    let mut planner = Planner::new()
        .table(1, "users", "id int")
        .statement("TABLE", "orders", orders)
        .load(2, "orders", vec!["id".into(), "user_id".into(), "filler".into()])
        .step(
            10,
            "ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id)",
            &[1],
            &["users"],
            &[],
        )
        .step(
            11,
            "ALTER TABLE public.orders\n    ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES public.users(id);\n",
            &[1, 2, 10],
            &["orders", "users"],
            &[],
        );
    planner.0.steps[1].kind = EntryKind::ForeignKey.into();
    planner
}

const ORDERS: &str = "CREATE TABLE public.orders (id int, user_id int, filler text)";

async fn keys(database: &Database) -> String {
    let sql = "SELECT coalesce(string_agg(conname || ' ' || convalidated, ', '), 'none') FROM pg_constraint \
               WHERE contype = 'f' AND conparentid = 0";
    database.text(sql).await
}

/// Everything that the catalog has of the unique keys of orders, and of what depends on what for them.
const UNIQUE_KEYS: &str = "WITH keys AS ( \
       SELECT c.oid, c.conindid, format('%s %s: %s, %s %s %s %s, %s', c.conname, c.contype, pg_get_constraintdef(c.oid), \
         i.indisprimary, i.indisunique, i.indimmediate, i.indisvalid, pg_get_indexdef(c.conindid)) AS text \
       FROM pg_constraint c JOIN pg_index i ON i.indexrelid = c.conindid \
       WHERE c.contype IN ('p', 'u') AND c.conrelid = 'orders'::regclass), \
     needs AS ( \
       SELECT format('%s needs %s (%s)', pg_describe_object(classid, objid, objsubid), \
         pg_describe_object(refclassid, refobjid, refobjsubid), deptype) AS text \
       FROM pg_depend, keys WHERE objid IN (keys.oid, keys.conindid)) \
     SELECT string_agg(text, E'\\n' ORDER BY text) FROM (SELECT text FROM keys UNION SELECT text FROM needs) AS everything";

#[tokio::test(flavor = "multi_thread")]
async fn a_large_tables_unique_keys_end_up_as_a_small_ones_do() {
    let mut found = Vec::new();
    for many in [false, true] {
        let database = Database::of_restricted().await;
        let add = |name: &str, key: &str| {
            format!("ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT {name} {key};\n")
        };
        let (primary, unique) = (
            add("orders_pkey", "PRIMARY KEY (id)"),
            add("\"Both\"", "UNIQUE (user_id, id)"),
        );
        let mut planner = planner("CREATE TABLE public.orders (id int NOT NULL, user_id int, filler text)")
            .step(12, &primary, &[2], &["orders"], &[])
            .step(13, &unique, &[2], &["orders"], &[])
            .step(
                14,
                "CREATE INDEX ON public.orders USING btree (user_id)",
                &[2],
                &[],
                &["orders"],
            );
        for step in &mut planner.0.steps[2..4] {
            step.kind = EntryKind::Constraint.into();
        }
        let plan = planner.plan();
        let report = load(
            &database,
            &plan,
            questions(&plan),
            users(1).into_iter().chain(orders(2, many, 2)).collect(),
        )
        .await
        .unwrap();
        assert_eq!(report.steps, 5);
        found.push(database.text(UNIQUE_KEYS).await);
    }
    assert!(
        found[0].contains("orders_pkey p: PRIMARY KEY (id)"),
        "{}",
        found[0]
    );
    assert_eq!(found[0], found[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_tables_foreign_key_ends_up_valid_beside_index_builds() {
    let database = Database::of_restricted().await;
    let plan = planner(ORDERS)
        .step(12, "CREATE INDEX ON public.users (id)", &[1], &[], &["users"])
        .step(13, "CREATE INDEX ON public.orders (id)", &[2], &[], &["orders"])
        .step(
            14,
            "CREATE INDEX ON public.orders (user_id)",
            &[2],
            &[],
            &["orders"],
        )
        .plan();
    let items = [orders(2, true, 1), users(1)].concat_items();
    let report = load(&database, &plan, Questions::new(), items).await.unwrap();
    assert_eq!(keys(&database).await, "fk true");
    assert_eq!(report.steps, 5, "a key in two parts is one step");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_refers_to_nothing_is_refused_in_either_way() {
    // In one part nothing is left behind, in two the key stands without having been checked.
    for (many, left) in [(false, "none"), (true, "fk false")] {
        let database = Database::of_restricted().await;
        let items = [orders(2, many, 3), users(1)].concat_items();
        let refused = load(&database, &planner(ORDERS).plan(), Questions::new(), items).await;
        let message = refused.unwrap_err().what;
        assert!(
            message.contains("FK CONSTRAINT") && message.contains("step_11"),
            "{message}"
        );
        assert_eq!(keys(&database).await, left);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_rows_a_rule_may_have_taken_away_stays_not_valid_with_a_warning() {
    for many in [false, true] {
        let database = Database::of_restricted().await;
        let mut planner = planner(ORDERS);
        planner.0.sql_rules.losing.insert(table("users"));
        let items = [orders(2, many, 3), users(1)].concat_items();
        let report = load(&database, &planner.plan(), Questions::new(), items)
            .await
            .unwrap();
        assert_eq!(keys(&database).await, "fk false");
        assert!(
            report.warnings[0].contains("key_of_rows_not_valid"),
            "{:?}",
            report.warnings
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partitioned_tables_foreign_key_is_added_in_one_part() {
    let database = Database::of_restricted().await;
    let partitioned =
        "CREATE TABLE public.orders (id int, user_id int, filler text) PARTITION BY RANGE (id); \
        CREATE TABLE public.orders_all PARTITION OF public.orders DEFAULT";
    let items = [orders(2, true, 1), users(1)].concat_items();
    let plan = planner(partitioned).not_freezable(2).plan();
    load(&database, &plan, Questions::new(), items).await.unwrap();
    assert_eq!(keys(&database).await, "fk true");
}

/// Tables of which one is masked, one is not, and one hides its rows.
fn watched_plan() -> Arc<Plan> {
    Planner::new()
        .table(1, "users", "id int, email text")
        .mask(1, 1)
        .table(2, "plain", "id int")
        .statement(
            "TABLE",
            "hidden",
            "CREATE TABLE public.hidden (id int, name text)",
        )
        .statement(
            "TABLE",
            "hidden",
            "ALTER TABLE public.hidden ENABLE ROW LEVEL SECURITY",
        )
        .load(3, "hidden", vec!["id".into(), "name".into()])
        .mask(3, 1)
        .step(
            10,
            "ALTER TABLE public.users ADD PRIMARY KEY (id)",
            &[1],
            &["users"],
            &[],
        )
        .plan()
}

/// Loads three tables with questions asked as they pass.
async fn watched(database: &Database, plan: &Arc<Plan>) -> (Target, LoadReport) {
    let rows = |id, text: &str| {
        vec![
            Item::TableStart(DumpId(id)),
            Item::Rows(text.as_bytes().to_vec()),
            Item::TableEnd,
        ]
    };
    let items = [
        rows(1, "1\tada@example.com\n2\t\\N\n"),
        rows(2, "1\n2\n3\n"),
        rows(3, "1\tAda\n"),
    ]
    .concat_items();
    let target = Target::open(&database.settings(), &Sink::silent()).await.unwrap();
    target
        .reset_and_create(plan, &JobRecord::default())
        .await
        .unwrap();
    let report = feed(&target, plan, questions(plan), items).await.unwrap();
    (target, report)
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_checked_while_they_load_and_verification_asks_for_the_rest() {
    let database = Database::of_restricted().await;
    let plan = watched_plan();
    let (target, report) = watched(&database, &plan).await;
    let numbers = |name: &str| {
        report
            .answers
            .get(&table(name))
            .map(|answer| answer.numbers.clone())
    };
    assert_eq!(
        (numbers("users"), numbers("plain")),
        (Some(vec![2, 0]), Some(vec![3]))
    );
    assert_eq!(numbers("hidden"), None, "row security needs a lock");
    let verification = verify(&target, &plan, &report, true).await.unwrap();
    assert_eq!((verification.tables.len(), verification.problems.len()), (3, 0));
    target.close().await.unwrap();
}

const SPOILED: &str = "CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql \
    AS $$BEGIN IF NEW.id % 2 = 0 THEN NEW.email := 'raw'; END IF; RETURN NEW; END$$; \
    CREATE TRIGGER spoil BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION public.spoil()";

/// More is loaded than verification looks at, and the server changes every second value.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_large_table_all_rows_and_all_values_that_lost_their_form_are_counted() {
    let database = Database::of_restricted().await;
    let plan = Planner::new()
        .table(1, "users", "id int, email text, filler text")
        .mask(1, 1)
        .statement("TABLE", "users", SPOILED)
        .plan();
    let filler = "x".repeat(1_000);
    let mut items = vec![Item::TableStart(DumpId(1))];
    for piece in 0..40 {
        let rows = (0..1_000).map(|row| format!("{}\tada@example.com\t{filler}\n", piece * 1_000 + row));
        items.push(Item::Rows(rows.collect::<String>().into_bytes()));
    }
    items.push(Item::TableEnd);
    let report = load(&database, &plan, questions(&plan), items).await.unwrap();
    let megabytes = database.number("SELECT pg_relation_size('users') >> 20").await;
    assert!(megabytes > 32, "{megabytes}");
    assert_eq!(report.answers[&table("users")].numbers, [40_000, 20_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_while_rows_loaded_counts_unless_another_mask_was_chosen_since() {
    let database = Database::of_restricted().await;
    let plan = watched_plan();
    let (target, report) = watched(&database, &plan).await;
    let mut wrong = report.clone();
    wrong.answers.get_mut(&table("users")).unwrap().numbers[1] = 1;
    // With another mask the table is asked again.
    let mut other = wrong.clone();
    other.answers.get_mut(&table("users")).unwrap().conditions = vec!["false".into()];
    assert!(verify(&target, &plan, &other, true).await.is_ok());
    let refused = verify(&target, &plan, &wrong, true).await.unwrap_err();
    assert!(refused.what.contains("public.users.email"), "{}", refused.what);
    assert_eq!(database.number("SELECT count(*) FROM public.users").await, 0);
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_made_while_others_load_except_of_what_has_partitions() {
    let database = Database::of_restricted().await;
    let root = "CREATE TABLE public.parted (id int) PARTITION BY RANGE (id); \
        CREATE TABLE public.part PARTITION OF public.parted DEFAULT";
    let plan = Planner::new()
        .table(1, "users", "id int")
        .statement("TABLE", "parted", root)
        .load(2, "part", vec!["id".into()])
        .step(
            10,
            "CREATE INDEX ON public.users ((id + 1))",
            &[1],
            &[],
            &["users"],
        )
        .plan();
    let part = vec![
        Item::TableStart(DumpId(2)),
        Item::Rows(b"1\n2\n".to_vec()),
        Item::TableEnd,
    ];
    let target = Target::open(&database.settings(), &Sink::silent()).await.unwrap();
    target
        .reset_and_create(&plan, &JobRecord::default())
        .await
        .unwrap();
    let items = [users(1), part].concat_items();
    let report = feed(&target, &plan, Questions::new(), items).await.unwrap();
    let with_statistics =
        "SELECT string_agg(DISTINCT tablename, ', ') FROM pg_stats WHERE schemaname = 'public'";
    assert_eq!(report.analyzed.iter().collect::<Vec<_>>(), [&table("users")]);
    let before = database.text(with_statistics).await;
    assert_eq!(before, "users, users_expr_idx", "after the index");
    target.analyze_others(&report.analyzed).await.unwrap();
    let after = database.text(with_statistics).await;
    assert_eq!(after, "part, parted, users, users_expr_idx");
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_a_rule_may_shrink_later_is_not_asked_about_early() {
    let mut planner = Planner::new().table(1, "users", "id int, email text").mask(1, 1);
    assert!(questions(&planner.0).contains_key(&table("users")));
    planner.0.sql_rules.shrinking.insert(table("users"));
    assert!(questions(&planner.0).is_empty());
}

/// Several tables' items as one list.
trait ConcatItems {
    fn concat_items(self) -> Vec<Item>;
}

impl<const N: usize> ConcatItems for [Vec<Item>; N] {
    fn concat_items(self) -> Vec<Item> {
        self.into_iter().flatten().collect()
    }
}

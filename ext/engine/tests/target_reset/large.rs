//! Schemas that are too large for one transaction.

use super::*;

/// 2,000 tables with a key, a sequence and an index each.
fn large_schema() -> Planner {
    (0..2_000).fold(Planner::new(), |plan, number| {
        let name = format!("table_{number}");
        plan.statement("SEQUENCE", &name, &format!("CREATE SEQUENCE public.seq_{number}"))
            .statement("TABLE", &name, &format!("CREATE TABLE public.{name} (id bigint DEFAULT nextval('public.seq_{number}'), name text)"))
            .statement("SEQUENCE OWNED BY", &name, &format!("ALTER SEQUENCE public.seq_{number} OWNED BY public.{name}.id"))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_whose_archive_does_not_say_what_needs_what_is_created_all_the_same_and_an_error_is_reported_as_it_is(
) {
    let database = Database::of_restricted().await;
    let mut plan = large_schema().plan();
    let silent = std::sync::Arc::get_mut(&mut plan).unwrap();
    silent.schema.iter_mut().for_each(|one| one.needs.clear());
    reset_with(&database.settings(), &plan, &Sink::silent())
        .await
        .unwrap();
    let count = "SELECT count(*) FROM pg_class WHERE relname LIKE 'table\\_%' AND relkind = 'r'";
    assert_eq!(database.number(count).await, 2_000);

    let wrong = std::sync::Arc::get_mut(&mut plan).unwrap();
    wrong.schema[1_501].sql = "CREATE TABLE public.table_500 (id nothing)".into();
    let error = reset_with(&database.settings(), &plan, &Sink::silent())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Restore);
    let asked = r#"{"kind":"creating","object":"TABLE table_500"}"#;
    assert!(error.what.contains(asked), "{error}");
    assert!(
        error.what.contains("nothing") && error.is("server_refused"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_tables_are_replaced_in_steps() {
    let database = Database::of_restricted().await;
    let events = Events::default();
    let plan = large_schema().plan();
    reset_with(&database.settings(), &plan, &events.sink())
        .await
        .expect("the schema is created in steps");
    assert!(
        events
            .warnings()
            .iter()
            .any(|warning| warning.contains("replaced_in_steps")),
        "{:?}",
        events.warnings()
    );
    let count = "SELECT count(*) FROM pg_class WHERE relname LIKE 'table\\_%' AND relkind = 'r'";
    assert_eq!(database.number(count).await, 2_000);
    for some in (0..2_000).collect::<Vec<_>>().chunks(200) {
        let sql: String = some.iter().map(|n| format!("ALTER TABLE public.table_{n} ADD PRIMARY KEY (id); CREATE INDEX ON public.table_{n} (name);")).collect();
        database.as_role(&sql).await;
    }
    reset_with(&database.settings(), &small_plan().plan(), &events.sink())
        .await
        .expect("it is dropped in steps");
    assert_eq!(database.number(count).await, 0);
    assert_eq!(database.number("SELECT count(*) FROM public.fresh").await, 0);
    assert_eq!(database.state().await, "incomplete");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_five_thousand_large_objects_are_unlinked_in_batches() {
    let database = Database::of_restricted().await;
    for _ in 0..5 {
        database
            .as_role("SELECT count(lo_create(0)) FROM generate_series(1, 5000)")
            .await;
    }
    let events = Events::default();
    reset_with(&database.settings(), &small_plan().plan(), &events.sink())
        .await
        .expect("the reset succeeds");
    assert_eq!(
        database
            .number("SELECT count(*) FROM pg_largeobject_metadata")
            .await,
        0
    );
    assert_eq!(events.warnings(), Vec::<String>::new());
}

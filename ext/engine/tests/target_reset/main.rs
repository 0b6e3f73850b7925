//! Emptying the target and creating the schema: what goes, what stays, and what ends the run with nothing changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod extensions;
mod large;
#[path = "../target_support/mod.rs"]
mod target_support;

use staging_sync_engine::error::{Error, Kind};
use staging_sync_engine::event::Sink;
use staging_sync_engine::plan::Plan;
use staging_sync_engine::postgres::url::ConnectionUrl;
use staging_sync_engine::postgres::{inspect, Inspection, JobRecord, Need, Target};
use staging_sync_engine::settings;
use target_support::{unique, Database, Events, Planner};

/// One of everything that a role without special rights can own.
const EVERYTHING: &str = "
  CREATE SCHEMA shop;
  CREATE TYPE shop.mood AS ENUM ('good', 'bad');
  CREATE DOMAIN public.email AS text CHECK (value LIKE '%@%');
  CREATE TYPE public.pair AS (a int, b text);
  CREATE TYPE public.span AS RANGE (subtype = float8);
  CREATE TABLE public.users (id bigserial PRIMARY KEY, email public.email, mood shop.mood, p public.pair);
  CREATE TABLE shop.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint REFERENCES public.users);
  ALTER TABLE public.users ADD COLUMN last_order int REFERENCES shop.orders;
  CREATE TABLE public.events (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE public.events_2024 PARTITION OF public.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  CREATE TABLE public.parent (a int);
  CREATE TABLE public.child () INHERITS (public.parent);
  CREATE SEQUENCE shop.free_sequence;
  CREATE VIEW public.v AS SELECT id, email FROM public.users;
  CREATE MATERIALIZED VIEW public.mv AS SELECT count(*) FROM public.v;
  CREATE INDEX ON public.mv (count);
  CREATE FUNCTION public.add(a int, VARIADIC b int[]) RETURNS int LANGUAGE sql AS 'SELECT $1';
  CREATE FUNCTION public.of_pair(public.pair) RETURNS int LANGUAGE sql AS 'SELECT ($1).a';
  CREATE PROCEDURE public.do_it(IN a int, INOUT b text) LANGUAGE sql AS 'SELECT b';
  CREATE AGGREGATE public.total(int) (SFUNC = int4pl, STYPE = int);
  CREATE AGGREGATE public.middle(ORDER BY float8) (SFUNC = float8larger, STYPE = float8);
  CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER touch BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.touch();
  CREATE RULE nothing AS ON DELETE TO public.parent DO INSTEAD NOTHING;
  CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
  CREATE COLLATION public.french (provider = libc, locale = 'C');
  CREATE CONVERSION public.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
  CREATE CAST (public.pair AS int) WITH FUNCTION public.of_pair(public.pair);
  CREATE TEXT SEARCH DICTIONARY public.dict (TEMPLATE = simple);
  CREATE TEXT SEARCH CONFIGURATION public.config (COPY = simple);
  CREATE STATISTICS shop.stats ON id, user_id FROM shop.orders;
  CREATE POLICY everyone ON public.users USING (true);
  ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO PUBLIC;
  CREATE TABLE public.\"Odd \"\"name\" (a int);
  INSERT INTO public.users (email) VALUES ('ada@example.com');
  SELECT lo_create(4711);
";

/// Objects that the role owns and that are not ours to keep, from the catalogues' own point of view.
const LEFT: &str = "SELECT coalesce(string_agg(name::text, ', '), '') FROM (
    SELECT relname AS name FROM pg_class c JOIN pg_roles r ON r.oid = relowner WHERE c.oid >= 16384 AND rolname = '$role'
      AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('scalingo_staging_sync', 'pg_toast'))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND deptype = 'e')
    UNION ALL SELECT proname FROM pg_proc p JOIN pg_roles r ON r.oid = proowner WHERE p.oid >= 16384 AND rolname = '$role'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND deptype = 'e')
    UNION ALL SELECT typname FROM pg_type t JOIN pg_roles r ON r.oid = typowner WHERE t.oid >= 16384 AND rolname = '$role'
      AND typnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('scalingo_staging_sync', 'pg_toast'))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND deptype = 'e') AND typelem = 0
    UNION ALL SELECT nspname FROM pg_namespace n JOIN pg_roles r ON r.oid = nspowner WHERE n.oid >= 16384 AND rolname = '$role'
      AND nspname NOT IN ('scalingo_staging_sync', 'public')
    UNION ALL SELECT oprname FROM pg_operator o JOIN pg_roles r ON r.oid = oprowner WHERE o.oid >= 16384 AND rolname = '$role'
    UNION ALL SELECT opfname FROM pg_opfamily o JOIN pg_roles r ON r.oid = opfowner WHERE o.oid >= 16384 AND rolname = '$role'
    UNION ALL SELECT collname FROM pg_collation c JOIN pg_roles r ON r.oid = collowner WHERE c.oid >= 16384 AND rolname = '$role'
    UNION ALL SELECT conname FROM pg_conversion c JOIN pg_roles r ON r.oid = conowner WHERE c.oid >= 16384 AND rolname = '$role'
    UNION ALL SELECT cfgname FROM pg_ts_config c JOIN pg_roles r ON r.oid = cfgowner WHERE c.oid >= 16384 AND rolname = '$role'
    UNION ALL SELECT dictname FROM pg_ts_dict c JOIN pg_roles r ON r.oid = dictowner WHERE c.oid >= 16384 AND rolname = '$role'
    UNION ALL SELECT stxname FROM pg_statistic_ext s JOIN pg_roles r ON r.oid = stxowner WHERE rolname = '$role'
    UNION ALL SELECT opcname FROM pg_opclass o JOIN pg_roles r ON r.oid = opcowner WHERE o.oid >= 16384 AND rolname = '$role'
    UNION ALL SELECT prsname FROM pg_ts_parser WHERE oid >= 16384 UNION ALL SELECT tmplname FROM pg_ts_template WHERE oid >= 16384
    UNION ALL SELECT amname FROM pg_am WHERE oid >= 16384 UNION ALL SELECT fdwname FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'cast' FROM pg_cast WHERE oid >= 16384
    UNION ALL SELECT evtname FROM pg_event_trigger UNION ALL SELECT pubname FROM pg_publication
    UNION ALL SELECT srvname FROM pg_foreign_server
    UNION ALL SELECT 'large object' FROM pg_largeobject_metadata l JOIN pg_roles r ON r.oid = lomowner WHERE rolname = '$role'
  ) AS left_over";

async fn left_over(database: &Database) -> String {
    database.text(&LEFT.replace("$role", &database.role)).await
}

async fn reset_with(settings: &settings::TargetSettings, plan: &Plan, events: &Sink) -> Result<(), Error> {
    let target = Target::open(settings, events).await?;
    let outcome = target.reset_and_create(plan, &JobRecord::default()).await;
    target.close().await.expect("the target is let go");
    outcome
}

async fn reset(database: &Database, plan: &Plan) -> Result<(), Error> {
    reset_with(&database.settings(), plan, &Sink::silent()).await
}

/// A plan with one small table.
fn small_plan() -> Planner {
    Planner::new().table(1, "fresh", "id int")
}

async fn is_everything_replaced(database: &Database) {
    assert!(
        left_over(database).await.split(", ").count() > 40,
        "the reset has something to do"
    );
    reset(database, &small_plan().plan())
        .await
        .expect("the reset succeeds");
    assert_eq!(database.number("SELECT count(*) FROM public.fresh").await, 0);
    database
        .admin
        .batch_execute("DROP TABLE public.fresh")
        .await
        .unwrap();
    assert_eq!(left_over(database).await, "");
    assert_eq!(database.state().await, "incomplete");
    // And a second time, with what the first has left.
    reset(database, &small_plan().plan())
        .await
        .expect("the second reset succeeds");
    assert_eq!(
        database
            .number("SELECT count(*) FROM scalingo_staging_sync.state")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_scalingos_grants_replaces_everything_it_owns() {
    let database = Database::of_restricted().await;
    database.as_role(EVERYTHING).await;
    is_everything_replaced(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_databases_owner_replaces_everything_it_owns() {
    let database = Database::of_owner().await;
    database.as_role(EVERYTHING).await;
    is_everything_replaced(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superuser_replaces_everything_also_what_only_a_superuser_can_create() {
    let database = Database::of_superuser().await;
    database.as_role(EVERYTHING).await;
    let more = "CREATE OPERATOR FAMILY public.family USING btree;
        CREATE OPERATOR CLASS public.class FOR TYPE int USING hash AS OPERATOR 1 =, FUNCTION 1 hashint4(int);
        CREATE TEXT SEARCH TEMPLATE public.template (LEXIZE = dsimple_lexize);
        CREATE TEXT SEARCH PARSER public.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
        CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
        CREATE TABLE public.by_access_method (a int) USING heap_too;
        CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER server FOREIGN DATA WRAPPER wrapper;
        CREATE USER MAPPING FOR PUBLIC SERVER server;
        CREATE FOREIGN TABLE public.elsewhere (a int) SERVER server;
        CREATE PUBLICATION everything FOR ALL TABLES;
        CREATE FUNCTION public.forbid() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
        CREATE EVENT TRIGGER forbid ON sql_drop EXECUTE FUNCTION public.forbid();";
    database.as_role(more).await;
    is_everything_replaced(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_role_would_lose_is_named_and_nothing_is_changed() {
    let database = Database::of_restricted().await;
    let other = unique("reporting");
    database.as_role("CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('good'); CREATE TABLE shop.orders (id int PRIMARY KEY, mood shop.mood); CREATE FUNCTION shop.one() RETURNS int LANGUAGE sql AS 'SELECT 1'").await;
    database
        .admin
        .batch_execute(&format!(
            "CREATE ROLE {other}; GRANT CREATE ON SCHEMA public TO {other};
             CREATE VIEW public.report AS SELECT * FROM shop.orders;
             CREATE TABLE public.refers (id int REFERENCES shop.orders, m shop.mood, d int DEFAULT shop.one());
             ALTER VIEW public.report OWNER TO {other}; ALTER TABLE public.refers OWNER TO {other};"
        ))
        .await
        .unwrap();
    let error = reset(&database, &small_plan().plan()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Privilege);
    for expected in [
        "view public.report",
        "table public.refers",
        other.as_str(),
        "constraint refers_id_fkey",
    ] {
        assert!(error.what.contains(expected), "{expected} in {error}");
    }
    assert_eq!(database.number("SELECT count(*) FROM shop.orders").await, 0);
    assert_eq!(database.state().await, "untouched");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_roles_table_in_the_roles_schema_ends_the_run_and_its_table_elsewhere_does_not() {
    let database = Database::of_restricted().await;
    database.as_role("CREATE SCHEMA shop").await;
    database
        .admin
        .batch_execute("CREATE TABLE shop.theirs (a int); CREATE TABLE public.also_theirs (a int)")
        .await
        .unwrap();
    let error = reset(&database, &small_plan().plan()).await.unwrap_err();
    assert!(
        error.what.contains("shop.theirs") && !error.what.contains("also_theirs"),
        "{error}"
    );
    database
        .admin
        .batch_execute("DROP TABLE shop.theirs")
        .await
        .unwrap();
    reset(&database, &small_plan().plan())
        .await
        .expect("a table beside it is no obstacle");
    assert_eq!(
        database.number("SELECT count(*) FROM public.also_theirs").await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_another_role_in_the_way_costs_nothing() {
    let database = Database::of_restricted().await;
    database.as_role("CREATE TABLE public.old (a int)").await;
    database
        .admin
        .batch_execute("CREATE TABLE public.fresh (a int)")
        .await
        .unwrap();
    let error = reset(&database, &small_plan().plan()).await.unwrap_err();
    assert!(
        error.what.contains("already exists") && error.remedy.is("name_is_taken"),
        "{error}"
    );
    assert_eq!(database.number("SELECT count(*) FROM public.old").await, 0);
    assert_eq!(database.state().await, "untouched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_fails_leaves_the_old_data_in_place() {
    let database = Database::of_restricted().await;
    database
        .as_role("CREATE TABLE public.old (a int); INSERT INTO public.old VALUES (1)")
        .await;
    let plan = small_plan()
        .statement("TABLE", "broken", "CREATE TABLE public.broken (a no_such_type)")
        .plan();
    let error = reset(&database, &plan).await.unwrap_err();
    assert_eq!(error.kind, Kind::Restore);
    assert!(error.what.contains("TABLE broken"), "{error}");
    assert_eq!(database.number("SELECT count(*) FROM public.old").await, 1);
    // The role's other sessions may write again.
    database.as_role("INSERT INTO public.old VALUES (2)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_lock_for_too_long_is_named() {
    let database = Database::of_restricted().await;
    database
        .as_role("CREATE TABLE public.old (a int); INSERT INTO public.old VALUES (42)")
        .await;
    database
        .admin
        .batch_execute("BEGIN; SELECT * FROM public.old")
        .await
        .unwrap();
    let mut settings = database.settings();
    settings.lock_timeout = 0.4;
    let error = reset_with(&settings, &small_plan().plan(), &Sink::silent())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::LockTimeout);
    for known in [r#""role":"test_admin""#, r#""program":"admin""#] {
        assert!(error.what.contains(known), "{error}");
    }
    assert!(!error.to_string().contains("SELECT"), "{error}");
    database.admin.batch_execute("COMMIT").await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM public.old").await, 1);
    reset_with(&settings, &small_plan().plan(), &Sink::silent())
        .await
        .expect("the lock is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_of_another_role_with_an_oid_of_the_backup_ends_the_run() {
    let database = Database::of_restricted().await;
    database
        .admin
        .batch_execute("SELECT lo_create(99)")
        .await
        .unwrap();
    let mut plan = small_plan();
    plan.0.large_objects.oids = vec![98, 99];
    let error = reset(&database, &plan.plan()).await.unwrap_err();
    assert!(
        error
            .what
            .contains(r#"{"kind":"object_of_role","object":"99","role":"test_admin"}"#),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_called_public_is_there_afterwards() {
    let database = Database::of_owner().await;
    // Before PostgreSQL 15 it is not the database owner's.
    let dropped = database.admin.batch_execute("DROP SCHEMA public CASCADE");
    dropped.await.unwrap();
    reset(&database, &small_plan().plan())
        .await
        .expect("public is created");
    database
        .as_role("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .await;
    reset(&database, &small_plan().plan())
        .await
        .expect("public is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_create_schemas_is_reported_so() {
    let role = unique("poor");
    let database = Database::of_restricted().await;
    database
        .admin
        .batch_execute(&format!(
            "CREATE ROLE {role} LOGIN; REVOKE CREATE ON DATABASE {} FROM PUBLIC",
            database.name
        ))
        .await
        .unwrap();
    let settings = target_support::settings(&database.url.replace(&database.role, &role));
    let error = reset_with(&settings, &small_plan().plan(), &Sink::silent())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Privilege);
    assert!(error.remedy.is("grant_create"), "{error}");
}

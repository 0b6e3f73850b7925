//! Emptying the target and creating the schema: what goes, what stays, and what ends the run with nothing changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

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
async fn extensions_and_the_schemas_that_hold_them_are_kept() {
    for database in [Database::of_restricted().await, Database::of_superuser().await] {
        database
            .as_role(
                "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions; CREATE EXTENSION hstore SCHEMA public;
                 CREATE TABLE extensions.ours (a extensions.citext)",
            )
            .await;
        let plan = Planner::new()
            .statement("SCHEMA", "extensions", "CREATE SCHEMA extensions;")
            .statement(
                "EXTENSION",
                "citext",
                "CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA extensions;",
            )
            .statement(
                "TABLE",
                "t",
                "CREATE TABLE extensions.t (a extensions.citext, b public.hstore)",
            );
        reset(&database, &plan.plan())
            .await
            .expect("extensions are no obstacle");
        assert_eq!(database.number("SELECT count(*) FROM pg_extension").await, 3);
        assert_eq!(
            database
                .number("SELECT count(*) FROM pg_class WHERE relname = 'ours'")
                .await,
            0
        );
    }
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
        error.what.contains("\"fresh\" already exists") && error.remedy.contains("another role"),
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
async fn an_extension_that_may_be_left_out_is_left_out_with_a_warning() {
    let database = Database::of_restricted().await;
    let events = Events::default();
    let plan = small_plan()
        .statement(
            "EXTENSION",
            "pg_stat_statements",
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA public",
        )
        .optional()
        .statement(
            "EXTENSION",
            "no_such",
            "CREATE EXTENSION IF NOT EXISTS no_such WITH SCHEMA public",
        )
        .optional()
        .table(2, "after", "id int");
    reset_with(&database.settings(), &plan.plan(), &events.sink())
        .await
        .expect("the run goes on");
    let warnings = events.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("pg_stat_statements") && warnings[0].contains("may not create"));
    assert!(warnings[1].contains("no_such") && warnings[1].contains("does not have"));
    assert_eq!(database.number("SELECT count(*) FROM public.after").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_is_needed_ends_the_run_and_says_who_can_create_it() {
    let database = Database::of_restricted().await;
    database.as_role("CREATE TABLE public.old (a int)").await;
    let plan = Planner::new()
        .statement(
            "EXTENSION",
            "file_fdw",
            "CREATE EXTENSION IF NOT EXISTS file_fdw WITH SCHEMA public",
        )
        .plan();
    let error = reset(&database, &plan).await.unwrap_err();
    assert_eq!(error.kind, Kind::Privilege);
    assert!(
        error.what.contains("file_fdw") && error.remedy.contains("superuser"),
        "{error}"
    );

    assert!(
        error.what.ends_with("file_fdw, which the backup's schema needs."),
        "{error}"
    );
    assert_eq!(
        database
            .number("SELECT count(*) FROM pg_class WHERE relname = 'old' AND relkind = 'r'")
            .await,
        1
    );
}

async fn looked_at(settings: &settings::TargetSettings, plan: Option<&Plan>) -> Inspection {
    let url = ConnectionUrl::of(settings).unwrap();
    inspect(url, settings, plan, &Sink::silent()).await.unwrap()
}

/// What a look says would end a run, and what does.
async fn foreseen_and_met(settings: &settings::TargetSettings, plan: &Plan) -> (Vec<String>, Vec<String>) {
    let seen = looked_at(settings, Some(plan)).await;
    let met = reset_with(settings, plan, &Sink::silent()).await.err();
    (
        seen.problems.iter().map(Error::to_string).collect(),
        met.iter().map(Error::to_string).collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_and_a_reset_agree_on_postgis_wherever_it_comes_from_and_say_what_needs_it() {
    let create = "CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public";
    let needed = || small_plan().statement("EXTENSION", "postgis", create);
    let (backup, option) = ("which the backup's schema needs", "which postgis asks for");
    let cases = [
        (false, small_plan(), None),
        (false, needed().optional(), None),
        (false, needed(), Some(backup)),
        (true, small_plan(), Some(option)),
        (true, needed().optional(), Some(option)),
        (true, needed(), Some(backup)),
    ];
    for superuser in [false, true] {
        for (postgis, plan, need) in &cases {
            // One for each case: an extension outlives a reset.
            let database = match superuser {
                true => Database::of_superuser().await,
                false => Database::of_restricted().await,
            };
            let available = database
                .number("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'")
                .await;
            let mut settings = database.settings();
            settings.postgis = *postgis;
            let (foreseen, met) = foreseen_and_met(&settings, &plan.clone().plan()).await;
            assert_eq!(foreseen, met);
            // PostGIS is not a trusted extension.
            let said = match (available, superuser) {
                (0, _) => Some("The target's server does not have the extension postgis"),
                (_, false) => Some("The target's role may not create the extension postgis"),
                (_, true) => None,
            };
            match (said, need) {
                (Some(said), Some(need)) => {
                    assert!(met[0].starts_with(&format!("{said}, {need}.")), "{met:?}")
                }
                _ => assert!(met.is_empty(), "{met:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_config_postgis_asks_for_is_looked_for_without_a_backup_too() {
    let database = Database::of_restricted().await;
    let mut settings = database.settings();
    settings.postgis = true;
    let seen = looked_at(&settings, None).await;
    assert_eq!(seen.missing_extensions[0].needed_by, Some(Need::Configuration));
    assert!(
        seen.problems[0].to_string().contains("set postgis = false"),
        "{:?}",
        seen.problems
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn config_postgis_goes_with_a_database_without_the_schema_public() {
    let database = Database::of_superuser().await;
    database.admin.batch_execute("DROP SCHEMA public").await.unwrap();
    let mut settings = database.settings();
    settings.postgis = true;
    let (foreseen, met) = foreseen_and_met(&settings, &small_plan().plan()).await;
    assert_eq!(foreseen, met);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_requires_another_which_is_not_there_is_left_out_or_ends_the_run() {
    let database = Database::of_restricted().await;
    let events = Events::default();
    let create = "CREATE EXTENSION IF NOT EXISTS earthdistance WITH SCHEMA public";
    let plan = small_plan().statement("EXTENSION", "earthdistance", create);
    let (foreseen, met) = foreseen_and_met(&database.settings(), &plan.clone().plan()).await;
    assert_eq!(foreseen, met);
    assert!(
        met[0].contains("requires another extension") && met[0].contains("CASCADE"),
        "{met:?}"
    );
    reset_with(
        &database.settings(),
        &plan.clone().optional().plan(),
        &events.sink(),
    )
    .await
    .expect("the run goes on");
    let warnings = events.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("earthdistance") && warnings[0].contains("requires"));
    database
        .admin
        .batch_execute("CREATE EXTENSION \"earthdistance\" CASCADE")
        .await
        .expect("what the remedy says works");
    reset(&database, &plan.plan()).await.expect("now it is there");
}

/// Whatever the machine has installed: what a look says of a role's rights is what the server then does.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_knows_which_of_the_servers_extensions_the_role_may_create() {
    for database in [Database::of_restricted().await, Database::of_superuser().await] {
        let sql =
            "SELECT name::text FROM pg_available_extensions WHERE installed_version IS NULL ORDER BY name";
        let mut tried = 0;
        for row in database.admin.query(sql, &[]).await.unwrap() {
            let name: String = row.get(0);
            let create = format!("CREATE EXTENSION \"{name}\"");
            // One whose libraries are not there is created by no role.
            let by_superuser = format!("BEGIN; {create} CASCADE; ROLLBACK");
            if database.admin.batch_execute(&by_superuser).await.is_err() {
                database.admin.batch_execute("ROLLBACK").await.unwrap();
                continue;
            }
            let plan = small_plan().statement("EXTENSION", &name, &create).plan();
            let seen = looked_at(&database.settings(), Some(&plan)).await;
            let role = database.app("tries").await;
            let created = role.batch_execute(&format!("BEGIN; {create}; ROLLBACK")).await;
            assert_eq!(seen.problems.is_empty(), created.is_ok(), "{name}: {created:?}");
            drop(role);
            database.wait_until_gone("application_name = 'tries'").await;
            tried += 1;
        }
        assert!(tried > 10, "{tried}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_counts_an_extension_that_the_run_itself_creates_for_those_that_require_it() {
    let database = Database::of_superuser().await;
    let alone = Planner::new().statement("EXTENSION", "earthdistance", "CREATE EXTENSION earthdistance");
    let both = Planner::new()
        .statement("EXTENSION", "cube", "CREATE EXTENSION cube")
        .statement("EXTENSION", "earthdistance", "CREATE EXTENSION earthdistance");
    for (plan, lacks) in [(alone.plan(), vec!["cube"]), (both.plan(), vec![])] {
        let seen = looked_at(&database.settings(), Some(&plan)).await;
        let said: Vec<&String> = seen
            .missing_extensions
            .iter()
            .flat_map(|one| &one.lacks)
            .collect();
        assert_eq!(said, lacks);
        assert_eq!(seen.problems.is_empty(), lacks.is_empty(), "{:?}", seen.problems);
    }
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
    assert!(error.what.contains("of the role test_admin (admin)"), "{error}");
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
    assert!(error.what.contains("99 (of the role test_admin)"), "{error}");
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
    assert!(error.remedy.contains("CREATE on the database"), "{error}");
}

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
    assert!(error.what.contains("creating TABLE table_500"), "{error}");
    assert!(error.what.contains("type \"nothing\" does not exist"), "{error}");
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
            .any(|warning| warning.contains("in steps")),
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

//! Extensions, and the schemas that hold them: kept, left out, or needed and missing.

use super::*;

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
    assert!(warnings[0].contains("pg_stat_statements") && warnings[0].contains("may_not_create"));
    assert!(warnings[1].contains("no_such") && warnings[1].contains("server_lacks_it"));
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
        error.what.contains("file_fdw") && error.remedy.is("create_extension"),
        "{error}"
    );

    assert!(error.is("extension_forbidden"), "{error}");
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
    let (backup, option) = ("", "wanted_");
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
                (0, _) => Some("extension_absent"),
                (_, false) => Some("extension_forbidden"),
                (_, true) => None,
            };
            match (said, need) {
                (Some(said), Some(need)) => {
                    assert!(met[0].contains(&format!(r#""{need}{said}""#)), "{met:?}")
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
        seen.problems[0].remedy.contains("extension_or_not"),
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
        met[0].contains("extension_requires") && met[0].contains("create_extension"),
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
    assert!(warnings[0].contains("earthdistance") && warnings[0].contains("extension_lacking"));
    database
        .admin
        .batch_execute("CREATE EXTENSION \"earthdistance\" CASCADE")
        .await
        .expect("what the remedy says works");
    reset(&database, &plan.plan()).await.expect("now it is there");
}

/// With any extensions that the machine has: the server does what a look says of a role's rights.
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

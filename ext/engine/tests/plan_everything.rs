//! The plan for archives that the real pg_dump makes of a schema with everything in it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod plan_support;

use pg_dump_archive::EntryKind;
use plan_support::{planned, settings, Database, EVERYTHING};
use staging_sync_engine::left_out::Why;
use staging_sync_engine::notice::Notice;
use staging_sync_engine::plan::schema::Schema;
use staging_sync_engine::plan::{Plan, Refusal, RowFormat, Step, TableName, TaskId};
use std::collections::HashSet;

fn name(schema: &str, name: &str) -> TableName {
    TableName::new(schema, name)
}

fn step<'a>(plan: &'a Plan, name: &str) -> &'a Step {
    plan.steps
        .iter()
        .find(|step| step.name == name)
        .unwrap_or_else(|| panic!("no step {name}"))
}

#[test]
fn the_model_has_every_column_that_the_catalogue_has() {
    let database = Database::with("model", EVERYTHING);
    let known = Schema::read(&database.dump(&[]).1);
    let mut modelled = Vec::new();
    for table in &known.tables {
        for column in &table.columns {
            let not_null = column.not_null
                || column
                    .column_type
                    .as_ref()
                    .is_some_and(|kind| known.resolve(kind, "public").1);
            let generated = column.generated.is_some();
            modelled.push(format!("{}.{}\t{not_null}\t{generated}", table.name, column.name));
        }
    }
    let mut catalogued = database.query(
        "SELECT n.nspname || '.' || c.relname || '.' || a.attname, (a.attnotnull OR t.typnotnull)::text, \
         (a.attgenerated <> '')::text \
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_type t ON t.oid = a.atttypid \
         WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped \
         AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY c.oid, a.attnum",
    );
    modelled.sort();
    catalogued.sort();
    assert_eq!(modelled, catalogued);
}

#[test]
fn the_schema_and_steps_of_the_plan_run_in_an_empty_database() {
    let database = Database::with("runs", EVERYTHING);
    for options in [&[][..], &["--inserts"], &["--load-via-partition-root"]] {
        let (_, entries) = database.dump(options);
        let plan = planned(&entries, &settings(&[], &["audit.*", "users"])).unwrap();
        let target = Database::new("target");
        let mut sql = String::new();
        for statement in &plan.schema {
            sql.push_str(&statement.sql);
        }
        target.execute(&format!("SET search_path = '';\n{sql}"));
        let mut done: HashSet<TaskId> = plan.loads.keys().copied().map(TaskId::Entry).collect();
        let mut left: Vec<&Step> = plan.steps.iter().filter(|step| !step.last).collect();
        left.extend(plan.steps.iter().filter(|step| step.last));
        let mut sql = String::from("SET search_path = '';\n");
        while !left.is_empty() {
            let before = left.len();
            left.retain(|step| {
                let ready = step.waits_for.iter().all(|id| done.contains(id));
                if ready {
                    sql.push_str(&step.sql);
                    sql.push('\n');
                    done.insert(step.id);
                }
                !ready
            });
            assert!(
                left.len() < before,
                "steps wait for one another or for what is not in the plan: {left:?}"
            );
        }
        target.execute(&sql);
    }
}

#[test]
fn what_is_left_out_is_named_with_its_reason() {
    let database = Database::with("left_out", EVERYTHING);
    let plan = planned(&database.dump(&[]).1, &settings(&[], &[])).unwrap();
    let why = |kind: &str, name: &str| {
        let found = plan
            .left_out
            .iter()
            .find(|left| left.kind == EntryKind::from(kind) && left.name == name);
        found
            .unwrap_or_else(|| panic!("{kind} {name} is not left out"))
            .why
            .clone()
    };
    let needs = |object: &str| {
        [Why::NeedsLeftOut {
            object: object.into(),
        }]
    };
    let schema = "pghero".to_owned();
    assert_eq!(why("SCHEMA", "pghero"), [Why::SchemaOfOthers { schema }]);
    let schema = "pghero".to_owned();
    assert_eq!(
        why("TABLE DATA", "pghero.queries"),
        [Why::InSchemaOfOthers { schema }]
    );
    let key = "public.uses_excluded uses_excluded_query_id_fkey";
    assert_eq!(why("VIEW", "public.slow_queries"), needs("TABLE pghero.queries"));
    assert_eq!(why("FK CONSTRAINT", key), needs("TABLE pghero.queries"));
    assert_eq!(why("SERVER", "remote"), [Why::ForeignServers]);
    assert_eq!(why("VIEW", "public.far_view"), needs("FOREIGN TABLE public.far"));
    assert_eq!(
        why("USER MAPPING", "USER MAPPING postgres SERVER remote"),
        [Why::HoldsPasswords]
    );
    // A view in two parts goes with both of them.
    let rule = why("RULE", "public.slowest_queries _RETURN");
    assert_eq!(rule, needs("TABLE pghero.queries"));
    assert_eq!(why("VIEW", "public.slowest_queries"), rule);
    assert!(format!("{:?}", why("FUNCTION", "public.slowest()")).contains("slowest_queries"));
    why("ACL", "public.TABLE users");
    why("PUBLICATION", "everything");
    why("COMMENT", "SCHEMA audit");
    why("DEFAULT ACL", "DEFAULT PRIVILEGES FOR TABLES");
    let kinds: HashSet<&str> = plan
        .schema
        .iter()
        .map(|statement| statement.kind.as_str())
        .collect();
    assert!(!kinds.contains("SERVER") && !kinds.contains("ACL") && !kinds.contains("COMMENT"));
    let names: HashSet<&str> = plan
        .schema
        .iter()
        .map(|statement| statement.name.as_str())
        .collect();
    assert!(names.contains("public.uses_excluded"));
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
}

#[test]
fn foreign_servers_come_in_when_they_are_wanted_but_never_with_their_passwords() {
    let database = Database::with("servers", EVERYTHING);
    let mut settings = settings(&[], &[]);
    settings.include_foreign_servers = true;
    let plan = planned(&database.dump(&[]).1, &settings).unwrap();
    let kinds: HashSet<&str> = plan
        .schema
        .iter()
        .map(|statement| statement.kind.as_str())
        .collect();
    assert!(
        kinds.contains("SERVER") && kinds.contains("FOREIGN TABLE") && kinds.contains("FOREIGN DATA WRAPPER")
    );
    assert!(plan
        .schema
        .iter()
        .any(|statement| statement.name == "public.far_view"));
    assert!(!kinds.contains("USER MAPPING"));
    assert!(plan
        .schema
        .iter()
        .all(|statement| !statement.sql.contains("secret'")));
}

#[test]
fn an_extension_is_required_only_where_something_restored_needs_it() {
    let database = Database::with("extensions", EVERYTHING);
    let plan = planned(&database.dump(&[]).1, &settings(&[], &[])).unwrap();
    let refusal = |name: &str| {
        plan.schema
            .iter()
            .find(|s| s.name == name && s.kind != EntryKind::Type)
            .unwrap()
            .refusal
    };
    assert_eq!(refusal("citext"), Refusal::Fatal);
    assert_eq!(refusal("hstore"), Refusal::Fatal);
    assert_eq!(refusal("btree_gist"), Refusal::LeftOut);
    // In a schema that is never restored, but needed by an index and a default.
    assert_eq!(refusal("pg_trgm"), Refusal::Fatal);
    assert_eq!(refusal("pgcrypto"), Refusal::Fatal);
    assert_eq!(refusal("heroku_ext"), Refusal::Fatal);
    assert!(plan.left_out.iter().all(|left| left.name != "heroku_ext"));
    assert_eq!(step(&plan, "watch_ddl").refusal, Refusal::LeftOut);
    assert!(step(&plan, "watch_ddl").last);
}

#[test]
fn loads_name_the_columns_of_the_data() {
    let database = Database::with("loads", EVERYTHING);
    let (_, entries) = database.dump(&[]);
    let plan = planned(&entries, &settings(&[], &[])).unwrap();
    let load = |schema: &str, table: &str| {
        plan.loads
            .values()
            .find(|load| load.table == name(schema, table))
            .unwrap()
            .clone()
    };
    assert_eq!(
        load("public", "events_2024").columns,
        ["user_id", "kind", "at", "id"]
    );
    assert_eq!(
        load("public", "events_2024").copy_into,
        name("public", "events_2024")
    );
    assert!(load("public", "events_2024").freezable);
    assert!(!load("public", "users").columns.contains(&"full_name".to_owned()));
    assert_eq!(load("public", "no_columns").columns, Vec::<String>::new());
    assert_eq!(
        load("public", "no_columns").copy_sql("UTF8"),
        "COPY \"public\".\"no_columns\" FROM STDIN WITH (ENCODING 'UTF8')"
    );
    assert_eq!(
        load("public", "Weird.Name \"q\" é").columns[1..6],
        ["e mail", "select", "ta\tb", "co,mma", "pa(ren"]
    );
    assert_eq!(plan.encoding, "UTF8");
    assert_eq!(plan.large_objects.oids.len(), 2);
    assert_eq!(plan.large_objects.blocks.len(), 1);
}

#[test]
fn inserts_without_a_column_list_say_which_columns_are_generated() {
    let database = Database::with("inserts", EVERYTHING);
    let plan = planned(
        &database.dump(&["--inserts", "--load-via-partition-root"]).1,
        &settings(&[], &[]),
    )
    .unwrap();
    let load = |table: &str| plan.loads.values().find(|load| load.table.name == table).unwrap();
    let RowFormat::Inserts { table_columns, .. } = &load("users").format else {
        panic!("not INSERTs")
    };
    let generated: Vec<&str> = table_columns
        .iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(generated, ["full_name"]);
    assert_eq!(table_columns.len(), load("users").columns.len() + 1);
    let RowFormat::Inserts { table_columns, .. } = &load("puppies").format else {
        panic!("not INSERTs")
    };
    let names: Vec<&str> = table_columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["id", "name", "mark", "breed", "weeks"]);
    assert_eq!(load("events_2025_rest").copy_into, name("public", "events"));
    let freezable = ["puppies", "events_2025_rest"].map(|name| load(name).freezable);
    assert_eq!(freezable, [true, false], "what goes on to partitions is not");
}

#[test]
fn steps_wait_for_the_rows_and_keys_that_they_need() {
    let database = Database::with("steps", EVERYTHING);
    let plan = planned(&database.dump(&[]).1, &settings(&[], &[])).unwrap();
    let load = |table: &str| {
        plan.loads
            .values()
            .find(|load| load.table.name == table)
            .map(|load| TaskId::Entry(load.dump_id))
            .unwrap()
    };
    let waits = |name: &str| step(&plan, name).waits_for.clone();
    assert_eq!(waits("public.users_email"), [load("users")]);
    let key = waits("public.phone_numbers phone_numbers_user_id_fkey");
    for id in [
        load("users"),
        load("phone_numbers"),
        step(&plan, "public.users users_pkey").id,
    ] {
        assert!(key.contains(&id));
    }
    // A foreign key to a partitioned table: all partitions, wherever they are.
    let key = waits("public.event_notes event_notes_event_id_event_at_fkey");
    for id in [load("events_2024"), load("events_2025_rest"), load("event_notes")] {
        assert!(key.contains(&id));
    }
    assert!(key.contains(&step(&plan, "public.events events_pkey").id));
    assert!(key.contains(&step(&plan, "audit.events_2025_rest_pkey").id));
    // What shuts others out of a partitioned table waits for the rows of its partitions.
    assert!(waits("public.events events_pkey").contains(&load("events_2025_rest")));
    assert!(!waits("public.events_user").contains(&load("events_2025_rest")));
    assert!(waits("public.user_counts").contains(&load("users")));
    assert!(step(&plan, "public.user_counts").last);
    let ids: HashSet<TaskId> = plan
        .loads
        .keys()
        .copied()
        .map(TaskId::Entry)
        .chain(plan.steps.iter().map(|step| step.id))
        .collect();
    for step in &plan.steps {
        assert!(step.waits_for.iter().all(|id| ids.contains(id) && *id != step.id));
    }
}

#[test]
fn loading_through_a_partition_root_holds_back_all_steps_of_its_partitions() {
    let database = Database::with("root", EVERYTHING);
    let plan = planned(
        &database.dump(&["--load-via-partition-root"]).1,
        &settings(&[], &[]),
    )
    .unwrap();
    let through: Vec<TaskId> = plan
        .loads
        .values()
        .filter(|load| load.copy_into == name("public", "events"))
        .map(|load| TaskId::Entry(load.dump_id))
        .collect();
    assert_eq!(through.len(), 2);
    for name in [
        "public.events_2024_user_id_idx",
        "audit.events_2025_rest events_2025_rest_pkey",
        "public.events_user",
    ] {
        assert!(
            through.iter().all(|id| step(&plan, name).waits_for.contains(id)),
            "{name}"
        );
    }
}

#[test]
fn steps_lock_what_their_statements_lock() {
    let database = Database::with("locks", EVERYTHING);
    let plan = planned(&database.dump(&[]).1, &settings(&[], &[])).unwrap();
    let locks = |name: &str| {
        let mut names: Vec<String> = step(&plan, name).locks.iter().map(TableName::to_string).collect();
        names.sort();
        names
    };
    let shared = |name: &str| -> Vec<String> {
        step(&plan, name)
            .shared
            .iter()
            .map(TableName::to_string)
            .collect()
    };
    assert_eq!(
        (locks("public.users_email"), shared("public.users_email")),
        (vec![], vec!["public.users".into()])
    );
    assert_eq!(locks("public.users users_pkey"), ["public.users"]);
    assert_eq!(
        locks("public.phone_numbers phone_numbers_user_id_fkey"),
        ["public.phone_numbers", "public.users"]
    );
    let events = [
        "audit.events_2025_rest",
        "public.events",
        "public.events_2024",
        "public.events_2025",
    ];
    assert_eq!(
        locks("public.events events_user_id_fkey"),
        [&events[..], &["public.users"]].concat()
    );
    assert_eq!(
        locks("public.events_2024_pkey"),
        ["public.events", "public.events_2024"]
    );
    assert_eq!(
        locks("audit.events_2025_rest_user_id_idx").len()
            + shared("audit.events_2025_rest_user_id_idx").len(),
        1,
        "the first of that name is the index, which comes before its ATTACH"
    );
    assert_eq!(locks("public.users users_touch"), ["public.users"]);
    assert_eq!(locks("audit.log log_no_delete"), ["audit.log"]);
    assert_eq!(locks("public.users users_policy"), ["public.users"]);
    assert_eq!(locks("public.users"), ["public.users"]);
    assert_eq!(locks("public.users_stats"), ["public.users"]);
    assert_eq!(locks("public.user_totals _RETURN"), ["public.user_totals"]);
    assert_eq!(
        shared("public.user_totals _RETURN"),
        ["public.users", "public.phone_numbers"]
    );
    assert_eq!(locks("public.events events_touch"), events);
    assert_eq!(shared("public.phone_numbers phones_policy"), ["public.accounts"]);
    assert_eq!(locks("public.user_counts"), ["public.user_counts"]);
}

#[test]
fn many_foreign_keys_to_an_excluded_table_are_one_warning_with_their_number() {
    let warnings = |count: usize| {
        let mut sql = "CREATE TABLE public.hub (id int PRIMARY KEY);".to_owned();
        for number in 1..=count {
            sql.push_str(&format!(
                "CREATE TABLE public.spoke_{number} (id int, hub_id int CONSTRAINT fk REFERENCES public.hub);"
            ));
        }
        let database = Database::with(&format!("spokes_{count}"), &sql);
        let plan = planned(&database.dump(&[]).1, &settings(&[], &["hub"])).unwrap();
        let phrases = plan.warnings.iter().filter_map(|one| one.phrase());
        let notices = phrases.filter_map(|phrase| phrase.downcast_ref::<Notice>());
        notices.cloned().collect::<Vec<Notice>>()
    };
    let of_one = |notice: &Notice| matches!(notice, Notice::KeyNotValid { key, missing, .. } if key == "fk" && missing == "public.hub");
    assert_eq!(warnings(3).iter().filter(|notice| of_one(notice)).count(), 3);
    let names = (1..=3).map(|number| format!("fk of public.spoke_{number}"));
    let together = Notice::ManyKeysNotValid {
        count: 9,
        names: names.collect(),
        more: 6,
    };
    assert_eq!(warnings(9), [together]);
}

#[test]
fn an_excluded_table_keeps_its_place_but_not_its_rows() {
    let database = Database::with("excluded", EVERYTHING);
    let plan = planned(&database.dump(&[]).1, &settings(&[], &["users", "events"])).unwrap();
    assert!(plan
        .loads
        .values()
        .all(|load| !load.table.name.starts_with("events") && load.table.name != "users"));
    assert!(plan
        .schema
        .iter()
        .any(|statement| statement.name == "public.users" && statement.kind == EntryKind::Table));
    let key = &step(&plan, "public.phone_numbers phone_numbers_user_id_fkey").sql;
    assert!(
        key.ends_with("ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID;\n"),
        "{key}"
    );
    assert!(
        step(&plan, "public.event_notes event_notes_event_id_event_at_fkey")
            .sql
            .contains("NOT VALID")
    );
    // Between two excluded tables nothing can be wrong, and from an excluded one neither.
    assert!(!step(&plan, "public.events events_user_id_fkey")
        .sql
        .contains("NOT VALID"));
    assert!(!step(&plan, "public.users users_account_id_fkey")
        .sql
        .contains("NOT VALID"));
    assert_eq!(
        step(&plan, "public.users late").sql.matches("NOT VALID").count(),
        1
    );
    assert!(plan
        .warnings
        .iter()
        .any(|warning| warning.contains("phone_numbers_user_id_fkey")));

    let plan = planned(&database.dump(&[]).1, &settings(&[], &["users"])).unwrap();
    assert!(plan
        .steps
        .iter()
        .all(|step| step.name != "public.events events_user_id_fkey"));
    let left = plan
        .left_out
        .iter()
        .find(|left| left.name == "public.events events_user_id_fkey")
        .unwrap();
    let table = "public.users".to_owned();
    assert_eq!(left.why, [Why::NoNotValidKey { table }]);
    assert!(plan
        .warnings
        .iter()
        .any(|warning| warning.contains("events_user_id_fkey")));
}

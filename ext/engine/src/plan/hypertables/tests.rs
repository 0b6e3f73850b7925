use super::*;
use crate::plan::chunks::Hypertables;
use pg_dump_archive::{DumpId, Entry, EntryKind, Section};

fn entry(id: i32, kind: EntryKind, namespace: &str, tag: &str, defn: &str) -> Entry {
    Entry {
        dump_id: DumpId(id),
        has_data: false,
        oid: id as u32,
        tag: tag.into(),
        kind,
        section: Section::PreData,
        defn: defn.into(),
        copy_stmt: String::new(),
        namespace: namespace.into(),
        table_am: String::new(),
        dependencies: Vec::new(),
        data_size: None,
        further: None,
    }
}

fn table(id: i32, name: &str, columns: &str) -> Entry {
    let defn = format!("CREATE TABLE public.{name} (\n    {columns}\n);\n");
    entry(id, EntryKind::Table, "public", name, &defn)
}

fn chunk(id: i32, of: &str, checks: &str) -> Entry {
    let name = format!("_hyper_1_{id}_chunk");
    let defn =
        format!("CREATE TABLE _timescaledb_internal.{name} (\n    {checks}\n)\nINHERITS (public.{of});\n");
    entry(id, EntryKind::Table, "_timescaledb_internal", &name, &defn)
}

fn blocker(id: i32, of: &str) -> Entry {
    let tag = format!("{of} ts_insert_blocker");
    let defn = format!(
        "CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.{of} FOR EACH ROW EXECUTE FUNCTION \
         _timescaledb_functions.insert_blocker();\n"
    );
    entry(id, EntryKind::Trigger, "public", &tag, &defn)
}

fn extension() -> Entry {
    let sql = "CREATE EXTENSION IF NOT EXISTS timescaledb WITH SCHEMA ext;\n";
    entry(90, EntryKind::Extension, "", "timescaledb", sql)
}

/// The SQL that makes the hypertable `readings` of chunks with these CHECKs, the oldest first.
fn made(checks: &[&str]) -> Option<String> {
    let mut entries = vec![
        extension(),
        table(1, "readings", "at bigint NOT NULL"),
        blocker(2, "readings"),
    ];
    entries.extend(
        (3..)
            .zip(checks)
            .map(|(id, checks)| chunk(id, "readings", checks)),
    );
    let found = Hypertables::read(&entries);
    let mut made = statements(&found, &entries, crate::settings::OnObjectError::LeaveOut);
    made.pop().map(|one| one.sql)
}

#[test]
fn the_newest_chunk_says_how_a_range_is_divided() {
    let times = [
        "CONSTRAINT constraint_1 CHECK (((at >= '2026-05-01 00:00:00+00'::timestamp with time zone) AND (at < '2026-05-02 00:00:00+00'::timestamp with time zone)))",
        "CONSTRAINT constraint_2 CHECK (((at >= '2026-05-02 00:00:00+00'::timestamp with time zone) AND (at < '2026-05-09 00:00:00+00'::timestamp with time zone)))",
    ];
    assert_eq!(
        made(&times).as_deref(),
        Some(
            "SELECT \"ext\".create_hypertable('\"public\".\"readings\"'::regclass, 'at', create_default_indexes => false, \
             chunk_time_interval => '2026-05-09 00:00:00+00'::timestamptz - '2026-05-02 00:00:00+00'::timestamptz);\n"
        )
    );
    let numbers = ["CONSTRAINT constraint_1 CHECK (((at >= '-100'::bigint) AND (at < '0'::bigint)))"];
    assert!(made(&numbers).is_some_and(|sql| sql.contains("chunk_time_interval => 100::bigint")));
    let dates = ["CONSTRAINT constraint_1 CHECK (((\"the day\" >= '2026-01-07'::date) AND (\"the day\" < '2026-01-17'::date)))"];
    assert!(made(&dates).is_some_and(|sql| sql
        .contains("'the day', create_default_indexes => false, chunk_time_interval => ('2026-01-17'::date - '2026-01-07'::date) * interval '1 day'")));
}

#[test]
fn a_hash_is_a_further_dimension_whichever_partition_says_so() {
    let range = "CONSTRAINT constraint_1 CHECK (((at >= '0'::bigint) AND (at < '100'::bigint)))";
    for (partition, of) in [("< 536870911", 4), (">= 1610612733", 4), ("< 715827882", 3)] {
        let hash = format!(
            "CONSTRAINT constraint_2 CHECK ((_timescaledb_functions.get_partition_hash(sensor_id) {partition})),\n    {range}"
        );
        let sql = made(&[&hash]).unwrap_or_default();
        assert!(
            sql.contains(&format!(
                "add_dimension('\"public\".\"readings\"'::regclass, 'sensor_id', number_partitions => {of});"
            )),
            "{sql}"
        );
    }
    let own = "CONSTRAINT constraint_2 CHECK (((app.bucket(sensor_id) >= 1073741823) AND (app.bucket(sensor_id) < 2147483646)))";
    let sql = made(&[&format!("{own},\n    {range}")]).unwrap_or_default();
    assert!(
        sql.contains("number_partitions => 2, partitioning_func => '\"app\".\"bucket\"'::regproc"),
        "{sql}"
    );
}

#[test]
fn what_says_more_than_a_range_is_not_taken_for_one() {
    for check in [
        "CONSTRAINT constraint_1 CHECK (((at >= now()) AND (at < now())))",
        "CONSTRAINT constraint_1 CHECK (((at >= '1'::text) AND (at < '2'::text)))",
        "CONSTRAINT constraint_1 CHECK (((at >= '2026-01-01''::date);'::date) AND (at < '2026-01-02'::date)))",
        "CONSTRAINT other CHECK (((at >= '0'::bigint) AND (at < '100'::bigint)))",
    ] {
        assert_eq!(made(&[check]), None, "{check}");
    }
    assert_eq!(made(&[]), None);
}

#[test]
fn a_key_is_added_without_only_and_the_extension_where_its_library_is_loaded() {
    let entries = vec![
        extension(),
        table(1, "readings", "at bigint NOT NULL"),
        blocker(2, "readings"),
    ];
    let found = Hypertables::read(&entries);
    let key = |table: &str| {
        let sql = format!("ALTER TABLE ONLY public.{table}\n    ADD CONSTRAINT k PRIMARY KEY (at);\n");
        let tag = format!("{table} k");
        let one = entry(5, EntryKind::Constraint, "public", &tag, &sql);
        adapted(&found, &one, sql)
    };
    assert!(key("readings").starts_with("ALTER TABLE public.readings\n"));
    assert!(key("people").starts_with("ALTER TABLE ONLY public.people\n"));
    let sql = adapted(&found, &entries[0], entries[0].defn.clone());
    assert!(sql.contains("shared_preload_libraries") && sql.ends_with(&entries[0].defn));
    assert_eq!(
        crate::plan::entries::extension_schema(&sql).as_deref(),
        Some("ext")
    );
}

#[test]
fn compressed_rows_are_a_problem_unless_their_table_is_left_out() {
    let compressed = entry(
        6,
        EntryKind::Table,
        "_timescaledb_internal",
        "compress_hyper_2_6_chunk",
        "CREATE TABLE _timescaledb_internal.compress_hyper_2_6_chunk (\n    _ts_meta_count integer,\n    at _timescaledb_internal.compressed_data,\n    v integer\n);\n",
    );
    let entries = vec![
        table(1, "readings", "at bigint NOT NULL,\n    v integer"),
        blocker(2, "readings"),
        compressed,
    ];
    let schema = Schema::read(&entries);
    let all = check(&schema, &HashSet::new(), &HashSet::new());
    let error = all.problems.check().err().map(|error| error.what.to_string());
    let error = error.unwrap_or_default();
    assert!(
        error.contains(r#""compressed_rows","tables":["public.readings"]"#),
        "{error}"
    );
    assert!(error.contains(r#""patterns":["\"readings\""]"#), "{error}");
    let readings = schema.table(&TableName::new("public", "readings"));
    assert!(check(&schema, &readings.into_iter().collect(), &HashSet::new())
        .problems
        .check()
        .is_ok());
}

#[test]
fn what_cannot_be_made_anew_is_named() {
    let view = entry(
        7,
        EntryKind::View,
        "public",
        "daily",
        "CREATE VIEW public.daily AS\n SELECT d FROM _timescaledb_internal._materialized_hypertable_2;\n",
    );
    let entries = vec![
        table(1, "readings", "at bigint NOT NULL"),
        blocker(2, "readings"),
        view,
    ];
    let warnings: Vec<String> = check(&Schema::read(&entries), &HashSet::new(), &HashSet::new())
        .warnings
        .0
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        warnings[0].contains(r#""hypertables_plain","tables":["public.readings"]"#),
        "{warnings:?}"
    );
    assert!(
        warnings[1].contains(r#""aggregates_left_out","names":["public.daily"]"#),
        "{warnings:?}"
    );
}

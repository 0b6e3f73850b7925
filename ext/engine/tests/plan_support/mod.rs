//! What the plan's and the masks' tests share: databases of their own, archives made by the real pg_dump, and tables
//! of contents built by hand.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use masking::Key;
use pg_dump_archive::{Archive, Compression, DumpId, Entry, EntryKind, Header, Section, Version};
use staging_sync_engine::error::{Error, Kind};
use staging_sync_engine::plan::{plan, Plan, PlanInput};
use staging_sync_engine::settings::{Rule, Settings};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// The schema with everything in it.
pub const EVERYTHING: &str = include_str!("../plan_everything.sql");

fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run these tests through bin/test, or bin/with-postgres")
    })
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let path = Path::new(&environment("TEST_PG_BINDIR")).join(program);
    let output = Command::new(path)
        .args(arguments)
        // The first and the last moment that PostgreSQL knows are out of range elsewhere.
        .env("PGTZ", "UTC")
        .output()
        .expect("PostgreSQL's programs are in TEST_PG_BINDIR");
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A database of the test's own, dropped at its end.
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    pub fn new(purpose: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("plan_{purpose}_{}_{count}", std::process::id());
        let admin = environment("TEST_PG_URL");
        run(
            "psql",
            &[
                "-qX",
                &admin,
                "-c",
                &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"),
            ],
        );
        let url = format!("{}/{name}", admin.rsplit_once('/').unwrap().0);
        Self { name, url }
    }

    pub fn with(purpose: &str, sql: &str) -> Self {
        let database = Self::new(purpose);
        database.execute(sql);
        database
    }

    /// Runs SQL in one transaction.
    pub fn execute(&self, sql: &str) {
        self.psql(&["-1"], sql);
    }

    /// Runs one query and returns its rows, fields separated by tabs.
    pub fn query(&self, sql: &str) -> Vec<String> {
        let output = self.psql(&["-At", "-F", "\t"], sql);
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn psql(&self, options: &[&str], sql: &str) -> Output {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), sql).unwrap();
        let path = file.path().to_str().unwrap();
        let mut arguments = vec!["-qX", "-v", "ON_ERROR_STOP=1"];
        arguments.extend(options);
        arguments.extend(["-f", path, &self.url]);
        run("psql", &arguments)
    }

    /// The table of contents of its dump.
    pub fn dump(&self, options: &[&str]) -> (Header, Vec<Entry>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut arguments = vec!["-Fc", "-f", file.path().to_str().unwrap()];
        arguments.extend(options);
        arguments.push(&self.url);
        run("pg_dump", &arguments);
        let archive = Archive::open(file.reopen().unwrap()).unwrap();
        (archive.header().clone(), archive.entries().to_vec())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        if !std::thread::panicking() {
            run("psql", &["-qX", &environment("TEST_PG_URL"), "-c", &drop]);
        }
    }
}

/// A header as pg_dump 17 writes it.
pub fn header() -> Header {
    Header {
        version: Version {
            major: 1,
            minor: 16,
            revision: 0,
        },
        compression: Compression::Gzip,
        created_at: "2026-01-01 00:00:00".into(),
        database: "production".into(),
        server_version: "17.2".into(),
        dump_version: "17.2".into(),
    }
}

/// Settings with these rules (table, strategy) and excluded tables.
pub fn settings(rules: &[(&str, &str)], exclude_tables: &[&str]) -> Settings {
    let mut settings: Settings = serde_json::from_value(serde_json::json!({
        "source": { "file": "backup.dump" },
        "target": { "url": "postgres://staging", "parallel_connections": 2 },
        "masking": { "secret": "0123456789abcdef" },
        "exclude_tables": exclude_tables,
    }))
    .unwrap();
    settings.masking.rules = rules
        .iter()
        .map(|(table, strategy)| Rule {
            name: format!("{table}: {strategy}"),
            table: (*table).into(),
            strategy: Some((*strategy).into()),
            ..Rule::default()
        })
        .collect();
    settings
}

/// The plan for a table of contents.
pub fn planned(entries: &[Entry], settings: &Settings) -> Result<Plan, Error> {
    plan(
        &PlanInput::read(&header(), entries),
        settings,
        &Key::new(&settings.masking.secret),
    )
}

/// A table of contents built by hand: each entry gets the next dump id, from 1.
#[derive(Default)]
pub struct Toc {
    pub entries: Vec<Entry>,
}

impl Toc {
    pub fn add(
        &mut self,
        kind: &str,
        namespace: &str,
        tag: &str,
        defn: &str,
        dependencies: &[DumpId],
    ) -> DumpId {
        let kind = EntryKind::from(kind);
        let section = match kind {
            EntryKind::TableData
            | EntryKind::Blobs
            | EntryKind::BlobMetadata
            | EntryKind::SequenceSet
            | EntryKind::StatisticsData => Section::Data,
            EntryKind::Index
            | EntryKind::IndexAttach
            | EntryKind::Constraint
            | EntryKind::CheckConstraint
            | EntryKind::ForeignKey
            | EntryKind::Trigger
            | EntryKind::Rule
            | EntryKind::Policy
            | EntryKind::RowSecurity
            | EntryKind::Statistics
            | EntryKind::MaterializedViewData
            | EntryKind::EventTrigger => Section::PostData,
            EntryKind::Acl | EntryKind::Comment | EntryKind::SecurityLabel => Section::None,
            _ => Section::PreData,
        };
        let dump_id = DumpId(self.entries.len() as i32 + 1);
        self.entries.push(Entry {
            dump_id,
            has_data: kind == EntryKind::TableData,
            oid: 0,
            tag: tag.into(),
            kind,
            section,
            defn: defn.into(),
            copy_stmt: String::new(),
            namespace: namespace.into(),
            table_am: String::new(),
            dependencies: dependencies.to_vec(),
            data_size: None,
            further: None,
        });
        dump_id
    }

    /// A table of `public` and its data: columns as CREATE TABLE has them.
    pub fn table(&mut self, name: &str, columns: &str) -> (DumpId, DumpId) {
        let table = self.add(
            "TABLE",
            "public",
            name,
            &format!("CREATE TABLE public.{name} (\n{columns}\n);\n"),
            &[],
        );
        (table, self.data(name, columns, table))
    }

    /// The data of a table, its columns in the order of `columns`.
    pub fn data(&mut self, name: &str, columns: &str, table: DumpId) -> DumpId {
        let names: Vec<&str> = columns
            .split(",\n")
            .filter(|column| !column.contains("GENERATED ALWAYS AS (") && !column.starts_with("CONSTRAINT"))
            .filter_map(|column| column.split_whitespace().next())
            .collect();
        let data = self.add("TABLE DATA", "public", name, "", &[table]);
        self.entries.last_mut().unwrap().copy_stmt =
            format!("COPY public.{name} ({}) FROM stdin;\n", names.join(", "));
        data
    }

    /// A constraint of a table, or an index when `sql` begins with CREATE.
    pub fn key(&mut self, table: (&str, DumpId), name: &str, sql: &str) -> DumpId {
        if sql.starts_with("CREATE") {
            return self.add("INDEX", "public", name, sql, &[table.1]);
        }
        let kind = if sql.starts_with("FOREIGN") {
            "FK CONSTRAINT"
        } else {
            "CONSTRAINT"
        };
        let sql = format!(
            "ALTER TABLE ONLY public.{}\n    ADD CONSTRAINT {name} {sql};\n",
            table.0
        );
        self.add(kind, "public", &format!("{} {name}", table.0), &sql, &[table.1])
    }
}

/// The columns of a table of users.
pub const USERS: &str = "id bigint NOT NULL,\nemail character varying(255),\nfirst_name text";

/// What is wrong with these rules and excluded tables, as one error of the plan.
pub fn problem(toc: &Toc, rules: &[(&str, &str)], exclude: &[&str]) -> String {
    let error = planned(&toc.entries, &settings(rules, exclude)).unwrap_err();
    assert_eq!(error.kind, Kind::Plan);
    error.to_string()
}

/// The plan with these rules and excluded tables, which must be possible.
pub fn made(toc: &Toc, rules: &[(&str, &str)], exclude: &[&str]) -> Plan {
    planned(&toc.entries, &settings(rules, exclude)).unwrap_or_else(|error| panic!("{error}"))
}

/// A table of users with its key, and one of orders.
pub fn shop() -> Toc {
    let mut toc = Toc::default();
    let users = toc.table("users", USERS);
    toc.key(("users", users.0), "users_pkey", "PRIMARY KEY (id)");
    toc.table(
        "orders",
        "id bigint NOT NULL,\nuser_id bigint,\ntotal numeric(10,2)",
    );
    toc
}

/// A partitioned table with so many partitions, each with an index that is attached.
pub fn many_partitions(count: usize) -> Toc {
    let mut toc = Toc::default();
    let columns = "id bigint NOT NULL,\nemail text";
    let root = toc.add(
        "TABLE",
        "public",
        "events",
        &format!("CREATE TABLE public.events (\n{columns}\n)\nPARTITION BY RANGE (id);\n"),
        &[],
    );
    let index = toc.key(
        ("events", root),
        "events_email",
        "CREATE INDEX events_email ON ONLY public.events USING btree (email);\n",
    );
    for number in 0..count {
        let name = format!("events_{number}");
        let (leaf, _) = toc.table(&name, columns);
        toc.add("TABLE ATTACH", "public", &name, &format!("ALTER TABLE ONLY public.events ATTACH PARTITION public.{name} FOR VALUES FROM ({number}) TO ({number});\n"), &[root, leaf]);
        let own = toc.key(
            (&name, leaf),
            &format!("{name}_email"),
            &format!("CREATE INDEX {name}_email ON public.{name} USING btree (email);\n"),
        );
        toc.add(
            "INDEX ATTACH",
            "public",
            &format!("{name}_email"),
            &format!("ALTER INDEX public.events_email ATTACH PARTITION public.{name}_email;\n"),
            &[index, own, leaf, root],
        );
    }
    toc.key(("events", root), "events_pkey", "PRIMARY KEY (id)");
    toc
}

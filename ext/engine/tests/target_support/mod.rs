//! What the target's tests share: a database of their own each, roles, and plans built by hand.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use masking::{self, ColumnFacts, Key, Mask, Pseudonyms, RowMask, Type, Uniqueness};
use pg_dump_archive::{DumpId, EntryKind};
use staging_sync_engine::error::Error;
use staging_sync_engine::event::{Event, Sink};
use staging_sync_engine::plan::{LargeObjects, Load, Plan, Refusal, Statement, Step, TableName, TaskId};
use staging_sync_engine::postgres::{restore, Item, LoadReport, Target};
use staging_sync_engine::settings;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_postgres::{Client, NoTls};

/// The superuser's URL of the cluster that `bin/with-postgres` started.
pub fn cluster_url() -> String {
    std::env::var("TEST_PG_URL")
        .expect("TEST_PG_URL is not set: run the tests by bin/test or bin/with-postgres")
}

/// The port of that cluster.
pub fn cluster_port() -> String {
    std::env::var("TEST_PG_PORT")
        .expect("TEST_PG_PORT is not set: run the tests by bin/test or bin/with-postgres")
}

/// A name that no other test has.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{prefix}_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A plain session, ended when the client is dropped.
pub async fn session(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("the test's own session");
    tokio::spawn(connection);
    client
}

/// A database of one test, and the role that fills it.
pub struct Database {
    pub name: String,
    pub role: String,
    pub url: String,
    /// A superuser's session in it.
    pub admin: Client,
}

impl Database {
    /// Filled by the superuser.
    pub async fn of_superuser() -> Self {
        Self::create("postgres", "").await
    }

    /// Filled by its owner.
    pub async fn of_owner() -> Self {
        let role = unique("owner");
        Self::create(&role, &format!("OWNER {role}")).await
    }

    /// Filled by a role with Scalingo's grants only.
    pub async fn of_restricted() -> Self {
        let role = unique("restricted");
        let database = Self::create(&role, "").await;
        let grants = format!(
            "GRANT ALL ON DATABASE {} TO {role}; GRANT CREATE, USAGE ON SCHEMA public TO {role}",
            database.name
        );
        database.admin.batch_execute(&grants).await.unwrap();
        database
    }

    async fn create(role: &str, options: &str) -> Self {
        let cluster = cluster_url();
        let name = unique("target");
        let admin = session(&cluster).await;
        if role != "postgres" {
            admin
                .batch_execute(&format!("CREATE ROLE {role} LOGIN"))
                .await
                .unwrap();
        }
        // Half of what a database costs is its files' way through the WAL, which is the default since PostgreSQL 15.
        let version = "SELECT current_setting('server_version_num')::int";
        let version: i32 = admin.query_one(version, &[]).await.unwrap().get(0);
        let strategy = if version >= 150_000 {
            "STRATEGY file_copy"
        } else {
            ""
        };
        admin
            .batch_execute(&format!("CREATE DATABASE {name} {options} {strategy}"))
            .await
            .unwrap();
        let address = format!("127.0.0.1:{}", cluster_port());
        // A superuser, but not the one that some tests fill the target as: a run ends the sessions of its role.
        let create = "DO $$ BEGIN CREATE ROLE test_admin SUPERUSER LOGIN; \
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
        admin.batch_execute(create).await.unwrap();
        let admin_url = format!("postgres://test_admin@{address}/{name}?application_name=admin");
        Self {
            url: format!("postgres://{role}@{address}/{name}"),
            admin: session(&admin_url).await,
            name,
            role: role.to_owned(),
        }
    }

    /// A session of the role, as one of the app's.
    pub async fn app(&self, name: &str) -> Client {
        session(&format!("{}?application_name={name}", self.url)).await
    }

    /// Runs statements as the role, in a session that ends with them.
    pub async fn as_role(&self, sql: &str) {
        let app = self.app("setup").await;
        app.batch_execute(sql).await.unwrap();
        drop(app);
        self.wait_until_gone("application_name = 'setup'").await;
    }

    /// One number.
    pub async fn number(&self, sql: &str) -> i64 {
        self.admin
            .query_one(&format!("SELECT ({sql})::int8"), &[])
            .await
            .unwrap()
            .get(0)
    }

    /// One text.
    pub async fn text(&self, sql: &str) -> String {
        self.admin
            .query_one(&format!("SELECT ({sql})::text"), &[])
            .await
            .unwrap()
            .get(0)
    }

    /// The sessions in this database that meet a condition.
    pub async fn sessions(&self, condition: &str) -> i64 {
        self.number(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
        ))
        .await
    }

    /// Waits, at most some seconds, until no session meets a condition.
    pub async fn wait_until_gone(&self, condition: &str) {
        for _ in 0..200 {
            if self.sessions(condition).await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let reported = format!(
            "SELECT string_agg(concat_ws(' ', pid, state, wait_event, left(query, 80)), E'\\n') \
             FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
        );
        panic!(
            "sessions with {condition} are still there:\n{}",
            self.text(&reported).await
        );
    }

    /// What the gem's own schema says of the database.
    pub async fn state(&self) -> String {
        self.text("SELECT status FROM scalingo_staging_sync.state").await
    }

    pub fn settings(&self) -> settings::TargetSettings {
        settings(&self.url)
    }
}

/// Settings with short waits.
pub fn settings(url: &str) -> settings::TargetSettings {
    settings::TargetSettings {
        url: url.to_owned().into(),
        parallel_connections: 3,
        lock_timeout: 5.0,
        stall_timeout: 300.0,
        terminate_connections: true,
        postgis: false,
        retry_attempts: 3,
        retry_delay: 0.01,
        more_to_come: false,
        // Measured, it would be up to how busy the machine is in which form rows go.
        is_far: Some(false),
    }
}

/// A sink that keeps what it is sent.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    pub fn sink(&self) -> Sink {
        let events = self.clone();
        Sink::new(move |event| events.0.lock().unwrap().push(event))
    }

    pub fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    pub fn warnings(&self) -> Vec<String> {
        let warning = |event| match event {
            Event::Warning { message } => Some(message.to_string()),
            _ => None,
        };
        self.all().into_iter().filter_map(warning).collect()
    }
}

pub fn table(name: &str) -> TableName {
    TableName::new("public", name)
}

/// A plan that is built piece by piece.
#[derive(Clone)]
pub struct Planner(pub Plan);

impl Planner {
    pub fn new() -> Self {
        Self(Plan {
            personal: Default::default(),
            queues: Vec::new(),
            excluded: Vec::new(),
            part: None,
            only_looked_at: HashMap::new(),
            idle: Vec::new(),
            keep: Default::default(),
            encoding: "UTF8".into(),
            search_path: "public".into(),
            forced: Vec::new(),
            schema: Vec::new(),
            loads: HashMap::new(),
            extension_rows: HashMap::new(),
            large_objects: LargeObjects::default(),
            steps: Vec::new(),
            sql_rules: Default::default(),
            left_out: Vec::new(),
            leaks: Default::default(),
            channels: Vec::new(),
            warnings: Vec::new(),
        })
    }

    /// What comes directly behind others of its name needs them.
    pub fn statement(mut self, kind: &str, name: &str, sql: &str) -> Self {
        let before = self.0.schema.iter().rev();
        let needs = before.take_while(|one| one.name == name).map(|one| one.dump_id);
        let needs = needs.collect();
        self.0.schema.push(Statement {
            dump_id: DumpId(10_000 + self.0.schema.len() as i32),
            kind: kind.into(),
            name: name.into(),
            sql: sql.into(),
            needs,
            refusal: Refusal::Fatal,
        });
        self
    }

    /// What was added last may be left out.
    pub fn optional(mut self) -> Self {
        if let Some(last) = self.0.schema.last_mut() {
            last.refusal = Refusal::LeftOut;
        }
        self
    }

    /// A table `public.name`, with its rows.
    pub fn table(self, id: i32, name: &str, columns: &str) -> Self {
        let sql = format!("CREATE TABLE public.{name} ({columns})");
        let names = columns
            .split(", ")
            .map(|column| column.split(' ').next().unwrap().to_owned());
        let names = names.collect();
        self.statement("TABLE", name, &sql).load(id, name, names)
    }

    pub fn load(mut self, id: i32, name: &str, columns: Vec<String>) -> Self {
        let load = Load::builder(DumpId(id), table(name), columns).freezable(true);
        self.0.loads.insert(DumpId(id), load.build());
        self
    }

    /// The load's rows can not be frozen, as those that go to partitions.
    pub fn not_freezable(mut self, id: i32) -> Self {
        self.0.loads.get_mut(&DumpId(id)).unwrap().freezable = false;
        self
    }

    /// Masks a column of a table: each of its values becomes `masked`.
    pub fn mask(mut self, id: i32, position: usize) -> Self {
        let load = self.0.loads.get_mut(&DumpId(id)).unwrap();
        let column = |name: &String| ColumnFacts {
            name: name.clone(),
            kind: Type::TEXT,
            not_null: false,
            unique: Uniqueness::default(),
        };
        let table = masking::TableFacts {
            name: load.table.to_string(),
            columns: load.columns.iter().map(column).collect(),
            key: Vec::new(),
            key_is_enforced: false,
            checks: Default::default(),
            genders: Default::default(),
        };
        let pseudonyms = Pseudonyms {
            key: Key::new(&"sixteen bytes or more".into()),
            email_domain: "demo.example.com".into(),
            utf8: true,
            staging_password: None,
            helpers: Default::default(),
        };
        let value = serde_json::Map::from_iter([("value".to_owned(), "masked".into())]);
        let masked = Mask::named("static", &value).unwrap();
        let mask = RowMask::new(&table, &[(position, masked)], &pseudonyms).unwrap();
        load.mask = Some(Arc::new(mask));
        self
    }

    pub fn step(mut self, id: i32, sql: &str, waits_for: &[i32], locks: &[&str], shared: &[&str]) -> Self {
        self.0.steps.push(Step {
            waits_for: waits_for.iter().map(|id| TaskId::Entry(DumpId(*id))).collect(),
            locks: locks.iter().map(|name| table(name)).collect(),
            shared: shared.iter().map(|name| table(name)).collect(),
            ..Step::new(
                TaskId::Entry(DumpId(id)),
                EntryKind::Index.into(),
                format!("step_{id}"),
                sql.into(),
            )
        });
        self
    }

    pub fn last(mut self) -> Self {
        self.0.steps.last_mut().unwrap().last = true;
        self
    }

    pub fn optional_step(mut self) -> Self {
        self.0.steps.last_mut().unwrap().refusal = Refusal::LeftOut;
        self
    }

    pub fn plan(self) -> Arc<Plan> {
        Arc::new(self.0)
    }
}

/// The items of one table.
pub fn rows(id: i32, pieces: &[&str]) -> Vec<Item> {
    let mut items = vec![Item::TableStart(DumpId(id))];
    items.extend(pieces.iter().map(|piece| Item::Rows(piece.as_bytes().to_vec())));
    items.push(Item::TableEnd);
    items
}

/// The items of one large object.
pub fn large_object(oid: u32, pieces: &[&[u8]]) -> Vec<Item> {
    let mut items = vec![Item::LargeObjectStart(oid)];
    items.extend(pieces.iter().map(|piece| Item::LargeObjectData(piece.to_vec())));
    items.push(Item::LargeObjectEnd);
    items
}

/// Sends items to a restore and returns its report.
pub async fn load(
    target: &Target,
    plan: &Arc<Plan>,
    items: impl IntoIterator<Item = Item>,
) -> Result<LoadReport, Error> {
    let (sender, receiver) = mpsc::channel(4);
    let items: Vec<Item> = items.into_iter().collect();
    let feed = tokio::spawn(async move {
        for item in items {
            if sender.send(Ok(item)).await.is_err() {
                return;
            }
        }
    });
    let report = restore(target, Arc::clone(plan), receiver).await;
    feed.abort();
    report
}

//! What the engine reads of others: definitions, rules in SQL, packed archives, answers of an API.

use super::choose;
use masking::Key;
use pg_dump_archive::{Compression, DumpId, Entry, EntryKind, Header, Section, Version};
use serde_json::json;
use staging_sync_engine::event::Sink;
use staging_sync_engine::plan::{plan, PlanInput};
use staging_sync_engine::settings::{Settings, Source};
use staging_sync_engine::source::{self, Patience};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
});

const KINDS: [&str; 14] = [
    "TABLE",
    "INDEX",
    "CONSTRAINT",
    "FK CONSTRAINT",
    "TYPE",
    "DOMAIN",
    "FUNCTION",
    "TRIGGER",
    "SEQUENCE SET",
    "TABLE ATTACH",
    "DATABASE PROPERTIES",
    "RULE",
    "CHECK CONSTRAINT",
    "VIEW",
];

fn entry(id: i32, kind: &str, tag: &str, defn: &str) -> Entry {
    let kind = EntryKind::from(kind);
    let section = match kind {
        EntryKind::TableData | EntryKind::SequenceSet => Section::Data,
        EntryKind::Index
        | EntryKind::Constraint
        | EntryKind::ForeignKey
        | EntryKind::Trigger
        | EntryKind::Rule
        | EntryKind::CheckConstraint => Section::PostData,
        _ => Section::PreData,
    };
    Entry {
        dump_id: DumpId(id),
        has_data: kind == EntryKind::TableData,
        oid: 0,
        tag: tag.into(),
        kind,
        section,
        defn: defn.into(),
        copy_stmt: String::new(),
        namespace: "public".into(),
        table_am: String::new(),
        dependencies: Vec::new(),
        data_size: None,
        further: None,
    }
}

/// A table of users with a rule, and its rows.
fn shop() -> Vec<Entry> {
    let table = "CREATE TABLE public.users (\n    id bigint NOT NULL,\n    email text,\n    data jsonb\n);\n";
    let mut rows = entry(2, "TABLE DATA", "users", "");
    rows.copy_stmt = "COPY public.users (id, email, data) FROM stdin;\n".into();
    vec![entry(1, "TABLE", "users", table), rows]
}

fn planned(entries: &[Entry], masking: serde_json::Value) {
    let settings = json!({
        "source": { "file": "backup" },
        "target": { "url": "postgres://staging", "parallel_connections": 2 },
        "masking": masking,
        "pii": { "scan": true, "policy": "mask" }
    });
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    let version = Version {
        major: 1,
        minor: 16,
        revision: 0,
    };
    let header = Header {
        version,
        compression: Compression::None,
        created_at: "2026-01-01 00:00:00".into(),
        database: "production".into(),
        server_version: "17.2".into(),
        dump_version: "17.2".into(),
    };
    let key = Key::new(&settings.masking.secret);
    if let Ok(plan) = plan(&PlanInput::read(&header, entries), &settings, &key) {
        for load in plan.loads.values() {
            let is_own =
                load.copy_into == load.table || entries.iter().any(|one| one.kind == EntryKind::TableAttach);
            assert!(
                is_own || load.table.name != "users",
                "{} into {}",
                load.table,
                load.copy_into
            );
            assert!(
                load.table.name != "users" || load.mask.is_some(),
                "e-mail addresses are masked"
            );
        }
    }
}

/// Definitions, the statement of the rows among them, separated by NUL: a plan, or an error.
pub fn schema(bytes: &[u8]) {
    let (kind, bytes) = choose(bytes);
    let text = String::from_utf8_lossy(bytes);
    let mut entries = shop();
    for (at, defn) in text.split('\0').enumerate().take(8) {
        let (id, kind) = (at as i32 + 3, KINDS[(kind + at) % KINDS.len()]);
        entries.push(entry(id, kind, "other", defn));
        let mut rows = entry(id + 100, "TABLE DATA", "other", "");
        rows.copy_stmt = defn.to_owned();
        entries.push(rows);
    }
    planned(
        &entries,
        json!({ "secret": "0123456789abcdef", "rules": [{ "name": "users", "table": "users", "strategy": "email_anonymization" }] }),
    );
}

/// A rule in SQL, and its condition behind a NUL.
pub fn sql_rules(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (query, condition) = text.split_once('\0').unwrap_or((&text, ""));
    let rule = json!({
        "name": "users in SQL",
        "table": "users",
        "query": query,
        "condition": (!condition.is_empty()).then_some(condition)
    });
    let mut entries = shop();
    entries.push(entry(
        3,
        "TABLE",
        "orders",
        "CREATE TABLE public.orders (\n    id bigint,\n    user_id bigint\n);\n",
    ));
    let rules = json!([{ "name": "users", "table": "users", "strategy": "email_anonymization" }]);
    planned(
        &entries,
        json!({ "secret": "0123456789abcdef", "rules": rules, "sql_rules": [rule] }),
    );
}

/// Anything as what a store may send: gzip, tar, an archive.
pub fn unpack(bytes: &[u8]) {
    static FILE: LazyLock<tempfile::NamedTempFile> =
        LazyLock::new(|| tempfile::NamedTempFile::new().expect("a file"));
    std::fs::write(FILE.path(), bytes).expect("the file is written");
    let of = Source::File(FILE.path().to_owned());
    if let Ok(backup) = RUNTIME.block_on(source::open(&of, 1.0, &Sink::silent())) {
        let _ = std::io::copy(&mut backup.archive.take(4 * 1024 * 1024), &mut std::io::sink());
    }
}

/// Anything as each answer of Scalingo's API in turn, separated by NUL; the last is given again and again.
pub fn answers(bytes: &[u8]) {
    static ANSWERS: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    static SERVER: LazyLock<String> = LazyLock::new(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let mut answers = ANSWERS.lock().expect("the answers");
                let answer = match answers.len() {
                    0 => Vec::new(),
                    1 => answers[0].clone(),
                    _ => answers.remove(0),
                };
                drop(answers);
                let _ = stream.write_all(&answer);
            }
        });
        url
    });
    let base = &*SERVER;
    let parts = bytes.split(|byte| *byte == 0).take(8);
    let of = |part: &[u8]| match part.split_first() {
        // Mostly what is said is what matters, and not that it is HTTP.
        Some((b'{' | b'[', _)) => {
            let part = String::from_utf8_lossy(part).replace("$URL", base);
            let head = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                part.len()
            );
            [head.into_bytes(), part.into_bytes()].concat()
        }
        _ => part.to_vec(),
    };
    *ANSWERS.lock().expect("the answers") = parts.map(of).collect();
    let settings = json!({
        "app": "shop", "api_token": "tk-us-secret", "region": "osc-fr1", "poll_interval": 0.001,
        "urls": { "auth": base, "api": base, "database": base }
    });
    let patience = Patience {
        connect: Duration::from_millis(500),
        answer: Duration::from_millis(500),
        stalled: Duration::from_millis(500),
        first_delay: Duration::ZERO,
        longest_delay: Duration::ZERO,
        api_attempts: 1,
        download_attempts: 1,
        fresh_backup: Duration::from_millis(10),
        ..Patience::default()
    };
    let of = Source::Scalingo(serde_json::from_value(settings).expect("settings"));
    let found = RUNTIME.block_on(source::open_with(&of, &Sink::silent(), &patience));
    if let Err(error) = found {
        let said = error.to_string();
        assert!(!said.contains("tk-us-secret"), "a token in an error");
    }
}

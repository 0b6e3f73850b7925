//! A database with objects of many kinds, and PostgreSQL's own programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Objects of many kinds, and rows that are hard to carry: every character below 128, other alphabets, a megabyte
/// in one field, an empty table, one without columns, generated columns first and last.
pub const FIXTURE: &str = r#"
    CREATE SCHEMA "Odd ""schema"".";
    CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'tab	bed');
    CREATE TABLE users (id bigserial PRIMARY KEY, email text UNIQUE, bio text, born date, mood mood,
        score double precision, paid numeric(12,4), active boolean, tags text[], data jsonb, raw bytea,
        flags bit varying(16), CONSTRAINT adult CHECK (born < '2020-01-01'));
    INSERT INTO users (email, bio, born, mood, score, paid, active, tags, data, raw, flags)
        SELECT 'user' || n || '@example.com',
            CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'line\nline\ttab\\N\r\\.\n\\.' ELSE 'é日😀''"' || n END,
            date '1970-01-01' + n, (enum_range(NULL::mood))[1 + n % 3],
            CASE n % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN -1.5e-300 ELSE n / 7.0 END,
            n * -1.25, n % 3 = 0, ARRAY['a,b', NULL, E'q"\\', n::text], jsonb_build_object('n', n, 't', E'\t\\'),
            decode(md5(n::text), 'hex'), (n % 8)::bit(5)::varbit
        FROM generate_series(1, 5000) n;
    CREATE TABLE characters (code integer, what text);
    INSERT INTO characters SELECT n, repeat(chr(n), 3) FROM generate_series(1, 300) n;
    CREATE TABLE huge (id integer, body text);
    INSERT INTO huge SELECT n, repeat(md5(n::text) || E'\n\\', n * 10000) FROM generate_series(1, 3) n;
    CREATE TABLE "Odd ""schema"".".".""A Table""(" ("the ""id""" integer, "VALUES (" text);
    INSERT INTO "Odd ""schema"".".".""A Table""(" VALUES (1, E');\n'), (-2, NULL);
    CREATE TABLE computed (doubled integer GENERATED ALWAYS AS (n * 2) STORED, n integer,
        id integer GENERATED ALWAYS AS IDENTITY, name text, shout text GENERATED ALWAYS AS (upper(name)) STORED);
    INSERT INTO computed (n, name) SELECT n, 'name ' || n FROM generate_series(1, 20) n;
    CREATE TABLE nothing_in_it (id integer);
    CREATE TABLE no_columns ();
    INSERT INTO no_columns DEFAULT VALUES;
    INSERT INTO no_columns DEFAULT VALUES;
    CREATE TABLE events (at date, what text) PARTITION BY RANGE (at);
    CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE events_rest PARTITION OF events DEFAULT;
    INSERT INTO events SELECT date '2023-06-01' + n, 'event ' || n FROM generate_series(1, 600) n;
    CREATE VIEW adults AS SELECT * FROM users WHERE born < '2000-01-01';
    CREATE MATERIALIZED VIEW moods AS SELECT mood, count(*) FROM users GROUP BY mood;
    CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2';
    COMMENT ON TABLE users IS 'A comment; with -- everything';
    CREATE INDEX ON users (lower(email));
    SELECT lo_from_bytea(4001, 'small'), lo_from_bytea(4002, ''), lo_from_bytea(3000000001, repeat('big ', 200000)::bytea),
        lo_from_bytea(4003, (SELECT string_agg(decode(md5(n::text), 'hex'), '') FROM generate_series(1, 20000) n));
"#;

pub fn setting(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run this test through bin/with-postgres or bin/test"))
}

pub fn program(name: &str) -> PathBuf {
    Path::new(&setting("TEST_PG_BINDIR")).join(name)
}

/// What a program prints; it must succeed.
pub fn output(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

pub fn pg_major() -> u32 {
    let version = String::from_utf8(output(Command::new(program("pg_dump")).arg("--version"))).unwrap();
    version
        .split(|c: char| !c.is_ascii_digit())
        .find(|part| !part.is_empty())
        .unwrap()
        .parse()
        .unwrap()
}

/// A database of this test's own, filled with the fixture, and a directory for its archives.
pub struct Shop {
    pub url: String,
    pub directory: tempfile::TempDir,
}

impl Shop {
    pub fn open(name: &str) -> Self {
        let server = setting("TEST_PG_URL");
        let database = format!("archive_{name}_{}", std::process::id());
        psql(&server, &format!("CREATE DATABASE {database}"));
        let (host, _) = server.rsplit_once('/').unwrap();
        let shop = Self {
            url: format!("{host}/{database}"),
            directory: tempfile::tempdir().unwrap(),
        };
        psql(&shop.url, FIXTURE);
        shop
    }

    /// The archive that pg_dump writes to a file with these options.
    pub fn dump(&self, options: &[&str]) -> PathBuf {
        let path = self.directory.path().join("backup.dump");
        output(
            Command::new(program("pg_dump"))
                .arg("-Fc")
                .args(options)
                .arg("-f")
                .arg(&path)
                .arg(&self.url),
        );
        path
    }

    /// The same written to a pipe, where pg_dump cannot go back to fill in offsets.
    pub fn dump_to_pipe(&self, options: &[&str]) -> PathBuf {
        let path = self.directory.path().join("piped.dump");
        let archive = output(
            Command::new(program("pg_dump"))
                .arg("-Fc")
                .args(options)
                .arg(&self.url),
        );
        std::fs::write(&path, archive).unwrap();
        path
    }

    /// A table's rows as COPY TO writes them.
    pub fn rows(&self, table: &str, columns: &str) -> Vec<u8> {
        let list = if columns.is_empty() {
            String::new()
        } else {
            format!(" ({columns})")
        };
        psql(&self.url, &format!("COPY {table}{list} TO STDOUT"))
    }
}

pub fn psql(url: &str, sql: &str) -> Vec<u8> {
    let mut command = Command::new(program("psql"));
    output(command.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]))
}

//! A live database's tables, described as pg_dump's table of contents would describe them.
//!
//! With it the planner decides about a database that is already there exactly as it does about a backup:
//! same rules, same checks, same errors. It holds what a plan for masking needs (tables, types, keys, triggers) and
//! is not a dump: views, other functions, privileges and the like are left out.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::postgres::session::connect::Session;
use pg_dump_archive::{Compression, DumpId, Entry, EntryKind, Header, Section, Version};
use tokio_postgres::Row;

/// Enumerations and domains, as CREATE TYPE and CREATE DOMAIN, behind the collations that take different values for equal.
const TYPES: &str = "
SELECT 'COLLATION', n.nspname, c.collname,
       format('CREATE COLLATION %I.%I (provider = icu, deterministic = false, locale = %L);', n.nspname, c.collname,
              -- Named otherwise in each of 14, 15 and 17.
              coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', to_jsonb(c) ->> 'collcollate')), ''
FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
WHERE NOT c.collisdeterministic
UNION ALL
SELECT 'TYPE', n.nspname, t.typname,
       format(E'CREATE TYPE %I.%I AS ENUM (\\n    %s\\n);\\n', n.nspname, t.typname,
              (SELECT string_agg(quote_literal(e.enumlabel), E',\\n    ' ORDER BY e.enumsortorder)
               FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)), ''
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'DOMAIN', n.nspname, t.typname,
       format('CREATE DOMAIN %I.%I AS %s%s%s;', n.nspname, t.typname,
              pg_catalog.format_type(t.typbasetype, t.typtypmod),
              coalesce((SELECT format(' COLLATE %I.%I', cn.nspname, k.collname) FROM pg_catalog.pg_collation k
                JOIN pg_catalog.pg_namespace cn ON cn.oid = k.collnamespace
                WHERE k.oid = t.typcollation AND NOT k.collisdeterministic), ''), CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END), ''
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// Tables as CREATE TABLE, one column a line, and their TABLE DATA as a COPY statement. A partitioned table
/// has no rows of its own. What belongs to an extension or to the gem's own schema is left out.
const TABLES: &str = "
WITH tables AS (
  SELECT c.oid, c.relkind, c.relispartition, n.nspname, c.relname
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'scalingo_staging_sync')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), columns AS (
  SELECT a.attrelid,
         string_agg(format('    %I %s%s%s%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
                           CASE WHEN k.oid IS NOT NULL THEN format(' COLLATE %I.%I', kn.nspname, k.collname) ELSE '' END,
                           CASE WHEN a.attgenerated <> ''
                                THEN ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                                     || CASE a.attgenerated WHEN 's' THEN ') STORED' ELSE ')' END
                                ELSE '' END,
                           CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END), E',\\n' ORDER BY a.attnum) AS definitions,
         string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS names
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_collation k ON k.oid = a.attcollation AND NOT k.collisdeterministic
  LEFT JOIN pg_catalog.pg_namespace kn ON kn.oid = k.collnamespace
  WHERE a.attnum > 0 AND NOT a.attisdropped
  GROUP BY a.attrelid
), parents AS (
  SELECT i.inhrelid, string_agg(format('%I.%I', n.nspname, p.relname), ', ' ORDER BY i.inhseqno) AS names
  FROM pg_catalog.pg_inherits i
  JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
  JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
  GROUP BY i.inhrelid
)
SELECT 'TABLE', t.nspname, t.relname,
       format(E'CREATE TABLE %I.%I (\\n%s\\n)%s%s;\\n', t.nspname, t.relname, coalesce(c.definitions, ''),
              CASE WHEN p.names IS NOT NULL AND NOT t.relispartition THEN E'\\nINHERITS (' || p.names || ')' ELSE '' END,
              CASE WHEN t.relkind = 'p' THEN E'\\nPARTITION BY ' || pg_catalog.pg_get_partkeydef(t.oid) ELSE '' END), ''
FROM tables t LEFT JOIN columns c ON c.attrelid = t.oid LEFT JOIN parents p ON p.inhrelid = t.oid
UNION ALL
SELECT 'TABLE ATTACH', t.nspname, t.relname,
       format('ALTER TABLE ONLY %s ATTACH PARTITION %I.%I %s;', p.names, t.nspname, t.relname,
              (SELECT pg_catalog.pg_get_expr(r.relpartbound, r.oid) FROM pg_catalog.pg_class r WHERE r.oid = t.oid)), ''
FROM tables t JOIN parents p ON p.inhrelid = t.oid WHERE t.relispartition
UNION ALL
SELECT 'TABLE DATA', t.nspname, t.relname, '',
       format('COPY %I.%I (%s) FROM stdin;', t.nspname, t.relname, coalesce(c.names, ''))
FROM tables t LEFT JOIN columns c ON c.attrelid = t.oid WHERE t.relkind = 'r'";

/// Keys and unique indexes. Those that a partition inherits follow from its root's.
const KEYS: &str = "
SELECT CASE k.contype WHEN 'f' THEN 'FK CONSTRAINT' ELSE 'CONSTRAINT' END, n.nspname,
       c.relname || ' ' || k.conname,
       format(E'ALTER TABLE ONLY %I.%I\\n    ADD CONSTRAINT %I %s;\\n', n.nspname, c.relname, k.conname,
              pg_catalog.pg_get_constraintdef(k.oid)), ''
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'f') AND k.conparentid = 0
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'scalingo_staging_sync')
UNION ALL
SELECT 'INDEX', n.nspname, i.relname, pg_catalog.pg_get_indexdef(x.indexrelid) || ';', ''
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
WHERE x.indisunique
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'scalingo_staging_sync')";

/// Functions that triggers run, and the row triggers that are awake, but for an extension's: some of them make search
/// vectors.
const TRIGGERS: &str = "
SELECT 'FUNCTION', n.nspname, p.proname || '()', pg_catalog.pg_get_functiondef(p.oid) || ';', ''
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.prorettype = 'trigger'::regtype AND p.prokind = 'f'
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'scalingo_staging_sync')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'TRIGGER', n.nspname, c.relname || ' ' || t.tgname, pg_catalog.pg_get_triggerdef(t.oid) || ';', ''
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND c.relkind IN ('r', 'p')
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'scalingo_staging_sync')";

/// The tables of the database behind `client`, as a header and entries that [`crate::plan::plan`] takes.
///
/// # Errors
/// When a catalogue query fails.
pub(crate) async fn describe(client: &Session) -> Result<(Header, Vec<Entry>)> {
    let mut entries = Vec::new();
    for (query, section) in [
        (TYPES, Section::PreData),
        (TABLES, Section::PreData),
        (KEYS, Section::PostData),
        (TRIGGERS, Section::PostData),
    ] {
        let rows = client
            .query(query, &[])
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::ReadingCatalogue), &error))?;
        for row in &rows {
            entries.push(entry(row, section, entries.len())?);
        }
    }
    let row = client
        .query_one(
            "SELECT current_database()::text, current_setting('server_version')",
            &[],
        )
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::AskingForVersion), &error))?;
    let header = Header {
        database: text(&row, 0)?,
        server_version: text(&row, 1)?,
        ..header()
    };
    Ok((header, entries))
}

/// The header of a schema that comes from no archive.
pub(crate) fn header() -> Header {
    Header {
        version: Version {
            major: 1,
            minor: 16,
            revision: 0,
        },
        compression: Compression::None,
        created_at: String::new(),
        database: String::new(),
        server_version: String::new(),
        dump_version: String::new(),
    }
}

fn entry(row: &Row, section: Section, before: usize) -> Result<Entry> {
    let kind = EntryKind::from(text(row, 0)?.as_str());
    let is_data = kind == EntryKind::TableData;
    Ok(Entry {
        dump_id: i32::try_from(before + 1)
            .map(DumpId)
            .map_err(|_| Error::internal("The target has more tables than can be numbered."))?,
        has_data: is_data,
        oid: 0,
        tag: text(row, 2)?,
        section: if is_data { Section::Data } else { section },
        kind,
        defn: text(row, 3)?,
        copy_stmt: text(row, 4)?,
        namespace: text(row, 1)?,
        table_am: String::new(),
        dependencies: Vec::new(),
        data_size: None,
        further: None,
    })
}

fn text(row: &Row, column: usize) -> Result<String> {
    row.try_get(column)
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::ReadingCatalogue), &error))
}

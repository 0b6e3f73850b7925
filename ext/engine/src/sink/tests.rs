//! An archive that is not what was written is refused, and tables stand behind those that they refer to.

#![allow(clippy::unwrap_used)]

use super::{check, entries, Checked, Expected, Tables};
use crate::error::{Kind, Result};
use crate::notice::Mismatch;
use crate::plan::schema::Schema;
use crate::plan::{plan, Plan, PlanInput, TableName};
use crate::postgres::LoadedTable;
use crate::settings::{MaskName, Rule, Settings};
use masking::{Becomes, ColumnCounts, Key};
use pg_dump_archive::{Compression, DumpId, Entry, EntryKind, Header, Section, Version, Writer};
use tokio_util::sync::CancellationToken;

fn header() -> Header {
    Header {
        version: Version {
            major: 1,
            minor: 16,
            revision: 0,
        },
        compression: Compression::Gzip,
        created_at: "2026-01-01 00:00:00".to_owned(),
        database: "shop".to_owned(),
        server_version: "17.2".to_owned(),
        dump_version: "17.2".to_owned(),
    }
}

fn entry(id: i32, kind: EntryKind, tag: &str, defn: &str) -> Entry {
    let is_data = kind == EntryKind::TableData;
    let is_key = matches!(kind, EntryKind::ForeignKey | EntryKind::Constraint);
    Entry {
        dump_id: DumpId(id),
        has_data: is_data,
        oid: 0,
        tag: tag.to_owned(),
        kind,
        section: match (is_data, is_key) {
            (true, _) => Section::Data,
            (_, true) => Section::PostData,
            _ => Section::PreData,
        },
        defn: defn.to_owned(),
        copy_stmt: match is_data {
            true => format!("COPY public.{tag} (id, email) FROM stdin;\n"),
            false => String::new(),
        },
        namespace: "public".to_owned(),
        table_am: String::new(),
        dependencies: Vec::new(),
        data_size: None,
        further: None,
    }
}

/// A table, its rows, and its key.
fn table(id: i32, name: &str) -> Vec<Entry> {
    vec![
        entry(
            id,
            EntryKind::Table,
            name,
            &format!("CREATE TABLE public.{name} (id bigint NOT NULL, email text);\n"),
        ),
        entry(id + 1, EntryKind::TableData, name, ""),
        entry(
            id + 2,
            EntryKind::Constraint,
            &format!("{name} {name}_pkey"),
            &format!("ALTER TABLE ONLY public.{name}\n    ADD CONSTRAINT {name}_pkey PRIMARY KEY (id);\n"),
        ),
    ]
}

fn key(id: i32, from: &str, to: &str) -> Entry {
    entry(
        id,
        EntryKind::ForeignKey,
        &format!("{from} {from}_{to}"),
        &format!(
            "ALTER TABLE ONLY public.{from}\n    ADD CONSTRAINT {from}_{to} FOREIGN KEY (id) REFERENCES public.{to}(id);\n"
        ),
    )
}

fn planned(entries: &[Entry], exclude: &[&str]) -> Plan {
    planned_where(entries, exclude, None)
}

/// `condition`: in SQL, of the rule for users.
fn planned_where(entries: &[Entry], exclude: &[&str], condition: Option<&str>) -> Plan {
    let mut settings: Settings = serde_json::from_value(serde_json::json!({
        "source": { "file": "backup.dump" },
        "target": { "url": "postgres://staging", "parallel_connections": 2 },
        "masking": { "secret": "0123456789abcdef" },
        "exclude_tables": exclude,
    }))
    .unwrap();
    settings.masking.rules = vec![Rule {
        table: "users".to_owned(),
        columns: [("email".to_owned(), MaskName::Plain("email".to_owned()))].into(),
        condition: condition.map(str::to_owned),
        ..Rule::default()
    }];
    let key = Key::new(&settings.masking.secret);
    plan(&PlanInput::read(&header(), entries), &settings, &key).unwrap()
}

fn archive(entries: &[Entry], rows: &[u8]) -> Vec<u8> {
    let mut archive = Writer::new(Vec::new(), &header(), Compression::Zstd, entries).unwrap();
    archive.begin_data(DumpId(2)).unwrap();
    archive.write(rows).unwrap();
    archive.write(b"\\.\n\n\n").unwrap();
    archive.end_block().unwrap();
    archive.finish().unwrap()
}

fn checked(archive: &[u8], plan: &Plan, large_objects: u64) -> Result<Checked> {
    checked_until(&CancellationToken::new(), archive, plan, large_objects)
}

/// The report of an archive of two rows, one of which kept its value.
fn checked_until(
    cancel: &CancellationToken,
    archive: &[u8],
    plan: &Plan,
    large_objects: u64,
) -> Result<Checked> {
    let users = TableName::new("public", "users");
    let loads = [LoadedTable {
        dump_id: DumpId(2),
        table: users,
        rows: 2,
        bytes: 0,
        masked: vec![ColumnCounts {
            masked: 1,
            kept: 1,
            ..ColumnCounts::default()
        }],
        sql: Vec::new(),
        seconds: 0.0,
    }];
    let expected = Expected {
        plan,
        loads: &loads,
        large_objects,
        forms: true,
    };
    check(archive, &expected, cancel)
}

#[test]
fn an_archive_is_as_it_was_written_or_says_what_is_wrong() {
    let entries = table(1, "users");
    let plan = planned(&entries, &[]);
    let mut rows = Vec::new();
    let mask = plan.loads[&DumpId(2)].mask.as_ref().unwrap();
    mask.masker()
        .mask_piece(b"1\tada@example.org\n", &mut rows)
        .unwrap();
    rows.extend_from_slice(b"2\tkept@example.org\n");

    let whole = archive(&entries, &rows);
    let found = checked(&whole, &plan, 0).unwrap();
    assert_eq!((found.size, &found.problems), (whole.len() as u64, &Vec::new()));
    assert_eq!(found.sha256.len(), 64);

    let problems = |rows: &[u8], objects| {
        checked(&archive(&entries, rows), &plan, objects)
            .unwrap()
            .problems
    };
    assert_eq!(
        problems(b"1\tada@example.org\n2\tkept@example.org\n", 0),
        [Mismatch::ArchivedFormLost {
            column: "public.users.email".into(),
            count: 1,
            mask: Becomes::Email
        }]
    );
    assert_eq!(
        problems(b"1\t\\N\n", 0),
        [Mismatch::ArchivedRowsDiffer {
            table: "public.users".into(),
            count: 1,
            written: 2
        }]
    );
    assert_eq!(
        problems(&rows, 1),
        [Mismatch::ArchivedObjectsDiffer { count: 0, written: 1 }]
    );

    let mut damaged = whole.clone();
    // Where the compressed rows begin.
    let begin = memchr::memmem::find(&whole, b"\x28\xb5\x2f\xfd").unwrap();
    damaged[begin] ^= 0xff;
    for archive in [&damaged, &whole[..whole.len() - 1].to_vec(), &Vec::new()] {
        let error = checked(archive, &plan, 0).unwrap_err();
        assert_eq!(error.kind, Kind::Verification, "{error}");
        assert!(error.is("written_unreadable"), "{error}");
    }
}

#[test]
fn a_check_that_is_cancelled_ends() {
    let entries = table(1, "users");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let archive = archive(&entries, b"1\ta\n2\tb\n");
    let error = checked_until(&cancel, &archive, &planned(&entries, &[]), 0).unwrap_err();
    assert_eq!(error.kind, Kind::Interrupted);
}

#[test]
fn tables_stand_behind_those_that_they_refer_to_and_a_circle_is_cut() {
    let mut entries: Vec<Entry> = ["a", "b", "c", "users", "z"]
        .iter()
        .zip([1, 11, 21, 31, 41])
        .flat_map(|(name, id)| table(id, name))
        .collect();
    // b → z, and a and c → one another; c → itself.
    entries.extend([
        key(51, "b", "z"),
        key(52, "a", "c"),
        key(53, "c", "a"),
        key(54, "c", "c"),
    ]);
    let plan = planned(&entries, &[]);
    let tables = Tables::read(&plan, &Schema::read(&entries));
    assert_eq!(
        tables.order(),
        ["public.users", "public.z", "public.b", "public.a", "public.c"]
    );
    assert_eq!(tables.key(DumpId(2)), ["id"]);
    assert!(tables.key(DumpId(999)).is_empty());
}

#[test]
fn a_foreign_key_to_rows_that_stay_out_is_not_checked() {
    let mut all = [table(1, "users"), table(11, "parents")].concat();
    all.push(key(21, "users", "parents"));
    let plan = planned(&all, &["parents"]);
    let kept = entries(&plan, all);
    let ids: Vec<i32> = kept.iter().map(|entry| entry.dump_id.0).collect();
    assert_eq!(ids, [1, 2, 3, 11, 13, 21], "all but the rows of parents");
    assert!(
        kept[5]
            .defn
            .ends_with("REFERENCES public.parents(id) NOT VALID;\n"),
        "{}",
        kept[5].defn
    );
}

#[test]
fn rows_behind_a_rule_in_sql_come_last_and_large_objects_are_made_before_their_contents() {
    let mut all = [table(1, "users"), table(11, "visits")].concat();
    all.sort_by_key(|entry| entry.section == Section::PostData);
    let data = |id, kind, tag: &str, defn: &str| Entry {
        section: Section::Data,
        has_data: kind == EntryKind::Blobs,
        ..entry(id, kind, tag, defn)
    };
    let large_objects = [
        data(31, EntryKind::BlobMetadata, "4001..4002", "4001\n4002\n"),
        data(32, EntryKind::Blobs, "4001..4002", ""),
    ];
    let keys = all
        .iter()
        .position(|entry| entry.section == Section::PostData)
        .unwrap();
    all.splice(keys..keys, large_objects);
    let plan = planned_where(&all, &[], Some("id % 2 = 0"));
    let kept: Vec<i32> = entries(&plan, all).iter().map(|entry| entry.dump_id.0).collect();
    assert_eq!(kept, [1, 11, 12, 31, 32, 2, 3, 13]);
}

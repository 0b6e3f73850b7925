//! Every mask of the catalogue on every type of column: where the plan admits it, PostgreSQL takes what it writes, and
//! the column's `form_sql` holds of it. The masks come from the catalogue, so that a new one is tested, too.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../masking/tests/support/mod.rs"]
mod mask_support;
mod plan_support;

use mask_support::{keyed, FAKE_KINDS};
use masking::{listing, Mask, RowMask, Type};
use plan_support::Database;
use serde_json::{json, Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Texts that are awkward, or what one of the masks is for.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "Ada Lovelace",
    "Ada@Example.org",
    "@",
    "a@b@c",
    "not an address",
    "06 12 34 56 78",
    "+33612345678",
    "+1 (201) 555-0123",
    "112",
    "FR14 2004 1010 0505 0001 3M02 606",
    "PSSTFRPPLYO",
    "4111 1111 1111 1111",
    "9223372036854775807",
    "2 69 05 49 588 157 80",
    "2 84 05 2A 588 157 29",
    "732829320",
    "73282932000074",
    "FR44732829320",
    "219-09-9999",
    "192.0.2.17",
    "2001:db8::1/64",
    "00:1b:63:84:45:e6",
    "https://ada.example.org/cv?token=1",
    "3f333df6-90a4-4fda-8dd3-9485d27cee36",
    "sk_live_4eC39HqLyjWDarjtT1",
    "69001",
    "0000",
    "-5",
    "1234.50",
    "2024-02-29",
    "a\ttab, a\nnewline, a \\ backslash, a 'quote' and \"two\"",
    "\\N",
    "\\.",
    "{\"email\": \"ada@example.org\"}",
    "{broken",
    "Zoë 👩‍👩‍👧 ñandú",
    "שלום עולם",
    "%_*",
    "NULL",
    "\u{1}\u{7f}",
];

/// A type, as SQL and its parts, and its values: texts cast to it, or SQL.
fn types() -> Vec<(String, Type, Vec<String>)> {
    let named = |name: &str, modifiers: &[usize]| Type::from_name(name, modifiers).unwrap();
    let quoted = |text: &&str| format!("'{}'", text.replace('\'', "''"));
    let texts: Vec<String> = TEXTS.iter().map(quoted).collect();
    let mut types = Vec::new();
    for name in ["text", "citext", "name"] {
        types.push((name.to_owned(), named(name, &[]), texts.clone()));
    }
    for (name, long) in [("varchar", "character varying"), ("char", "character")] {
        for limit in [1, 4, 12, 21, 37, 60, 80] {
            types.push((format!("{name}({limit})"), named(long, &[limit]), texts.clone()));
        }
    }
    let mut add = |sql: &str, kind: Type, values: &[&str]| {
        types.push((sql.to_owned(), kind, values.iter().map(quoted).collect()));
    };
    let many = ["0", "1", "-1", "7", "42", "-999", "4242", "9999"];
    let with = |more: &[&'static str]| [&many[..], more].concat();
    add(
        "smallint",
        Type::Integer(2),
        &with(&["32767", "-32768", "10000", "29999"]),
    );
    add(
        "integer",
        Type::Integer(4),
        &with(&[
            "2147483647",
            "-2147483648",
            "732829320",
            "219099999",
            "1999999999",
        ]),
    );
    let big = [
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775799",
        "9199999999999999999",
        "4111111111111111",
        "4111111111111111110",
        "33612345678",
        "612345678",
        "732829320",
        "73282932000074",
        "269054958815780",
    ];
    add("bigint", Type::Integer(8), &with(&big));
    let huge = [
        "123456789012345678901234567890123456789012345678901234567890",
        "0.000000000000000000000000000001",
        "NaN",
    ];
    add(
        "numeric",
        named("numeric", &[]),
        &with(&[&big[..], &huge[..], &["Infinity", "-Infinity", "1234.50"]].concat()),
    );
    add(
        "numeric(5)",
        named("numeric", &[5]),
        &with(&["99999", "-99999", "NaN"]),
    );
    add(
        "numeric(16)",
        named("numeric", &[16]),
        &with(&["4111111111111111", "9999999999999999"]),
    );
    add(
        "numeric(19)",
        named("numeric", &[19]),
        &with(&["9999999999999999999", "4111111111111111110"]),
    );
    add(
        "numeric(12,2)",
        named("numeric", &[12, 2]),
        &with(&["9999999999.99", "0.01", "-1234.50"]),
    );
    add(
        "numeric(3,3)",
        named("numeric", &[3, 3]),
        &["0", "0.001", "0.999", "-0.5"],
    );
    let floats = [
        "0",
        "1",
        "-1.5",
        "1e-30",
        "3.4e38",
        "NaN",
        "Infinity",
        "-Infinity",
        "0.1",
    ];
    add("real", Type::Real, &floats);
    add(
        "double precision",
        Type::Double,
        &[&floats[..], &["1.7e308", "5e-324"]].concat(),
    );
    add("boolean", Type::Boolean, &["t", "f"]);
    let dates = [
        "infinity",
        "-infinity",
        "2024-02-29",
        "1970-01-01",
        "0001-01-01",
        "0001-01-01 BC",
        "4714-11-24 BC",
        "12345-06-07",
    ];
    add("date", Type::Date, &[&dates[..], &["5874897-12-31"]].concat());
    let moments = [
        "2024-02-29 23:59:59.999999",
        "294276-12-31 23:59:59",
        "1999-12-31 00:00:00.5",
    ];
    for (sql, kind) in [
        ("timestamp", Type::Timestamp),
        ("timestamp(0)", Type::Timestamp),
        ("timestamptz", Type::TimestampTz),
    ] {
        add(sql, kind, &[&dates[..], &moments[..]].concat());
    }
    add("time", Type::Time, &["00:00", "24:00", "12:34:56.789"]);
    add("timetz", Type::TimeTz, &["00:00+02", "12:34:56.789-11"]);
    add("interval", Type::Interval, &["0", "1 year 2 days", "-5 hours"]);
    add(
        "uuid",
        Type::Uuid,
        &[
            "3f333df6-90a4-4fda-8dd3-9485d27cee36",
            "00000000-0000-0000-0000-000000000000",
        ],
    );
    let documents = [
        "{}",
        "[]",
        "null",
        "\"ada@example.org\"",
        "42",
        "{\"a\": {\"b\": [1, \"ada@example.org\", null, true, -1.5e300]}}",
        "[\"a\\tb\\u00e9\\\\\\\"\", {\"a\": \"\"}]",
        "{\"date\": \"2024-02-29\", \"n\": 12345678901234567890}",
    ];
    add("json", Type::Json, &documents);
    add("jsonb", Type::Jsonb, &documents);
    add(
        "hstore",
        Type::Hstore,
        &[
            "",
            "a=>b",
            "a=>NULL",
            "\"q\\\"\\\\\"=>\"ada@example.org\", b=>\"\"",
        ],
    );
    add("bytea", Type::Bytea, &["", "\\x00ff", "abc"]);
    let addresses = [
        "0.0.0.0",
        "192.0.2.17",
        "255.255.255.255",
        "::",
        "2001:db8::1",
        "::ffff:192.0.2.17",
    ];
    add(
        "inet",
        Type::Inet,
        &[&addresses[..], &["192.0.2.17/24", "2001:db8::1/64", "10.0.0.1/8"]].concat(),
    );
    add(
        "cidr",
        Type::Cidr,
        &[
            &addresses[..],
            &["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "::/0"],
        ]
        .concat(),
    );
    add(
        "macaddr",
        Type::MacAddr,
        &["00:1b:63:84:45:e6", "ff:ff:ff:ff:ff:ff"],
    );
    add("macaddr8", Type::MacAddr8, &["00:1b:63:84:45:e6:00:01"]);
    add("int4range", Type::Range, &["empty", "[1,5)"]);
    add(
        "datemultirange",
        Type::MultiRange,
        &["{}", "{[2020-01-01,2021-01-01)}"],
    );
    add("bit(3)", Type::Bit(3), &["000", "101"]);
    add("bit varying(5)", Type::VarBit, &["", "101"]);
    add("xml", Type::Xml, &["<a/>"]);
    add("money", Type::Money, &["0", "-12.34"]);
    add("tsvector", Type::TsVector, &["", "a b"]);
    add("point", Type::Point, &["(1,2)"]);
    add("oid", Type::Oid, &["0", "4294967295"]);
    add(
        "mood",
        Type::Enum(vec!["sad".into(), "n/a".into()]),
        &["sad", "n/a"],
    );
    add("secret_kind", Type::Other("secret_kind".into()), &["(1,x)"]);
    // An array of each type so far (of text with a limit, one will do), of all its values, NULL and none.
    let arrays: Vec<_> = types
        .iter()
        .filter(|(sql, ..)| !sql.contains("char(") || sql == "varchar(21)")
        .map(|(sql, kind, values)| {
            let cast = |value: &String| format!("({value})::{sql}");
            let all: Vec<String> = values.iter().map(cast).collect();
            let all = all.join(", ");
            let values = [
                "'{}'".to_owned(),
                format!("ARRAY[{all}, NULL]"),
                format!("ARRAY[ARRAY[{all}]]"),
            ];
            (
                format!("{sql}[]"),
                Type::Array(Box::new(kind.clone())),
                values.to_vec(),
            )
        })
        .collect();
    types.extend(arrays);
    types
}

/// A mask of the catalogue with the options of its example, and within documents and arrays.
fn masks() -> Vec<(String, Map<String, Value>)> {
    let mut masks = Vec::new();
    for listed in listing() {
        let options: Map<String, Value> = serde_json::from_str(listed.with).unwrap();
        let mut inner = options.clone();
        inner.insert("mask".into(), json!(listed.name));
        let within = |name: &str, option: &str, value: Value| {
            (name.to_owned(), Map::from_iter([(option.to_owned(), value)]))
        };
        masks.push((listed.name.to_owned(), options));
        masks.push(within("array", "of", json!(inner)));
        masks.push(within("json", "paths", json!({"$": inner, "$..*": inner})));
        masks.push(within("hstore", "keys", json!({"*": inner})));
    }
    let options = [
        ("email", json!({"keep_domain": true})),
        ("credit_card", json!({"keep_bin": true})),
        ("date", json!({"keep_year": true})),
        ("date", json!({"age_band": 7})),
        ("date", json!({"days": 36500})),
        ("birth_date", json!({"subject": "id"})),
        ("timestamp", json!({"days": 2})),
        ("number", json!({"percent": 100})),
        ("ip", json!({"keep_prefix": true})),
        ("phone", json!({"country": "US"})),
        ("json", json!({"scrub": true})),
        ("hstore", json!({"scrub": true})),
        ("static", json!({"value": 1})),
        ("static", json!({"value": true})),
        ("static", json!({"value": "2024-02-29"})),
        ("static", json!({"value": "2024-02-29T12:00:00"})),
        ("static", json!({"value": "2024-02-29T12:00:00Z"})),
        ("static", json!({"value": "-1.5e3"})),
    ];
    let values = [
        "1.50",
        "0",
        "192.0.2.0/24",
        "192.0.2.1/24",
        "2001:db8::1",
        "12:30:00",
        "\\x00ff",
        "08:00:2b:01:02:03",
        "08:00:2b:01:02:03:04:05",
        "101",
        "{}",
        "empty",
    ];
    let fixed = values.map(|value| ("static", json!({ "value": value })));
    masks.extend(
        options
            .into_iter()
            .chain(fixed)
            .map(|(name, options)| (name.to_owned(), options.as_object().unwrap().clone())),
    );
    for kind in FAKE_KINDS {
        for locale in ["fr", "de"] {
            let options = json!({"kind": kind, "locale": locale});
            masks.push(("fake".into(), options.as_object().unwrap().clone()));
        }
    }
    masks
}

fn compiled(mask: Mask, kind: &Type, unique: bool) -> Result<Arc<RowMask>, String> {
    keyed(mask, kind.clone(), unique, "d.test")
}

/// The rows of a table that has a type's values, as the server writes them.
fn rows(database: &Database, number: usize) -> String {
    let rows = database.query(&format!("COPY t{number} TO STDOUT"));
    rows.into_iter().map(|row| row + "\n").collect()
}

/// A table `tN` for each type, with its values and a NULL.
fn tables(types: &[(String, Type, Vec<String>)]) -> String {
    let mut sql = String::from(
        "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE TYPE mood AS ENUM ('sad', 'n/a');
         CREATE TYPE secret_kind AS (a int, b text);",
    );
    for (number, (kind, _, values)) in types.iter().enumerate() {
        sql.push_str(&format!(
            "CREATE TABLE t{number} (id bigserial PRIMARY KEY, value {kind});\n"
        ));
        for value in values {
            sql.push_str(&format!(
                "INSERT INTO t{number} (value) VALUES (({value})::{kind});\n"
            ));
        }
        sql.push_str(&format!("INSERT INTO t{number} (value) VALUES (NULL);\n"));
    }
    sql
}

/// A type's number, its name in SQL, and the rows of its table.
struct Source<'a> {
    number: usize,
    sql: &'a str,
    raw: &'a str,
}

/// Each mask on each type that it may stand on, and a script that has PostgreSQL take and judge what it writes.
struct Cells {
    script: String,
    names: Vec<String>,
    wrong: Vec<String>,
}

impl Cells {
    fn new() -> Cells {
        // All that is wrong is reported, not only the first.
        let script = "\\set ON_ERROR_STOP off\nSET search_path = public, pg_catalog; \
            CREATE TEMP TABLE wrong (cell int, count bigint);\n";
        Cells {
            script: script.into(),
            names: Vec::new(),
            wrong: Vec::new(),
        }
    }

    fn add(&mut self, name: String, mask: &Arc<RowMask>, of: &Source, distinct: bool) {
        let Source { number, sql, raw } = of;
        let mut masker = mask.masker();
        let mut out = Vec::new();
        masker
            .mask_piece(raw.as_bytes(), &mut out)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let violations = masker.counts().columns[0].violations;
        if violations > 0 {
            self.wrong.push(format!("{name}: {violations} in flight"));
        }
        let at = self.names.len();
        self.names.push(name);
        self.script.push_str(&format!(
            "CREATE TEMP TABLE c{at} (id bigint, value {sql});\nCOPY c{at} FROM STDIN;\n{}\\.\n\
             INSERT INTO wrong SELECT {at}, count(*) FROM c{at} WHERE ({}) IS NOT TRUE;\n\
             INSERT INTO wrong SELECT {at}, -2 WHERE (SELECT count(*) FROM c{at}) <> {};\n",
            String::from_utf8(out).unwrap(),
            mask.columns()[0].form_sql,
            raw.lines().count()
        ));
        if distinct {
            self.script.push_str(&format!(
                "INSERT INTO wrong SELECT {at}, -1 WHERE (SELECT count(DISTINCT value::text) FROM t{number}) \
                 <> (SELECT count(DISTINCT value::text) FROM c{at});\n"
            ));
        }
        self.script.push_str(&format!("DROP TABLE c{at};\n"));
    }

    /// What was wrong in flight, and what PostgreSQL finds.
    fn judged(mut self, database: &Database) -> Vec<String> {
        let sums = "SELECT cell, sum(count) FROM wrong WHERE count <> 0 GROUP BY 1 ORDER BY 1;\n";
        for row in database.query(&(self.script + sums)) {
            let (cell, count) = row.split_once('\t').unwrap();
            let name = &self.names[cell.parse::<usize>().unwrap()];
            self.wrong.push(format!("{name}: {count}"));
        }
        self.wrong
    }
}

#[test]
fn postgresql_takes_what_a_mask_writes_wherever_the_plan_admits_the_mask() {
    let types = types();
    let database = Database::with("matrix", &tables(&types));
    let (mut cells, mut admitted) = (Cells::new(), BTreeSet::new());
    for (number, (sql, kind, _)) in types.iter().enumerate() {
        let raw = &rows(&database, number);
        for (name, options) in masks() {
            for unique in [false, true] {
                // Within a document some masks have no meaning; that is refused here, and no cell.
                let Ok(mask) = Mask::named(&name, &options) else {
                    continue;
                };
                let Ok(mask) = compiled(mask, kind, unique) else {
                    continue;
                };
                // Values of a unique column differ, but for what the type takes for the same. NULLs are distinct, and a
                // single character that is not ASCII has no room for a pseudonym of its own.
                let distinct = unique && name != "null" && !sql.ends_with("char(1)");
                let title = if unique { " unique" } else { "" };
                let title = format!("{name} {} on {sql}{title}", json!(options));
                cells.add(title, &mask, &Source { number, sql, raw }, distinct);
                admitted.insert(name.clone());
            }
        }
    }
    let known: BTreeSet<String> = listing().iter().map(|listed| listed.name.to_owned()).collect();
    assert_eq!(admitted, known, "each mask has a type that it is for");
    let count = cells.names.len();
    assert!(count > 1000, "{count} cells");
    let wrong = cells.judged(&database);
    assert!(wrong.is_empty(), "of {count} cells:\n{}", wrong.join("\n"));
}

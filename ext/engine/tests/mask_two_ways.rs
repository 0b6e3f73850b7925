//! The two ways agree: what is masked in flight and what SQL makes of the same rows are the same bytes.
//!
//! The SQL is that of the documented strategies (`'User' || id`, `'060' || lpad(…)`), with the keyed digest that this
//! version puts in the place of the documented plain hash, as pgcrypto computes it; and the same for the masks of the
//! catalogue that SQL can express.

#![allow(clippy::unwrap_used, clippy::panic)]

mod plan_support;

use masking::{strategy, ColumnFacts, Keep, Key, Mask, Pseudonyms, RowMask, TableFacts, Type, Uniqueness};
use pg_dump_archive::copy;
use plan_support::Database;
use serde_json::{json, Value};
use std::sync::Arc;

const SECRET: &str = "0123456789abcdef";
const DOMAIN: &str = "demo.example.com";

/// The keyed functions in SQL: the key of a kind is made from the secret, a pseudonym from that (see mask/key.rs).
const FUNCTIONS: &str = "
    CREATE EXTENSION pgcrypto;
    CREATE FUNCTION keyed(kind text, value text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
      SELECT hmac(convert_to(value, 'UTF8'),
                  hmac(convert_to('scalingo-staging-sync/' || kind, 'UTF8'), '0123456789abcdef', 'sha256'), 'sha256') $$;
    CREATE FUNCTION folded(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
      SELECT lower(value COLLATE \"und-x-icu\") $$;
    CREATE FUNCTION address(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
      SELECT CASE WHEN value = '' THEN '' ELSE left(encode(keyed('email', folded(value)), 'hex'), 20) || '@demo.example.com' END $$;
    CREATE FUNCTION seven_digits(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
      SELECT lpad(mod(sum(get_byte(keyed('id', value), place) * 256::numeric ^ (15 - place)), 10000000)::bigint::text, 7, '0')
      FROM generate_series(0, 15) place $$;
    CREATE FUNCTION id_or_digits(id bigint, pad int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
      SELECT CASE WHEN id BETWEEN 0 AND 9999999 THEN lpad(id::text, greatest(pad, length(id::text)), '0')
                  ELSE seven_digits(id::text) END $$;
";

/// What is awkward in a text column.
fn awkward() -> Vec<String> {
    let long: String = "a long line, é and 🙂 \\ \t"
        .chars()
        .cycle()
        .take(1 << 20)
        .collect();
    let texts = [
        "",
        " ",
        "ada@example.org",
        "ADA@Example.ORG",
        " ada@example.org ",
        "@",
        "a@@b",
        "no address",
        "é@é.fr",
        "a\tb@c",
        "a\nb",
        "\n",
        "\\",
        "\\N",
        "\\.",
        "a\\tb",
        "\\\\N",
        "'; DROP TABLE users; --",
        "\"",
        "🙂@🙂.test",
        "👩‍👩‍👧",
        "שלום@דוגמה.test",
        "مرحبا",
        "NULL",
        "\u{1}",
        "\u{7f}",
        "\r",
        "a\rb\r\n",
        "%",
        "_",
        "ÀÉÎ@X.FR",
    ];
    texts
        .iter()
        .map(|text| (*text).to_owned())
        .chain([long])
        .collect()
}

/// Numbers from a seed (SplitMix64), so that the rows are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, size: usize) -> usize {
        (self.next() % size as u64) as usize
    }

    fn text(&mut self) -> String {
        let alphabet: Vec<char> = "abzABZ019@.-_+ '\"\\\t\néÉßñ🙂ש中".chars().collect();
        (0..self.below(20))
            .map(|_| alphabet[self.below(alphabet.len())])
            .collect()
    }
}

/// A column and how its values come about.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Row,
    Id,
    Text,
    /// A text of so many characters at most.
    Short(usize),
    Date,
    Document,
}

impl Of {
    fn sql(self) -> String {
        match self {
            Of::Row => "int".into(),
            Of::Id => "bigint".into(),
            Of::Text => "text".into(),
            Of::Short(limit) => format!("varchar({limit})"),
            Of::Date => "date".into(),
            Of::Document => "jsonb".into(),
        }
    }

    fn kind(self) -> Type {
        match self {
            Of::Row => Type::Integer(4),
            Of::Id => Type::Integer(8),
            Of::Text => Type::TEXT,
            Of::Short(limit) => Type::Text {
                limit: Some(limit),
                padded: false,
                ignores_case: false,
            },
            Of::Date => Type::Date,
            Of::Document => Type::Jsonb,
        }
    }

    fn value(self, row: usize, random: &mut Random, texts: &[String]) -> Option<String> {
        let choose = |from: &[&str], random: &mut Random| from[random.below(from.len())].to_owned();
        if self != Of::Row && random.below(8) == 0 {
            return None;
        }
        Some(match self {
            Of::Row => row.to_string(),
            Of::Id => match random.below(3) {
                0 => choose(
                    &[
                        "0",
                        "-1",
                        "9999999",
                        "10000000",
                        "-9223372036854775808",
                        "9223372036854775807",
                    ],
                    random,
                ),
                1 => (random.next() as i64).to_string(),
                _ => random.below(1_000_000).to_string(),
            },
            // The megabyte comes once, as it is slow in each digest.
            Of::Text if row == 0 => texts[texts.len() - 1].clone(),
            Of::Text if random.below(2) == 0 => texts[random.below(texts.len() - 1)].clone(),
            Of::Text => random.text(),
            Of::Short(limit) => random.text().chars().take(limit).collect(),
            Of::Date => choose(
                &[
                    "infinity",
                    "-infinity",
                    "2024-02-29",
                    "1815-12-10",
                    "0001-01-01",
                    "0044-03-15 BC",
                    "5874897-12-31",
                    "1970-01-01",
                ],
                random,
            ),
            Of::Document => choose(
                &["{}", "[1, \"ada@example.org\"]", "null", "{\"a\": \"b\\\\nc\"}"],
                random,
            ),
        })
    }
}

/// Masks rows in flight and by SQL, and compares the two tables as the server writes them.
fn agree(columns: &[(&str, Of)], masks: &[(&str, Mask)], sql: &[(&str, &str)]) {
    let definition: Vec<String> = columns
        .iter()
        .map(|(name, of)| format!("\"{name}\" {}", of.sql()))
        .collect();
    let definition = definition.join(", ");
    let table = TableFacts {
        name: "public.rows".into(),
        columns: columns
            .iter()
            .map(|(name, of)| ColumnFacts {
                name: (*name).to_owned(),
                kind: of.kind(),
                not_null: false,
                unique: Uniqueness::default(),
            })
            .collect(),
        key: columns
            .iter()
            .position(|(name, _)| *name == "id")
            .into_iter()
            .collect(),
        key_is_enforced: false,
        checks: Default::default(),
        genders: Default::default(),
    };
    let place = |name: &str| columns.iter().position(|(known, _)| *known == name).unwrap();
    let masks: Vec<(usize, Mask)> = masks
        .iter()
        .map(|(name, mask)| (place(name), mask.clone()))
        .collect();
    let pseudonyms = Pseudonyms {
        key: Key::new(&SECRET.into()),
        email_domain: DOMAIN.into(),
        utf8: true,
        staging_password: None,
        helpers: Default::default(),
    };
    let mask = RowMask::new(&table, &masks, &pseudonyms).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (mut random, texts, mut raw) = (Random(7), awkward(), Vec::new());
    for row in 0..400 {
        for (at, (_, of)) in columns.iter().enumerate() {
            if at > 0 {
                raw.push(b'\t');
            }
            copy::encode(
                of.value(row, &mut random, &texts).as_deref().map(str::as_bytes),
                &mut raw,
            );
        }
        raw.push(b'\n');
    }
    let (mut masker, mut flight) = (Arc::new(mask).masker(), Vec::new());
    masker.mask_piece(&raw, &mut flight).unwrap();
    assert!(masker
        .counts()
        .columns
        .iter()
        .all(|counts| counts.violations == 0));
    let assignments: Vec<String> = sql
        .iter()
        .map(|(name, sql)| format!("\"{name}\" = {sql}"))
        .collect();
    let mut script = format!(
        "{FUNCTIONS} CREATE TABLE in_flight ({definition}); CREATE TABLE by_sql ({definition});\nCOPY in_flight FROM STDIN;\n"
    );
    script.push_str(&String::from_utf8(flight).unwrap());
    script.push_str("\\.\nCOPY by_sql FROM STDIN;\n");
    script.push_str(&String::from_utf8(raw).unwrap());
    script.push_str(&format!("\\.\nUPDATE by_sql SET {};\n", assignments.join(", ")));
    let database = Database::with("two_ways", &script);
    for (name, _) in columns {
        let different = database.query(&format!(
            "SELECT f.row, left(f.\"{name}\"::text, 60), left(s.\"{name}\"::text, 60) FROM in_flight f JOIN by_sql s USING (row) \
             WHERE f.\"{name}\" IS DISTINCT FROM s.\"{name}\" OR f.\"{name}\"::text IS DISTINCT FROM s.\"{name}\"::text LIMIT 5"
        ));
        assert!(different.is_empty(), "{name}: {different:#?}");
    }
    let rows = |table: &str| database.query(&format!("COPY (SELECT * FROM {table} ORDER BY row) TO STDOUT"));
    assert_eq!(rows("in_flight").len(), 400);
    assert!(rows("in_flight") == rows("by_sql"));
}

fn masks_of(name: &str) -> Vec<(&'static str, Mask)> {
    strategy(name).unwrap().masks().collect()
}

fn named(name: &str, options: Value) -> Mask {
    Mask::named(name, options.as_object().unwrap()).unwrap()
}

/// What a constant becomes: NULL stays NULL.
fn constant(column: &str, text: &str) -> String {
    format!("CASE WHEN \"{column}\" IS NOT NULL THEN '{text}' END")
}

/// What the documents say that a strategy writes into every row; None: NULL.
fn documented(strategy: &str, column: &str) -> Option<&'static str> {
    let is_user = strategy == "user_anonymization";
    match column {
        "first_name" => Some("Demo"),
        "address_line1" if is_user => Some("8 rue du sentier"),
        "address_line1" => Some("123 Demo Street"),
        "city" if is_user => Some("Paris"),
        "city" => Some("Demo City"),
        "postal_code" if is_user => Some("75002"),
        "postal_code" => Some("00000"),
        _ if column.contains("last") => Some("0000"),
        _ => None,
    }
}

/// `row` first, then the strategy's columns, of the type that `of` says.
fn columns<'m>(
    more: &[(&'m str, Of)],
    masks: &[(&'m str, Mask)],
    of: impl Fn(&str) -> Of,
) -> Vec<(&'m str, Of)> {
    let mut columns = vec![("row", Of::Row), ("id", Of::Id)];
    columns.extend(more);
    columns.extend(masks.iter().map(|(name, _)| (*name, of(name))));
    columns
}

#[test]
fn the_user_strategy_in_flight_and_by_sql() {
    let masks = masks_of("user_anonymization");
    let of = |name: &str| match name {
        "first_name" => Of::Short(3),
        "city" => Of::Short(4),
        "birth_date" => Of::Date,
        "billing_extra" => Of::Document,
        "zendesk_user_id" => Of::Id,
        _ => Of::Text,
    };
    let mut sql: Vec<(&str, String)> = Vec::new();
    for (name, _) in &masks {
        sql.push((
            *name,
            match (documented("user_anonymization", name), *name) {
                (_, "email") => "address(email)".into(),
                // Of the new address; of the old value where there is none.
                (_, "email_md5") => "CASE WHEN email_md5 IS NULL THEN NULL WHEN email IS NOT NULL THEN md5(address(email))
                    ELSE left(encode(keyed('email_md5', email_md5), 'hex'), 32) END"
                    .into(),
                // Documented: 'User' || id, 'Demo User' || id; the value itself stands for an id that is NULL.
                (_, "last_name") => "CASE WHEN last_name IS NOT NULL THEN 'User' || coalesce(id_or_digits(id, 0), seven_digits(last_name)) END".into(),
                (_, "full_name") => "CASE WHEN full_name IS NOT NULL THEN 'Demo User' || coalesce(id_or_digits(id, 0), seven_digits(full_name)) END".into(),
                (Some(text), "first_name") => constant(name, &text[..3]),
                (Some(text), "city") => constant(name, &text[..4]),
                (Some(text), _) => constant(name, text),
                (None, _) => "NULL".into(),
            },
        ));
    }
    let sql: Vec<(&str, &str)> = sql.iter().map(|(name, sql)| (*name, sql.as_str())).collect();
    agree(&columns(&[], &masks, of), &masks, &sql);
}

#[test]
fn the_phone_strategy_in_flight_and_by_sql() {
    let masks = masks_of("phone_anonymization");
    let sql = |column: &str| {
        format!(
            "CASE WHEN {column} IS NULL THEN NULL WHEN {column} = '' THEN '' ELSE '060' ||
             coalesce(id_or_digits(user_id, 7), id_or_digits(id, 7), seven_digits({column})) END"
        )
    };
    let sql: Vec<(&str, String)> = masks.iter().map(|(name, _)| (*name, sql(name))).collect();
    let sql: Vec<(&str, &str)> = sql.iter().map(|(name, sql)| (*name, sql.as_str())).collect();
    agree(
        &columns(&[("user_id", Of::Id)], &masks, |_| Of::Text),
        &masks,
        &sql,
    );
}

#[test]
fn the_strategies_for_payments_addresses_and_mail_in_flight_and_by_sql() {
    for strategy in [
        "payment_anonymization",
        "address_anonymization",
        "email_anonymization",
    ] {
        let masks = masks_of(strategy);
        let sql: Vec<(&str, String)> = masks
            .iter()
            .map(|(name, _)| match (documented(strategy, name), *name) {
                (_, "email") => (*name, "address(email)".into()),
                (Some(text), _) => (*name, constant(name, text)),
                (None, _) => (*name, "NULL".into()),
            })
            .collect();
        let sql: Vec<(&str, &str)> = sql.iter().map(|(name, sql)| (*name, sql.as_str())).collect();
        agree(&columns(&[], &masks, |_| Of::Text), &masks, &sql);
    }
}

/// Columns, each with a mask and the same in SQL.
fn in_both_languages() -> Vec<(&'static str, Of, Mask, String)> {
    let unless_empty = |column: &str, sql: &str| format!("CASE WHEN {column} = '' THEN '' ELSE {sql} END");
    let keep = Arc::new(Keep::new(&["*@example.org".into(), "a*b".into(), "%".into()]));
    vec![
        ("email", Of::Text, named("email", json!({})), "address(email)".into()),
        (
            "kept",
            Of::Text,
            named("email", json!({})).keeping(keep),
            "CASE WHEN kept ILIKE '%@example.org' OR kept ILIKE 'a%b' OR kept ILIKE '\\%' THEN kept ELSE address(kept) END".into(),
        ),
        (
            "hash",
            Of::Text,
            named("hash", json!({})),
            unless_empty("hash", "encode(keyed('hash', hash), 'hex')"),
        ),
        (
            "short_hash",
            Of::Short(12),
            named("hash", json!({"length": 10})),
            unless_empty("short_hash", "left(encode(keyed('hash', short_hash), 'hex'), 10)"),
        ),
        (
            "username",
            Of::Text,
            named("username", json!({})),
            unless_empty("username", "'user_' || right(encode(keyed('username', username), 'hex'), 14)"),
        ),
        ("redacted", Of::Text, named("redact", json!({})), unless_empty("redacted", "'[REDACTED]'")),
        ("cut", Of::Short(5), named("redact", json!({})), unless_empty("cut", "'[REDA'")),
        ("gone", Of::Text, named("null", json!({})), "NULL".into()),
        ("fixed", Of::Text, named("static", json!({"value": "it's\ta\\N"})), unless_empty("fixed", "'it''s\ta\\N'")),
        (
            "template",
            Of::Text,
            named("template", json!({"template": "user-{id}@x.test <{email}> {gone}."})),
            unless_empty("template", "concat('user-', id, '@x.test <', address(email), '> ', '.')"),
        ),
        (
            "decade",
            Of::Date,
            named("date", json!({"age_band": 10})),
            "CASE WHEN NOT isfinite(decade) THEN decade
                  WHEN extract(year FROM decade) > 0
                  THEN CASE WHEN extract(year FROM decade)::int / 10 = 0 THEN date '0001-01-01 BC'
                            ELSE make_date(extract(year FROM decade)::int / 10 * 10, 1, 1) END
                  -- There is no year 0: 1 BC stands in its place, and 44 BC is the year -43.
                  ELSE make_date(-(ceil((-extract(year FROM decade) - 1) / 10.0)::int * 10 + 1), 1, 1) END"
                .into(),
        ),
    ]
}

#[test]
fn the_masks_that_sql_can_express_in_flight_and_by_sql() {
    let cases = in_both_languages();
    let mut columns = vec![("row", Of::Row), ("id", Of::Id)];
    columns.extend(cases.iter().map(|(name, of, ..)| (*name, *of)));
    let masks: Vec<(&str, Mask)> = cases
        .iter()
        .map(|(name, _, mask, _)| (*name, mask.clone()))
        .collect();
    let sql: Vec<(&str, &str)> = cases
        .iter()
        .map(|(name, _, _, sql)| (*name, sql.as_str()))
        .collect();
    let sql: Vec<(&str, String)> = sql
        .iter()
        .map(|(name, sql)| (*name, format!("CASE WHEN \"{name}\" IS NOT NULL THEN {sql} END")))
        .collect();
    let sql: Vec<(&str, &str)> = sql.iter().map(|(name, sql)| (*name, sql.as_str())).collect();
    agree(&columns, &masks, &sql);
}

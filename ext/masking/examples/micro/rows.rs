//! The demo's users as COPY text: 27 columns, nineteen of which the user strategy masks. Made from row numbers, so
//! every run works on the same bytes.

use masking::{strategy, ColumnFacts, Key, Mask, Pseudonyms, RowMask, TableFacts, Type, Uniqueness};
use pg_dump_archive::copy::binary::{Form, Layout};
use std::fmt::Write as _;
use std::sync::Arc;

/// Columns of the data.
fn columns() -> Vec<(&'static str, Type)> {
    let text = |limit| Type::Text {
        limit: Some(limit),
        padded: false,
        ignores_case: false,
    };
    vec![
        ("id", Type::Integer(8)),
        ("email", text(255)),
        ("email_md5", text(32)),
        ("first_name", text(80)),
        ("last_name", text(80)),
        ("full_name", text(160)),
        ("role", Type::TEXT),
        ("credit_card_last_4", text(4)),
        ("iban_last4", text(4)),
        ("stripe_customer_id", Type::TEXT),
        ("google_token", Type::TEXT),
        ("facebook_token", Type::TEXT),
        ("apple_id", Type::TEXT),
        ("birth_date", Type::Date),
        ("birth_place", Type::TEXT),
        ("billing_extra", Type::TEXT),
        ("zendesk_user_id", Type::Integer(8)),
        ("address_line1", Type::TEXT),
        ("address_line2", Type::TEXT),
        ("postal_code", text(10)),
        ("city", Type::TEXT),
        ("preferences", Type::TEXT),
        ("tags", Type::TEXT),
        ("referrer_id", Type::Integer(8)),
        ("default_address_id", Type::Integer(8)),
        ("created_at", Type::TEXT),
        ("updated_at", Type::TEXT),
    ]
}

/// The user strategy's masks of the named columns, or of all nineteen.
pub fn mask(only: Option<&[&str]>) -> Arc<RowMask> {
    let columns = columns();
    let strategy = strategy("user_anonymization").expect("a strategy");
    let masks: Vec<(usize, Mask)> = columns
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| only.is_none_or(|only| only.contains(name)))
        .filter_map(|(at, (name, _))| Some((at, strategy.mask_of(name)?)))
        .collect();
    assert_eq!(masks.len(), only.map_or(19, <[&str]>::len));
    let table = TableFacts {
        name: "public.users".into(),
        columns: columns
            .into_iter()
            .map(|(name, kind)| ColumnFacts {
                name: name.into(),
                kind,
                not_null: matches!(name, "id" | "email"),
                unique: Uniqueness {
                    distinct: matches!(name, "id" | "email"),
                    ..Uniqueness::default()
                },
            })
            .collect(),
        key: vec![0],
        key_is_enforced: true,
        checks: Default::default(),
        genders: Default::default(),
    };
    let pseudonyms = Pseudonyms {
        key: Key::new(&"a secret of the benchmark".into()),
        email_domain: "demo.example.com".into(),
        utf8: true,
        staging_password: None,
        helpers: Default::default(),
    };
    Arc::new(RowMask::new(&table, &masks, &pseudonyms).expect("the masks fit"))
}

/// How the rows are written in binary COPY.
pub fn layout() -> Layout {
    let form = |(name, kind): (&str, Type)| match kind {
        Type::Integer(_) => Form::Int8,
        Type::Date => Form::Date,
        _ if name.ends_with("_at") => Form::Timestamp,
        _ => Form::Text,
    };
    Layout::new(columns().into_iter().map(form).collect()).expect("there are columns")
}

/// Something that looks like a digest, from a number.
fn digest(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// `count` rows.
pub fn rows(count: u64) -> Vec<u8> {
    let pick = |from: &[&'static str], at: u64| from[(at % from.len() as u64) as usize];
    let mut out = String::new();
    for n in 1..=count {
        let some = |condition: bool, text: String| if condition { text } else { "\\N".into() };
        let first = pick(
            &[
                "Camille", "Jean", "Fatima", "Louis", "Chloé", "Noé", "Inès", "Hugo",
            ],
            n,
        );
        let last = pick(
            &["Martin", "Bernard", "Petit", "Durand", "Leroy", "Moreau"],
            n / 60,
        );
        let city = pick(&["Lyon", "Marseille", "Nantes", "Lille", "Rennes", "Brest"], n);
        let mail = pick(&["orange", "free", "laposte", "gmail"], n);
        let token = |salt: u64| format!("{:016x}{:016x}", digest(n + salt), digest(n + salt + 1));
        let fields = [
            n.to_string(),
            format!("client.{:08x}{n}@{mail}.example", digest(n) >> 32),
            token(7),
            first.into(),
            last.into(),
            format!("{first} {last}"),
            "customer".into(),
            some(n % 3 > 0, format!("{:04}", n * 7919 % 10_000)),
            some(n % 4 == 0, format!("{:04}", n * 6271 % 10_000)),
            some(n % 3 > 0, format!("cus_{}", &token(1)[..14])),
            some(n % 5 == 0, format!("ya29.{}", token(2))),
            some(n % 7 == 0, format!("EAAG{}", token(3))),
            some(n % 9 == 0, format!("001.{}", token(4))),
            some(
                n % 8 > 0,
                format!("{}-{:02}-{:02}", 1950 + n % 55, 1 + n % 12, 1 + n % 28),
            ),
            some(n % 8 > 0, city.into()),
            some(
                n % 20 == 0,
                format!("Facturer à {first} {last}\\nService comptabilité"),
            ),
            some(n % 6 == 0, (900_000_000 + n).to_string()),
            format!(
                "{} {}",
                1 + n % 180,
                pick(&["rue de la Paix", "avenue Victor Hugo", "rue des Lilas"], n)
            ),
            some(n % 9 == 0, "Bâtiment C".into()),
            format!("{:05}", 1000 + n * 13 % 94_000),
            city.into(),
            format!(
                "{{\"theme\": \"{}\", \"newsletter\": {}}}",
                pick(&["dark", "light"], n),
                n % 2 == 0
            ),
            pick(
                &["{}", "{regular}", "{vip,\"has \\\\\"quotes\\\\\", and commas\"}"],
                n,
            )
            .into(),
            some(n % 11 == 0, (n / 2).to_string()),
            some(n % 2 == 0, n.to_string()),
            format!(
                "2023-{:02}-{:02} {:02}:{:02}:00",
                1 + n % 12,
                1 + n % 28,
                n % 24,
                n % 60
            ),
            "2025-06-30 00:00:00".into(),
        ];
        let _ = writeln!(out, "{}", fields.join("\t"));
    }
    out.into_bytes()
}

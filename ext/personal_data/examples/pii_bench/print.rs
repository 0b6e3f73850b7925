//! The tables that `bench/pii` prints.

use crate::measure::{forms_found, PublicScores, Score, Scores};
use crate::public::{Schema, Values};
use crate::support::Table;
use std::collections::{BTreeMap, BTreeSet};

/// A half's name, its tables and its figures.
type Half<'a> = (&'a str, &'a [Table], &'a Scores);

/// The corpus that was written for this project.
pub fn own(halves: &[Half<'_>]) {
    println!("Schemas written for this project (ext/engine/tests/corpus)\n");
    println!(
        "{:<10} {:>7} {:>8}  {:<12} {:>7} {:>10} {:>9}",
        "half", "tables", "columns", "", "recall", "precision", "heading"
    );
    for (half, tables, scores) in halves {
        let columns: usize = tables.iter().map(|table| table.columns.len()).sum();
        for (row, (way, score)) in ways(scores).into_iter().enumerate() {
            let facts = match row {
                0 => format!("{half:<10} {:>7} {columns:>8}", tables.len()),
                _ => " ".repeat(27),
            };
            println!(
                "{facts}  {way:<12} {:>7.3} {:>10.3} {:>9.3}",
                score.recall(),
                score.precision(),
                score.headings()
            );
        }
    }
}

fn ways(scores: &Scores) -> [(&'static str, Score); 3] {
    [
        ("by name", scores.by_name),
        ("by content", scores.by_content),
        ("together", scores.together),
    ]
}

/// The public schemas: as a whole, by kind and by language. Of the untouched half only totals.
pub fn public(halves: &[Vec<Schema>; 2], scores: &[&PublicScores; 2]) {
    println!("\nPublic schemas (bench/corpus)\n");
    println!(
        "{:<10} {:>7} {:>8} {:>8} {:>8}  {:<12} {:>7} {:>10}",
        "half", "schemas", "columns", "personal", "arguable", "", "recall", "precision"
    );
    for (half, (schemas, scores)) in ["tuning", "untouched"].into_iter().zip(halves.iter().zip(scores)) {
        for (row, (way, score)) in ways(&scores.all).into_iter().enumerate() {
            let facts = match row {
                0 => format!("{half:<10} {}", counts(schemas)),
                _ => " ".repeat(45),
            };
            println!(
                "{facts}  {way:<12} {:>7.3} {:>10.3}",
                score.recall(),
                score.precision()
            );
        }
    }
    by_kind(scores);
    by_language(scores);
}

/// The schemas that were read once, for training and tuning: as a whole.
pub fn training(schemas: &[Schema], scores: &PublicScores) {
    println!("\nRead once, for training: schemas, columns, personal, arguable\n");
    for (row, (way, score)) in ways(&scores.all).into_iter().enumerate() {
        let facts = match row {
            0 => format!("{:<10} {}", "training", counts(schemas)),
            _ => " ".repeat(45),
        };
        println!(
            "{facts}  {way:<12} {:>7.3} {:>10.3}",
            score.recall(),
            score.precision()
        );
    }
}

fn counts(schemas: &[Schema]) -> String {
    let columns = schemas.iter().flat_map(Schema::columns);
    let (mut all, mut personal, mut arguable) = (0, 0, 0);
    for (_, column) in columns {
        all += 1;
        match column.personal() {
            Some(true) => personal += 1,
            None => arguable += 1,
            Some(false) => {}
        }
    }
    format!("{:>7} {all:>8} {personal:>8} {arguable:>8}", schemas.len())
}

fn names(both: [&BTreeMap<String, Scores>; 2]) -> BTreeSet<&String> {
    both.into_iter().flat_map(|scores| scores.keys()).collect()
}

fn by_kind(scores: &[&PublicScores; 2]) {
    println!("\n{:<10} {:^31} {:^31}", "recall", "tuning", "untouched");
    let head = format!("{:>7} {:>7} {:>7} {:>7}", "columns", "name", "content", "both");
    println!("{:<10} {head} {head}", "by kind");
    for kind in names([&scores[0].by_kind, &scores[1].by_kind]) {
        let cells = scores.map(|half| match half.by_kind.get(kind) {
            Some(scores) => {
                let [name, content, both] = ways(scores).map(|(_, score)| score.recall());
                let columns = scores.together.found + scores.together.missed;
                format!("{columns:>7} {name:>7.2} {content:>7.2} {both:>7.2}")
            }
            None => " ".repeat(31),
        });
        println!("{kind:<10} {} {}", cells[0], cells[1]);
    }
}

fn by_language(scores: &[&PublicScores; 2]) {
    println!("\nrecall/precision");
    let head = format!("{:>9} {:>9} {:>9}", "name", "content", "both");
    println!("{:<10} {:^29}  {:^29}", "", "tuning", "untouched");
    println!("{:<10} {head}  {head}", "by language");
    for language in names([&scores[0].by_language, &scores[1].by_language]) {
        let cells = scores.map(|half| match half.by_language.get(language) {
            Some(scores) => ways(scores)
                .map(|(_, score)| format!("{:.2}/{:.2}", score.recall(), score.precision()))
                .map(|cell| format!("{cell:>9}"))
                .join(" "),
            None => " ".repeat(29),
        });
        println!("{language:<11}{}  {}", cells[0], cells[1]);
    }
}

/// Kinds that values show by themselves, and kinds that count only beside a person.
const PERSONAL: &[&str] = &[
    "email",
    "email_idn",
    "email_list",
    "phone",
    "phone_digits",
    "full_name",
    "name_upper",
    "first_name",
    "last_name",
    "street",
    "full_address",
    "national_id",
    "iban",
    "iban_spaced",
    "bban",
    "card",
    "plate",
    "birth_date_written",
    "profile_url",
    "ip",
    "bcrypt",
    "token",
    "note",
    "json_person",
    "yaml_person",
    "json_answer",
];

/// What must not be taken for personal.
const THINGS: &[&str] = &[
    "brand",
    "film",
    "site",
    "company",
    "product",
    "status",
    "order_number",
    "order_number_ten",
    "serial",
    "barcode",
    "isbn",
    "version",
    "version_four",
    "price",
    "md5",
    "sha256",
    "uuid",
    "slug",
    "url",
    "page",
    "json_settings",
];

/// What values show without a column's name, by source and locale.
pub fn forms(values: &Values) {
    let locales: Vec<&str> = values.locales().collect();
    println!("\nValues by themselves: found alone (a), in JSON (j), in sentences (s)\n");
    println!("{:<20} {}", "", cells(locales.iter().map(ToString::to_string)));
    let row = |source: &&str| {
        let found = locales.iter().map(|locale| forms_found(values, locale, source));
        println!("{source:<20} {}", cells(found));
    };
    PERSONAL.iter().for_each(row);
    println!("\nNot personal, so each letter is a mistake\n");
    THINGS.iter().for_each(row);
}

fn cells(texts: impl Iterator<Item = String>) -> String {
    texts
        .map(|text| format!("{text:<6}"))
        .collect::<Vec<_>>()
        .join("")
        .trim_end()
        .to_string()
}

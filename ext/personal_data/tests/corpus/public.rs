//! Reads the public schemas in `bench/corpus` and fills their columns from the values there.
//!
//! Shared by the test `pii_corpus` and by the example `pii_bench`.

use crate::support::{as_dumped, Rng};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// What the two readers say of a column together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// Both call it personal; of this kind.
    Personal(String),
    /// Both leave it out.
    Not,
    /// They differ, or one of them doubts: counts neither way.
    Arguable,
}

/// One column of a public schema.
pub struct Column {
    pub name: String,
    /// As pg_dump writes it.
    pub sql_type: String,
    pub nullable: bool,
    /// What each reader wrote; the same twice where there was one.
    pub readings: [String; 2],
    /// The source of its values, a name in `values/`.
    pub source: String,
}

impl Column {
    pub fn label(&self) -> Label {
        let [first, second] = &self.readings;
        match (first.as_str(), second.as_str()) {
            ("-", "-") => Label::Not,
            ("-" | "?", _) | (_, "-" | "?") => Label::Arguable,
            _ => Label::Personal(first.clone()),
        }
    }

    /// Whether it counts as personal; `None` where it is arguable.
    pub fn personal(&self) -> Option<bool> {
        match self.label() {
            Label::Personal(_) => Some(true),
            Label::Not => Some(false),
            Label::Arguable => None,
        }
    }
}

/// One table of a public schema.
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
}

/// One public schema.
pub struct Schema {
    /// Its file's name, the language first: `fr_mpal`.
    pub name: String,
    pub tables: Vec<Table>,
}

impl Schema {
    pub fn language(&self) -> &str {
        self.name.split('_').next().unwrap_or_default()
    }

    /// The locale that its values are of.
    pub fn locale(&self) -> &'static str {
        match self.language() {
            "fr" => "fr_FR",
            "de" => "de_DE",
            "es" => "es_ES",
            "it" => "it_IT",
            "nl" => "nl_NL",
            "pt" => "pt_BR",
            _ if self.name.len() & 1 == 0 => "en_GB",
            _ => "en_US",
        }
    }

    pub fn columns(&self) -> impl Iterator<Item = (&Table, &Column)> {
        self.tables
            .iter()
            .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
    }
}

/// Where the public corpus lies.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/corpus")
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the public corpus is there")
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tsv"))
        .collect();
    files.sort();
    files
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

/// Reads one part, `tuning`, `untouched` or `training`, schemas in the order of their names.
pub fn read(half: &str) -> Vec<Schema> {
    files(&root().join("schemas").join(half))
        .iter()
        .map(|path| read_schema(path))
        .collect()
}

fn read_schema(path: &Path) -> Schema {
    let mut tables: Vec<Table> = Vec::new();
    for line in text(path).lines().skip(1) {
        let mut fields = line.split('\t');
        let mut next = || {
            fields
                .next()
                .unwrap_or_else(|| panic!("too short: {line}"))
                .to_string()
        };
        let table = next();
        let (name, sql_type, nullable) = (next(), as_dumped(&next()), next().is_empty());
        let (first, second) = (next(), next());
        let column = Column {
            name,
            sql_type,
            nullable,
            readings: [first.clone(), if second == "=" { first } else { second }],
            source: next(),
        };
        match tables.last_mut() {
            Some(last) if last.name == table => last.columns.push(column),
            _ => tables.push(Table {
                name: table,
                columns: vec![column],
            }),
        }
    }
    Schema {
        name: stem(path),
        tables,
    }
}

/// What frameworks write: column, the table it stands in (`*` is every table), and its label.
pub fn framework() -> Vec<[String; 3]> {
    text(&root().join("framework.tsv"))
        .lines()
        .map(|line| {
            let mut fields = line.split('\t').map(String::from);
            [(); 3].map(|()| fields.next().expect("three fields"))
        })
        .collect()
}

/// The values of the corpus: by locale, by source.
pub struct Values {
    by_locale: BTreeMap<String, HashMap<String, Vec<String>>>,
}

impl Values {
    pub fn read() -> Values {
        let by_locale = files(&root().join("values"))
            .iter()
            .map(|path| {
                let mut sources: HashMap<String, Vec<String>> = HashMap::new();
                for line in text(path).lines() {
                    let (source, value) = line.split_once('\t').expect("a source and a value");
                    sources
                        .entry(source.to_string())
                        .or_default()
                        .push(value.replace("\\n", "\n"));
                }
                (stem(path), sources)
            })
            .collect();
        Values { by_locale }
    }

    /// The locales, without what is common to all.
    pub fn locales(&self) -> impl Iterator<Item = &str> {
        self.by_locale
            .keys()
            .map(String::as_str)
            .filter(|locale| *locale != "common")
    }

    /// The values of a source in a locale; empty for `none` and for what there is not.
    pub fn of(&self, locale: &str, source: &str) -> &[String] {
        [locale, "common"]
            .iter()
            .find_map(|place| self.by_locale.get(*place)?.get(source))
            .map_or(&[], Vec::as_slice)
    }

    /// Every source there is.
    pub fn sources(&self) -> BTreeSet<&str> {
        self.by_locale
            .values()
            .flat_map(|sources| sources.keys().map(String::as_str))
            .collect()
    }

    /// The values of a column, row by row, without NULLs: a fifth of the rows where the column may be null.
    pub fn fill(&self, schema: &Schema, table: &Table, column: &Column, rows: u64) -> Vec<Vec<u8>> {
        let pool = self.of(schema.locale(), &column.source);
        if pool.is_empty() {
            return Vec::new();
        }
        let seed = format!("{}/{}/{}", schema.name, table.name, column.name);
        (0..rows)
            .filter_map(|row| {
                let mut rng = Rng::new(&seed, row);
                let null = column.nullable && rng.below(5) == 0;
                let value = &pool[rng.below(pool.len() as u64) as usize];
                (!null).then(|| as_stored(value, &column.sql_type))
            })
            .collect()
    }
}

/// A value as COPY's text would hold it in a column of this type.
fn as_stored(value: &str, sql_type: &str) -> Vec<u8> {
    if sql_type.ends_with("[]") {
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("{{\"{quoted}\"}}").into_bytes();
    }
    value.as_bytes().to_vec()
}

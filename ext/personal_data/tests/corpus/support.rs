//! Reads the labelled corpus and makes its values. It shares no code and no word list with the detector.
//!
//! Every value is a function of its application, table, column and row: the corpus is the same everywhere, always.
//! Shared by the test `pii_corpus` and by the example `pii_bench`.

mod generators;
mod words;

use generators::generate;
use std::path::{Path, PathBuf};

/// One column of one table of the corpus.
pub struct Column {
    pub name: String,
    /// As pg_dump writes it.
    pub sql_type: String,
    /// A kind's name, `-` or `?` (see the corpus' README).
    pub label: String,
    generator: String,
    /// Share of NULLs, in percent.
    nulls: u64,
}

impl Column {
    /// Whether the label says personal; `None` where privacy officers would differ.
    pub fn personal(&self) -> Option<bool> {
        match self.label.as_str() {
            "?" => None,
            "-" => Some(false),
            _ => Some(true),
        }
    }
}

/// One table of the corpus.
pub struct Table {
    pub app: String,
    pub name: String,
    pub columns: Vec<Column>,
}

impl Table {
    /// The value of a column in a row; `None` is NULL.
    pub fn value(&self, column: &Column, row: u64) -> Option<Vec<u8>> {
        let mut rng = Rng::new(&format!("{}/{}/{}", self.app, self.name, column.name), row);
        if rng.below(100) < column.nulls {
            return None;
        }
        Some(generate(&column.generator, row, &mut rng))
    }
}

/// Where the corpus lies.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// Reads one half, `tuning` or `untouched`, files in the order of their names.
pub fn read(half: &str) -> Vec<Table> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join(half))
        .expect("the corpus is there")
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    files.iter().flat_map(|path| read_file(path)).collect()
}

fn read_file(path: &Path) -> Vec<Table> {
    let app = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let mut tables: Vec<Table> = Vec::new();
    for line in std::fs::read_to_string(path).expect("a text file").lines() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("table ") {
            tables.push(Table {
                app: app.clone(),
                name: name.to_string(),
                columns: Vec::new(),
            });
        } else {
            tables
                .last_mut()
                .expect("a table first")
                .columns
                .push(read_column(line));
        }
    }
    tables
}

fn read_column(line: &str) -> Column {
    let mut rest = line.trim_start();
    let mut word = || {
        let (word, tail) = rest
            .split_once(' ')
            .unwrap_or_else(|| panic!("too short: {line}"));
        rest = tail.trim_start();
        word.to_string()
    };
    let (name, sql_type, label) = (word(), word(), word());
    let (generator, nulls) = match rest.rsplit_once('~') {
        Some((generator, nulls)) => (generator, nulls.parse().expect("a share of NULLs")),
        None => (rest, 0),
    };
    Column {
        name,
        sql_type: as_dumped(&sql_type),
        label,
        generator: generator.to_string(),
        nulls,
    }
}

/// The type as pg_dump spells it.
pub fn as_dumped(short: &str) -> String {
    match short {
        "varchar" => "character varying".into(),
        "timestamp" => "timestamp without time zone".into(),
        "double" => "double precision".into(),
        "float8[]" => "double precision[]".into(),
        _ if short.starts_with("varchar(") => short.replace("varchar", "character varying"),
        _ if short.starts_with("char(") => short.replace("char", "character"),
        _ => short.into(),
    }
}

/// A small deterministic generator of numbers (splitmix64).
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: &str, row: u64) -> Rng {
        let hash = seed.bytes().fold(0xcbf29ce484222325u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100000001b3)
        });
        let mut rng = Rng(hash ^ row.wrapping_mul(0x9e3779b97f4a7c15));
        rng.next();
        rng
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }
    pub fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
    fn chars(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| alphabet[self.below(alphabet.len() as u64) as usize])
            .collect()
    }
    fn digits(&mut self, length: usize) -> String {
        self.chars("0123456789", length)
    }
}

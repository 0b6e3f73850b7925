//! Prints how well and how fast personal data is detected; `bench/pii` runs it.
//!
//! `--check` exits 1 when an untouched half falls below its goal, and says by how much, and when the model's weights are
//! not those of what the detector looks at. `--mistakes` lists the wrong
//! answers on the tuning halves and the training schemas, `--features` what the model looks at there, for `bench/corpus/learn.py`.
//! There is no such option for the untouched halves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code
)]

#[path = "../tests/corpus/measure.rs"]
mod measure;
#[path = "pii_bench/print.rs"]
mod print;
#[path = "../tests/corpus/public.rs"]
mod public;
#[path = "../tests/corpus/support.rs"]
mod support;

use measure::{measure, measure_public, Mistake, Score, ROWS};
use personal_data::{by_name, ColumnDetector, ColumnName, Scanner, TableContext};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};
use support::Table;

/// What `--check` holds an untouched half to.
struct Goal {
    what: &'static str,
    recall: f64,
    precision: f64,
}

/// On the schemas that were written for this project.
const OWN: Goal = Goal {
    what: "schemas written for this project, by name and content",
    recall: 0.95,
    precision: 0.90,
};
/// On public schemas.
const PUBLIC: Goal = Goal {
    what: "public schemas, by name and content",
    recall: 0.97,
    precision: 0.92,
};
const PUBLIC_NAME: Goal = Goal {
    what: "public schemas, by name",
    recall: 0.92,
    precision: 0.92,
};

impl Goal {
    /// Says so where a score is below the goal.
    fn is_met(&self, score: &Score) -> bool {
        let met = |figure: &str, reached: f64, wanted: f64| {
            if reached < wanted {
                eprintln!(
                    "{}: {figure} {reached:.3} is {:.3} below {wanted}.",
                    self.what,
                    wanted - reached
                );
            }
            reached >= wanted
        };
        let (recall, precision) = (
            met("recall", score.recall(), self.recall),
            met("precision", score.precision(), self.precision),
        );
        recall && precision
    }
}

fn main() -> std::process::ExitCode {
    let options: Vec<String> = std::env::args().skip(1).collect();
    let has = |option: &str| options.iter().any(|given| given == option);
    if let Some(unknown) = options
        .iter()
        .find(|option| !matches!(option.as_str(), "--check" | "--mistakes" | "--features"))
    {
        eprintln!("Unknown option {unknown}. Known are --check, --mistakes and --features.");
        return std::process::ExitCode::from(2);
    }
    let (tuning, untouched) = (support::read("tuning"), support::read("untouched"));
    let values = public::Values::read();
    let features = || {
        let parts = ["tuning", "training", "written"].into_iter();
        parts.flat_map(|part| measure::features_public(&public::read(part), &values))
    };
    if has("--features") {
        features().for_each(|(line, _)| println!("{line}"));
        return std::process::ExitCode::SUCCESS;
    }
    let halves = [public::read("tuning"), public::read("untouched")];
    let (tuning_scores, mistakes) = measure(&tuning);
    let (scores, _) = measure(&untouched);
    let (public_tuning, public_mistakes) = measure_public(&halves[0], &values);
    let (public_untouched, _) = measure_public(&halves[1], &values);
    let training = public::read("training");
    let (public_training, training_mistakes) = measure_public(&training, &values);
    if has("--mistakes") {
        let all = mistakes.iter().chain(&public_mistakes).chain(&training_mistakes);
        all.for_each(list);
        return std::process::ExitCode::SUCCESS;
    }
    print::own(&[
        ("tuning", &tuning, &tuning_scores),
        ("untouched", &untouched, &scores),
    ]);
    print::public(&halves, &[&public_tuning, &public_untouched]);
    print::training(&training, &public_training);
    print::forms(&values);
    speed_of_names(&training);
    speed(&tuning);
    if !has("--check") {
        return std::process::ExitCode::SUCCESS;
    }
    let met = [
        weights_are_of(features()),
        OWN.is_met(&scores.together),
        PUBLIC.is_met(&public_untouched.all.together),
        PUBLIC_NAME.is_met(&public_untouched.all.by_name),
    ];
    match met.iter().all(|met| *met) {
        true => std::process::ExitCode::SUCCESS,
        false => std::process::ExitCode::FAILURE,
    }
}

/// Says so where the weights were not learned from what the detector looks at now, or are not summed up as they were then.
fn weights_are_of(features: impl Iterator<Item = (String, i32)>) -> bool {
    let (mut digest, mut sum) = (Sha256::new(), 0i64);
    for (line, odds) in features {
        digest.update(line.as_bytes());
        digest.update(b"\n");
        sum += i64::from(odds);
    }
    let digest: String = (digest.finalize().iter())
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let weights = include_str!("../src/names/weights.tsv");
    let says = |what: &str, is: String| {
        let line = format!("# {what}: {is}");
        let same = weights.lines().any(|known| known == line);
        if !same {
            eprintln!(
                "The weights were learned with another {what}: learn again, see bench/corpus/README.md."
            );
        }
        same
    };
    says("digest of the features", digest) && says("sum by name", sum.to_string())
}

fn list(mistake: &Mistake) {
    println!(
        "{} [{}] → {:?} (name {:?}, content {:?})",
        mistake.column, mistake.label, mistake.answer, mistake.by_name, mistake.by_content
    );
}

/// Time this thread has spent on a processor (Linux' `schedstat`), so that a busy machine does not count; `None`
/// elsewhere.
fn on_processor() -> Option<Duration> {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    line.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Prints how long the names of as many tables as a large application has take.
fn speed_of_names(schemas: &[public::Schema]) {
    const TABLES: usize = 2_000;
    let tables = schemas.iter().flat_map(|schema| &schema.tables);
    let tables: Vec<&public::Table> = tables.cycle().take(TABLES).collect();
    let (start, before) = (Instant::now(), on_processor());
    let (mut columns, mut found) = (0, 0);
    for table in tables {
        let names = table.columns.iter().map(|column| column.name.as_str());
        let context = TableContext::new(&table.name, names);
        columns += table.columns.len();
        found += table
            .columns
            .iter()
            .filter(|column| {
                let name = ColumnName {
                    table: &table.name,
                    column: &column.name,
                    sql_type: &column.sql_type,
                };
                by_name(&name, &context).is_some()
            })
            .count();
    }
    let elapsed = on_processor()
        .zip(before)
        .map_or_else(|| start.elapsed(), |(after, before)| after - before);
    println!(
        "\nnames:   {:.0} ms for {TABLES} tables, {columns} columns ({found} findings)",
        elapsed.as_secs_f64() * 1e3
    );
}

/// Feeds every value of a half to its column's detector and prints how fast they pass.
fn speed(tables: &[Table]) {
    let mut scanner = Scanner::new();
    let mut total = (0usize, Duration::ZERO);
    let mut values_fed = 0;
    for table in tables {
        for column in &table.columns {
            let mut detector = ColumnDetector::new(&column.name, &column.sql_type);
            let values: Vec<Vec<u8>> = (0..ROWS).filter_map(|row| table.value(column, row)).collect();
            let bytes: usize = values.iter().map(Vec::len).sum();
            let (start, before) = (Instant::now(), on_processor());
            const TIMES: usize = 5;
            for _ in 0..TIMES {
                values
                    .iter()
                    .for_each(|value| detector.observe(value, &mut scanner));
            }
            let elapsed = on_processor()
                .zip(before)
                .map_or_else(|| start.elapsed(), |(after, before)| after - before);
            values_fed += values.len() * TIMES;
            total = (total.0 + bytes * TIMES, total.1 + elapsed);
        }
    }
    let rate = |bytes: usize, elapsed: Duration| bytes as f64 / 1e6 / elapsed.as_secs_f64();
    println!(
        "\ncontent: {:.0} MB/s over all columns ({:.1} MB)",
        rate(total.0, total.1),
        total.0 as f64 / 1e6
    );
    println!(
        "         {:.2} µs per value",
        total.1.as_secs_f64() * 1e6 / f64::from(values_fed as u32)
    );
}

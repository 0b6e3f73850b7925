//! Prints how well and how fast personal data is detected; `bench/pii` runs it.
//!
//! `--check` exits 1 when the untouched half falls below a recall of 0.95 or a precision of 0.90.
//! `--mistakes` lists the wrong answers on the tuning half. There is no such option for the other half.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code
)]

#[path = "../tests/corpus/measure.rs"]
mod measure;
#[path = "../tests/corpus/support.rs"]
mod support;

use measure::{measure, Score, Scores, ROWS};
use staging_sync_engine::pii::{ColumnDetector, Scanner};
use std::time::{Duration, Instant};
use support::Table;

/// The bounds that `--check` holds the untouched half to.
const RECALL: f64 = 0.95;
const PRECISION: f64 = 0.90;

fn main() -> std::process::ExitCode {
    let options: Vec<String> = std::env::args().skip(1).collect();
    let has = |option: &str| options.iter().any(|given| given == option);
    if let Some(unknown) = options
        .iter()
        .find(|option| !matches!(option.as_str(), "--check" | "--mistakes"))
    {
        eprintln!("Unknown option {unknown}. Known are --check and --mistakes.");
        return std::process::ExitCode::from(2);
    }
    let (tuning, untouched) = (support::read("tuning"), support::read("untouched"));
    println!(
        "{:<10} {:>7} {:>8}  {:<12} {:>7} {:>10} {:>9}",
        "half", "tables", "columns", "", "recall", "precision", "heading"
    );
    let (tuning_scores, mistakes) = measure(&tuning);
    print("tuning", &tuning, &tuning_scores);
    let (scores, _) = measure(&untouched);
    print("untouched", &untouched, &scores);
    if has("--mistakes") {
        for mistake in &mistakes {
            println!(
                "{} [{}] → {:?} (name {:?}, content {:?})",
                mistake.column, mistake.label, mistake.answer, mistake.by_name, mistake.by_content
            );
        }
        return std::process::ExitCode::SUCCESS;
    }
    speed(&tuning);
    if has("--check") && (scores.together.recall() < RECALL || scores.together.precision() < PRECISION) {
        eprintln!("Below the bounds on the untouched half: recall {RECALL}, precision {PRECISION}.");
        return std::process::ExitCode::FAILURE;
    }
    std::process::ExitCode::SUCCESS
}

fn print(half: &str, tables: &[Table], scores: &Scores) {
    let columns: usize = tables.iter().map(|table| table.columns.len()).sum();
    let line = |half: &str, tables: String, columns: String, way: &str, score: &Score| {
        let (recall, precision, headings) = (score.recall(), score.precision(), score.headings());
        println!(
            "{half:<10} {tables:>7} {columns:>8}  {way:<12} {recall:>7.3} {precision:>10.3} {headings:>9.3}"
        );
    };
    line(
        half,
        tables.len().to_string(),
        columns.to_string(),
        "by name",
        &scores.by_name,
    );
    line("", String::new(), String::new(), "by content", &scores.by_content);
    line("", String::new(), String::new(), "together", &scores.together);
}

/// Time this thread has spent on a processor (Linux' `schedstat`), so that a busy machine does not count; `None`
/// elsewhere.
fn on_processor() -> Option<Duration> {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    line.split(' ').next()?.parse().ok().map(Duration::from_nanos)
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

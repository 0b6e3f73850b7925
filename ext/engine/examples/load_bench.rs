//! A whole load into a real PostgreSQL, masked and not, in turn, and the ratio that must hold. `bench/micro` runs it.
//!
//! `--check` exits 1 when the ratio is missed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use serde_json::json;
use staging_sync_engine::event::Sink;
use staging_sync_engine::settings::Settings;
use std::process::ExitCode;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often each is run.
const ROUNDS: usize = 7;

/// A load with three masked columns takes at most so many times one with none.
const MASKED_TO_PLAIN: f64 = 1.10;

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let variable = |name| std::env::var(name).expect("bench/micro says which archive and which database");
    let (archive, target) = (variable("MICRO_ARCHIVE"), variable("MICRO_TARGET"));
    let (masked, plain) = medians(
        &settings(&archive, &target, true),
        &settings(&archive, &target, false),
    );
    println!("a whole load, three columns masked {masked:.2} s, none {plain:.2} s");
    let ratio = masked / plain;
    let holds = ratio <= MASKED_TO_PLAIN;
    let word = if holds { "" } else { "   MISSED" };
    println!(
        "{:<28} {ratio:.2} (at most {MASKED_TO_PLAIN:.2}){word}",
        "load masked : not masked"
    );
    if holds || !check {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Seconds of each load with three masked columns, and of each with none: medians.
fn medians(masked: &Settings, plain: &Settings) -> (f64, f64) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    // The first of each warms the server up.
    seconds(plain);
    seconds(masked);
    for _ in 0..ROUNDS {
        without.push(seconds(plain));
        with.push(seconds(masked));
    }
    (median(with), median(without))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn settings(archive: &str, target: &str, masked: bool) -> Settings {
    let rules = json!([{ "name": "users", "table": "users", "columns": { "email": "email", "last_name": "last_name", "full_name": "name" } }]);
    serde_json::from_value(json!({
        "source": { "file": archive },
        "target": { "url": target, "parallel_connections": 4 },
        "masking": {
            "secret": "a secret of the benchmark",
            "rules": if masked { rules } else { json!([]) },
            "allow_unmasked_copy": true,
        },
    }))
    .expect("settings that fit")
}

fn seconds(settings: &Settings) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let begun = Instant::now();
    let events = Sink::silent();
    let run = staging_sync_engine::jobs::run(settings, &events, CancellationToken::new());
    if let Err(error) = runtime.block_on(run) {
        panic!("the load failed: {error}");
    }
    begun.elapsed().as_secs_f64()
}

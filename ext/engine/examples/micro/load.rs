//! A whole load into a real PostgreSQL, masked and not, in turn.

use serde_json::json;
use staging_sync_engine::event::Sink;
use staging_sync_engine::settings::Settings;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often each is run.
const ROUNDS: usize = 7;

/// Seconds of each load with three masked columns, and of each with none: medians. None where `bench/micro` has not
/// said which archive and which database.
pub fn medians() -> Option<(f64, f64)> {
    let archive = std::env::var("MICRO_ARCHIVE").ok()?;
    let target = std::env::var("MICRO_TARGET").ok()?;
    let (masked, plain) = (
        settings(&archive, &target, true),
        settings(&archive, &target, false),
    );
    let (mut with, mut without) = (Vec::new(), Vec::new());
    // The first of each warms the server up.
    seconds(&plain);
    seconds(&masked);
    for _ in 0..ROUNDS {
        without.push(seconds(&plain));
        with.push(seconds(&masked));
    }
    Some((super::median(with), super::median(without)))
}

fn settings(archive: &str, target: &str, masked: bool) -> Settings {
    let rules = json!([{ "table": "users", "columns": { "email": "email", "last_name": "last_name", "full_name": "name" } }]);
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

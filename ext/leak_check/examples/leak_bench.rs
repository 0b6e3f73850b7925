//! How quickly the leak check looks: megabytes per second of COPY text of several sorts, on one thread.
//!
//!     cargo run --release -p leak-check --example leak_bench
//!
//! Another measure than detection's: here every row is looked at, so what matters is text without candidates.

#![allow(clippy::unwrap_used)]

use leak_check::{
    Bounds, ColumnPlace, LeakCheck, LeakWatch, LookTime, Remedy, Role, ScanMode, WatchedColumn, Watches,
};
use pg_dump_archive::DumpId;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

/// Bytes of each sort, and how often they pass.
const BYTES: usize = 256 * 1024;
const TIMES: usize = 400;

/// A row of a sort, by its number.
type Row = Box<dyn Fn(usize) -> String>;

fn main() {
    let prose = "The parcel was left with the neighbour, as agreed, and the door is open until the evening. ";
    let sorts: [(&str, Row); 6] = [
        ("prose", Box::new(|row| format!("{row}\t{}", prose.repeat(3)))),
        (
            "JSON with times and ids",
            Box::new(|row| {
                format!("{row}\t{{\"id\": {row}, \"status\": \"sent\", \"at\": \"2024-03-01T10:30:{:02}Z\", \"total\": \"12.50\"}}", row % 60)
            }),
        ),
        (
            "logs with numbers",
            Box::new(|row| {
                format!(
                    "{row}\tGET /orders/{row}/items/42 200 in {}ms (db 1.2ms) at 2024-03-01 10:30:00.123456",
                    row % 90
                )
            }),
        ),
        (
            "an e-mail address per row",
            Box::new(|row| format!("{row}\tuser{row}@example.com")),
        ),
        (
            "a telephone number per row",
            Box::new(|row| format!("{row}\t06{row:08}")),
        ),
        (
            "JSON with escapes and an address",
            Box::new(|row| {
                format!("{row}\t{{\"body\": \"Hello\\\\n\\\\\"you\\\\\"\\\\nuser{row}@example.com\\\\n\", \"at\": \"2024-03-01 10:30\"}}")
            }),
        ),
    ];
    for (name, row) in &sorts {
        let mut piece = String::new();
        let mut number = 0;
        while piece.len() < BYTES {
            number += 1;
            writeln!(piece, "{}", row(number)).unwrap();
        }
        let watches = watches();
        let check = LeakCheck::new(&watches, false, Bounds::default());
        let mut watcher = check.watcher(DumpId(1), None, LookTime::Sent).unwrap();
        let since = Instant::now();
        for _ in 0..TIMES {
            watcher.piece(piece.as_bytes(), piece.as_bytes());
        }
        let seconds = since.elapsed().as_secs_f64();
        println!(
            "{name:36} {:7.0} MB/s",
            (piece.len() * TIMES) as f64 / seconds / 1e6
        );
    }
}

fn watches() -> Watches {
    let column = WatchedColumn {
        position: 1,
        column: 0,
        role: Role::Written,
        scan: ScanMode::Text,
        whole: None,
    };
    let watch = LeakWatch {
        columns: vec![column],
        ..LeakWatch::default()
    };
    let place = ColumnPlace {
        table: "public.posts".into(),
        column: "body".into(),
        in_rules: "posts".into(),
        mask: Remedy::Plain("scrub"),
    };
    Watches {
        loads: HashMap::from([(DumpId(1), Arc::new(watch))]),
        columns: vec![place].into(),
    }
}

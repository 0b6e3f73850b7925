//! The download against a server that drops connections, ignores ranges, lets links expire and falls silent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod broken;
#[path = "../source_support/mod.rs"]
mod source_support;

use sha2::Digest;
use source_support::*;
use staging_sync_engine::error::Kind;
use staging_sync_engine::event::Event;
use staging_sync_engine::source;
use std::io::Read;
use std::time::{Duration, Instant};

const FILE: &str = "GET /file";
const LINKS: &str = "GET /api/databases/ad-1/backups/b1/archive";

/// An archive, its packed bytes, and a server that has it.
async fn scene() -> (Vec<u8>, Vec<u8>, Scalingo) {
    let archive = archive(300_000);
    let packed = packed(&archive);
    let scalingo = Scalingo::with_archive(packed.clone()).await;
    (archive, packed, scalingo)
}

fn resumed(heard: &Heard) -> Vec<(u32, u64)> {
    heard
        .all()
        .iter()
        .filter_map(|event| match event {
            Event::DownloadResumed { attempt, bytes } => Some((*attempt, *bytes)),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_arrives_with_what_is_known_of_it() {
    let (archive, packed, scalingo) = scene().await;
    let heard = Heard::default();
    let backup = open(scalingo.settings(), &patience(), &heard).await.unwrap();
    holds_no_secret(&backup);
    assert_eq!(backup.info.id, "b1");
    assert_eq!(backup.info.created_at.as_deref(), Some("2025-11-19T03:00:00Z"));
    assert_eq!(backup.info.size, Some(1234));
    assert_eq!(backup.info.origin, "Scalingo app shop, addon ad-1");
    let digest = backup.digest.clone();
    assert_eq!(read(backup).await.unwrap(), archive);
    let expected: String = sha2::Sha256::digest(&packed)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(digest.get(), Some(&expected));
    let bytes = packed.len() as u64;
    assert_eq!(
        heard.all().last(),
        Some(&Event::Downloaded {
            bytes,
            total: Some(bytes)
        })
    );
    assert_eq!(resumed(&heard), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_download_itself_carries_no_credentials() {
    let (_, _, scalingo) = scene().await;
    open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap();
    let request = &scalingo.asked(FILE)[0];
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("cookie"), None);
    assert_eq!(request.header("range"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_waits_holds_the_server_back_and_one_that_leaves_ends_it() {
    let (archive, _, scalingo) = scene().await;
    // Plain archive bytes, so that each byte that is read is one that was sent.
    scalingo.on(FILE, move |_| {
        Reply::bytes(200, archive.clone()).end(End::Endless)
    });
    let mut backup = open(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap();
    let backup = tokio::task::spawn_blocking(move || {
        backup.archive.read_exact(&mut [0; 1000]).unwrap();
        backup
    })
    .await
    .unwrap();
    let held = settled(&scalingo).await;
    assert!(
        held < 32 * 1024 * 1024,
        "{held} bytes were sent to a reader that read 1000"
    );
    drop(backup);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let left = settled(&scalingo).await;
    assert!(
        left < held + 32 * 1024 * 1024,
        "{left} bytes were sent to a reader that left"
    );
}

/// What the server has sent once it does not send any more.
async fn settled(scalingo: &Scalingo) -> u64 {
    let mut before = u64::MAX;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = scalingo.sent();
        if now == before {
            return now;
        }
        before = now;
    }
    panic!("the server goes on sending");
}

#[test]
fn a_runtime_that_ends_first_stops_the_reader_instead_of_ending_the_file() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = tokio::runtime::Runtime::new().unwrap();
    let archive = archive(300_000);
    let packed = packed(&archive);
    let scalingo = server.block_on(Scalingo::with_archive(packed.clone()));
    scalingo.on(FILE, move |_| {
        Reply::bytes(200, packed.clone()).end(End::SilentAfter(100_000))
    });
    let mut backup = runtime
        .block_on(open(scalingo.settings(), &patience(), &Heard::default()))
        .unwrap();
    backup.archive.read_exact(&mut [0; 1000]).unwrap();
    drop(runtime);
    let error = std::io::copy(&mut backup.archive, &mut std::io::sink()).unwrap_err();
    assert_eq!(source::error_from_io(&error).unwrap().kind, Kind::Interrupted);
    assert_eq!(backup.digest.get(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_reported_a_few_times_a_second_at_most() {
    let (_, packed, scalingo) = scene().await;
    scalingo.on(FILE, move |request| {
        serve(request, &packed).end(End::CutAfter(10_000))
    });
    let heard = Heard::default();
    let begun = Instant::now();
    open_and_read(scalingo.settings(), &patience(), &heard)
        .await
        .unwrap();
    let message = heard
        .all()
        .iter()
        .filter(|event| matches!(event, Event::Downloaded { .. }))
        .count();
    // One at once, one at the end, and one for each quarter of a second between.
    let most = 2 + usize::try_from(begun.elapsed().as_millis() / 250).unwrap();
    assert!(message <= most, "{message} reports, not {most}");
}

//! Archives on disk: kept from a run for the next one, or fetched.

use super::*;

fn kept_in(scalingo: &Scalingo, directory: &Path) -> settings::Scalingo {
    settings::Scalingo {
        keep_in: Some(directory.to_owned()),
        ..scalingo.settings()
    }
}

async fn run(settings: settings::Scalingo) -> Vec<u8> {
    open_and_read(settings, &patience(), &Heard::default())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_archive_is_used_while_it_is_the_newest_backup() {
    let scalingo = scene().await;
    let directory = tempfile::tempdir().unwrap();
    let settings = kept_in(&scalingo, &directory.path().join("made"));
    let first = run(settings.clone()).await;
    assert_eq!(run(settings.clone()).await, first);
    assert_eq!(scalingo.asked(FILE).len(), 1);
    assert_eq!(scalingo.asked(BACKUPS).len(), 2);
    scalingo.backups(json!([backup("b2", &ago(9), "done")]));
    run(settings).await;
    assert_eq!(scalingo.asked(FILE).len(), 2);
    let names: Vec<_> = std::fs::read_dir(directory.path().join("made"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .inspect(|entry| assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600))
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_archive_that_is_young_enough_needs_no_api_at_all() {
    let scalingo = scene().await;
    scalingo.backups(json!([backup("b1", &ago(60), "done")]));
    let directory = tempfile::tempdir().unwrap();
    let settings = settings::Scalingo {
        backup_max_age: Some(3600),
        ..kept_in(&scalingo, directory.path())
    };
    let first = run(settings.clone()).await;
    let asked = scalingo.all().len();
    let backup = open(settings.clone(), &patience(), &Heard::default())
        .await
        .unwrap();
    assert_eq!((backup.info.id.as_str(), backup.info.size), ("b1", Some(1234)));
    assert_eq!(read(backup).await.unwrap(), first);
    assert_eq!(scalingo.all().len(), asked);
    // Another app's archive is not ours.
    assert!(chosen(settings::Scalingo {
        app: "other".into(),
        ..settings
    })
    .await
    .is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_archive_that_is_too_old_is_not_used() {
    let scalingo = scene().await;
    scalingo.backups(json!([backup("b1", &ago(3500), "done")]));
    let directory = tempfile::tempdir().unwrap();
    let settings = settings::Scalingo {
        backup_max_age: Some(3600),
        ..kept_in(&scalingo, directory.path())
    };
    run(settings.clone()).await;
    makes_a_backup(&scalingo, &["done"]);
    assert_eq!(
        chosen(settings::Scalingo {
            backup_max_age: Some(100),
            ..settings
        })
        .await
        .unwrap(),
        "b2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_download_passes_the_kept_archive_over() {
    let scalingo = scene().await;
    let directory = tempfile::tempdir().unwrap();
    let settings = kept_in(&scalingo, directory.path());
    run(settings.clone()).await;
    run(settings::Scalingo {
        force_download: true,
        ..settings.clone()
    })
    .await;
    assert_eq!(scalingo.asked(FILE).len(), 2);
    run(settings).await;
    assert_eq!(scalingo.asked(FILE).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_failed_is_not_kept() {
    let scalingo = scene().await;
    let directory = tempfile::tempdir().unwrap();
    let cut = packed(&archive(50_000));
    scalingo.on(FILE, move |_| Reply::bytes(200, &cut[..20_000]));
    let error = refused(kept_in(&scalingo, directory.path())).await;
    assert_eq!(error.kind, Kind::Archive, "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_archive_that_was_altered_is_not_trusted() {
    let scalingo = scene().await;
    let directory = tempfile::tempdir().unwrap();
    let settings = kept_in(&scalingo, directory.path());
    run(settings.clone()).await;
    let path = directory.path().join("shop.ad-1.b1.tar.gz");
    // Another archive of the same length, whole in itself.
    let mut other = packed(&archive(50_000));
    other[4] ^= 1; // the gzip header's time
    std::fs::write(&path, other).unwrap();
    let error = refused(settings).await;
    assert_eq!(error.kind, Kind::Archive);
    assert!(error.is("kept_changed"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_be_written_to_is_reported_before_anything_is_asked() {
    let scalingo = scene().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = refused(kept_in(&scalingo, &file)).await;
    assert_eq!(error.kind, Kind::Configuration);
    assert!(scalingo.all().is_empty());
}

// Fetching

#[tokio::test(flavor = "multi_thread")]
async fn fetching_leaves_the_unpacked_archive_for_this_user_only() {
    let scalingo = scene().await;
    let directory = tempfile::tempdir().unwrap();
    let path = source::fetch_with(
        &scalingo.settings(),
        directory.path(),
        &Heard::default().sink(),
        &patience(),
    )
    .await
    .unwrap();
    assert_eq!(path, directory.path().join("2025_b1.pgsql"));
    assert_eq!(std::fs::read(&path).unwrap(), archive(50_000));
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fetching_that_fails_or_is_stopped_leaves_nothing() {
    let scalingo = scene().await;
    let directory = tempfile::tempdir().unwrap();
    let whole = packed(&archive(50_000));
    let truncated = whole[..20_000].to_vec();
    scalingo.on(FILE, move |_| Reply::bytes(200, truncated.clone()));
    let sink = Heard::default().sink();
    let error = source::fetch_with(&scalingo.settings(), directory.path(), &sink, &patience())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Archive);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);

    scalingo.on(FILE, move |_| {
        Reply::bytes(200, whole.clone()).end(End::SilentAfter(20_000))
    });
    let (settings, path) = (scalingo.settings(), directory.path().to_owned());
    let task = tokio::spawn(async move { source::fetch_with(&settings, &path, &sink, &patience()).await });
    until(|| scalingo.sent() >= 40_000).await;
    task.abort();
    until(|| std::fs::read_dir(directory.path()).unwrap().count() == 0).await;
}

async fn until(done: impl Fn() -> bool) {
    for _ in 0..400 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not happen within ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_takes_requests_and_never_answers_is_given_up_long_before_its_retries_are_spent() {
    let patience = Patience {
        answer: Duration::from_millis(200),
        api_attempts: 7,
        ..patience()
    };
    for route in [ADDONS, NEW_BACKUP] {
        let scalingo = scene().await;
        scalingo.on(route, |_| Reply::json(200, json!({})).end(End::SilentAfter(1)));
        let settings = settings::Scalingo {
            backup_max_age: Some(0),
            ..scalingo.settings()
        };
        let error = chosen_with(settings, &patience, &Heard::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind, Kind::Api);
        assert!(error.what.contains("no_answer"), "{error}");
        assert_eq!(scalingo.asked(route).len(), patience.silences, "{route}");
    }
}

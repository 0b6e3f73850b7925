//! Which backup is taken, and when a fresh one is asked for.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_finished_backup_is_taken_whatever_the_order() {
    let scalingo = scene().await;
    scalingo.backups(json!([
        backup("b1", "2025-11-17T03:00:00Z", "done"),
        backup("b2", "2025-11-19T03:30:00+02:00", "done"),
        backup("b3", "2025-11-19T01:00:00Z", "done"),
        backup("b4", "2025-11-20T03:00:00Z", "error"),
        backup("b5", "2025-11-20T04:00:00Z", "running"),
        backup("b6", "2025-11-20T05:00:00Z", "archiving"),
    ]));
    assert_eq!(chosen(scalingo.settings()).await.unwrap(), "b2");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_finished_backup_is_an_error_that_names_the_setting() {
    let scalingo = scene().await;
    for backups in [
        json!([]),
        json!([backup("b1", &ago(9), "running"), backup("b2", &ago(99), "error")]),
    ] {
        scalingo.backups(backups);
        let error = refused(scalingo.settings()).await;
        assert_eq!(error.kind, Kind::BackupNotFound);
        assert!(error.remedy.is("have_one_made"), "{error}");
    }
    assert!(scalingo.asked(NEW_BACKUP).is_empty());
}
#[tokio::test(flavor = "multi_thread")]
async fn a_young_backup_is_taken_and_an_old_one_makes_ask_for_a_fresh_one() {
    let scalingo = scene().await;
    makes_a_backup(&scalingo, &["done", "done"]);
    scalingo.backups(json!([backup("b1", &ago(3000), "done")]));
    assert_eq!(chosen(fresh(&scalingo, 3600)).await.unwrap(), "b1");
    assert!(scalingo.asked(NEW_BACKUP).is_empty());
    scalingo.backups(json!([backup("b1", &ago(4000), "done")]));
    assert_eq!(chosen(fresh(&scalingo, 3600)).await.unwrap(), "b2");
    assert_eq!(scalingo.asked(NEW_BACKUP).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maximum_age_of_zero_always_asks_for_a_fresh_one() {
    let scalingo = scene().await;
    makes_a_backup(&scalingo, &["done"]);
    scalingo.backups(json!([backup("b1", &ago(-5), "done")]));
    assert_eq!(chosen(fresh(&scalingo, 0)).await.unwrap(), "b2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_backup_is_waited_for_through_known_and_unknown_statuses() {
    let scalingo = scene().await;
    makes_a_backup(&scalingo, &["pending", "running", "compressing", "done"]);
    let heard = Heard::default();
    assert_eq!(
        chosen_with(fresh(&scalingo, 0), &patience(), &heard)
            .await
            .unwrap(),
        "b2"
    );
    assert_eq!(
        pending(&heard),
        ["scheduled", "pending", "running", "compressing"]
    );
    assert_eq!(
        heard.all().last(),
        Some(&Event::BackupChosen {
            id: "b2".into(),
            created_at: heard.all().last().and_then(|event| match event {
                Event::BackupChosen { created_at, .. } => created_at.clone(),
                _ => None,
            }),
            size: Some(1234)
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_asked_where_the_undocumented_call_does_not_answer() {
    for answer in [Reply::status(404), Reply::status(405), Reply::bytes(200, "[]")] {
        let scalingo = scene().await;
        makes_a_backup(&scalingo, &[]);
        scalingo.on("GET /api/backups/b2", move |_| answer.clone());
        let list = |status| {
            Reply::json(
                200,
                json!({ "database_backups": [backup("b2", &ago(0), status)] }),
            )
        };
        // The first is asked before; once the new backup is not in the list yet.
        let empty = || Reply::json(200, json!({ "database_backups": [] }));
        scalingo.next(BACKUPS, [empty(), empty(), list("running"), list("done")]);
        assert_eq!(chosen(fresh(&scalingo, 0)).await.unwrap(), "b2");
        assert_eq!(scalingo.asked("GET /api/backups/b2").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_backup_that_disappears_is_an_error() {
    let scalingo = scene().await;
    makes_a_backup(&scalingo, &["running"]);
    let error = refused(fresh(&scalingo, 0)).await;
    assert_eq!(error.kind, Kind::BackupNotFound);
    assert!(error.is("disappeared"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_backup_that_fails_is_an_error() {
    let scalingo = scene().await;
    makes_a_backup(&scalingo, &["running", "error"]);
    let error = refused(fresh(&scalingo, 0)).await;
    assert_eq!(error.kind, Kind::Api);
    assert!(error.is("not_made") && error.what.contains("b2"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_backup_that_never_ends_is_given_up() {
    let scalingo = scene().await;
    makes_a_backup(&scalingo, &[]);
    scalingo.on("GET /api/backups/b2", |_| {
        Reply::json(
            200,
            json!({ "database_backup": backup("b2", &ago(0), "running") }),
        )
    });
    let patience = Patience {
        fresh_backup: Duration::from_millis(100),
        ..patience()
    };
    let error = chosen_with(fresh(&scalingo, 0), &patience, &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Api);
    assert!(
        error.is("still_making") && error.what.contains("running"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_running_already_is_waited_for_instead_of_making_another() {
    let scalingo = scene().await;
    scalingo.backups(json!([
        backup("b1", &ago(9000), "done"),
        backup("b2", &ago(60), "running")
    ]));
    makes_a_backup(&scalingo, &["done"]);
    assert_eq!(chosen(fresh(&scalingo, 3600)).await.unwrap(), "b2");
    assert!(scalingo.asked(NEW_BACKUP).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_running_one_fails_a_fresh_one_is_asked_for() {
    let scalingo = scene().await;
    scalingo.backups(json!([backup("b3", &ago(60), "running")]));
    scalingo.next(
        "GET /api/backups/b3",
        [Reply::json(
            200,
            json!({ "database_backup": backup("b3", &ago(60), "error") }),
        )],
    );
    makes_a_backup(&scalingo, &["done"]);
    assert_eq!(chosen(fresh(&scalingo, 3600)).await.unwrap(), "b2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_means_waiting_for_the_backup_that_is_running() {
    let scalingo = scene().await;
    scalingo.on(NEW_BACKUP, |_| {
        Reply::json(409, json!({ "error": "a backup is already running" }))
    });
    scalingo.backups(json!([
        backup("b1", &ago(9000), "done"),
        backup("b2", &ago(5000), "running")
    ]));
    scalingo.next(
        "GET /api/backups/b2",
        [Reply::json(
            200,
            json!({ "database_backup": backup("b2", &ago(5000), "done") }),
        )],
    );
    assert_eq!(chosen(fresh(&scalingo, 0)).await.unwrap(), "b2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_without_a_running_backup_is_reported() {
    let scalingo = scene().await;
    scalingo.on(NEW_BACKUP, |_| {
        Reply::json(409, json!({ "error": "the database is migrating" }))
    });
    let error = refused(fresh(&scalingo, 0)).await;
    assert_eq!(error.kind, Kind::Api);
    assert!(error.what.contains("the database is migrating"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_answer_was_lost_does_not_make_a_second_backup() {
    let scalingo = scene().await;
    scalingo.next(NEW_BACKUP, [Reply::bytes(502, "Bad Gateway")]);
    let old = backup("b1", &ago(9000), "done");
    let list = |backups| Reply::json(200, json!({ "database_backups": backups }));
    scalingo.next(
        BACKUPS,
        [
            list(json!([old])),
            list(json!([old, backup("b2", &ago(0), "running")])),
        ],
    );
    scalingo.next(
        "GET /api/backups/b2",
        [Reply::json(
            200,
            json!({ "database_backup": backup("b2", &ago(0), "done") }),
        )],
    );
    assert_eq!(chosen(fresh(&scalingo, 3600)).await.unwrap(), "b2");
    assert_eq!(scalingo.asked(NEW_BACKUP).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_made_nothing_is_repeated() {
    let scalingo = scene().await;
    makes_a_backup(&scalingo, &["done"]);
    scalingo.next(NEW_BACKUP, [Reply::status(503), Reply::bytes(429, "Retry later")]);
    assert_eq!(chosen(fresh(&scalingo, 0)).await.unwrap(), "b2");
    assert_eq!(scalingo.asked(NEW_BACKUP).len(), 3);
}

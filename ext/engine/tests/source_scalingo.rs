//! Scalingo's API: tokens, addons, backups, kept archives, and what its refusals become.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod source_support;

use serde_json::json;
use source_support::*;
use staging_sync_engine::error::{Error, Kind};
use staging_sync_engine::event::Event;
use staging_sync_engine::settings::{self, BaseUrls};
use staging_sync_engine::source::{self, Patience};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

const EXCHANGE: &str = "POST /v1/tokens/exchange";
const ADDONS: &str = "GET /v1/apps/shop/addons";
const ADDON_TOKENS: &str = "POST /v1/apps/shop/addons/ad-1/token";
const BACKUPS: &str = "GET /api/databases/ad-1/backups";
const NEW_BACKUP: &str = "POST /api/databases/ad-1/backups";
const LINKS: &str = "GET /api/databases/ad-1/backups/b1/archive";
const FILE: &str = "GET /file";

async fn scene() -> Scalingo {
    Scalingo::with_archive(packed(&archive(50_000))).await
}

/// The id of the backup that is chosen.
async fn chosen(settings: settings::Scalingo) -> Result<String, Error> {
    chosen_with(settings, &patience(), &Heard::default()).await
}

async fn chosen_with(
    settings: settings::Scalingo,
    patience: &Patience,
    heard: &Heard,
) -> Result<String, Error> {
    open(settings, patience, heard).await.map(|backup| backup.info.id)
}

async fn refused(settings: settings::Scalingo) -> Error {
    let error = open_and_read(settings, &patience(), &Heard::default())
        .await
        .unwrap_err();
    assert!(
        error.what.ends_with('.') && error.remedy.ends_with('.'),
        "{error}"
    );
    error
}

fn pending(heard: &Heard) -> Vec<String> {
    heard
        .all()
        .into_iter()
        .filter_map(|event| match event {
            Event::BackupPending { status } => Some(status),
            _ => None,
        })
        .collect()
}

// Tokens

#[tokio::test(flavor = "multi_thread")]
async fn each_host_gets_its_own_token_and_no_other() {
    let scalingo = scene().await;
    open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap();
    // Base64 of ":tk-us-secret0api0token".
    let basic = "Basic OnRrLXVzLXNlY3JldDBhcGkwdG9rZW4=";
    let (jwt, addon) = (format!("Bearer {JWT}"), format!("Bearer {ADDON_TOKEN}"));
    for (route, expected) in [
        (EXCHANGE, basic),
        (ADDONS, &jwt),
        (ADDON_TOKENS, &jwt),
        (BACKUPS, &addon),
        (LINKS, &addon),
    ] {
        let asked = scalingo.asked(route);
        assert_eq!(asked.len(), 1, "{route}");
        assert_eq!(asked[0].header("authorization"), Some(expected), "{route}");
    }
    assert_eq!(scalingo.asked(EXCHANGE)[0].body, "{}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_renewed_before_they_end() {
    let scalingo = scene().await;
    // Every token is in its last minutes as soon as it is made.
    let patience = Patience {
        token_life: Duration::from_secs(300),
        ..patience()
    };
    open_and_read(scalingo.settings(), &patience, &Heard::default())
        .await
        .unwrap();
    assert_eq!(scalingo.asked(ADDON_TOKENS).len(), 2);
    assert_eq!(scalingo.asked(EXCHANGE).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_early_is_renewed_once() {
    let scalingo = scene().await;
    scalingo.next(ADDONS, [Reply::json(401, json!({ "error": "token expired" }))]);
    scalingo.next(LINKS, [Reply::json(401, json!({ "error": "token expired" }))]);
    open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap();
    assert_eq!(scalingo.asked(EXCHANGE).len(), 2);
    assert_eq!(scalingo.asked(ADDON_TOKENS).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_a_newline_behind_it_works() {
    let scalingo = scene().await;
    let mut settings = scalingo.settings();
    settings.api_token = format!("{API_TOKEN}\n").into();
    assert_eq!(chosen(settings).await.unwrap(), "b1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_token_or_app_is_reported_before_anything_is_asked() {
    let scalingo = scene().await;
    let without_token = settings::Scalingo {
        api_token: " ".to_owned().into(),
        ..scalingo.settings()
    };
    let without_app = settings::Scalingo {
        app: String::new(),
        ..scalingo.settings()
    };
    for settings in [without_token, without_app] {
        assert_eq!(refused(settings).await.kind, Kind::Configuration);
    }
    assert!(scalingo.all().is_empty());
}

// Regions

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_is_not_known_here_is_looked_up() {
    let scalingo = scene().await;
    let (url, closed) = (scalingo.url.clone(), "http://127.0.0.1:1");
    scalingo.on("GET /v1/regions", move |_| {
        let region = |name: &str, url: &str| json!({ "name": name, "api": url, "database_api": url });
        Reply::json(
            200,
            json!({ "regions": [region("osc-fr1", closed), region("osc-new1", &url)] }),
        )
    });
    let only_auth = BaseUrls {
        auth: Some(scalingo.url.clone()),
        ..BaseUrls::default()
    };
    let settings = settings::Scalingo {
        urls: only_auth.clone(),
        region: "osc-new1".into(),
        ..scalingo.settings()
    };
    assert_eq!(chosen(settings).await.unwrap(), "b1");
    let wrong = settings::Scalingo {
        urls: only_auth,
        region: "osc-nwe1".into(),
        ..scalingo.settings()
    };
    let error = refused(wrong).await;
    assert_eq!(error.kind, Kind::Configuration);
    assert!(error.to_string().contains("osc-fr1, osc-new1"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_cannot_smuggle_the_token_to_another_host() {
    let scalingo = scene().await;
    for region in ["evil.example/", "", "a@b", "osc-fr1#"] {
        let settings = settings::Scalingo {
            region: region.into(),
            urls: BaseUrls::default(),
            ..scalingo.settings()
        };
        assert_eq!(refused(settings).await.kind, Kind::Configuration, "{region}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_url_that_is_none_is_a_configuration_error_and_is_not_quoted() {
    let scalingo = scene().await;
    for url in ["tk-us-secret0api0token", "ftp://x", "http://"] {
        let mut settings = scalingo.settings();
        settings.urls.auth = Some(url.into());
        assert_eq!(refused(settings).await.kind, Kind::Configuration);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_cannot_be_reached_is_reported_without_its_url() {
    let scalingo = scene().await;
    let mut settings = scalingo.settings();
    settings.urls.api = Some("http://127.0.0.1:1".into());
    let error = refused(settings).await;
    assert_eq!(error.kind, Kind::Api);
    assert!(error.what.to_lowercase().contains("refused"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_https_url_of_a_server_without_tls_is_an_error_and_nothing_is_sent_in_the_clear() {
    let scalingo = scene().await;
    let mut settings = scalingo.settings();
    settings.urls.auth = Some(scalingo.url.replace("http://", "https://"));
    // The server waits for a request, and this side for the server's TLS.
    let patience = Patience {
        connect: Duration::from_millis(200),
        api_attempts: 1,
        ..patience()
    };
    let error = chosen_with(settings, &patience, &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Api);
    assert!(scalingo.all().is_empty());
}

// Addons

#[tokio::test(flavor = "multi_thread")]
async fn the_only_postgresql_addon_is_found_among_others_whatever_its_case() {
    let scalingo = scene().await;
    scalingo.addons(json!([
        addon("ad-0", "redis", "redis-1"),
        addon("ad-1", "PostgreSQL", "pg-1")
    ]));
    assert_eq!(chosen(scalingo.settings()).await.unwrap(), "b1");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_postgresql_addon_is_an_error() {
    let scalingo = scene().await;
    scalingo.addons(json!([addon("ad-0", "redis", "redis-1"), { "id": "ad-9" }]));
    assert_eq!(refused(scalingo.settings()).await.kind, Kind::AddonNotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_addons_the_configured_one_is_taken_and_none_without_it() {
    let scalingo = scene().await;
    scalingo.addons(json!([
        addon("ad-0", "postgresql", "pg-small"),
        addon("ad-1", "postgresql", "pg-large")
    ]));
    let error = refused(scalingo.settings()).await;
    assert_eq!(error.kind, Kind::AddonNotFound);
    let text = error.to_string();
    assert!(
        text.contains("ad-0 (pg-small), ad-1 (pg-large)") && text.contains("scalingo_addon_id"),
        "{text}"
    );
    let settings = settings::Scalingo {
        addon_id: Some("ad-1".into()),
        ..scalingo.settings()
    };
    assert_eq!(chosen(settings).await.unwrap(), "b1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_addon_that_does_not_fit_is_reported_with_those_that_do() {
    let scalingo = scene().await;
    scalingo.addons(json!([
        addon("ad-0", "redis", "redis-1"),
        addon("ad-1", "postgresql", "pg")
    ]));
    for (id, word) in [("ad-0", "redis"), ("ad-7", "no addon ad-7")] {
        let error = refused(settings::Scalingo {
            addon_id: Some(id.into()),
            ..scalingo.settings()
        })
        .await;
        assert_eq!(error.kind, Kind::AddonNotFound);
        assert!(
            error.what.contains(word) && error.remedy.contains("ad-1 (pg)"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_on_dedicated_resources_is_reported_with_what_to_do_instead() {
    for (provider, plan) in [
        ("postgresql-ng", "anything"),
        ("postgresql", "postgresql-dr-enterprise-4096"),
    ] {
        let scalingo = scene().await;
        scalingo.addons(json!([addon("ad-1", provider, plan)]));
        let error = refused(scalingo.settings()).await;
        assert_eq!(error.kind, Kind::AddonNotFound);
        assert!(
            error.what.contains("Dedicated") && error.remedy.contains("backup_file"),
            "{error}"
        );
    }
}

// Which backup

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
        assert!(error.remedy.contains("backup_max_age"), "{error}");
    }
    assert!(scalingo.asked(NEW_BACKUP).is_empty());
}

/// Answers the request for a new backup by `b2`, which passes through `statuses`.
fn makes_a_backup(scalingo: &Scalingo, statuses: &[&str]) {
    scalingo.on(NEW_BACKUP, |_| {
        Reply::json(
            201,
            json!({ "database_backup": backup("b2", &ago(0), "scheduled") }),
        )
    });
    let answers = statuses
        .iter()
        .map(|status| Reply::json(200, json!({ "database_backup": backup("b2", &ago(0), status) })));
    scalingo.next("GET /api/backups/b2", answers);
}

fn fresh(scalingo: &Scalingo, max_age: u64) -> settings::Scalingo {
    settings::Scalingo {
        backup_max_age: Some(max_age),
        ..scalingo.settings()
    }
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
    assert!(error.what.contains("disappeared"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_backup_that_fails_is_an_error() {
    let scalingo = scene().await;
    makes_a_backup(&scalingo, &["running", "error"]);
    let error = refused(fresh(&scalingo, 0)).await;
    assert_eq!(error.kind, Kind::Api);
    assert!(
        error.what.contains("b2") && error.what.contains("error"),
        "{error}"
    );
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
    assert!(error.what.contains("still running"), "{error}");
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

// Refusals

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_every_call_becomes_its_documented_error() {
    let calls = [EXCHANGE, ADDONS, ADDON_TOKENS, BACKUPS, NEW_BACKUP, LINKS];
    for status in [400_u16, 401, 402, 403, 404, 409, 418, 422, 302] {
        for call in calls {
            let scalingo = scene().await;
            scalingo.on(call, move |_| {
                let body = match status {
                    402 => json!({ "error": "no payment method", "url": "https://dashboard/secretlink" }),
                    422 => json!({ "errors": { "app": ["is a word we know"] } }),
                    _ => json!({ "error": "a word we know", "code": "x" }),
                };
                Reply::json(status, body).with("location", "http://127.0.0.1:1/")
            });
            let error = refused(if call == NEW_BACKUP {
                fresh(&scalingo, 0)
            } else {
                scalingo.settings()
            })
            .await;
            let expected = match (status, call) {
                (401, _) => Kind::Authentication,
                (404, ADDON_TOKENS) => Kind::AddonNotFound,
                (404, BACKUPS | NEW_BACKUP | LINKS) => Kind::BackupNotFound,
                _ => Kind::Api,
            };
            assert_eq!(error.kind, expected, "{status} of {call}: {error}");
            assert!(
                error.what.contains(&status.to_string()),
                "{status} of {call}: {error}"
            );
            let said = if status == 402 {
                "no payment method"
            } else {
                "a word we know"
            };
            assert!(error.what.contains(said), "{status} of {call}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_repeats_a_secret_or_is_very_long_is_not_repeated_here() {
    let long = "x".repeat(5000);
    for said in [
        format!("the token {API_TOKEN} is unknown"),
        format!("{JWT} is not a JWT"),
        "look at https://example.com/?a=1".into(),
        long,
    ] {
        let scalingo = scene().await;
        scalingo.on(ADDONS, move |_| Reply::json(403, json!({ "error": said })));
        let error = refused(scalingo.settings()).await;
        assert!(error.what.len() < 400, "{error}");
    }
    let scalingo = scene().await;
    scalingo.on(BACKUPS, |_| {
        Reply::json(403, json!({ "error": format!("bad {ADDON_TOKEN}") }))
    });
    refused(scalingo.settings()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_not_as_documented_are_reported_without_quoting_them() {
    for call in [EXCHANGE, ADDONS, ADDON_TOKENS, BACKUPS, LINKS] {
        for body in [
            "",
            "null",
            "<html>",
            r#"{"token":17}"#,
            r#"{"addons":{"token":"secretlink"}}"#,
            r#"{"database_backups":[{"id":null}]}"#,
            r#"{"download_url":"secretlink"}"#,
        ] {
            let scalingo = scene().await;
            scalingo.on(call, move |_| Reply::bytes(200, body));
            let error = refused(scalingo.settings()).await;
            assert_eq!(error.kind, Kind::Api, "{call} {body}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_is_not_read_without_end() {
    let scalingo = scene().await;
    scalingo.on(ADDONS, |_| Reply::bytes(200, vec![b'['; 1000]).end(End::Endless));
    assert_eq!(refused(scalingo.settings()).await.kind, Kind::Api);
    assert!(scalingo.sent() < 64 * 1024 * 1024);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_trouble_is_asked_again_and_then_given_up() {
    for status in [429, 500, 502, 503] {
        for call in [EXCHANGE, ADDONS, ADDON_TOKENS, BACKUPS] {
            let scalingo = scene().await;
            scalingo.next(call, vec![Reply::bytes(status, "Retry later"); 3]);
            assert_eq!(
                chosen(scalingo.settings()).await.unwrap(),
                "b1",
                "{status} of {call}"
            );
            let scalingo = scene().await;
            scalingo.on(call, move |_| Reply::bytes(status, "Retry later"));
            let error = refused(scalingo.settings()).await;
            assert_eq!(error.kind, Kind::Api, "{status} of {call}: {error}");
            assert_eq!(
                scalingo.asked(call).len(),
                patience().api_attempts,
                "{status} of {call}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_api_connection_is_tried_again() {
    let scalingo = scene().await;
    let cut = Reply::bytes(200, r#"{"addons":[]}"#).end(End::CutAfter(4));
    scalingo.next(ADDONS, [cut]);
    assert_eq!(chosen(scalingo.settings()).await.unwrap(), "b1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_that_the_api_asks_for_is_kept() {
    let scalingo = scene().await;
    scalingo.next(
        ADDONS,
        [Reply::bytes(429, "Retry later").with("retry-after", "1")],
    );
    let begun = Instant::now();
    assert_eq!(chosen(scalingo.settings()).await.unwrap(), "b1");
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_that_is_too_long_ends_the_run_and_is_reported() {
    let scalingo = scene().await;
    scalingo.on(ADDONS, |_| {
        Reply::bytes(429, "Retry later").with("retry-after", "7200")
    });
    let error = refused(scalingo.settings()).await;
    assert!(error.remedy.contains("7200 seconds"), "{error}");
    assert_eq!(scalingo.asked(ADDONS).len(), 1);
}

// Kept archives

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
    assert!(error.what.contains("changed since"), "{error}");
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
        assert!(error.what.contains("no answer in time"), "{error}");
        assert_eq!(scalingo.asked(route).len(), patience.silences, "{route}");
    }
}

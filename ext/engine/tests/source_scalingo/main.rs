//! Scalingo's API: tokens, addons, backups, kept archives, and what its refusals become.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backups;
mod kept;
mod refusals;
#[path = "../source_support/mod.rs"]
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
        error.what.phrase().is_some() && error.remedy.phrase().is_some(),
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
    assert!(error.to_string().contains(r#"["osc-fr1","osc-new1"]"#), "{error}");
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
        text.contains(r#"["ad-0 (pg-small)","ad-1 (pg-large)"]"#) && error.remedy.is("set_addon"),
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
    for (id, word) in [("ad-0", "redis"), ("ad-7", "addon_unknown")] {
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
        assert!(error.is("dedicated") && error.remedy.is("give_dump"), "{error}");
    }
}

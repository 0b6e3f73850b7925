//! What the API's refusals, and answers that are none, become.

use super::*;

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
    assert!(
        error.remedy.is("wait_as_asked") && error.remedy.contains("7200"),
        "{error}"
    );
    assert_eq!(scalingo.asked(ADDONS).len(), 1);
}

//! What a refusal of Scalingo's API means for its user, call by call, and what to do.

use super::super::super::http::{quotable, HttpFailure};
use crate::alike::counted;
use crate::error::{Error, Kind};
use crate::text::{text, Setting, Text};
use reqwest::StatusCode;

/// One of the calls, for what its errors say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Call {
    Exchange,
    Regions,
    Addons,
    AddonToken,
    Backups,
    Backup,
    NewBackup,
    Archive,
}

/// The most characters of one text of an explanation, and the most fields.
const TEXT: usize = 100;
const FIELDS: usize = 5;

/// What a refusal says of itself, in the fields that Scalingo documents: `error`, `code` and `resource`, or `errors` by
/// field. Whatever else is in an answer is not read, and none of these is quoted where it is more than a short text.
pub(super) fn explanation(body: &[u8], secrets: &[&str]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| quoted(answer.get(name)?, secrets);
    let mut parts: Vec<String> = Vec::new();
    parts.extend(text("error"));
    parts.extend(text("code").map(|code| format!("code {code}")));
    parts.extend(text("resource").map(|resource| format!("resource {resource}")));
    let fields = answer.get("errors").and_then(|errors| errors.as_object());
    for (field, errors) in fields.into_iter().flatten().take(FIELDS) {
        let errors = errors.as_array().into_iter().flatten().take(FIELDS);
        let errors: Vec<String> = errors.filter_map(|error| quoted(error, secrets)).collect();
        if is_field(field) && quotable(field, secrets).is_some() && !errors.is_empty() {
            parts.push(format!("{field} {}", errors.join(", ")));
        }
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A text of such a field; None where it may hold what is no explanation: a page, a URL, a token.
fn quoted(value: &serde_json::Value, secrets: &[&str]) -> Option<String> {
    let text = value.as_str().filter(|text| text.chars().count() <= TEXT)?;
    let opaque = |word: &str| word.len() > LONGEST_WORD;
    if text.contains(['<', '>', '{', '@', '=', '&']) || text.split_whitespace().any(opaque) {
        return None;
    }
    quotable(text, secrets)
}

/// No word of an explanation is longer, and hardly a token is shorter.
const LONGEST_WORD: usize = 24;

/// The name of a field as APIs have them.
fn is_field(name: &str) -> bool {
    (1..=LONGEST_WORD).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

pub(super) fn unknown_region(region: &str, known: &[&str]) -> Error {
    let known: Vec<String> = known.iter().filter_map(|name| quotable(name, &[])).collect();
    let what = match quotable(region, &[]) {
        Some(region) => format!("Scalingo has no region \"{region}\"."),
        None => "The Scalingo region is not configured.".to_owned(),
    };
    Error::new(
        Kind::Configuration,
        what,
        text!(
            "Set ",
            Setting::ScalingoRegion,
            format!(" to one of {}.", known.join(", "))
        ),
    )
}

/// What calls are about, as far as errors name it.
pub(super) struct CallSubject<'a> {
    pub(super) app: &'a str,
    pub(super) region: &'a str,
}

impl Call {
    /// For "Scalingo refused …".
    fn doing(self, subject: &CallSubject<'_>) -> String {
        let app = subject.app;
        match self {
            Self::Exchange => "to exchange the API token".into(),
            Self::Regions => "to list its regions".into(),
            Self::Addons => format!("to list the addons of the app {app}"),
            Self::AddonToken => format!("a token for the PostgreSQL addon of the app {app}"),
            Self::Backups => format!("to list the backups of the app {app}"),
            Self::Backup => format!("the status of the new backup of the app {app}"),
            Self::NewBackup => format!("to make a backup of the app {app}"),
            Self::Archive => format!("a link to the backup of the app {app}"),
        }
    }
}

/// The error that says what a call's failure means and what to do.
pub(super) fn error(call: Call, failure: HttpFailure, subject: &CallSubject<'_>) -> Error {
    let doing = call.doing(subject);
    match failure {
        HttpFailure::Final(error) => error,
        HttpFailure::Transport { reason, .. } => Error::new(
            Kind::Api,
            format!("Scalingo's API could not be reached {}: {reason}.", asked(&doing)),
            "Check the network between this machine and Scalingo (and HTTPS_PROXY), and Scalingo's status page.",
        ),
        HttpFailure::Unreadable => Error::new(
            Kind::Api,
            format!("Scalingo was asked {}, and its answer is not what it documents.", asked(&doing)),
            "Run it again; if it happens again, please report it: Scalingo's API may have changed.",
        ),
        HttpFailure::Refused { status, explanation, retry_after } => {
            let (kind, what, remedy) = refusal(call, status, subject);
            let explanation = explanation.map(|explanation| format!(": {explanation}")).unwrap_or_default();
            let what = what.unwrap_or_else(|| format!("Scalingo refused {doing}"));
            let remedy = match retry_after {
                Some(wish) if status == StatusCode::TOO_MANY_REQUESTS => {
                    format!("Scalingo asks for a pause of {}; run it again after that.", counted(wish.as_secs(), "second")).into()
                }
                _ => remedy,
            };
            Error::new(kind, format!("{what} ({}{explanation}).", status.as_u16()), remedy)
        }
    }
}

/// "to list …" stays, "a token …" becomes "for a token …".
fn asked(doing: &str) -> String {
    if doing.starts_with("to ") {
        doing.to_owned()
    } else {
        format!("for {doing}")
    }
}

/// Kind, what happened (None: that it was refused) and what to do, for a status.
fn refusal(call: Call, status: StatusCode, subject: &CallSubject<'_>) -> (Kind, Option<String>, Text) {
    let CallSubject { app, region } = subject;
    match status.as_u16() {
        401 => (
            Kind::Authentication,
            Some("Scalingo does not accept the API token".into()),
            "Make a new token in the Scalingo dashboard (Profile, API Tokens) and set SCALINGO_API_TOKEN to it.".into(),
        ),
        402 => (
            Kind::Api,
            Some("Scalingo wants a payment before it does this".into()),
            "Look at the account's billing page: the free trial may have ended.".into(),
        ),
        403 => (
            Kind::Api,
            None,
            format!("Add the API token's owner to the collaborators of {app}, with the right to read its backups.").into(),
        ),
        404 => not_found(call, app, region),
        400 | 422 => (
            Kind::Api,
            None,
            text!("Check ", Setting::CloneSourceScalingoAppName, ", ", Setting::ScalingoRegion, " and ", Setting::ScalingoAddonId, "."),
        ),
        409 => (
            Kind::Api,
            None,
            "Scalingo is busy with this database; run it again when that is over.".into(),
        ),
        429 => (
            Kind::Api,
            Some("Scalingo was asked too often: it allows 60 requests a minute".into()),
            "Run it again in a few minutes, with nothing else using the same token.".into(),
        ),
        500..=599 => (
            Kind::Api,
            Some(format!("Scalingo failed when it was asked {}", asked(&call.doing(subject)))),
            "Run it again later; Scalingo's status page may say more.".into(),
        ),
        300..=399 => (
            Kind::Api,
            Some("Scalingo's API answered with a redirect, which is not followed".into()),
            text!("Check ", Setting::ScalingoRegion, ", and SCALINGO_AUTH_URL, SCALINGO_API_URL and SCALINGO_DB_URL if they are set."),
        ),
        _ => (
            Kind::Api,
            None,
            "Run it again; if it happens again, please report it: Scalingo's API may have changed.".into(),
        ),
    }
}

fn not_found(call: Call, app: &str, region: &str) -> (Kind, Option<String>, Text) {
    match call {
        Call::Addons => (
            Kind::Api,
            Some(format!(
                "Scalingo knows no app {app} in the region {region} that this token may see"
            )),
            text!(
                "Check ",
                Setting::CloneSourceScalingoAppName,
                " and ",
                Setting::ScalingoRegion,
                ", and that the token's owner is a \
             collaborator of the app."
            ),
        ),
        Call::AddonToken => (
            Kind::AddonNotFound,
            Some(format!("The app {app} no longer has that PostgreSQL addon")),
            text!(
                "Check ",
                Setting::ScalingoAddonId,
                " against the app's addons in the dashboard."
            ),
        ),
        Call::Backups | Call::NewBackup => (
            Kind::BackupNotFound,
            Some(format!(
                "Scalingo finds no backups for the database of the app {app}"
            )),
            "Look at the database's backups in its dashboard.".into(),
        ),
        Call::Backup | Call::Archive => (
            Kind::BackupNotFound,
            Some(format!("The backup of the app {app} no longer exists")),
            "Run it again: it will take the newest backup that exists.".into(),
        ),
        Call::Exchange | Call::Regions => (Kind::Api, None, "Check SCALINGO_AUTH_URL if it is set.".into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_validation_error_is_explained_field_by_field() {
        let body = br#"{"errors":{"app":["is unknown"],"region":["is closed","is far"]}}"#;
        assert_eq!(
            explanation(body, &[]).as_deref(),
            Some("app is unknown; region is closed, is far")
        );
    }

    #[test]
    fn of_a_refusal_only_known_fields_are_repeated() {
        let body = br#"{"error":"not found","resource":"App","code":"missing","url":"x","debug":"row Ada"}"#;
        assert_eq!(
            explanation(body, &[]).as_deref(),
            Some("not found; code missing; resource App")
        );
    }

    #[test]
    fn what_may_be_a_page_a_link_or_a_token_is_not_quoted_in_any_field() {
        let long = "no ".repeat(TEXT);
        for text in [
            "<html><body>Bad gateway</body></html>",
            "see https://db.example/backup",
            "bad AbCdEfGhIjKlMnOpQrStUvWxYz0123",
            "token=abc",
            "ada@lovelace.example is unknown",
            "tk-us-abc is wrong",
            "hunter2",
            &long,
        ] {
            for body in [
                serde_json::json!({ "error": text }),
                serde_json::json!({ "code": text, "resource": text }),
                serde_json::json!({ "errors": { "app": [text] } }),
                serde_json::json!({ "errors": { text: ["is wrong"] } }),
            ] {
                let parts = explanation(body.to_string().as_bytes(), &["hunter2"]);
                assert!(parts.is_none(), "{body}");
            }
        }
    }

    #[test]
    fn a_body_that_is_no_json_or_another_json_is_not_quoted() {
        for body in [
            "Retry later",
            "",
            "<html>",
            "[1]",
            r#"{"error":{"a":1}}"#,
            r#"{"errors":"x"}"#,
            "\u{0}",
        ] {
            assert_eq!(explanation(body.as_bytes(), &[]), None, "{body}");
        }
    }

    #[test]
    fn every_failure_of_every_call_is_two_sentences() {
        let calls = [
            Call::Exchange,
            Call::Regions,
            Call::Addons,
            Call::AddonToken,
            Call::Backups,
            Call::Backup,
            Call::NewBackup,
            Call::Archive,
        ];
        let subject = CallSubject {
            app: "shop",
            region: "osc-fr1",
        };
        for call in calls {
            let mut failures = vec![
                HttpFailure::Unreadable,
                HttpFailure::Transport {
                    reason: "connection refused".into(),
                    passing: true,
                    arrived: false,
                },
            ];
            failures.extend(
                [302, 400, 401, 402, 403, 404, 409, 418, 422, 429, 500, 503].map(|status| {
                    HttpFailure::Refused {
                        status: StatusCode::from_u16(status).unwrap(),
                        explanation: Some("no".into()),
                        retry_after: None,
                    }
                }),
            );
            for failure in failures {
                let error = error(call, failure, &subject);
                assert!(
                    error.what.ends_with('.') && error.remedy.ends_with('.'),
                    "{error}"
                );
                assert!(
                    !error.what.contains("  ") && !error.what.contains("asked a "),
                    "{error}"
                );
            }
        }
    }
}

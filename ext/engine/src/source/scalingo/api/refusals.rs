//! What a refusal of Scalingo's API means for its user, call by call, and what to do.

use super::super::super::http::{quotable, HttpFailure};
use crate::error::{Error, Kind};
use crate::failure::{ApiAnswer, ApiCall, ScalingoFailure, ScalingoRemedy};
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
    let what = match quotable(region, &[]) {
        Some(region) => ScalingoFailure::RegionUnknown { region },
        None => ScalingoFailure::RegionMissing,
    };
    let regions = known.iter().filter_map(|name| quotable(name, &[])).collect();
    Error::new(Kind::Configuration, what, ScalingoRemedy::SetRegion { regions })
}

/// What calls are about, as far as errors name it.
pub(super) struct CallSubject<'a> {
    pub(super) app: &'a str,
    pub(super) region: &'a str,
}

impl Call {
    fn phrase(self, subject: &CallSubject<'_>) -> ApiCall {
        let app = subject.app.to_owned();
        match self {
            Self::Exchange => ApiCall::ExchangeToken,
            Self::Regions => ApiCall::ListRegions,
            Self::Addons => ApiCall::ListAddons { app },
            Self::AddonToken => ApiCall::GiveToken { app },
            Self::Backups => ApiCall::ListBackups { app },
            Self::Backup => ApiCall::SayStatus { app },
            Self::NewBackup => ApiCall::MakeBackup { app },
            Self::Archive => ApiCall::GiveLink { app },
        }
    }
}

/// The error that says what a call's failure means and what to do.
pub(super) fn error(called: Call, failure: HttpFailure, subject: &CallSubject<'_>) -> Error {
    let call = called.phrase(subject);
    match failure {
        HttpFailure::Final(error) => error,
        HttpFailure::Transport { reason, .. } => Error::new(
            Kind::Api,
            ScalingoFailure::Unreached { call, why: reason },
            ScalingoRemedy::CheckNetworkToScalingo,
        ),
        HttpFailure::Unreadable => Error::new(
            Kind::Api,
            ScalingoFailure::Undocumented { call },
            ScalingoRemedy::ReportApi,
        ),
        HttpFailure::Refused {
            status,
            explanation,
            retry_after,
        } => {
            let code = status.as_u16();
            let answer = match explanation {
                Some(explanation) => ApiAnswer::AnswerExplained {
                    status: code,
                    explanation,
                },
                None => ApiAnswer::AnswerStatus { status: code },
            };
            let (kind, what, remedy) = refusal(called, answer, status, subject);
            let remedy = match retry_after {
                Some(wish) if status == StatusCode::TOO_MANY_REQUESTS => ScalingoRemedy::WaitAsAsked {
                    count: wish.as_secs(),
                },
                _ => remedy,
            };
            Error::new(kind, what, remedy)
        }
    }
}

/// What an error says.
type Said = (Kind, ScalingoFailure, ScalingoRemedy);

/// What a status means.
fn refusal(called: Call, answer: ApiAnswer, status: StatusCode, subject: &CallSubject<'_>) -> Said {
    let call = called.phrase(subject);
    let (what, remedy) = match status.as_u16() {
        401 => {
            let what = ScalingoFailure::TokenRefused { answer };
            return (Kind::Authentication, what, ScalingoRemedy::MakeNewToken);
        }
        404 => return not_found(called, answer, subject),
        402 => (
            ScalingoFailure::PaymentWanted { answer },
            ScalingoRemedy::LookAtBilling,
        ),
        403 => {
            let app = subject.app.to_owned();
            (
                ScalingoFailure::Refusal { call, answer },
                ScalingoRemedy::AddCollaborator { app },
            )
        }
        400 | 422 => (
            ScalingoFailure::Refusal { call, answer },
            ScalingoRemedy::CheckSourceOptions,
        ),
        409 => (
            ScalingoFailure::Refusal { call, answer },
            ScalingoRemedy::WaitForScalingo,
        ),
        429 => (
            ScalingoFailure::AskedTooOften { answer },
            ScalingoRemedy::WaitMinutes,
        ),
        500..=599 => (
            ScalingoFailure::Failing { call, answer },
            ScalingoRemedy::RunLater,
        ),
        300..=399 => (
            ScalingoFailure::Redirected { answer },
            ScalingoRemedy::CheckRegion,
        ),
        _ => (
            ScalingoFailure::Refusal { call, answer },
            ScalingoRemedy::ReportApi,
        ),
    };
    (Kind::Api, what, remedy)
}

fn not_found(called: Call, answer: ApiAnswer, subject: &CallSubject<'_>) -> Said {
    let (app, region) = (subject.app.to_owned(), subject.region.to_owned());
    match called {
        Call::Addons => (
            Kind::Api,
            ScalingoFailure::AppUnknown { app, region, answer },
            ScalingoRemedy::CheckAppAndRegion,
        ),
        Call::AddonToken => (
            Kind::AddonNotFound,
            ScalingoFailure::AddonGone { app, answer },
            ScalingoRemedy::CheckAddonId,
        ),
        Call::Backups | Call::NewBackup => (
            Kind::BackupNotFound,
            ScalingoFailure::NoBackups { app, answer },
            ScalingoRemedy::LookAtBackups,
        ),
        Call::Backup | Call::Archive => (
            Kind::BackupNotFound,
            ScalingoFailure::BackupGone { app, answer },
            ScalingoRemedy::TakeNewest,
        ),
        Call::Exchange | Call::Regions => (
            Kind::Api,
            ScalingoFailure::Refusal {
                call: called.phrase(subject),
                answer,
            },
            ScalingoRemedy::CheckAuthAddress,
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::text::Text;

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
    fn a_refusal_is_said_with_the_call_its_status_and_its_explanation() {
        let subject = CallSubject {
            app: "shop",
            region: "osc-fr1",
        };
        let refused = |status: u16, retry_after| HttpFailure::Refused {
            status: StatusCode::from_u16(status).unwrap(),
            explanation: Some("no".into()),
            retry_after,
        };
        let refusal = error(Call::Archive, refused(403, None), &subject);
        let answer = ApiAnswer::AnswerExplained {
            status: 403,
            explanation: "no".into(),
        };
        let call = ApiCall::GiveLink { app: "shop".into() };
        assert_eq!(
            refusal.what,
            Text::from(ScalingoFailure::Refusal { call, answer })
        );
        let pause = std::time::Duration::from_secs(7);
        let busy = error(Call::Addons, refused(429, Some(pause)), &subject);
        assert_eq!(busy.remedy, Text::from(ScalingoRemedy::WaitAsAsked { count: 7 }));
        for (status, kind) in [
            (401, "token_refused"),
            (500, "failing"),
            (302, "redirected"),
            (418, "refusal"),
        ] {
            assert!(
                error(Call::Backups, refused(status, None), &subject).is(kind),
                "{status}"
            );
        }
    }

    #[test]
    fn what_is_not_found_depends_on_what_was_asked_for() {
        let subject = CallSubject {
            app: "shop",
            region: "osc-fr1",
        };
        for (call, kind) in [
            (Call::Exchange, "refusal"),
            (Call::Regions, "refusal"),
            (Call::Addons, "app_unknown"),
            (Call::AddonToken, "addon_gone"),
            (Call::Backups, "no_backups"),
            (Call::NewBackup, "no_backups"),
            (Call::Backup, "backup_gone"),
            (Call::Archive, "backup_gone"),
        ] {
            let failure = HttpFailure::Refused {
                status: StatusCode::NOT_FOUND,
                explanation: None,
                retry_after: None,
            };
            assert!(error(call, failure, &subject).is(kind), "{call:?}");
        }
    }
}

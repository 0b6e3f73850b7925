//! Whether the target is the very database that the backup was made of.
//!
//! On a platform every database has a name of its own, so a backup that was fetched from there, of a database with
//! the target's name, is one of the target itself, whatever its host or the app is called. On this machine the same
//! name in two places is ordinary, and a local file says nothing of where it came from.

use crate::error::{Error, Kind, Result};
use crate::settings::{Settings, Source};
use crate::target::url::{ConnectionUrl, Host};
use secrecy::ExposeSecret;

/// Fails when the target is the source.
///
/// # Errors
/// [`Kind::Production`]; what [`ConnectionUrl::parse`] finds wrong.
pub(crate) fn refuse_source(settings: &Settings, dumped: &str) -> Result<()> {
    let Source::Scalingo(source) = &settings.source else {
        return Ok(());
    };
    let url = ConnectionUrl::parse(settings.target.url.expose_secret())?;
    let named = url.database.as_deref().or(url.user.as_deref());
    let remote = url.hosts.iter().any(|place| is_remote(&place.host));
    if named != Some(dumped) || !remote {
        return Ok(());
    }
    Err(Error::new(
        Kind::Production,
        format!(
            "The backup of the app {} was made of the database {dumped}, which is the target itself.",
            source.app
        ),
        "Let DATABASE_URL name the staging app's own database.",
    ))
}

fn is_remote(host: &Host) -> bool {
    match host {
        Host::Tcp { name, address } => {
            let named = name.parse().ok();
            let loopback = address.or(named).is_some_and(|address| address.is_loopback());
            !loopback && name != "localhost"
        }
        Host::Socket(_) | Host::Default => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn settings(target: &str, source: &str) -> Settings {
        let json = format!(
            r#"{{"source": {source}, "target": {{"url": "{target}", "parallel_connections": 2}},
                "masking": {{"secret": "0123456789abcdef"}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    const SCALINGO: &str = r#"{"scalingo": {"app": "shop", "api_token": "t", "region": "osc-fr1"}}"#;

    #[test]
    fn a_target_that_the_backup_was_made_of_is_refused() {
        let target = "postgres://u:hush@a.postgresql.example.com:31000/shop_1234";
        let error = refuse_source(&settings(target, SCALINGO), "shop_1234").unwrap_err();
        assert_eq!(error.kind, Kind::Production);
        assert!(error.what.contains("shop_1234") && !error.to_string().contains("hush"));
    }

    #[test]
    fn another_name_or_a_database_on_this_machine_or_a_local_file_is_not_the_source() {
        let far = "postgres://u@a.postgresql.example.com/shop_1234";
        for (target, source, dumped) in [
            (far, SCALINGO, "shop_9999"),
            ("postgres://u@127.0.0.1/shop_1234", SCALINGO, "shop_1234"),
            ("postgres://u@localhost/shop_1234", SCALINGO, "shop_1234"),
            ("postgres://u@/shop_1234?host=/tmp", SCALINGO, "shop_1234"),
            (far, r#"{"file": "a.dump"}"#, "shop_1234"),
        ] {
            refuse_source(&settings(target, source), dumped).unwrap();
        }
    }
}

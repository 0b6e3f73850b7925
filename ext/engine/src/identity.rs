//! Whether the target is the very database that the backup was made of.
//!
//! A Scalingo database's host is called after it: `my-app-1234.postgresql.…`, and its addon has that name. So a
//! target on the addon's host is the source.
//!
//! On a platform every database has a name of its own, so a backup that was fetched from there, of a database with
//! the target's name, is one of the target itself, whatever its host or the app is called. On this machine the same
//! name in two places is ordinary, and a local file says nothing of where it came from.

use crate::error::{Error, Kind, Result};
use crate::failure::{JobFailure, JobRemedy};
use crate::postgres::url::{ConnectionUrl, Host};
use crate::settings::Source;
use crate::source::BackupInfo;

/// Fails when the target's host is the source addon's.
///
/// # Errors
/// [`Kind::Production`].
pub(crate) fn refuse_addon(target: &ConnectionUrl, backup: &BackupInfo) -> Result<()> {
    let Some(database) = backup.database.as_deref().filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let is_its = |host: &Host| match host {
        Host::Tcp { name, .. } => name
            .split_once('.')
            .is_some_and(|(own, _)| label(own) == label(database)),
        Host::Socket(_) | Host::Default => false,
    };
    if !target.hosts.iter().any(|place| is_its(&place.host)) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Production,
        JobFailure::TargetOnSource {
            origin: backup.origin.clone(),
        },
        JobRemedy::NameOwnDatabase,
    ))
}

/// A database's name as it stands in a host's: in lower case, with hyphens where it has underscores.
fn label(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// Fails when the target's database is the one that was dumped.
///
/// # Errors
/// [`Kind::Production`].
pub(crate) fn refuse_source(target: &ConnectionUrl, source: &Source, dumped: &str) -> Result<()> {
    let Source::Scalingo(source) = source else {
        return Ok(());
    };
    let named = target.database.as_deref().or(target.user.as_deref());
    let remote = target.hosts.iter().any(|place| is_remote(&place.host));
    if named != Some(dumped) || !remote {
        return Ok(());
    }
    Err(Error::new(
        Kind::Production,
        JobFailure::TargetIsSource {
            app: source.app.clone(),
            database: dumped.to_owned(),
        },
        JobRemedy::NameOwnDatabase,
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

    fn url(target: &str) -> ConnectionUrl {
        ConnectionUrl::parse(target).unwrap()
    }

    fn source(json: &str) -> Source {
        serde_json::from_str(json).unwrap()
    }

    const SCALINGO: &str = r#"{"scalingo": {"app": "shop", "api_token": "t", "region": "osc-fr1"}}"#;

    #[test]
    fn a_target_that_the_backup_was_made_of_is_refused() {
        let target = "postgres://u:hush@a.postgresql.example.com:31000/shop_1234";
        let error = refuse_source(&url(target), &source(SCALINGO), "shop_1234").unwrap_err();
        assert_eq!(error.kind, Kind::Production);
        assert!(error.what.contains("shop_1234") && !error.to_string().contains("hush"));
    }

    #[test]
    fn a_target_on_the_addons_own_host_is_refused_whatever_it_is_called_there() {
        let backup = |database: Option<&str>| BackupInfo {
            file: false,
            id: "bk-1".into(),
            created_at: None,
            size: None,
            origin: "Scalingo app shop, addon ad-1".into(),
            database: database.map(str::to_owned),
        };
        let target = url("postgres://u:hush@Shop-1234.postgresql.example.com:31000/renamed");
        let error = refuse_addon(&target, &backup(Some("shop_1234"))).unwrap_err();
        assert_eq!(error.kind, Kind::Production);
        assert!(error.what.contains("ad-1") && !error.to_string().contains("hush"));
        for other in [Some("shop_123"), Some("postgresql"), Some(""), None] {
            refuse_addon(&target, &backup(other)).unwrap();
        }
        for elsewhere in [
            "postgres://u@shop-1234/renamed",
            "postgres://u@/shop_1234?host=/tmp",
        ] {
            refuse_addon(&url(elsewhere), &backup(Some("shop_1234"))).unwrap();
        }
    }

    #[test]
    fn another_name_or_a_database_on_this_machine_or_a_local_file_is_not_the_source() {
        let far = "postgres://u@a.postgresql.example.com/shop_1234";
        for (target, from, dumped) in [
            (far, SCALINGO, "shop_9999"),
            ("postgres://u@127.0.0.1/shop_1234", SCALINGO, "shop_1234"),
            ("postgres://u@localhost/shop_1234", SCALINGO, "shop_1234"),
            ("postgres://u@/shop_1234?host=/tmp", SCALINGO, "shop_1234"),
            (far, r#"{"file": "a.dump"}"#, "shop_1234"),
        ] {
            refuse_source(&url(target), &source(from), dumped).unwrap();
        }
    }
}

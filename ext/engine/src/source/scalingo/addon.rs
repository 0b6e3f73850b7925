//! Which of an app's addons is the database to copy.

use super::super::http::quotable;
use crate::error::{Error, Kind, Result};
use crate::failure::{ScalingoFailure, ScalingoRemedy};
use crate::settings;
use serde::Deserialize;

/// An addon, as `GET /v1/apps/{app}/addons` returns it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Addon {
    /// `ad-…`; also the database's id in the databases' API.
    pub id: String,
    /// The database's name at its provider, which its host's name begins with.
    #[serde(default)]
    pub resource_id: Option<String>,
    #[serde(default)]
    plan: Option<Plan>,
    #[serde(default)]
    addon_provider: Option<Provider>,
}

#[derive(Debug, Clone, Deserialize)]
struct Plan {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Provider {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl Addon {
    fn provider(&self) -> &str {
        let provider = self.addon_provider.as_ref();
        provider
            .and_then(|provider| provider.id.as_deref().or(provider.name.as_deref()))
            .unwrap_or("")
    }

    fn plan(&self) -> &str {
        self.plan
            .as_ref()
            .and_then(|plan| plan.name.as_deref())
            .unwrap_or("")
    }

    /// On Dedicated Resources: its provider is `postgresql-ng`, its plans `postgresql-dr-…`.
    fn is_dedicated(&self) -> bool {
        self.provider().eq_ignore_ascii_case("postgresql-ng")
            || self.plan().to_ascii_lowercase().starts_with("postgresql-dr-")
    }

    fn is_postgresql(&self) -> bool {
        self.provider().eq_ignore_ascii_case("postgresql") || self.is_dedicated()
    }

    /// "ad-… (postgresql-starter-512)".
    fn label(&self) -> String {
        let id = quotable(&self.id, &[]).unwrap_or_else(|| "?".into());
        match quotable(self.plan(), &[]) {
            Some(plan) => format!("{id} ({plan})"),
            None => id,
        }
    }
}

/// The configured addon, or the only PostgreSQL one.
///
/// # Errors
/// [`Kind::AddonNotFound`]: none, several, not this one, or one without backups that can be downloaded.
pub(super) fn choose<'a>(addons: &'a [Addon], settings: &settings::Scalingo) -> Result<&'a Addon> {
    let app = &settings.app;
    let postgresql: Vec<&Addon> = addons.iter().filter(|addon| addon.is_postgresql()).collect();
    let wanted = settings
        .addon_id
        .as_deref()
        .map(str::trim)
        .filter(|id| !id.is_empty());
    let chosen = match (wanted, postgresql.as_slice()) {
        (Some(wanted), _) => configured(addons, wanted, app, &postgresql)?,
        (None, []) => {
            let none = ScalingoFailure::NoPostgresql { app: app.clone() };
            return Err(error(none, ScalingoRemedy::NameOwner));
        }
        (None, [only]) => only,
        (None, _) => {
            let several = ScalingoFailure::SeveralPostgresql {
                app: app.clone(),
                addons: list(&postgresql),
            };
            return Err(error(several, ScalingoRemedy::SetAddon));
        }
    };
    if chosen.is_dedicated() {
        let dedicated = ScalingoFailure::Dedicated {
            app: app.clone(),
            addon: chosen.label(),
        };
        return Err(error(dedicated, ScalingoRemedy::GiveDump));
    }
    Ok(chosen)
}

fn configured<'a>(addons: &'a [Addon], wanted: &str, app: &str, postgresql: &[&Addon]) -> Result<&'a Addon> {
    let found = addons.iter().find(|addon| addon.id == wanted);
    let (app, addon) = (app.to_owned(), wanted.to_owned());
    let what = match found {
        Some(found) if found.is_postgresql() => return Ok(found),
        Some(found) => match quotable(found.provider(), &[]) {
            Some(provider) => ScalingoFailure::OtherAddon { app, addon, provider },
            None => ScalingoFailure::OddAddon { app, addon },
        },
        None => ScalingoFailure::AddonUnknown { app, addon },
    };
    let remedy = match postgresql {
        [] => ScalingoRemedy::NoAddonCheckApp,
        several => ScalingoRemedy::SetOneOfAddons {
            addons: list(several),
        },
    };
    Err(error(what, remedy))
}

fn list(addons: &[&Addon]) -> Vec<String> {
    addons.iter().map(|addon| addon.label()).collect()
}

fn error(what: ScalingoFailure, remedy: ScalingoRemedy) -> Error {
    Error::new(Kind::AddonNotFound, what, remedy)
}

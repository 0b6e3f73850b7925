//! Scalingo: from an app's name and an API token to the bytes of a backup.
//!
//! The only place that knows Scalingo's API: its calls and errors are in `api`, which addon it is in `addon`, which
//! backup in `backup`. This page reads like the story of a run: a kept archive if one will do, else the app's
//! PostgreSQL addon, its newest or a fresh backup, and the download of that.

mod addon;
mod api;
mod backup;

use super::download::{self, Links, NoLink};
use super::keep::{self, Description, Kept};
use super::patience::Patience;
use super::{file, http, BackupInfo, PackedBackup};
use crate::error::{Error, Kind, Result};
use crate::event::Sink;
use crate::failure::{BackupSubject, ScalingoFailure, ScalingoRemedy};
use crate::settings;
use api::Api;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use url::Url;

/// The backup that `settings` ask for, ready to be read.
pub(super) async fn find(
    settings: &settings::Scalingo,
    patience: &Patience,
    events: &Sink,
) -> Result<PackedBackup> {
    check(settings)?;
    if let Some(directory) = &settings.keep_in {
        keep::check(directory).await?;
    }
    let kept = kept_archives(settings).await;
    if let Some(archive) = kept
        .iter()
        .filter(|kept| young_enough(kept, settings))
        .max_by_key(|kept| made(kept))
    {
        return open_kept(archive).await;
    }
    let mut api = Api::connect(settings, patience).await?;
    let addons = api.addons().await?;
    let addon = addon::choose(&addons, settings)?;
    let record = backup::choose(&mut api, &addon.id, settings, patience, events).await?;
    if let Some(archive) = kept
        .iter()
        .find(|kept| kept.description.addon == addon.id && kept.description.id == record.id)
    {
        return open_kept(archive).await;
    }
    let description = describe(settings, addon, record);
    download(api, description, settings.keep_in.clone(), patience, events).await
}

/// The backup with this id, found earlier: its kept archive, or a new link to it.
pub(super) async fn find_again(
    settings: &settings::Scalingo,
    id: &str,
    patience: &Patience,
    events: &Sink,
) -> Result<PackedBackup> {
    let kept = settings::Scalingo {
        force_download: false,
        ..settings.clone()
    };
    let kept = kept_archives(&kept).await;
    if let Some(archive) = kept.iter().find(|kept| kept.description.id == id) {
        return open_kept(archive).await;
    }
    let mut api = Api::connect(settings, patience).await?;
    let addons = api.addons().await?;
    let addon = addon::choose(&addons, settings)?;
    let record = backup::find(&mut api, &addon.id, &settings.app, id).await?;
    download(api, describe(settings, addon, record), None, patience, events).await
}

fn describe(settings: &settings::Scalingo, addon: &addon::Addon, record: backup::Record) -> Description {
    Description {
        region: settings.region.clone(),
        app: settings.app.clone(),
        addon: addon.id.clone(),
        database: addon.resource_id.clone(),
        name: record.name.clone().unwrap_or_else(|| record.id.clone()),
        created_at: record.created_at(),
        size: record.size(),
        id: record.id,
        bytes: 0,
        sha256: String::new(),
    }
}

/// Refuses what would only puzzle Scalingo.
fn check(settings: &settings::Scalingo) -> Result<()> {
    let missing = |what, remedy| Err(Error::new(Kind::Configuration, what, remedy));
    if settings.app.trim().is_empty() {
        return missing(ScalingoFailure::NoApp, ScalingoRemedy::SetApp);
    }
    if settings.api_token.expose_secret().trim().is_empty() {
        return missing(ScalingoFailure::NoToken, ScalingoRemedy::MakeToken);
    }
    Ok(())
}

/// The kept archives of this app, and of the configured addon; none when they are to be passed over.
async fn kept_archives(settings: &settings::Scalingo) -> Vec<Kept> {
    let Some(directory) = settings.keep_in.clone().filter(|_| !settings.force_download) else {
        return Vec::new();
    };
    let mut kept = tokio::task::spawn_blocking(move || keep::find(&directory))
        .await
        .unwrap_or_default();
    kept.retain(|Kept { description, .. }| {
        description.region == settings.region
            && description.app == settings.app
            && settings
                .addon_id
                .as_ref()
                .is_none_or(|addon| *addon == description.addon)
    });
    kept
}

/// Whether a kept archive will do without asking Scalingo. With `backup_max_age` None it has to be the newest
/// backup there is, and only Scalingo knows that.
fn young_enough(kept: &Kept, settings: &settings::Scalingo) -> bool {
    match (settings.backup_max_age, made(kept)) {
        (Some(max_age), Some(created_at)) => backup::is_within(created_at, max_age, Timestamp::now()),
        _ => false,
    }
}

fn made(kept: &Kept) -> Option<Timestamp> {
    kept.description.created_at
}

async fn open_kept(kept: &Kept) -> Result<PackedBackup> {
    let (opened, _) = file::open(&kept.path).await?;
    let digest = Arc::new(OnceLock::new());
    let expected = Some(kept.description.sha256.clone());
    let packed = Box::new(file::FileReader::new(
        opened,
        &kept.path,
        expected,
        Arc::clone(&digest),
    ));
    Ok(PackedBackup {
        info: info(&kept.description),
        name: kept.description.name.clone(),
        packed,
        digest,
        copying: None,
        download: None,
    })
}

async fn download(
    api: Api,
    description: Description,
    keep_in: Option<PathBuf>,
    patience: &Patience,
    events: &Sink,
) -> Result<PackedBackup> {
    let client = http::download_client(api.database_url(), patience)?;
    let digest = Arc::new(OnceLock::new());
    let links = BackupLinks {
        api,
        addon: description.addon.clone(),
        id: description.id.clone(),
    };
    let subject = BackupSubject::BackupWithId {
        id: description.id.clone(),
    };
    let (info, name) = (info(&description), description.name.clone());
    let (reader, download) = download::start(
        client,
        links,
        subject,
        patience.clone(),
        events.clone(),
        Arc::clone(&digest),
    );
    let mut found = PackedBackup {
        info,
        name,
        packed: Box::new(reader),
        digest,
        copying: None,
        download: Some(download),
    };
    if let Some(directory) = keep_in {
        let digest = Arc::clone(&found.digest);
        let tee = keep::Tee::new(found.packed, &directory, description, digest, events.clone())?;
        found.copying = Some(tee.copying());
        found.packed = Box::new(tee);
    }
    Ok(found)
}

fn info(description: &Description) -> BackupInfo {
    BackupInfo {
        id: description.id.clone(),
        created_at: description.created_at.map(|created_at| created_at.to_string()),
        size: description.size,
        database: description.database.clone(),
        file: false,
        origin: format!("Scalingo app {}, addon {}", description.app, description.addon),
    }
}

/// Links to one backup's archive.
struct BackupLinks {
    api: Api,
    addon: String,
    id: String,
}

impl Links for BackupLinks {
    async fn fresh(&mut self) -> Result<Url, NoLink> {
        self.api.archive_url(&self.addon, &self.id).await
    }
}

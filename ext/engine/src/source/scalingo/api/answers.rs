//! The answers of Scalingo's API, as far as they are read.

use super::super::addon::Addon;
use super::super::backup::Record;
use secrecy::SecretString;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct ExchangeAnswer {
    pub(super) token: SecretString,
}

#[derive(Deserialize)]
pub(super) struct RegionsAnswer {
    pub(super) regions: Vec<Region>,
}

#[derive(Deserialize)]
pub(super) struct Region {
    pub(super) name: String,
    pub(super) api: String,
    pub(super) database_api: String,
}

#[derive(Deserialize)]
pub(super) struct AddonsAnswer {
    pub(super) addons: Vec<Addon>,
}

#[derive(Deserialize)]
pub(super) struct AddonTokenAnswer {
    pub(super) addon: AddonToken,
}

#[derive(Deserialize)]
pub(super) struct AddonToken {
    pub(super) token: SecretString,
}

#[derive(Deserialize)]
pub(super) struct BackupsAnswer {
    pub(super) database_backups: Vec<Record>,
}

#[derive(Deserialize)]
pub(super) struct BackupAnswer {
    pub(super) database_backup: Record,
}

#[derive(Deserialize)]
pub(super) struct ArchiveAnswer {
    pub(super) download_url: SecretString,
}

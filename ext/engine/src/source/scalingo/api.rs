//! Scalingo's API: its calls, the tokens they need, and what its refusals mean.
//!
//! Two hosts beside the one that hands out tokens: the platform's (apps and addons, with a JWT made from the API
//! token) and the databases' (backups, with a token of the addon). Both tokens live an hour and are renewed
//! before they end. Calls and answers are those of developers.scalingo.com; nothing in an answer is trusted, and
//! of a refusal only its `error` text is quoted, if it is harmless.

mod account;
mod answers;
mod refusals;
mod url;

use super::super::download::NoLink;
use super::super::http::{api_client, is_passing, HttpFailure};
use super::super::patience::Patience;
use super::addon::Addon;
use super::backup::Record;
use crate::error::{Error, Result};
use crate::settings;
use ::url::Url;
use account::{fresh, read, Account, ApiToken, Repeat, REGIONS};
use answers::{AddonTokenAnswer, AddonsAnswer, ArchiveAnswer, BackupAnswer, BackupsAnswer};
pub(super) use refusals::Call;
use refusals::{error, unknown_region, CallSubject};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::{base, within};

/// Scalingo's API for one app.
pub(super) struct Api {
    account: Account,
    platform: Url,
    database: Url,
    app: String,
    region: String,
    addon_token: Option<ApiToken>,
}

/// Which token a call needs.
#[derive(Clone, Copy)]
enum Bearer<'a> {
    Account,
    Addon(&'a str),
}

impl Api {
    /// Finds the region's hosts. Asks Scalingo only about regions that are not known here.
    pub(super) async fn connect(settings: &settings::Scalingo, patience: &Patience) -> Result<Self> {
        let urls = &settings.urls;
        let region = settings.region.trim();
        if region.is_empty()
            || !region
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(unknown_region(region, &REGIONS));
        }
        let auth = base(urls.auth.as_deref().unwrap_or("https://auth.scalingo.com"))?;
        let platform = urls.api.as_deref().map(base).transpose()?;
        let database = urls.database.as_deref().map(base).transpose()?;
        let bases: Vec<&Url> = [Some(&auth), platform.as_ref(), database.as_ref()]
            .into_iter()
            .flatten()
            .collect();
        let client = api_client(&bases, patience)?;
        let api_token = settings.api_token.expose_secret().trim().to_owned().into();
        let mut account = Account::new(client, auth, api_token, patience.clone());
        let (platform, database) = match (platform, database) {
            (Some(platform), Some(database)) => (platform, database),
            (platform, database) => {
                let (of_region, databases_of_region) = account.hosts(region).await?;
                (
                    platform.unwrap_or(of_region),
                    database.unwrap_or(databases_of_region),
                )
            }
        };
        let (app, region) = (settings.app.trim().to_owned(), region.to_owned());
        Ok(Self {
            account,
            platform,
            database,
            app,
            region,
            addon_token: None,
        })
    }

    /// Where the databases' API is.
    pub(super) fn database_url(&self) -> &Url {
        &self.database
    }

    /// The app's addons, of every kind.
    pub(super) async fn addons(&mut self) -> Result<Vec<Addon>> {
        let url = within(&self.platform, &["v1", "apps", &self.app, "addons"]);
        let answer = self
            .call(Method::GET, url, Bearer::Account, Repeat::Harmless)
            .await;
        answer
            .map(|AddonsAnswer { addons }| addons)
            .map_err(|failure| self.error(Call::Addons, failure))
    }

    /// The addon's backups, in any order.
    pub(super) async fn backups(&mut self, addon: &str) -> Result<Vec<Record>> {
        let url = within(&self.database, &["api", "databases", addon, "backups"]);
        let answer = self
            .call(Method::GET, url, Bearer::Addon(addon), Repeat::Harmless)
            .await;
        answer
            .map(|BackupsAnswer { database_backups }| database_backups)
            .map_err(|failure| self.error(Call::Backups, failure))
    }

    /// One backup; None when this call does not know it. The call is not documented, so all that it answers but
    /// a backup means that the list has to be asked.
    pub(super) async fn backup(&mut self, addon: &str, id: &str) -> Result<Option<Record>> {
        let url = within(&self.database, &["api", "backups", id]);
        let answer = self
            .call(Method::GET, url, Bearer::Addon(addon), Repeat::Harmless)
            .await;
        match answer {
            Ok(BackupAnswer { database_backup }) => Ok(Some(database_backup)),
            Err(HttpFailure::Unreadable) => Ok(None),
            Err(HttpFailure::Refused { status, .. })
                if !is_passing(status) && status != StatusCode::UNAUTHORIZED =>
            {
                Ok(None)
            }
            Err(failure) => Err(self.error(Call::Backup, failure)),
        }
    }

    /// Asks for a backup, once: whether to ask again is for the caller to know.
    pub(super) async fn ask_for_backup(&mut self, addon: &str) -> Result<Record, HttpFailure> {
        let url = within(&self.database, &["api", "databases", addon, "backups"]);
        let answer = self
            .call(Method::POST, url, Bearer::Addon(addon), Repeat::Never)
            .await;
        answer.map(|BackupAnswer { database_backup }| database_backup)
    }

    /// A link to the backup's archive.
    pub(super) async fn archive_url(&mut self, addon: &str, id: &str) -> Result<Url, NoLink> {
        let url = within(
            &self.database,
            &["api", "databases", addon, "backups", id, "archive"],
        );
        let answer = self
            .call(Method::GET, url, Bearer::Addon(addon), Repeat::Harmless)
            .await;
        let link = answer.and_then(|ArchiveAnswer { download_url }| {
            Url::parse(download_url.expose_secret()).map_err(|_| HttpFailure::Unreadable)
        });
        link.map_err(|failure| NoLink {
            passing: failure.is_passing(),
            error: self.error(Call::Archive, failure),
        })
    }

    /// The error that says what a call's failure means.
    pub(super) fn error(&self, call: Call, failure: HttpFailure) -> Error {
        error(
            call,
            failure,
            &CallSubject {
                app: &self.app,
                region: &self.region,
            },
        )
    }

    /// A call with its token, which is renewed once when Scalingo does not accept it any more.
    async fn call<T: DeserializeOwned>(
        &mut self,
        method: Method,
        url: Url,
        bearer: Bearer<'_>,
        repeat: Repeat,
    ) -> Result<T, HttpFailure> {
        for first in [true, false] {
            let token = self.token(bearer).await?;
            let request = || {
                let request = self
                    .account
                    .client
                    .request(method.clone(), url.clone())
                    .bearer_auth(token.expose_secret());
                if method == Method::POST {
                    request.json(&serde_json::json!({}))
                } else {
                    request
                }
            };
            let secrets = [self.account.api_token.expose_secret(), token.expose_secret()];
            match self.account.answer(request, &secrets, repeat).await {
                Err(failure) if first && failure.status() == Some(StatusCode::UNAUTHORIZED) => {
                    self.forget(bearer)
                }
                Err(failure) => return Err(failure),
                Ok(body) => return read(&body),
            }
        }
        Err(HttpFailure::Unreadable)
    }

    async fn token(&mut self, bearer: Bearer<'_>) -> Result<SecretString, HttpFailure> {
        match bearer {
            Bearer::Account => self
                .account
                .jwt()
                .await
                .map_err(|failure| self.settled(Call::Exchange, failure)),
            Bearer::Addon(addon) => {
                if let Some(token) = fresh(&self.addon_token, &self.account.patience) {
                    return Ok(token);
                }
                let url = within(
                    &self.platform,
                    &["v1", "apps", &self.app, "addons", addon, "token"],
                );
                // Boxed: this call asks for a token in turn, though never for an addon's.
                let answer = Box::pin(self.call(Method::POST, url, Bearer::Account, Repeat::Harmless)).await;
                let AddonTokenAnswer { addon } =
                    answer.map_err(|failure| self.settled(Call::AddonToken, failure))?;
                self.addon_token = Some(ApiToken::new(addon.token.clone()));
                Ok(addon.token)
            }
        }
    }

    fn forget(&mut self, bearer: Bearer<'_>) {
        match bearer {
            Bearer::Account => self.account.forget(),
            Bearer::Addon(_) => self.addon_token = None,
        }
    }

    /// A failure to get a token must be reported as that, for every call that needed the token. One that may pass stays as
    /// it is, so that a download goes on trying.
    fn settled(&self, call: Call, failure: HttpFailure) -> HttpFailure {
        match failure {
            HttpFailure::Final(_) => failure,
            failure if failure.is_passing() => failure,
            failure => HttpFailure::Final(self.error(call, failure)),
        }
    }
}

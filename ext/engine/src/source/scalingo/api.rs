//! Scalingo's API: its calls, the tokens they need, and what its refusals mean.
//!
//! Two hosts beside the one that hands out tokens: the platform's (apps and addons, with a JWT made from the API
//! token) and the databases' (backups, with a token of the addon). Both tokens live an hour and are renewed
//! before they end. Calls and answers are those of developers.scalingo.com; nothing in an answer is trusted, and
//! of a refusal only its `error` text is quoted, if it is harmless.

mod answers;
mod refusals;

use super::super::download::NoLink;
use super::super::http::{api_client, is_passing, retry_after, HttpFailure};
use super::super::patience::Patience;
use super::addon::Addon;
use super::backup::Record;
use crate::error::{Error, Kind, Result};
use crate::settings;
use answers::{
    AddonTokenAnswer, AddonsAnswer, ArchiveAnswer, BackupAnswer, BackupsAnswer, ExchangeAnswer, RegionsAnswer,
};
use backon::Retryable;
pub(super) use refusals::Call;
use refusals::{error, explanation, unknown_region, CallSubject};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

/// The regions whose URLs need no asking (`REGION_NAME` in a container is one of them).
const REGIONS: [&str; 2] = ["osc-fr1", "osc-secnum-fr1"];
/// The longest answer that is read.
const ANSWER: usize = 4 * 1024 * 1024;

/// Scalingo's API for one app.
pub(super) struct Api {
    account: Account,
    platform: Url,
    database: Url,
    app: String,
    region: String,
    addon_token: Option<Token>,
}

/// The API token, and the short-lived one it is exchanged for.
struct Account {
    client: Client,
    auth: Url,
    api_token: SecretString,
    jwt: Option<Token>,
    patience: Patience,
}

/// A token that ends.
struct Token {
    secret: SecretString,
    issued: Instant,
}

/// Which token a call needs.
#[derive(Clone, Copy)]
enum Bearer<'a> {
    Account,
    Addon(&'a str),
}

/// What a repetition would do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// No harm.
    Harmless,
    /// The same thing a second time.
    Never,
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
        let mut account = Account {
            client: api_client(&bases, patience)?,
            api_token: settings.api_token.expose_secret().trim().to_owned().into(),
            auth,
            jwt: None,
            patience: patience.clone(),
        };
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
                self.addon_token = Some(Token::new(addon.token.clone()));
                Ok(addon.token)
            }
        }
    }

    fn forget(&mut self, bearer: Bearer<'_>) {
        match bearer {
            Bearer::Account => self.account.jwt = None,
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

impl Account {
    /// The JWT that stands for the API token.
    async fn jwt(&mut self) -> Result<SecretString, HttpFailure> {
        if let Some(token) = fresh(&self.jwt, &self.patience) {
            return Ok(token);
        }
        let url = within(&self.auth, &["v1", "tokens", "exchange"]);
        let request = || {
            self.client
                .post(url.clone())
                .basic_auth("", Some(self.api_token.expose_secret()))
                .json(&serde_json::json!({}))
        };
        let body = self
            .answer(request, &[self.api_token.expose_secret()], Repeat::Harmless)
            .await?;
        let ExchangeAnswer { token } = read(&body)?;
        self.jwt = Some(Token::new(token.clone()));
        Ok(token)
    }

    /// The hosts of a region: of its platform and of its databases.
    async fn hosts(&mut self, region: &str) -> Result<(Url, Url)> {
        if REGIONS.contains(&region) {
            return Ok((
                base(&format!("https://api.{region}.scalingo.com"))?,
                base(&format!("https://db-api.{region}.scalingo.com"))?,
            ));
        }
        let subject = CallSubject { app: "", region };
        let jwt = self
            .jwt()
            .await
            .map_err(|failure| error(Call::Exchange, failure, &subject))?;
        let url = within(&self.auth, &["v1", "regions"]);
        let request = || self.client.get(url.clone()).bearer_auth(jwt.expose_secret());
        let secrets = [self.api_token.expose_secret(), jwt.expose_secret()];
        let RegionsAnswer { regions } = self
            .answer(request, &secrets, Repeat::Harmless)
            .await
            .and_then(|body| read(&body))
            .map_err(|failure| error(Call::Regions, failure, &subject))?;
        let Some(found) = regions.iter().find(|found| found.name == region) else {
            return Err(unknown_region(
                region,
                &regions.iter().map(|region| &*region.name).collect::<Vec<_>>(),
            ));
        };
        let unreadable = |_| error(Call::Regions, HttpFailure::Unreadable, &subject);
        let hosts = [&found.api, &found.database_api].map(|url| base(url).map_err(unreadable));
        let [platform, database] = hosts;
        let (platform, database) = (platform?, database?);
        // A token that is only ever sent encrypted is not to be lured elsewhere.
        if [&platform, &database]
            .iter()
            .any(|url| url.scheme() != self.auth.scheme())
        {
            return Err(error(Call::Regions, HttpFailure::Unreadable, &subject));
        }
        Ok((platform, database))
    }

    /// The body of the answer to a request, which is repeated while that may help and is harmless.
    async fn answer(
        &self,
        request: impl Fn() -> RequestBuilder,
        secrets: &[&str],
        repeat: Repeat,
    ) -> Result<Vec<u8>, HttpFailure> {
        let attempts = match repeat {
            Repeat::Harmless => self.patience.api_attempts,
            Repeat::Never => 1,
        };
        let once = || exchange(request(), secrets);
        let mut silences = 0;
        once.retry(self.patience.delays(attempts))
            .when(|failure| {
                silences += usize::from(failure.is_silence());
                failure.is_passing() && silences < self.patience.silences
            })
            .adjust(|failure, own| own.and_then(|own| self.patience.delay(failure.retry_after(), own)))
            .await
    }
}

impl Token {
    fn new(secret: SecretString) -> Self {
        Self {
            secret,
            issued: Instant::now(),
        }
    }
}

/// The token, unless it ends soon.
fn fresh(token: &Option<Token>, patience: &Patience) -> Option<SecretString> {
    let usable = patience.token_life.saturating_sub(patience.token_margin);
    token
        .as_ref()
        .filter(|token| token.issued.elapsed() < usable)
        .map(|token| token.secret.clone())
}

/// One request and its answer.
async fn exchange(request: RequestBuilder, secrets: &[&str]) -> Result<Vec<u8>, HttpFailure> {
    let mut response = request.send().await.map_err(HttpFailure::transport)?;
    let status = response.status();
    let retry_after = retry_after(response.headers(), jiff::Timestamp::now());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) if body.len() + piece.len() <= ANSWER => body.extend_from_slice(&piece),
            Ok(Some(_)) if status.is_success() => return Err(HttpFailure::Unreadable),
            Err(error) if status.is_success() => return Err(HttpFailure::transport(error)),
            // A refusal is one, however much of its explanation arrived.
            Ok(_) | Err(_) => break,
        }
    }
    if status.is_success() {
        Ok(body)
    } else {
        Err(HttpFailure::Refused {
            status,
            said: explanation(&body, secrets),
            retry_after,
        })
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpFailure> {
    // serde's own error may quote a value, and the value may be a token.
    serde_json::from_slice(body).map_err(|_| HttpFailure::Unreadable)
}

/// A base URL: `http` or `https`, and a host.
fn base(url: &str) -> Result<Url> {
    let parsed = Url::parse(url.trim()).ok();
    parsed
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Error::new(
                Kind::Configuration,
                "A base URL for Scalingo's API is not an http or https URL.",
                "Check SCALINGO_AUTH_URL, SCALINGO_API_URL and SCALINGO_DB_URL, or unset them.",
            )
        })
}

/// A URL below `base`; every segment is percent-encoded, so a name cannot change the path.
fn within(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_cannot_change_the_path() {
        let url = within(
            &Url::parse("https://api.example/").unwrap(),
            &["v1", "apps", "../x?y#z/w", "addons"],
        );
        assert_eq!(
            url.as_str(),
            "https://api.example/v1/apps/..%2Fx%3Fy%23z%2Fw/addons"
        );
    }

    #[test]
    fn a_base_url_may_have_a_path_of_its_own() {
        let url = within(
            &Url::parse("http://127.0.0.1:1234/scalingo/").unwrap(),
            &["v1", "regions"],
        );
        assert_eq!(url.as_str(), "http://127.0.0.1:1234/scalingo/v1/regions");
    }
}

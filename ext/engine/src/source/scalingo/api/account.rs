//! The API token, what is made of it, and calls under either.

use super::super::super::http::{retry_after, HttpFailure};
use super::super::super::patience::Patience;
use super::answers::{ExchangeAnswer, RegionsAnswer};
use super::refusals::{error, explanation, unknown_region, Call, CallSubject};
use super::url::{base, within};
use crate::error::Result;
use ::url::Url;
use backon::Retryable;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

/// The regions whose URLs need no asking (`REGION_NAME` in a container is one of them).
pub(super) const REGIONS: [&str; 2] = ["osc-fr1", "osc-secnum-fr1"];

/// The longest answer that is read.
const ANSWER: usize = 4 * 1024 * 1024;

/// The API token, and the short-lived one it is exchanged for.
pub(super) struct Account {
    pub(super) client: Client,
    auth: Url,
    pub(super) api_token: SecretString,
    jwt: Option<ApiToken>,
    pub(super) patience: Patience,
}

/// A token that ends.
pub(super) struct ApiToken {
    secret: SecretString,
    issued: Instant,
}

/// What a repetition would do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// No harm.
    Harmless,
    /// The same thing a second time.
    Never,
}

impl Account {
    pub(super) fn new(client: Client, auth: Url, api_token: SecretString, patience: Patience) -> Self {
        Self {
            client,
            auth,
            api_token,
            jwt: None,
            patience,
        }
    }

    /// Has the JWT made anew when it is wanted again.
    pub(super) fn forget(&mut self) {
        self.jwt = None;
    }

    /// The JWT that stands for the API token.
    pub(super) async fn jwt(&mut self) -> Result<SecretString, HttpFailure> {
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
        self.jwt = Some(ApiToken::new(token.clone()));
        Ok(token)
    }

    /// The hosts of a region: of its platform and of its databases.
    pub(super) async fn hosts(&mut self, region: &str) -> Result<(Url, Url)> {
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
    pub(super) async fn answer(
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

impl ApiToken {
    pub(super) fn new(secret: SecretString) -> Self {
        Self {
            secret,
            issued: Instant::now(),
        }
    }
}

/// The token, unless it ends soon.
pub(super) fn fresh(token: &Option<ApiToken>, patience: &Patience) -> Option<SecretString> {
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
            explanation: explanation(&body, secrets),
            retry_after,
        })
    }
}

/// An answer as what it is.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpFailure> {
    // serde's own error may quote a value, and the value may be a token.
    serde_json::from_slice(body).map_err(|_| HttpFailure::Unreadable)
}

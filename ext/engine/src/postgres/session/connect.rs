//! Opening sessions as the URL says: its hosts in turn, with TLS and without, as libpq does.

pub(crate) use super::opened::Session;

use super::ahead::{Line, Plain, Tapped};
use super::settings;
use super::startup::{self, Encryption};
use super::unreachable::{connection_error, is_about_encryption, unreachable_target};
use crate::error::{Doing, Error, Result};
use crate::event::Sink;
use crate::failure::Attempt;
use crate::failure::Unreachable;
use crate::notice::Stall;
use crate::postgres::session::tls;
use crate::postgres::session::url::{ConnectionUrl, Host, HostAndPort, SslMode};
use crate::postgres::session::watch::{self, Limits, Watch};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long one attempt at one host may take when the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens sessions.
pub(crate) struct Connector {
    url: ConnectionUrl,
    tls: Option<MakeRustlsConnect>,
    application_name: String,
    setup: String,
    /// Hears of a session that stands still.
    events: Sink,
    /// Held for reading while a session is being opened, for writing while other sessions are ended: a session
    /// shows up in pg_stat_activity an instant before its application name does.
    pub(crate) gate: RwLock<()>,
}

impl Connector {
    /// Prepares to open up to `sessions` sessions named `application_name`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::error::Kind::Configuration) when certificate files cannot be read.
    pub(crate) fn new(
        url: ConnectionUrl,
        application_name: String,
        sessions: usize,
        events: &Sink,
    ) -> Result<Arc<Self>> {
        let wants_tls = url.tls.mode != SslMode::Disable;
        let tls = wants_tls.then(|| tls::client_config(&url.tls)).transpose()?;
        Ok(Arc::new(Self {
            setup: settings::sql(sessions),
            url,
            tls: tls.map(MakeRustlsConnect::new),
            application_name,
            events: events.clone(),
            gate: RwLock::new(()),
        }))
    }

    /// Where it connects to.
    pub(crate) fn url(&self) -> &ConnectionUrl {
        &self.url
    }

    /// The name by which this run's sessions are known.
    pub(crate) fn application_name(&self) -> &str {
        &self.application_name
    }

    /// How long its sessions may stand still.
    pub(super) fn limits(&self) -> Limits {
        self.url.limits
    }

    /// Opens a session and sets it up. From then on it is watched.
    ///
    /// # Errors
    /// [`Kind::TargetConnection`](crate::error::Kind::TargetConnection): the last host's reason, in words without the URL, a name or a password.
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<Session> {
        let mut session = {
            let _gate = self.gate.read().await;
            self.open().await?
        };
        let watched = (session.pid(), session.abort_handle());
        let watch = Watch::start(
            Arc::clone(session.pulse()),
            watched,
            Arc::clone(self),
            self.events.clone(),
        );
        session.keep(watch);
        Ok(session)
    }

    /// What the server says of one of its processes, asked on a session of its own.
    pub(super) async fn ask_about(&self, pid: i32) -> watch::Doing {
        let asked = async {
            // Not within the gate: who ends others' sessions may be waiting for what stands still.
            let session = self.open().await?;
            let answer = session.client().query_opt(watch::QUESTION, &[&pid]).await;
            let doing = answer.and_then(|row| watch::doing(row.as_ref()));
            doing
                .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::AskingAboutSession), &error))
        };
        match tokio::time::timeout(watch::asking(self.limits()), asked).await {
            Ok(Ok(doing)) => doing,
            // It answers, even if only to say that no connection is left.
            Ok(Err(error)) if error.about.sqlstate.is_some() => watch::Doing::Works,
            _ => watch::Doing::StandsStill(Stall::NoAnswer),
        }
    }

    /// A session that is set up, and not watched.
    async fn open(&self) -> Result<Session> {
        let mut failure = None;
        for place in self.places() {
            match self.connect_to(&place).await {
                Ok(session) => {
                    let set_up = tokio::time::timeout(
                        self.attempt_limit(),
                        session.set_up(&self.setup, self.url.is_far),
                    );
                    return set_up
                        .await
                        .unwrap_or_else(|_| Err(unreachable_target(Unreachable::NotAnswering)));
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| Error::internal("The target URL has no host.")))
    }

    fn places(&self) -> Vec<HostAndPort> {
        let mut places: Vec<HostAndPort> = self.url.hosts.iter().map(resolve_default).collect();
        if self.url.shuffle_hosts {
            // RandomState is seeded at random, which is all that balancing load needs.
            let random = RandomState::new();
            places.sort_by_key(|place| random.hash_one(format!("{place:?}")));
        }
        places
    }

    async fn connect_to(&self, place: &HostAndPort) -> Result<Session> {
        let mut first_failure = None;
        for encryption in encryptions(self.url.tls.mode, &place.host) {
            match self.attempt(place, encryption).await {
                Ok(session) => return Ok(session),
                Err(FailedAttempt {
                    error,
                    worth_another_way,
                }) => {
                    let first = first_failure.get_or_insert(error);
                    if !worth_another_way {
                        return Err(first.clone());
                    }
                }
            }
        }
        Err(first_failure.unwrap_or_else(|| Error::internal("There was no way to connect to the target.")))
    }

    async fn attempt(&self, place: &HostAndPort, encryption: Encryption) -> Result<Session, FailedAttempt> {
        let config = startup::config(&self.url, place, encryption, &self.application_name);
        let limit = self.attempt_limit();
        let line = Line::default();
        let opened = match (&self.tls, encryption) {
            (Some(tls), Encryption::IfOffered | Encryption::Always) => {
                let tls = Tapped::new(tls.clone(), &line);
                tokio::time::timeout(limit, session(&config, tls, line)).await
            }
            _ if matches!(place.host, Host::Socket(_)) => {
                tokio::time::timeout(limit, session(&config, NoTls, line)).await
            }
            _ => {
                let plain = Tapped::new(Plain, &line);
                tokio::time::timeout(limit, session(&config, plain, line)).await
            }
        };
        match opened {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(error)) => Err(FailedAttempt {
                worth_another_way: is_about_encryption(&error),
                error: connection_error(&error),
            }),
            Err(_) => Err(FailedAttempt {
                worth_another_way: false,
                error: unreachable_target(Unreachable::TimedOut),
            }),
        }
    }

    /// How long one attempt may take.
    fn attempt_limit(&self) -> Duration {
        self.url.connect_timeout.unwrap_or(CONNECT_TIMEOUT)
    }
}

async fn session<T>(config: &Config, tls: T, line: Line) -> Result<Session, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    Ok(Session::new(client, connection, line))
}

/// An attempt that failed, and whether the same host may answer to the other kind of encryption.
struct FailedAttempt {
    error: Error,
    worth_another_way: bool,
}

/// The attempts at one host, in libpq's order. A Unix socket never has TLS.
fn encryptions(mode: SslMode, host: &Host) -> Vec<Encryption> {
    match (host, mode) {
        (Host::Socket(_), _) | (_, SslMode::Disable) => vec![Encryption::Never],
        (_, SslMode::Allow) => vec![Encryption::Never, Encryption::Always],
        (_, SslMode::Prefer) => vec![Encryption::IfOffered, Encryption::Never],
        (_, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull) => vec![Encryption::Always],
    }
}

/// libpq without a host: the default socket directory of its build, else this machine.
fn resolve_default(place: &HostAndPort) -> HostAndPort {
    if place.host != Host::Default {
        return place.clone();
    }
    let directories = ["/var/run/postgresql", "/tmp"];
    let socket = format!(".s.PGSQL.{}", place.port);
    let found = directories
        .iter()
        .find(|directory| Path::new(directory).join(&socket).exists());
    let host = match found {
        Some(directory) => Host::Socket(PathBuf::from(directory)),
        None => Host::Tcp {
            name: "localhost".into(),
            address: None,
        },
    };
    HostAndPort {
        host,
        port: place.port,
    }
}

/// A share of a connector for tasks.
pub(crate) type SharedConnector = Arc<Connector>;

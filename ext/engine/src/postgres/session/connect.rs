//! Sessions: opening them as the URL says, setting them up for a restore, and closing them for certain.
//!
//! A [`Session`] ends when it is dropped, whatever it is doing, so a run that is dropped half-way leaves none
//! behind: the socket closes, and `client_connection_check_interval` makes the server notice even in the middle
//! of a statement.

use crate::error::{About, Doing, Error, Kind, Result};
use crate::event::Sink;
use crate::postgres::session::tls;
use crate::postgres::session::url::{ChannelBinding, ConnectionUrl, Host, HostAndPort, SslMode};
use crate::postgres::session::watch::{self, Limits, Pulse, Watch};
use crate::text::{text, Setting, Text};
use futures_util::future::join_all;
use secrecy::ExposeSecret;
use std::error::Error as _;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;
use tokio::task::JoinHandle;
use tokio_postgres::config::{LoadBalanceHosts, SslNegotiation, TargetSessionAttrs};
use tokio_postgres::{config, Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long one attempt at one host may take when the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// What every session is set to. Those of pg_restore (`_doConnect` and the head of pg_dump's plain output), and
/// ours: no time limits, no JIT, nothing that waits for the disk at each commit, and probes by which the server
/// finds out soon that we are gone. A setting that the server does not know is passed over.
const SETTINGS: [(&str, &str); 26] = [
    ("default_transaction_read_only", "off"),
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("search_path", ""),
    ("check_function_bodies", "off"),
    ("xmloption", "content"),
    ("row_security", "off"),
    ("default_tablespace", ""),
    ("default_table_access_method", "heap"),
    ("escape_string_warning", "off"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("transform_null_equals", "off"),
    ("array_nulls", "on"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("transaction_timeout", "0"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    ("synchronous_commit", "off"),
    ("jit", "off"),
    ("tcp_keepalives_idle", "60"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "6"),
];

/// What keeps the server's log from more than what went wrong: no DETAIL or CONTEXT, which quote rows, no statement and
/// none of its parameters, which are the contents of large objects. Most of these are a superuser's to set, or that of a
/// role who was granted it.
const LESS_LOGGED: [(&str, &str); 5] = [
    ("log_error_verbosity", "terse"),
    ("log_min_error_statement", "panic"),
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("auto_explain.log_parameter_max_length", "0"),
];

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
    /// [`Kind::Configuration`] when certificate files cannot be read.
    pub(crate) fn new(
        url: ConnectionUrl,
        application_name: String,
        sessions: usize,
        events: &Sink,
    ) -> Result<Arc<Self>> {
        let wants_tls = url.tls.mode != SslMode::Disable;
        let tls = wants_tls.then(|| tls::client_config(&url.tls)).transpose()?;
        Ok(Arc::new(Self {
            setup: setup_sql(sessions),
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
    /// [`Kind::TargetConnection`]: the last host's reason, in words without the URL, a name or a password.
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<Session> {
        let mut session = {
            let _gate = self.gate.read().await;
            self.open().await?
        };
        let watched = (session.pid, session.driver.0.abort_handle());
        let pulse = Arc::clone(&session.pulse);
        let watch = Watch::start(pulse, watched, Arc::clone(self), self.events.clone());
        session.watch = Some(watch);
        Ok(session)
    }

    /// What the server says of one of its processes, asked on a session of its own.
    pub(super) async fn ask_about(&self, pid: i32) -> watch::Doing {
        let asked = async {
            // Not within the gate: who ends others' sessions may be waiting for what stands still.
            let session = self.open().await?;
            let answer = session.client.query_opt(watch::QUESTION, &[&pid]).await;
            let doing = answer.and_then(|row| watch::doing(row.as_ref()));
            doing.map_err(|error| Error::from_server(Doing::WithoutRows("asking about a session"), &error))
        };
        match tokio::time::timeout(watch::asking(self.limits()), asked).await {
            Ok(Ok(doing)) => doing,
            // It answers, even if only to say that no connection is left.
            Ok(Err(error)) if error.about.sqlstate.is_some() => watch::Doing::Works,
            _ => watch::Doing::StandsStill("another connection gets no answer either".into()),
        }
    }

    /// A session that is set up, and not watched.
    async fn open(&self) -> Result<Session> {
        let mut failure = None;
        for place in self.places() {
            match self.connect_to(&place).await {
                Ok(session) => {
                    let set_up = tokio::time::timeout(self.attempt_limit(), session.set_up(&self.setup));
                    return set_up
                        .await
                        .unwrap_or_else(|_| Err(unreachable_target("it does not answer")));
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
                Err(Failure {
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

    async fn attempt(&self, place: &HostAndPort, encryption: Encryption) -> Result<Session, Failure> {
        let config = self.config(place, encryption);
        let limit = self.attempt_limit();
        let opened = match (&self.tls, encryption) {
            (Some(tls), Encryption::IfOffered | Encryption::Always) => {
                let tls = tls.clone();
                tokio::time::timeout(limit, async {
                    config
                        .connect(tls)
                        .await
                        .map(|(client, connection)| Session::new(client, connection))
                })
                .await
            }
            _ => {
                tokio::time::timeout(limit, async {
                    config
                        .connect(NoTls)
                        .await
                        .map(|(client, connection)| Session::new(client, connection))
                })
                .await
            }
        };
        match opened {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(error)) => Err(Failure {
                worth_another_way: is_about_encryption(&error),
                error: connection_error(&error),
            }),
            Err(_) => Err(Failure {
                worth_another_way: false,
                error: unreachable_target("the attempt timed out"),
            }),
        }
    }

    /// How long one attempt may take.
    fn attempt_limit(&self) -> Duration {
        self.url.connect_timeout.unwrap_or(CONNECT_TIMEOUT)
    }

    fn config(&self, place: &HostAndPort, encryption: Encryption) -> Config {
        let url = &self.url;
        let mut config = Config::new();
        match &place.host {
            Host::Tcp { name, address } => {
                config.host(name);
                if let Some(address) = address {
                    config.hostaddr(*address);
                }
            }
            Host::Socket(directory) => {
                config.host_path(directory);
            }
            Host::Default => {
                config.host("localhost");
            }
        }
        config.port(place.port);
        if let Some(user) = &url.user {
            config.user(user);
        }
        if let Some(password) = &url.password {
            config.password(password.expose_secret());
        }
        if let Some(database) = &url.database {
            config.dbname(database);
        }
        // At the session's very start, since target_session_attrs asks before anything could be set: the guard
        // against writers (see `guard`) makes sessions of this role read-only unless they say otherwise.
        // Nor may a time limit of the role's strike the statement that lifts it.
        let read_write = "-c default_transaction_read_only=off -c statement_timeout=0";
        config.options(match &url.options {
            Some(options) => format!("{options} {read_write}"),
            None => read_write.to_owned(),
        });
        config.application_name(&self.application_name);
        config.keepalives(url.keepalive.enabled);
        config.keepalives_idle(url.keepalive.idle);
        config.keepalives_interval(url.keepalive.interval);
        config.keepalives_retries(url.keepalive.count);
        if let Some(timeout) = url.tcp_user_timeout {
            config.tcp_user_timeout(timeout);
        }
        if url.must_be_writable {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if url.shuffle_hosts {
            config.load_balance_hosts(LoadBalanceHosts::Random);
        }
        config.channel_binding(match url.channel_binding {
            ChannelBinding::Disable => config::ChannelBinding::Disable,
            ChannelBinding::Prefer => config::ChannelBinding::Prefer,
            ChannelBinding::Require => config::ChannelBinding::Require,
        });
        config.ssl_mode(match encryption {
            Encryption::Never => config::SslMode::Disable,
            Encryption::IfOffered => config::SslMode::Prefer,
            Encryption::Always => config::SslMode::Require,
        });
        if url.tls.direct && encryption == Encryption::Always {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        config
    }
}

/// An attempt that failed, and whether the same host may answer to the other kind of encryption.
struct Failure {
    error: Error,
    worth_another_way: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    Never,
    IfOffered,
    Always,
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

fn setup_sql(sessions: usize) -> String {
    let values: Vec<String> = SETTINGS
        .iter()
        .map(|(name, value)| format!("('{name}', '{value}')"))
        .collect();
    // Index builds may sort in memory up to what the server was given as shared_buffers, shared among our
    // sessions: that is about a quarter of its memory by every recommendation, and staging is otherwise idle.
    format!(
        "SELECT set_config(name, wanted.value, false) FROM (VALUES {}) AS wanted (name, value) \
         JOIN pg_settings USING (name); \
         SELECT set_config('maintenance_work_mem', greatest(work.setting::bigint, \
           least(524288, shared.setting::bigint * 8 / {sessions}))::text || 'kB', false) \
         FROM pg_settings work, pg_settings shared \
         WHERE work.name = 'maintenance_work_mem' AND shared.name = 'shared_buffers'; \
         SELECT pg_backend_pid();",
        values.join(", ")
    )
}

/// Sets what it may of [`LESS_LOGGED`]. The refusals are caught, so that the log is not full of those instead.
fn less_logged_sql() -> String {
    let set = |(name, value): &(&str, &str)| {
        format!(
            "BEGIN PERFORM pg_catalog.set_config('{name}', '{value}', false); EXCEPTION WHEN OTHERS THEN NULL; END;"
        )
    };
    let all: Vec<String> = LESS_LOGGED.iter().map(set).collect();
    format!("DO $quiet$ BEGIN {} END $quiet$", all.join(" "))
}

/// One session in the target. It ends when this is dropped.
pub(crate) struct Session {
    client: Client,
    driver: Driver,
    pid: i32,
    pulse: Arc<Pulse>,
    watch: Option<Watch>,
}

/// The task that moves a session's bytes. Aborting it closes the socket.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session {
    fn new<S, T>(client: Client, mut connection: tokio_postgres::Connection<S, T>) -> Self
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        // Notices are dropped unread: they can carry row data, and tokio-postgres would log them.
        let driver =
            async move { while let Some(Ok(_)) = poll_fn(|cx| connection.poll_message(cx)).await {} };
        Self {
            client,
            driver: Driver(tokio::spawn(driver)),
            pid: 0,
            pulse: Arc::new(Pulse::new()),
            watch: None,
        }
    }

    async fn set_up(mut self, sql: &str) -> Result<Self> {
        let doing = "setting a session up";
        let answers = self
            .client
            .simple_query(sql)
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows(doing), &error))?;
        let pid = answers.iter().rev().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        self.pid = pid.and_then(|pid| pid.parse().ok()).unwrap_or(0);
        // Some operating systems under the server cannot do the first, and some databases have no PL/pgSQL for the second.
        let optional = [
            "SET client_connection_check_interval = '2s'".to_owned(),
            less_logged_sql(),
        ];
        let sent = optional.iter().map(|sql| self.client.batch_execute(sql));
        for outcome in join_all(sent).await {
            if let Err(error) = outcome {
                if error.as_db_error().is_none() {
                    return Err(Error::from_server(Doing::WithoutRows(doing), &error));
                }
            }
        }
        Ok(self)
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// What it talks by; see [`talk`](super::talk).
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What is under way on it.
    pub(super) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Ends the session in good order, or after two seconds in any.
    pub(crate) async fn close(self) {
        let Self {
            client, mut driver, ..
        } = self;
        drop(client);
        let _ = tokio::time::timeout(Duration::from_secs(2), &mut driver.0).await;
    }
}

/// Whether asking the same host with, or without, TLS may do better: as in libpq, when the handshake failed or
/// the server refuses this kind of connection (28000: no entry in pg_hba.conf).
fn is_about_encryption(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        Some(report) => report.code().code() == "28000",
        None => stage(error) != Stage::Connect,
    }
}

#[derive(PartialEq, Eq)]
enum Stage {
    Connect,
    Tls,
    Talk,
}

/// tokio-postgres keeps its kinds to itself except in these words.
fn stage(error: &tokio_postgres::Error) -> Stage {
    match error.to_string().as_str() {
        "error connecting to server" => Stage::Connect,
        "error performing TLS handshake" => Stage::Tls,
        _ => Stage::Talk,
    }
}

/// Why no session could be opened, and what to do about it. Nothing of the URL is named, and the server's own
/// words neither: they quote the role and the database, where a badly written URL can put part of a password.
fn connection_error(error: &tokio_postgres::Error) -> Error {
    if let Some(report) = error.as_db_error() {
        return server_refusal(report.code().code());
    }
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    match stage(error) {
        Stage::Tls => tls_error(error, cause),
        Stage::Connect => match cause {
            Some(cause)
                if cause.kind() == io::ErrorKind::PermissionDenied && cause.raw_os_error().is_none() =>
            {
                Error::new(
                    Kind::TargetConnection,
                    "The target does not allow writes.",
                    text!("Let ", Setting::TargetUrl, " point at the primary server."),
                )
            }
            // What the name service says comes without an operating system's error code.
            Some(cause) if cause.raw_os_error().is_none() && cause.kind() != io::ErrorKind::TimedOut => {
                unreachable_target("its host name is not known")
            }
            Some(cause) => unreachable_target(&cause.kind().to_string()),
            None => unreachable_target("the connection failed"),
        },
        Stage::Talk => talk_error(error),
    }
}

fn server_refusal(code: &str) -> Error {
    let (what, remedy) = match code {
        "28P01" => (
            "The target refuses the password.",
            text!("Check the user and the password in ", Setting::TargetUrl, "."),
        ),
        "28000" => (
            "The target does not let this role in: it does not exist, may not log in, or pg_hba.conf has no entry for it.",
            text!("Check the user in ", Setting::TargetUrl, ", and its sslmode."),
        ),
        "3D000" => (
            "The target's server has no database of that name.",
            text!("Check the database in ", Setting::TargetUrl, ", or create it."),
        ),
        "42501" => (
            "The target's role may not connect to this database.",
            Text::from("Grant it CONNECT on the database."),
        ),
        "53300" => (
            "The target has no connection left.",
            text!("Scale the app's other containers down, or lower ", Setting::ParallelConnections, "."),
        ),
        "57P03" => (
            "The target's server is starting up or shutting down.",
            Text::from("Run it again in a minute."),
        ),
        _ => {
            return Error::new(
                Kind::TargetConnection,
                format!("The target refuses the connection (SQLSTATE {code})."),
                text!("Look SQLSTATE up in PostgreSQL's documentation, and check ", Setting::TargetUrl, "."),
            )
            .about(sqlstate(code))
        }
    };
    Error::new(Kind::TargetConnection, what, remedy).about(sqlstate(code))
}

fn sqlstate(code: &str) -> About {
    About {
        sqlstate: Some(code.to_owned()),
        ..About::default()
    }
}

fn tls_error(error: &tokio_postgres::Error, cause: Option<&io::Error>) -> Error {
    let rustls = cause
        .and_then(io::Error::get_ref)
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(rustls::Error::InvalidCertificate(reason)) = rustls {
        use rustls::CertificateError as C;
        let why = match reason {
            C::NotValidForName | C::NotValidForNameContext { .. } => "it was issued for another host",
            C::Expired | C::ExpiredContext { .. } => "it has expired",
            C::NotValidYet | C::NotValidYetContext { .. } => "it is not valid yet",
            C::UnknownIssuer => "none of the authorities in sslrootcert signed it",
            _ => "its form cannot be verified",
        };
        return Error::new(
            Kind::TargetConnection,
            format!("The target's certificate is not trusted: {why}."),
            text!(
                "Check sslrootcert, sslmode and the host in ",
                Setting::TargetUrl,
                "; sslmode=require encrypts without verifying."
            ),
        );
    }
    let unsupported = error
        .source()
        .is_some_and(|cause| cause.to_string() == "server does not support TLS");
    if unsupported {
        return Error::new(
            Kind::TargetConnection,
            "The target does not offer TLS, and its URL asks for it.",
            text!(
                "Say sslmode=prefer in ",
                Setting::TargetUrl,
                " if an unencrypted connection will do."
            ),
        );
    }
    Error::new(
        Kind::TargetConnection,
        "The TLS handshake with the target failed.",
        text!(
            "Check sslmode, sslnegotiation, sslcert and the TLS versions in ",
            Setting::TargetUrl,
            "."
        ),
    )
}

fn talk_error(error: &tokio_postgres::Error) -> Error {
    let reason = error.source().map(ToString::to_string).unwrap_or_default();
    if reason == "password missing" {
        return Error::new(
            Kind::TargetConnection,
            "The target asks for a password, and its URL has none.",
            text!("Put user and password into ", Setting::TargetUrl, "."),
        );
    }
    if reason == "server did not use channel binding" {
        return Error::new(
            Kind::TargetConnection,
            "The target does not offer the channel binding that its URL asks for.",
            text!(
                "Leave channel_binding=require out of ",
                Setting::TargetUrl,
                ", or use TLS and a SCRAM password."
            ),
        );
    }
    if reason.starts_with("unsupported") {
        return Error::new(
            Kind::TargetConnection,
            "The target asks for a kind of authentication that is not supported.",
            "Use a role with a SCRAM or MD5 password.",
        );
    }
    unreachable_target("the server closed the connection or does not speak PostgreSQL's protocol")
}

fn unreachable_target(why: &str) -> Error {
    Error::new(
        Kind::TargetConnection,
        format!("The target cannot be reached: {why}."),
        text!(
            "Check the host and the port in ",
            Setting::TargetUrl,
            ", and whether the database is running."
        ),
    )
}

/// A share of a connector for tasks.
pub(crate) type SharedConnector = Arc<Connector>;

//! A libpq connection URL, read the way libpq reads it, without connecting to anything.
//!
//! Grammar and parameters: PostgreSQL's documentation, "libpq — Connection Strings" and "Parameter Key Words".
//! Beyond libpq, the scheme `postgis` (Rails' adapter of that name) and the parameters that ActiveRecord reads
//! from `DATABASE_URL` are accepted. No error quotes the URL or any part of it except the name of a parameter:
//! a password with a stray `@` or `/` in it can end up in any other part.

mod encryption;
mod parameters;
mod places;
mod values;

use crate::error::{Error, Kind, Result};
use crate::failure::{SessionFailure, SessionRemedy};
use crate::postgres::session::watch::Limits;
use crate::settings;
use parameters::Parameters;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a connection URL says.
#[derive(Debug, Clone)]
pub struct ConnectionUrl {
    /// Where to try, in this order. Never empty.
    pub hosts: Vec<HostAndPort>,
    /// Try the hosts, and the addresses behind each name, in a random order (`load_balance_hosts=random`).
    pub shuffle_hosts: bool,
    /// The role. None: the name of the operating system's user, as with libpq.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// The database. None: named as the role.
    pub database: Option<String>,
    /// Settings for the server's command line, such as `-c geqo=off`.
    pub options: Option<String>,
    /// How long one attempt at one host may take. None: the caller's choice.
    pub connect_timeout: Option<Duration>,
    /// How long sent bytes may stay unacknowledged (`tcp_user_timeout`).
    pub tcp_user_timeout: Option<Duration>,
    /// TCP keepalive.
    pub keepalive: Keepalive,
    /// Only a server that allows writes will do (`target_session_attrs=read-write` or `primary`).
    pub must_be_writable: bool,
    /// Whether the password exchange is tied to the TLS channel.
    pub channel_binding: ChannelBinding,
    /// Encryption.
    pub tls: TlsSettings,
    /// How long a session may stand still.
    pub limits: Limits,
    /// Whether the server is far away, where that is known without measuring.
    pub is_far: Option<bool>,
}

/// One place to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAndPort {
    /// The machine, or the socket's directory.
    pub host: Host,
    /// The port, which is also the end of a socket's file name.
    pub port: u16,
}

/// A machine, or a directory with a Unix socket in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name or an address; with `hostaddr`, the name is only what the certificate is checked against.
    Tcp {
        /// The name.
        name: String,
        /// The address to connect to instead of looking the name up.
        address: Option<IpAddr>,
    },
    /// The directory of a Unix socket.
    Socket(PathBuf),
    /// The URL names none: libpq then uses its default socket directory, or `localhost`.
    Default,
}

/// TCP keepalive. The defaults are the gem's own: a minute, where the operating system waits two hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// Whether to probe at all.
    pub enabled: bool,
    /// Silence before the first probe.
    pub idle: Duration,
    /// Between two probes.
    pub interval: Duration,
    /// Unanswered probes until the connection counts as dead.
    pub count: u32,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self {
            enabled: true,
            idle: Duration::from_secs(60),
            interval: Duration::from_secs(10),
            count: 6,
        }
    }
}

/// `channel_binding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// When the server offers it.
    Prefer,
    /// Or not at all.
    Require,
}

/// Everything that a URL says about TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// `sslmode`.
    pub mode: SslMode,
    /// `sslrootcert`.
    pub roots: Option<Roots>,
    /// `sslcert` and `sslkey`.
    pub client: Option<ClientCertificate>,
    /// `sslnegotiation=direct`: TLS from the first byte, as PostgreSQL 17 can.
    pub direct: bool,
    /// `sslsni`: whether the host's name is sent in the clear.
    pub server_name_indication: bool,
    /// Whether TLS 1.2 may be spoken (`ssl_min_protocol_version`).
    pub allow_1_2: bool,
    /// Whether TLS 1.3 may be spoken (`ssl_max_protocol_version`).
    pub allow_1_3: bool,
}

/// `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Plain text only.
    Disable,
    /// Plain text; TLS when the server refuses plain text.
    Allow,
    /// TLS; plain text when the server has none. The default.
    Prefer,
    /// TLS, with any server that answers. With `sslrootcert`, as [`SslMode::VerifyCa`].
    Require,
    /// TLS, with a certificate that a known authority signed, for any name.
    VerifyCa,
    /// TLS, with a certificate that a known authority signed for this very host.
    VerifyFull,
}

/// The authorities that may have signed the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// Those of the operating system: `sslrootcert=system`.
    System,
    /// Those in a PEM file.
    File(PathBuf),
}

/// A certificate that we show to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM file of the certificate, followed by its intermediates.
    pub certificate: PathBuf,
    /// PEM file of its unencrypted key.
    pub key: PathBuf,
}

impl ConnectionUrl {
    /// What the settings' URL says.
    ///
    /// # Errors
    /// As [`ConnectionUrl::parse`].
    pub fn of(settings: &settings::TargetSettings) -> Result<Self> {
        let mut url = Self::parse(settings.url.expose_secret())?;
        url.limits = Limits::of(settings.stall_timeout, settings.lock_timeout);
        url.is_far = settings.is_far;
        Ok(url)
    }

    /// Reads a URL such as `postgres://user:password@host:5432/database?sslmode=require`.
    ///
    /// ```
    /// use staging_sync_engine::postgres::url::{ConnectionUrl, SslMode};
    /// let url = ConnectionUrl::parse("postgis://ada:secret@db.example:31000/staging?sslmode=require").unwrap();
    /// assert_eq!(url.database.as_deref(), Some("staging"));
    /// assert_eq!(url.tls.mode, SslMode::Require);
    /// ```
    ///
    /// # Errors
    /// [`Kind::Configuration`], naming the parameter where there is one, and never a value.
    pub fn parse(url: &str) -> Result<Self> {
        let rest = without_scheme(url.trim())?;
        // As libpq: what stands before the first `@`, unless a `/` comes first, is the role and its password,
        // which may therefore hold a `?`.
        let (user_part, after_user) =
            split_user(rest).map_or((None, rest), |(user, after)| (Some(user), after));
        let (after_user, query) = after_user.split_once('?').unwrap_or((after_user, ""));
        let (host_part, path) = after_user.split_once('/').unwrap_or((after_user, ""));
        let mut parameters = Parameters::default();
        if let Some(user_part) = user_part {
            let (user, password) = user_part
                .split_once(':')
                .map_or((user_part, None), |(a, b)| (a, Some(b)));
            parameters.user = non_empty(decode(user)?);
            parameters.password = password.map(decode).transpose()?.and_then(non_empty);
        }
        parameters.database = non_empty(decode(path)?);
        let (hosts, ports) = split_hosts(host_part)?;
        parameters.hosts = hosts;
        parameters.ports = ports;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(refused(SessionFailure::ParameterWithoutValue));
            };
            parameters.set(&decode(name)?, decode(value)?)?;
        }
        parameters.finish()
    }
}

/// What follows `postgres://`, `postgresql://` or `postgis://`.
fn without_scheme(url: &str) -> Result<&str> {
    let known = ["postgres", "postgresql", "postgis"];
    match url.split_once("://") {
        Some((scheme, rest)) if known.iter().any(|name| scheme.eq_ignore_ascii_case(name)) => Ok(rest),
        _ => Err(Error::new(
            Kind::Configuration,
            SessionFailure::NotPostgresqlUrl,
            SessionRemedy::GiveUrl,
        )),
    }
}

fn split_user(rest: &str) -> Option<(&str, &str)> {
    let at = rest.find(['@', '/'])?;
    (rest.as_bytes().get(at) == Some(&b'@')).then(|| (&rest[..at], &rest[at + 1..]))
}

/// `a:1,[::1]:2,c` as two lists of the same length.
fn split_hosts(part: &str) -> Result<(Vec<String>, Vec<String>)> {
    let mut hosts = Vec::new();
    let mut ports = Vec::new();
    for one in part.split(',') {
        let (host, port) = match one.strip_prefix('[') {
            Some(bracketed) => {
                let (address, after) = bracketed
                    .split_once(']')
                    .ok_or_else(|| refused(SessionFailure::BracketOpen))?;
                let port = match after {
                    "" => "",
                    _ => after
                        .strip_prefix(':')
                        .ok_or_else(|| refused(SessionFailure::AfterBracket))?,
                };
                (address, port)
            }
            None => one.split_once(':').unwrap_or((one, "")),
        };
        hosts.push(decode(host)?);
        ports.push(decode(port)?);
    }
    Ok((hosts, ports))
}

fn refused(what: SessionFailure) -> Error {
    Error::new(Kind::Configuration, what, SessionRemedy::CorrectUrl)
}

fn decode(text: &str) -> Result<String> {
    let bytes = text.as_bytes();
    let stray = bytes.iter().enumerate().any(|(place, byte)| {
        *byte == b'%'
            && !bytes
                .get(place + 1..place + 3)
                .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .ok()
        .filter(|text| !stray && !text.contains('\0'));
    decoded.map(|text| text.into_owned()).ok_or_else(|| {
        Error::new(
            Kind::Configuration,
            SessionFailure::StrayPercent,
            SessionRemedy::EncodePercent,
        )
    })
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

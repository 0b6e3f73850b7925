//! A libpq connection URL, read the way libpq reads it, without connecting to anything.
//!
//! Grammar and parameters: PostgreSQL's documentation, "libpq — Connection Strings" and "Parameter Key Words".
//! Beyond libpq, the scheme `postgis` (Rails' adapter of that name) and the parameters that ActiveRecord reads
//! from `DATABASE_URL` are accepted. No error quotes the URL or any part of it except the name of a parameter:
//! a password with a stray `@` or `/` in it can end up in any other part.

use crate::error::{Error, Kind, Result};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
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
    /// TLS, whoever answers. With `sslrootcert`, as [`SslMode::VerifyCa`].
    Require,
    /// TLS, with a certificate that a known authority signed, for whatever name.
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

/// What ActiveRecord, not libpq, reads from `DATABASE_URL`: about pools, migrations and prepared statements of
/// the Rails process, nothing of which concerns our own connections. `encoding` is among them: every connection
/// here speaks UTF-8, and the archive's encoding is told to COPY.
const ACTIVE_RECORD: [&str; 29] = [
    "adapter",
    "advisory_locks",
    "allow_concurrency",
    "automatic_reconnect",
    "checkout_timeout",
    "connection_retries",
    "database_tasks",
    "default_timezone",
    "encoding",
    "idle_timeout",
    "insert_returning",
    "keepalive",
    "lazy",
    "max_age",
    "max_connections",
    "max_threads",
    "migrations_paths",
    "min_connections",
    "min_messages",
    "pool",
    "pool_jitter",
    "prepared_statements",
    "query_cache",
    "reaping_frequency",
    "retry_deadline",
    "schema_dump",
    "schema_search_path",
    "statement_limit",
    "variables",
];

impl ConnectionUrl {
    /// Reads a URL such as `postgres://user:password@host:5432/database?sslmode=require`.
    ///
    /// ```
    /// use staging_sync_engine::target::url::{ConnectionUrl, SslMode};
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
                return Err(refused("The target URL has a parameter without a value."));
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
            "The target is not a PostgreSQL URL.",
            "Set DATABASE_URL to one that begins with postgres://, postgresql:// or postgis://.",
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
                    .ok_or_else(|| refused("A [ in the target URL is not closed."))?;
                let port = match after {
                    "" => "",
                    _ => after.strip_prefix(':').ok_or_else(|| {
                        refused("In the target URL, something other than a port follows a ].")
                    })?,
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

/// Parameters as text, before they are made sense of together.
#[derive(Default)]
struct Parameters {
    hosts: Vec<String>,
    ports: Vec<String>,
    addresses: Vec<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    options: Option<String>,
    shuffle: bool,
    connect_timeout: Option<Duration>,
    tcp_user_timeout: Option<Duration>,
    keepalive: Keepalive,
    must_be_writable: bool,
    channel_binding: Option<ChannelBinding>,
    ssl_mode: Option<SslMode>,
    root_certificate: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    direct: bool,
    no_server_name: bool,
    no_client_certificate: bool,
    min_version: Option<String>,
    max_version: Option<String>,
    password_file: bool,
}

impl Parameters {
    fn set(&mut self, name: &str, value: String) -> Result<()> {
        match name {
            "host" => self.hosts = value.split(',').map(str::to_owned).collect(),
            "port" => self.ports = value.split(',').map(str::to_owned).collect(),
            "hostaddr" => self.addresses = value.split(',').map(str::to_owned).collect(),
            // ActiveRecord's words for two of libpq's.
            "user" | "username" => self.user = non_empty(value),
            "dbname" | "database" => self.database = non_empty(value),
            "password" => self.password = non_empty(value),
            "options" => self.options = non_empty(value),
            "connect_timeout" => self.connect_timeout = connect_timeout(name, &value)?,
            "tcp_user_timeout" => {
                let milliseconds = number(name, &value)?;
                self.tcp_user_timeout = (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
            }
            "keepalives" => self.keepalive.enabled = number(name, &value)? != 0,
            // 0 means "as the operating system has it" to libpq; ours is the gem's own default then.
            "keepalives_idle" => seconds_into(&mut self.keepalive.idle, name, &value)?,
            "keepalives_interval" => seconds_into(&mut self.keepalive.interval, name, &value)?,
            "keepalives_count" => match number(name, &value)? {
                0 => {}
                count => self.keepalive.count = u32::try_from(count).map_err(|_| bad_value(name))?,
            },
            "load_balance_hosts" => {
                self.shuffle = choice(name, &value, &[("disable", false), ("random", true)])?
            }
            // A staging target that cannot be written to is none, so the read-only kinds are refused.
            "target_session_attrs" => {
                self.must_be_writable = choice(
                    name,
                    &value,
                    &[("any", false), ("read-write", true), ("primary", true)],
                )?;
            }
            "channel_binding" => {
                self.channel_binding = Some(choice(
                    name,
                    &value,
                    &[
                        ("disable", ChannelBinding::Disable),
                        ("prefer", ChannelBinding::Prefer),
                        ("require", ChannelBinding::Require),
                    ],
                )?);
            }
            _ if name.starts_with("ssl") => self.set_tls(name, value)?,
            // Kerberos is not spoken here, so asking for none, or for some if possible, is honoured as it is.
            "gssencmode" => choice(name, &value, &[("disable", ()), ("prefer", ())])?,
            // They only say how Kerberos would be spoken.
            "krbsrvname" | "gsslib" | "gssdelegation" => {}
            // Sessions carry the run's own name, by which a run knows them from other sessions.
            "application_name" | "fallback_application_name" => {}
            // Sessions always speak UTF-8; the archive's encoding is told to COPY.
            "client_encoding" => {}
            "replication" => choice(name, &value, &[("false", ()), ("off", ()), ("no", ()), ("0", ())])?,
            // libpq looks there only when the URL has no password; without one, `finish` refuses it.
            "passfile" => self.password_file = true,
            _ if ACTIVE_RECORD.contains(&name) => {}
            _ => {
                return Err(Error::new(
                    Kind::Configuration,
                    format!(
                        "The target URL's parameter {} is unknown or cannot be honoured.",
                        printable(name)
                    ),
                    "Remove it from the URL.",
                ));
            }
        }
        Ok(())
    }

    fn set_tls(&mut self, name: &str, value: String) -> Result<()> {
        match name {
            "sslmode" => {
                self.ssl_mode = Some(choice(
                    name,
                    &value,
                    &[
                        ("disable", SslMode::Disable),
                        ("allow", SslMode::Allow),
                        ("prefer", SslMode::Prefer),
                        ("require", SslMode::Require),
                        ("verify-ca", SslMode::VerifyCa),
                        ("verify-full", SslMode::VerifyFull),
                    ],
                )?);
            }
            // libpq takes JDBC's `ssl=true` in a URL for `sslmode=require`.
            "ssl" => self.ssl_mode = Some(choice(name, &value, &[("true", SslMode::Require)])?),
            "sslrootcert" => self.root_certificate = non_empty(value),
            "sslcert" => self.certificate = non_empty(value),
            "sslkey" => self.key = non_empty(value),
            "sslnegotiation" => self.direct = choice(name, &value, &[("postgres", false), ("direct", true)])?,
            "sslsni" => self.no_server_name = !choice(name, &value, &[("1", true), ("0", false)])?,
            // TLS compression is never used, so asking for none is honoured.
            "sslcompression" => choice(name, &value, &[("0", ())])?,
            "sslcertmode" => {
                self.no_client_certificate = choice(name, &value, &[("disable", true), ("allow", false)])?;
            }
            "ssl_min_protocol_version" => self.min_version = non_empty(value),
            "ssl_max_protocol_version" => self.max_version = non_empty(value),
            _ => {
                // sslcrl, sslcrldir, sslpassword and the like: leaving them out would check less than asked for.
                return Err(Error::new(
                    Kind::Configuration,
                    format!(
                        "The target URL's parameter {} cannot be honoured.",
                        printable(name)
                    ),
                    "Remove it from the URL.",
                ));
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<ConnectionUrl> {
        if self.password_file && self.password.is_none() {
            return Err(Error::new(
                Kind::Configuration,
                "The target URL's parameter passfile cannot be honoured.",
                "Put the password into the URL.",
            ));
        }
        let tls = self.tls()?;
        Ok(ConnectionUrl {
            hosts: self.hosts_and_ports()?,
            shuffle_hosts: self.shuffle,
            user: self.user,
            password: self.password.map(SecretString::from),
            database: self.database,
            options: self.options,
            connect_timeout: self.connect_timeout,
            tcp_user_timeout: self.tcp_user_timeout,
            keepalive: self.keepalive,
            must_be_writable: self.must_be_writable,
            channel_binding: self.channel_binding.unwrap_or(ChannelBinding::Prefer),
            tls,
        })
    }

    fn hosts_and_ports(&self) -> Result<Vec<HostAndPort>> {
        let hosts: Vec<&str> = self.hosts.iter().map(String::as_str).collect();
        let only_addresses = hosts.iter().all(|host| host.is_empty()) && hosts.len() <= 1;
        let count = if only_addresses {
            self.addresses.len().max(1)
        } else {
            hosts.len()
        };
        if !self.addresses.is_empty() && self.addresses.len() != count {
            return Err(refused(
                "The target URL's parameter hostaddr has not as many entries as there are hosts.",
            ));
        }
        if self.ports.len() > 1 && self.ports.len() != count {
            return Err(refused(
                "The target URL's parameter port has not as many entries as there are hosts.",
            ));
        }
        let mut result = Vec::with_capacity(count);
        for index in 0..count {
            let name = hosts.get(index).copied().unwrap_or("");
            let address = match self.addresses.get(index).map(String::as_str) {
                None | Some("") => None,
                Some(text) => Some(text.parse::<IpAddr>().map_err(|_| bad_value("hostaddr"))?),
            };
            let port = self
                .ports
                .get(index)
                .or_else(|| self.ports.first().filter(|_| self.ports.len() == 1));
            result.push(HostAndPort {
                host: host(name, address)?,
                port: port_number(port.map_or("", |p| p))?,
            });
        }
        Ok(result)
    }

    fn tls(&self) -> Result<TlsSettings> {
        let roots = match self.root_certificate.as_deref() {
            None => None,
            Some("system") => Some(Roots::System),
            Some(path) => Some(Roots::File(PathBuf::from(path))),
        };
        // As libpq: with the system's authorities anything weaker than verify-full would let anybody with any
        // public certificate in.
        let mode = match (self.ssl_mode, &roots) {
            (None, Some(Roots::System)) => SslMode::VerifyFull,
            (None, _) => SslMode::Prefer,
            (Some(SslMode::VerifyFull), _) => SslMode::VerifyFull,
            (Some(_), Some(Roots::System)) => {
                return Err(Error::new(
                    Kind::Configuration,
                    "The target URL says sslrootcert=system with an sslmode weaker than verify-full.",
                    "Say sslmode=verify-full, or name the file of one certificate authority.",
                ))
            }
            (Some(mode), _) => mode,
        };
        if matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull) && roots.is_none() {
            return Err(Error::new(
                Kind::Configuration,
                "The target URL asks for the server's certificate to be verified, but not against what.",
                "Add sslrootcert=PATH with the certificate of the authority (Scalingo publishes its own), or sslrootcert=system.",
            ));
        }
        if self.direct && matches!(mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer) {
            return Err(Error::new(
                Kind::Configuration,
                "The target URL says sslnegotiation=direct with an sslmode weaker than require.",
                "Say sslmode=require or stronger, or leave sslnegotiation out.",
            ));
        }
        if mode == SslMode::Disable && self.channel_binding == Some(ChannelBinding::Require) {
            return Err(Error::new(
                Kind::Configuration,
                "The target URL says channel_binding=require with sslmode=disable.",
                "Channel binding needs TLS: say sslmode=require, or leave channel_binding out.",
            ));
        }
        let client = match (&self.certificate, &self.key) {
            _ if self.no_client_certificate => None,
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(ClientCertificate {
                certificate: PathBuf::from(certificate),
                key: PathBuf::from(key),
            }),
            _ => {
                return Err(Error::new(
                    Kind::Configuration,
                    "The target URL has one of sslcert and sslkey without the other.",
                    "Name both files, or neither.",
                ))
            }
        };
        let (allow_1_2, allow_1_3) = self.versions()?;
        Ok(TlsSettings {
            mode,
            roots,
            client,
            direct: self.direct,
            server_name_indication: !self.no_server_name,
            allow_1_2,
            allow_1_3,
        })
    }

    /// Whether TLS 1.2 and 1.3 lie within the bounds. Older versions are never spoken, so a lower bound below
    /// 1.2 is kept by itself.
    fn versions(&self) -> Result<(bool, bool)> {
        let min = "ssl_min_protocol_version";
        let max = "ssl_max_protocol_version";
        let allow_1_2 = match self.min_version.as_deref() {
            None => true,
            Some(text) => choice(
                min,
                text,
                &[
                    ("TLSv1", true),
                    ("TLSv1.1", true),
                    ("TLSv1.2", true),
                    ("TLSv1.3", false),
                ],
            )?,
        };
        let allow_1_3 = match self.max_version.as_deref() {
            None => true,
            Some(text) => choice(max, text, &[("TLSv1.2", false), ("TLSv1.3", true)])?,
        };
        if !allow_1_2 && !allow_1_3 {
            return Err(refused(
                "The target URL's ssl_min_protocol_version is above its ssl_max_protocol_version.",
            ));
        }
        Ok((allow_1_2, allow_1_3))
    }
}

fn host(name: &str, address: Option<IpAddr>) -> Result<Host> {
    match (name, address) {
        (name, None) if name.starts_with('/') => Ok(Host::Socket(PathBuf::from(name))),
        (name, _) if name.starts_with('@') => Err(refused(
            "The target URL names an abstract Unix socket, which is not supported.",
        )),
        ("", None) => Ok(Host::Default),
        ("", Some(address)) => Ok(Host::Tcp {
            name: address.to_string(),
            address: Some(address),
        }),
        (name, address) => Ok(Host::Tcp {
            name: name.to_owned(),
            address,
        }),
    }
}

fn port_number(text: &str) -> Result<u16> {
    match text {
        "" => Ok(5432),
        _ => text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            Error::new(
                Kind::Configuration,
                "The port in the target URL is not a number from 1 to 65535.",
                "Percent-encode characters such as / @ : # and ? in the user's name and password.",
            )
        }),
    }
}

/// libpq: 0, negative and absent mean no limit (ours then, since a run may not hang for ever), and 1 means 2.
fn connect_timeout(name: &str, value: &str) -> Result<Option<Duration>> {
    let seconds: i64 = value.trim().parse().map_err(|_| bad_value(name))?;
    Ok(u64::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds > 0)
        .map(|seconds| Duration::from_secs(seconds.max(2))))
}

fn seconds_into(place: &mut Duration, name: &str, value: &str) -> Result<()> {
    match number(name, value)? {
        0 => {}
        seconds => *place = Duration::from_secs(seconds),
    }
    Ok(())
}

fn number(name: &str, value: &str) -> Result<u64> {
    value.trim().parse().map_err(|_| bad_value(name))
}

fn choice<T: Copy>(name: &str, value: &str, known: &[(&str, T)]) -> Result<T> {
    known
        .iter()
        .find(|(word, _)| *word == value)
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            Error::new(
                Kind::Configuration,
                format!(
                    "The target URL's parameter {} has a value that cannot be honoured.",
                    printable(name)
                ),
                format!("Possible here: {}.", words.join(", ")),
            )
        })
}

fn printable(name: &str) -> &str {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() < 40;
    if plain {
        name
    } else {
        "(unreadable)"
    }
}

fn bad_value(name: &str) -> Error {
    refused(&format!(
        "The target URL's parameter {} has a value that cannot be read.",
        printable(name)
    ))
}

fn refused(what: &str) -> Error {
    Error::new(Kind::Configuration, what, "Correct DATABASE_URL.")
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
            "The target URL has a % that is not followed by two hexadecimal digits of UTF-8 text.",
            "Write % itself as %25.",
        )
    })
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

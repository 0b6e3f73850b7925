//! The parameters of a connection URL: each as text first, then made sense of together.

use super::{
    non_empty, refused, ChannelBinding, ClientCertificate, ConnectionUrl, Host, HostAndPort, Keepalive,
    Roots, SslMode, TlsSettings,
};
use crate::error::{Error, Kind, Result};
use secrecy::SecretString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What ActiveRecord, not libpq, reads from `DATABASE_URL`: about pools, migrations and prepared statements of
/// the Rails process, nothing of which concerns our own connections. `encoding` is among them: every connection
/// here speaks UTF-8, and COPY is given the archive's encoding.
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

/// Parameters as text, before they are made sense of together.
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) hosts: Vec<String>,
    pub(super) ports: Vec<String>,
    addresses: Vec<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
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
    pub(super) fn set(&mut self, name: &str, value: String) -> Result<()> {
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
            // A staging target must be writable, so the read-only kinds are refused.
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
            // Kerberos is not supported: a URL may forbid or prefer its encryption, but not require it.
            "gssencmode" => choice(name, &value, &[("disable", ()), ("prefer", ())])?,
            // They only say how Kerberos would be spoken.
            "krbsrvname" | "gsslib" | "gssdelegation" => {}
            // Sessions carry the run's own name, by which a run knows them from other sessions.
            "application_name" | "fallback_application_name" => {}
            // Sessions always speak UTF-8; COPY is given the archive's encoding.
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

    pub(super) fn finish(self) -> Result<ConnectionUrl> {
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
            limits: super::Limits::default(),
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
                "The target URL's parameter hostaddr does not have as many entries as there are hosts.",
            ));
        }
        if self.ports.len() > 1 && self.ports.len() != count {
            return Err(refused(
                "The target URL's parameter port does not have as many entries as there are hosts.",
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

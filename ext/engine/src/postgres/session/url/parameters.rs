//! The parameters of a connection URL: each as text first, then made sense of together.

use super::values::{bad_value, choice, connect_timeout, number, printable, seconds_into};
use super::{non_empty, ChannelBinding, ConnectionUrl, Keepalive, SslMode};
use crate::error::{Error, Kind, Result};
use crate::failure::{SessionFailure, SessionRemedy};
use secrecy::SecretString;
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
    pub(super) addresses: Vec<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
    pub(super) options: Option<String>,
    pub(super) shuffle: bool,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) tcp_user_timeout: Option<Duration>,
    pub(super) keepalive: Keepalive,
    pub(super) must_be_writable: bool,
    pub(super) channel_binding: Option<ChannelBinding>,
    pub(super) ssl_mode: Option<SslMode>,
    pub(super) root_certificate: Option<String>,
    pub(super) certificate: Option<String>,
    pub(super) key: Option<String>,
    pub(super) direct: bool,
    pub(super) no_server_name: bool,
    pub(super) no_client_certificate: bool,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
    pub(super) password_file: bool,
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
            _ if name.starts_with("keepalives") || name == "tcp_user_timeout" => {
                self.set_socket(name, &value)?
            }
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
            _ => self.note_others(name, &value)?,
        }
        Ok(())
    }

    fn set_socket(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "tcp_user_timeout" => {
                let milliseconds = number(name, value)?;
                self.tcp_user_timeout = (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
            }
            "keepalives" => self.keepalive.enabled = number(name, value)? != 0,
            // 0 means "as the operating system has it" to libpq; ours is the gem's own default then.
            "keepalives_idle" => seconds_into(&mut self.keepalive.idle, name, value)?,
            "keepalives_interval" => seconds_into(&mut self.keepalive.interval, name, value)?,
            "keepalives_count" => match number(name, value)? {
                0 => {}
                count => self.keepalive.count = u32::try_from(count).map_err(|_| bad_value(name))?,
            },
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// Those that are honoured without being kept, and those that cannot be honoured.
    fn note_others(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            // Kerberos is not supported: a URL may forbid or prefer its encryption, but not require it.
            "gssencmode" => choice(name, value, &[("disable", ()), ("prefer", ())])?,
            // They only say how Kerberos would be spoken.
            "krbsrvname" | "gsslib" | "gssdelegation" => {}
            // Sessions carry the run's own name, by which a run knows them from other sessions.
            "application_name" | "fallback_application_name" => {}
            // Sessions always speak UTF-8; COPY is given the archive's encoding.
            "client_encoding" => {}
            "replication" => choice(name, value, &[("false", ()), ("off", ()), ("no", ()), ("0", ())])?,
            // libpq looks there only when the URL has no password; without one, `finish` refuses it.
            "passfile" => self.password_file = true,
            _ if ACTIVE_RECORD.contains(&name) => {}
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<ConnectionUrl> {
        if self.password_file && self.password.is_none() {
            return Err(Error::new(
                Kind::Configuration,
                SessionFailure::ParameterNotHonoured {
                    parameter: "passfile".to_owned(),
                },
                SessionRemedy::PasswordIntoUrl,
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
            is_far: None,
        })
    }
}

fn unknown(name: &str) -> Error {
    Error::new(
        Kind::Configuration,
        SessionFailure::ParameterUnknown {
            parameter: printable(name).to_owned(),
        },
        SessionRemedy::RemoveParameter,
    )
}

//! What a session begins with: the place, the role, and what is asked of the connection, in tokio-postgres's words.

use super::url::{ChannelBinding, ConnectionUrl, Host, HostAndPort};
use secrecy::ExposeSecret;
use tokio_postgres::config::{LoadBalanceHosts, SslNegotiation, TargetSessionAttrs};
use tokio_postgres::{config, Config};

/// Whether a session is asked for with TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    Never,
    IfOffered,
    Always,
}

/// What tokio-postgres needs to open a session at one place of the URL.
pub(super) fn config(
    url: &ConnectionUrl,
    place: &HostAndPort,
    encryption: Encryption,
    application_name: &str,
) -> Config {
    let mut config = Config::new();
    set_place(&mut config, place);
    set_role(&mut config, url);
    set_options(&mut config, url);
    config.application_name(application_name);
    set_socket(&mut config, url);
    set_server(&mut config, url);
    let is_socket = matches!(place.host, Host::Socket(_));
    set_encryption(&mut config, url, encryption, is_socket);
    config
}

fn set_place(config: &mut Config, place: &HostAndPort) {
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
}

fn set_role(config: &mut Config, url: &ConnectionUrl) {
    if let Some(user) = &url.user {
        config.user(user);
    }
    if let Some(password) = &url.password {
        config.password(password.expose_secret());
    }
    if let Some(database) = &url.database {
        config.dbname(database);
    }
}

/// At the session's very start, since target_session_attrs asks before anything could be set: the guard against writers (see
/// `guard`) makes sessions of this role read-only unless they say otherwise. Nor may a time limit of the role's strike the
/// statement that lifts it.
fn set_options(config: &mut Config, url: &ConnectionUrl) {
    let read_write = "-c default_transaction_read_only=off -c statement_timeout=0";
    config.options(match &url.options {
        Some(options) => format!("{options} {read_write}"),
        None => read_write.to_owned(),
    });
}

fn set_socket(config: &mut Config, url: &ConnectionUrl) {
    config.keepalives(url.keepalive.enabled);
    config.keepalives_idle(url.keepalive.idle);
    config.keepalives_interval(url.keepalive.interval);
    config.keepalives_retries(url.keepalive.count);
    if let Some(timeout) = url.tcp_user_timeout {
        config.tcp_user_timeout(timeout);
    }
}

/// Which of several servers will do.
fn set_server(config: &mut Config, url: &ConnectionUrl) {
    if url.must_be_writable {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if url.shuffle_hosts {
        config.load_balance_hosts(LoadBalanceHosts::Random);
    }
}

fn set_encryption(config: &mut Config, url: &ConnectionUrl, encryption: Encryption, is_socket: bool) {
    config.channel_binding(match url.channel_binding {
        ChannelBinding::Disable => config::ChannelBinding::Disable,
        ChannelBinding::Prefer => config::ChannelBinding::Prefer,
        ChannelBinding::Require => config::ChannelBinding::Require,
    });
    config.ssl_mode(match encryption {
        // To tokio-postgres, `Plain` is TLS that needs no asking: it goes over what it is handed.
        Encryption::Never if is_socket => config::SslMode::Disable,
        Encryption::Never => config::SslMode::Require,
        Encryption::IfOffered => config::SslMode::Prefer,
        Encryption::Always => config::SslMode::Require,
    });
    let is_plain = encryption == Encryption::Never && !is_socket;
    if is_plain || (url.tls.direct && encryption == Encryption::Always) {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
}

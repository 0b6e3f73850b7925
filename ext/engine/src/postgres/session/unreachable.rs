//! Why no session could be opened, and what to do about it.

use crate::error::{About, Error, Kind};
use crate::text::{text, Setting, Text};
use std::error::Error as _;
use std::io;

/// Whether asking the same host with, or without, TLS may do better: as in libpq, when the handshake failed or
/// the server refuses this kind of connection (28000: no entry in pg_hba.conf).
pub(super) fn is_about_encryption(error: &tokio_postgres::Error) -> bool {
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
pub(super) fn connection_error(error: &tokio_postgres::Error) -> Error {
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

pub(super) fn unreachable_target(why: &str) -> Error {
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

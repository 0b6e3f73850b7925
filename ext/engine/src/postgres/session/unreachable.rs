//! Why no session could be opened, and what to do about it.

use crate::error::{About, Error, Kind};
use crate::failure::{Mistrust, SessionFailure, SessionRemedy, Unreachable};
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
                no_session(SessionFailure::NoWrites, SessionRemedy::PointAtPrimary)
            }
            // What the name service says comes without an operating system's error code.
            Some(cause) if cause.raw_os_error().is_none() && cause.kind() != io::ErrorKind::TimedOut => {
                unreachable_target(Unreachable::UnknownHost)
            }
            Some(cause) => unreachable_target(Unreachable::ConnectionTrouble {
                trouble: cause.kind().to_string(),
            }),
            None => unreachable_target(Unreachable::NoConnection),
        },
        Stage::Talk => talk_error(error),
    }
}

fn server_refusal(code: &str) -> Error {
    let (what, remedy) = match code {
        "28P01" => (SessionFailure::WrongPassword, SessionRemedy::CheckPassword),
        "28000" => (SessionFailure::RoleNotLetIn, SessionRemedy::CheckUser),
        "3D000" => (SessionFailure::NoSuchDatabase, SessionRemedy::CheckDatabase),
        "42501" => (SessionFailure::NotConnect, SessionRemedy::GrantConnect),
        "53300" => (SessionFailure::NoneLeft, SessionRemedy::ScaleDown),
        "57P03" => (SessionFailure::StartingUp, SessionRemedy::WaitMinute),
        _ => {
            let sqlstate = code.to_owned();
            (SessionFailure::Rejected { sqlstate }, SessionRemedy::LookUpCode)
        }
    };
    no_session(what, remedy).about(sqlstate(code))
}

fn no_session(what: SessionFailure, remedy: SessionRemedy) -> Error {
    Error::new(Kind::TargetConnection, what, remedy)
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
            C::NotValidForName | C::NotValidForNameContext { .. } => Mistrust::OtherHost,
            C::Expired | C::ExpiredContext { .. } => Mistrust::Expired,
            C::NotValidYet | C::NotValidYetContext { .. } => Mistrust::NotYetValid,
            C::UnknownIssuer => Mistrust::UnknownAuthority,
            _ => Mistrust::Unverifiable,
        };
        return no_session(SessionFailure::Untrusted { why }, SessionRemedy::CheckCertificate);
    }
    let unsupported = error
        .source()
        .is_some_and(|cause| cause.to_string() == "server does not support TLS");
    match unsupported {
        true => no_session(SessionFailure::NoTls, SessionRemedy::PreferTls),
        false => no_session(SessionFailure::HandshakeFailed, SessionRemedy::CheckTls),
    }
}

fn talk_error(error: &tokio_postgres::Error) -> Error {
    let reason = error.source().map(ToString::to_string).unwrap_or_default();
    match reason.as_str() {
        "password missing" => no_session(SessionFailure::PasswordMissing, SessionRemedy::AddPassword),
        "server did not use channel binding" => {
            no_session(SessionFailure::NoChannelBinding, SessionRemedy::LeaveBindingOut)
        }
        reason if reason.starts_with("unsupported") => {
            no_session(SessionFailure::OtherAuthentication, SessionRemedy::UseScram)
        }
        _ => unreachable_target(Unreachable::NotPostgresql),
    }
}

pub(super) fn unreachable_target(why: Unreachable) -> Error {
    no_session(SessionFailure::Unreached { why }, SessionRemedy::CheckHost)
}

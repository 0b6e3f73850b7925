//! TLS as libpq's `sslmode` means it, on rustls with ring: what the client offers, and how much of the server's
//! certificate it checks. What to fall back on is `connect`'s business.
//!
//! Meanings: PostgreSQL's documentation, "libpq — SSL Support", table "SSL Mode Descriptions".

use crate::error::{Error, Kind, Result};
use crate::failure::{SessionFailure, SessionRemedy};
use crate::postgres::session::url::{ClientCertificate, Roots, SslMode, TlsSettings};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;

/// A client configuration that checks what the settings ask for.
///
/// Reads the files that the URL names; blocking, but they are small and local.
///
/// # Errors
/// [`Kind::Configuration`] when a file cannot be read or holds no certificate or key.
pub(crate) fn client_config(settings: &TlsSettings) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut versions = Vec::new();
    if settings.allow_1_3 {
        versions.push(&rustls::version::TLS13);
    }
    if settings.allow_1_2 {
        versions.push(&rustls::version::TLS12);
    }
    let verifier = Arc::new(Verifier {
        check: check_of(settings)?,
        provider: Arc::clone(&provider),
    });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|_| Error::internal("TLS could not be set up."))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &settings.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let (chain, key) = client_certificate(client)?;
            builder.with_client_auth_cert(chain, key).map_err(|_| {
                Error::new(
                    Kind::Configuration,
                    SessionFailure::KeyMismatch,
                    SessionRemedy::NameMatchingKey,
                )
            })?
        }
    };
    config.enable_sni = settings.server_name_indication;
    if settings.direct {
        // Required of a client that starts with TLS: PostgreSQL's documentation, "Frontend/Backend Protocol —
        // SSL Session Encryption".
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(config)
}

/// How much of the server's certificate is looked at.
#[derive(Debug)]
enum ChainCheck {
    /// `sslmode=require` and weaker: encrypted, with any server that answers.
    ///
    /// Not even the handshake's signature is checked: it would prove that the server holds the key of a certificate
    /// that proves nothing itself, and certificates that rustls cannot read (X.509 version 1) are in use.
    Nothing,
    /// `verify-ca` and `verify-full`: a chain up to a known authority, and perhaps the host's name.
    Chain { trusted: Trusted, name: bool },
}

fn check_of(settings: &TlsSettings) -> Result<ChainCheck> {
    let name = match (settings.mode, &settings.roots) {
        (SslMode::VerifyFull, _) => true,
        (SslMode::VerifyCa, _) | (SslMode::Require, Some(_)) => false,
        // For allow and prefer, which fall back to plain text anyway, an untrusted certificate is still better
        // than none.
        _ => return Ok(ChainCheck::Nothing),
    };
    let trusted = roots(settings.roots.as_ref())?;
    Ok(ChainCheck::Chain { trusted, name })
}

/// The authorities, as trust anchors and as the certificates themselves.
#[derive(Debug)]
struct Trusted {
    anchors: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
}

fn roots(roots: Option<&Roots>) -> Result<Trusted> {
    let certificates: Vec<CertificateDer<'static>> = match roots {
        Some(Roots::System) => rustls_native_certs::load_native_certs().certs,
        Some(Roots::File(path)) => certificates(path, "sslrootcert")?,
        None => Vec::new(),
    };
    let mut anchors = RootCertStore::empty();
    anchors.add_parsable_certificates(certificates.iter().cloned());
    if anchors.is_empty() {
        return Err(Error::new(
            Kind::Configuration,
            SessionFailure::NoAuthority,
            SessionRemedy::NameAuthority,
        ));
    }
    // Only a named file's certificates may be the server's own; see `Verifier`.
    let certificates = if roots == Some(&Roots::System) {
        Vec::new()
    } else {
        certificates
    };
    Ok(Trusted {
        anchors,
        certificates,
    })
}

fn certificates(path: &Path, parameter: &str) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(|_| unreadable(parameter))
}

fn client_certificate(
    client: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let chain = certificates(&client.certificate, "sslcert")?;
    let key = PrivateKeyDer::from_pem_file(&client.key).map_err(|_| unreadable("sslkey"))?;
    if chain.is_empty() {
        return Err(unreadable("sslcert"));
    }
    Ok((chain, key))
}

fn unreadable(parameter: &str) -> Error {
    Error::new(
        Kind::Configuration,
        SessionFailure::NoPem {
            parameter: parameter.to_owned(),
        },
        SessionRemedy::NamePem,
    )
}

/// Does the [`ChainCheck`] when rustls asks.
#[derive(Debug)]
struct Verifier {
    check: ChainCheck,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let ChainCheck::Chain { trusted, name } = &self.check else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        // A self-signed server certificate named as its own authority, as OpenSSL accepts it and webpki does not.
        let itself = trusted.certificates.iter().any(|trusted| trusted == end_entity);
        if !itself {
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &trusted.anchors,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
        }
        if *name {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match &self.check {
            ChainCheck::Nothing => Ok(HandshakeSignatureValid::assertion()),
            ChainCheck::Chain { .. } => {
                let algorithms = &self.provider.signature_verification_algorithms;
                verify_tls12_signature(message, cert, dss, algorithms)
            }
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match &self.check {
            ChainCheck::Nothing => Ok(HandshakeSignatureValid::assertion()),
            ChainCheck::Chain { .. } => {
                let algorithms = &self.provider.signature_verification_algorithms;
                verify_tls13_signature(message, cert, dss, algorithms)
            }
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn accepts_what_cannot_be_read(check: ChainCheck) -> bool {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let name = ServerName::try_from("db.example").unwrap();
        let certificate = CertificateDer::from(b"of X.509 version 1, or expired in 1999".as_slice());
        Verifier { check, provider }
            .verify_server_cert(&certificate, &[], &name, &[], UnixTime::now())
            .is_ok()
    }

    #[test]
    fn without_verification_even_a_certificate_that_cannot_be_read_will_do() {
        assert!(accepts_what_cannot_be_read(ChainCheck::Nothing));
    }

    #[test]
    fn with_verification_a_certificate_that_cannot_be_read_will_not_do() {
        let trusted = Trusted {
            anchors: RootCertStore::empty(),
            certificates: vec![],
        };
        assert!(!accepts_what_cannot_be_read(ChainCheck::Chain {
            trusted,
            name: false
        }));
    }
}

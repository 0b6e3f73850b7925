//! What a URL says of TLS.

use super::parameters::Parameters;
use super::values::{choice, printable};
use super::{non_empty, refused, ChannelBinding, ClientCertificate, Roots, SslMode, TlsSettings};
use crate::error::{Error, Kind, Result};
use crate::failure::{SessionFailure, SessionRemedy};
use std::path::PathBuf;

impl Parameters {
    /// Notes a parameter whose name begins with `ssl`.
    pub(super) fn set_tls(&mut self, name: &str, value: String) -> Result<()> {
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
                    SessionFailure::ParameterNotHonoured {
                        parameter: printable(name).to_owned(),
                    },
                    SessionRemedy::RemoveParameter,
                ));
            }
        }
        Ok(())
    }

    /// All of them together.
    pub(super) fn tls(&self) -> Result<TlsSettings> {
        let roots = match self.root_certificate.as_deref() {
            None => None,
            Some("system") => Some(Roots::System),
            Some(path) => Some(Roots::File(PathBuf::from(path))),
        };
        let mode = self.mode(roots.as_ref())?;
        self.refuse_contradictions(mode, roots.as_ref())?;
        let (allow_1_2, allow_1_3) = self.versions()?;
        Ok(TlsSettings {
            mode,
            roots,
            client: self.client_certificate()?,
            direct: self.direct,
            server_name_indication: !self.no_server_name,
            allow_1_2,
            allow_1_3,
        })
    }

    /// As libpq: with the system's authorities anything weaker than verify-full would let in
    /// anyone with any public certificate.
    fn mode(&self, roots: Option<&Roots>) -> Result<SslMode> {
        match (self.ssl_mode, roots) {
            (None, Some(Roots::System)) => Ok(SslMode::VerifyFull),
            (None, _) => Ok(SslMode::Prefer),
            (Some(SslMode::VerifyFull), _) => Ok(SslMode::VerifyFull),
            (Some(_), Some(Roots::System)) => Err(Error::new(
                Kind::Configuration,
                SessionFailure::SystemRootsTooWeak,
                SessionRemedy::VerifyFull,
            )),
            (Some(mode), _) => Ok(mode),
        }
    }

    fn refuse_contradictions(&self, mode: SslMode, roots: Option<&Roots>) -> Result<()> {
        if matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull) && roots.is_none() {
            return Err(Error::new(
                Kind::Configuration,
                SessionFailure::NothingToVerify,
                SessionRemedy::AddAuthority,
            ));
        }
        if self.direct && matches!(mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer) {
            return Err(Error::new(
                Kind::Configuration,
                SessionFailure::DirectTooWeak,
                SessionRemedy::RequireOrNotDirect,
            ));
        }
        if mode == SslMode::Disable && self.channel_binding == Some(ChannelBinding::Require) {
            return Err(Error::new(
                Kind::Configuration,
                SessionFailure::BindingWithoutTls,
                SessionRemedy::RequireOrNoBinding,
            ));
        }
        Ok(())
    }

    fn client_certificate(&self) -> Result<Option<ClientCertificate>> {
        match (&self.certificate, &self.key) {
            _ if self.no_client_certificate => Ok(None),
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(ClientCertificate {
                certificate: PathBuf::from(certificate),
                key: PathBuf::from(key),
            })),
            _ => Err(Error::new(
                Kind::Configuration,
                SessionFailure::HalfOfCertificate,
                SessionRemedy::NameBoth,
            )),
        }
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
            return Err(refused(SessionFailure::VersionsCrossed));
        }
        Ok((allow_1_2, allow_1_3))
    }
}

//! Columns that hold a digest of the row's e-mail address, by which anyone who knows the address finds the row: they get that
//! of the new address.

use masking::{TableFacts, Type};
use personal_data::{address_digest, DigestName, Suggestion};

/// What an address was put through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    /// Whether a column of this type holds it whole.
    pub(crate) fn fits(self, kind: &Type) -> bool {
        let digits = match self {
            Algorithm::Md5 => 32,
            Algorithm::Sha256 => 64,
        };
        match kind {
            Type::Text { limit, .. } => limit.is_none_or(|limit| limit >= digits),
            Type::Bytea => true,
            Type::Uuid => self == Algorithm::Md5,
            _ => false,
        }
    }
}

/// Of which of a row's addresses a column holds a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressDigest {
    /// The place of the address.
    pub(crate) address: usize,
    pub(crate) algorithm: Algorithm,
}

impl AddressDigest {
    /// What the names of a table's columns say of the one at a place.
    pub(super) fn by_name(table: &TableFacts, place: usize) -> Option<Self> {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let (address, name) = address_digest(&columns, place)?;
        let kind = &table.columns.get(place)?.kind;
        let is_of_sha256 = matches!(kind, Type::Text { limit: Some(64), .. });
        let algorithm = match name {
            DigestName::Sha256 => Algorithm::Sha256,
            DigestName::Open if is_of_sha256 => Algorithm::Sha256,
            DigestName::Md5 | DigestName::Open => Algorithm::Md5,
        };
        algorithm.fits(kind).then_some(Self { address, algorithm })
    }

    /// The mask for it, as a rule names it.
    pub(super) fn suggestion(self, table: &TableFacts) -> Option<Suggestion> {
        let mask = match self.algorithm {
            Algorithm::Md5 => "email_md5",
            Algorithm::Sha256 => "email_sha256",
        };
        let address = table.columns.get(self.address)?.name.as_str();
        Some(match address {
            "email" => Suggestion::plain(mask),
            other => Suggestion::with(mask, "of", other),
        })
    }
}

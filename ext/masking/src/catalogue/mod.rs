//! The catalogue: which masks there are. Each is a file here that holds all there is to say of it.
//!
//! To add one, write its file, and its name below. What they have in common is in [`families`](super::families).

#[cfg(test)]
mod tests;

use super::entry::{Catalogue, CatalogueEntry, Mask, Options};
use super::misfit::InvalidMask;

/// The modules of the masks that a rule can name, and the list of them, in the order of the documents.
macro_rules! masks {
    ($($module:ident)*) => {
        $(mod $module;)*
        static ENTRIES: &[&CatalogueEntry] = &[$(&$module::MASK),*];

        /// What each mask is tried on by tests that are the same for all: none goes without.
        #[cfg(test)]
        pub(super) fn cases() -> Vec<super::testing::Case> {
            [$($module::tests::CASES),*].concat()
        }
    };
}

masks! {
    email
    email_md5
    email_sha256
    name
    first_name
    last_name
    company
    username
    address
    street
    city
    fake
    postal_code
    phone
    iban
    bic
    credit_card
    last4
    nir
    siren
    siret
    vat_number
    ssn
    date
    birth_date
    timestamp
    number
    ip
    mac
    url
    filename
    user_agent
    uuid
    hash
    token
    password
    staging_password
    unknown_password
    text
    scrub
    redact
    null
    category
    static_value
    template
    json
    hstore
    array
}

// What `scrub` looks for besides.
mod national;

// What only the strategies give to columns.
pub(super) mod constant;
pub(super) mod neutral;
pub(super) mod numbered_name;
pub(super) mod numbered_phone;

pub(super) use email::MASK as EMAIL;
pub(super) use email_md5::OF_STRATEGY as EMAIL_MD5;

/// What a rule can name.
pub(super) static CATALOGUE: Catalogue = Catalogue {
    entries: ENTRIES,
    // To exchange values between rows, all of them would have to be held in memory.
    not_built: &["shuffle"],
};

impl Mask {
    /// The mask `name` with these options.
    ///
    /// # Errors
    /// There is no such mask, or it does not take such an option.
    pub fn named(name: &str, options: &Options) -> Result<Self, InvalidMask> {
        CATALOGUE.mask(name, options)
    }
}

//! The kinds of value that the leak check follows, and the keyed hash that stands for one.
//!
//! The hash is SipHash-1-3 as the standard library has it, under a key drawn from the operating system for each
//! run ([`RandomState`]): 64 bits, of which no guess can be tested without the key, and no further crate. It never
//! leaves the process, so it does not matter that the library may choose another algorithm some day.

use personal_data::{canonical, PiiKind};
use std::hash::{BuildHasher, Hasher as _, RandomState};

/// A kind of value whose copies elsewhere are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// An e-mail address.
    Email,
    /// A telephone number: its last nine digits.
    Phone,
    /// A bank account.
    Iban,
    /// A payment card.
    Card,
    /// A social-security number, passport or the like with a check or with more than nine characters.
    Identity,
    /// One of nine digits.
    ShortIdentity,
    /// A first and a last name.
    Name,
    /// An unsalted MD5, SHA-1, SHA-256 or SHA-512 of one of those above, full names left out.
    Digest,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 8] = [
        Class::Email,
        Class::Phone,
        Class::Iban,
        Class::Card,
        Class::Identity,
        Class::ShortIdentity,
        Class::Name,
        Class::Digest,
    ];

    /// How many there are.
    pub const COUNT: usize = Class::ALL.len();

    /// The class of a kind of personal data; None for kinds that are not followed.
    pub fn of(kind: PiiKind) -> Option<Class> {
        Some(match kind {
            PiiKind::Email => Class::Email,
            PiiKind::Phone => Class::Phone,
            PiiKind::Iban => Class::Iban,
            PiiKind::Card => Class::Card,
            PiiKind::Nir | PiiKind::NationalId | PiiKind::IdentityDocument | PiiKind::TaxId => {
                Class::Identity
            }
            PiiKind::Ssn => Class::ShortIdentity,
            PiiKind::Name => Class::Name,
            _ => return None,
        })
    }

    /// The class's name in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Email => "email",
            Class::Phone => "phone",
            Class::Iban => "iban",
            Class::Card => "card",
            Class::Identity | Class::ShortIdentity => "identity_number",
            Class::Name => "name",
            Class::Digest => "hash",
        }
    }

    /// About how many different values there are, where they are so few that two may be equal by chance: as many as a
    /// number drawn among those that look like one can be. None where chance plays no part.
    ///
    /// Telephone numbers are compared by nine digits, of which most countries use a few beginnings: two hundred
    /// million. Cards have nine free digits behind an issuer's six and before the check digit, and some issuers
    /// share most customers: 10^11. Nine-digit numbers: 7 × 10^8.
    pub(crate) fn domain(self) -> Option<f64> {
        match self {
            Class::Phone => Some(2e8),
            Class::Card => Some(1e11),
            Class::ShortIdentity => Some(7e8),
            _ => None,
        }
    }

    /// Whether finding a value can fail a run. Many people share a name.
    pub fn proves(self) -> bool {
        self != Class::Name
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// Digits of a NIR before its key.
const NIR: usize = 13;
/// Characters of the shortest account that is looked for without its country.
const ACCOUNT: usize = 14;

/// Hosts that ignore dots before the `@`, and what follows a plus.
const WITHOUT_DOTS: [&[u8]; 2] = [b"gmail.com", b"googlemail.com"];
/// Hosts that ignore what follows a plus.
const WITH_TAGS: [&[u8]; 12] = [
    b"outlook.com",
    b"outlook.fr",
    b"hotmail.com",
    b"hotmail.fr",
    b"live.com",
    b"live.fr",
    b"icloud.com",
    b"me.com",
    b"proton.me",
    b"protonmail.com",
    b"fastmail.com",
    b"pm.me",
];

/// Turns an address into that of its mailbox: well-known hosts know it by other addresses, too, and a domain of other letters
/// than ASCII's has two names.
fn mailbox(address: &mut Vec<u8>) {
    let Some(at) = memchr::memrchr(b'@', address) else {
        return;
    };
    let host = address.split_off(at + 1);
    let dotless = WITHOUT_DOTS.contains(&host.as_slice());
    if dotless || WITH_TAGS.contains(&host.as_slice()) {
        let tag = memchr::memchr(b'+', &address[..at]).unwrap_or(at);
        address.truncate(tag);
        if dotless {
            address.retain(|byte| *byte != b'.');
        }
        address.push(b'@');
    }
    match dotless {
        true => address.extend_from_slice(WITHOUT_DOTS[0]),
        false => crate::punycode::extend_with_host(address, &host),
    }
}

/// Hashes values of one run.
#[derive(Clone)]
pub(crate) struct Hasher {
    state: RandomState,
    canonical: Vec<u8>,
}

/// No key, no value.
impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    /// A hasher with a key of its own; clones share it.
    pub(crate) fn new() -> Self {
        Self {
            state: RandomState::new(),
            canonical: Vec::new(),
        }
    }

    /// The hash of a value's canonical form, and its class; None when nothing is left of it.
    pub(crate) fn value(&mut self, kind: PiiKind, value: &[u8]) -> Option<(Class, u64)> {
        let class = Class::of(kind)?;
        if !canonical(kind, value, &mut self.canonical) {
            return None;
        }
        match kind {
            PiiKind::Email => mailbox(&mut self.canonical),
            // The key says nothing that the rest does not.
            PiiKind::Nir => self.canonical.truncate(NIR),
            _ => {}
        }
        let form = self.canonical.as_slice();
        let class = match class {
            // Written with country codes or without, and shorter than any plan: an extension.
            Class::Phone if form.len() < 9 => return None,
            Class::Identity if form.len() == 9 => Class::ShortIdentity,
            Class::Identity if form.len() < 9 => return None,
            class => class,
        };
        Some((class, self.hash(class, form)))
    }

    /// The hash of an IBAN's account, without country and check digits.
    pub(crate) fn account(&mut self, kind: PiiKind, value: &[u8]) -> Option<(Class, u64)> {
        let is_iban = kind == PiiKind::Iban && canonical(kind, value, &mut self.canonical);
        let account = self
            .canonical
            .get(4..)
            .filter(|account| is_iban && account.len() >= ACCOUNT)?;
        Some((Class::Iban, self.hash(Class::Iban, account)))
    }

    /// The hash of a digest.
    pub(crate) fn digest(&self, digest: &[u8]) -> u64 {
        self.hash(Class::Digest, digest)
    }

    fn hash(&self, class: Class, form: &[u8]) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write(form);
        hasher.write_u8(class.index() as u8);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_value_has_one_hash_however_it_is_written_and_another_in_another_run() {
        let mut hasher = Hasher::new();
        let one = hasher.value(PiiKind::Phone, b"06 12 34 56 78").unwrap();
        assert_eq!(
            Some(one),
            hasher.clone().value(PiiKind::Phone, b"+33 (0)6 12 34 56 78")
        );
        assert_ne!(Some(one), hasher.value(PiiKind::Phone, b"06 12 34 56 79"));
        assert_ne!(Some(one), Hasher::new().value(PiiKind::Phone, b"06 12 34 56 78"));
        assert_eq!(
            hasher.value(PiiKind::City, b"Paris"),
            None,
            "not of a kind that is followed"
        );
        assert_eq!(hasher.value(PiiKind::Phone, b"12 34"), None, "an extension");
    }

    #[test]
    fn the_addresses_of_one_mailbox_are_one() {
        let mut hasher = Hasher::new();
        for (one, same) in [
            ("ada.lovelace@gmail.com", "adalovelace+shop@googlemail.com"),
            ("ada@outlook.com", "Ada+x@Outlook.com"),
            ("ada@müller.de", "ada@xn--mller-kva.de"),
        ] {
            assert_eq!(
                hasher.value(PiiKind::Email, one.as_bytes()),
                hasher.value(PiiKind::Email, same.as_bytes()),
                "{one}"
            );
        }
        let tagged = hasher.value(PiiKind::Email, b"ada+x@example.com");
        assert_ne!(tagged, hasher.value(PiiKind::Email, b"ada@example.com"));
    }

    #[test]
    fn an_account_is_known_without_its_country_and_a_nir_without_its_key() {
        let mut hasher = Hasher::new();
        let account = hasher.account(PiiKind::Iban, b"FR14 2004 1010 0505 0001 3M02 606");
        assert!(account.is_some());
        assert_eq!(
            account,
            hasher.value(PiiKind::Iban, b"20041 01005 0500013M026 06")
        );
        assert_eq!(
            hasher.value(PiiKind::Nir, b"255081416802538"),
            hasher.value(PiiKind::Nir, b"2 55 08 14 168 025")
        );
    }

    #[test]
    fn nothing_of_a_value_or_the_key_is_printed() {
        let mut hasher = Hasher::new();
        hasher.value(PiiKind::Email, b"alice@example.com");
        assert_eq!(format!("{hasher:?}"), "Hasher");
    }
}

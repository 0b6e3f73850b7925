//! `email`: `<20 hex digits>@<domain>`, from the lower-cased address.

use crate::append::Fixed;
use crate::becomes::Becomes;
use crate::bytes::{is_hex, write_hex};
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::equal::Fold;
use crate::error::Unfit;
use crate::key::Function;
use crate::misfit::{Held, Misfit};
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("keep_domain", "true keeps the original's domain")],
    example: Example::of_text("ada@example.org"),
    joins: true,
    own_form: |options| options.get("keep_domain").is_none(),
    is_wide: true,
    ..CatalogueEntry::new("email", "a pseudonym at <email_domain>", fit)
};

/// How many hex digits of the digest an address shows: 80 bits.
const DIGITS: usize = 20;

#[derive(Debug)]
struct Email {
    function: Function,
    /// Take addresses that differ only in case for the same.
    fold: Fold,
    /// `@` and the domain.
    suffix: Fixed,
    /// Nothing in the domain needs an escape.
    is_plain: bool,
    keep_domain: bool,
    /// The most characters that the column holds.
    limit: usize,
}

impl Email {
    /// The domain of an address, if it is kept.
    fn kept<'v>(&self, address: &'v [u8]) -> Option<&'v [u8]> {
        if !self.keep_domain {
            return None;
        }
        let at = address.iter().rposition(|byte| *byte == b'@')?;
        let suffix = &address[at..];
        (is_domain(&suffix[1..]) && DIGITS + suffix.len() <= self.limit).then_some(suffix)
    }
}

impl Pseudonym for Email {
    #[inline(always)]
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let digest = self
            .function
            .digest_of(value, row.piece, self.fold, &mut work.first);
        write_hex(&digest, DIGITS, out);
        match self.kept(value) {
            Some(suffix) => out.extend_from_slice(suffix),
            None => self.suffix.append_to(out),
        }
    }

    #[inline(always)]
    fn has_form(&self, value: &[u8]) -> bool {
        let is_suffix = |suffix: &[u8]| {
            self.suffix.is(suffix)
                || self.keep_domain && suffix.first() == Some(&b'@') && is_domain(&suffix[1..])
        };
        value
            .split_at_checked(DIGITS)
            .is_some_and(|(digits, suffix)| is_suffix(suffix) && is_hex(digits))
    }

    fn is_plain(&self) -> bool {
        self.is_plain
    }
}

fn is_domain(text: &[u8]) -> bool {
    text.contains(&b'.')
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let domain = &fitting.ground.pseudonyms.email_domain;
    let Type::Text { limit, .. } = fitting.column.kind else {
        return Err(fitting.cannot_hold(Held::Email));
    };
    let length = DIGITS + 1 + domain.len();
    if let Some(limit) = limit.filter(|limit| *limit < length) {
        let most = limit.saturating_sub(DIGITS + 1);
        // No domain is shorter than `a.b`.
        if most < 3 {
            return Err(fitting.too_short(length));
        }
        return Err(fitting.unfit(Misfit::EmailDomain {
            column_type: fitting.column_type(),
            length,
            most,
        }));
    }
    let keep_domain = fitting.flag("keep_domain")?;
    // A backslash means something to bytea.
    let form = if keep_domain {
        fitting.matches(&format!("^[0-9a-f]{{{DIGITS}}}@[A-Za-z0-9.-]+$"))
    } else if domain.is_ascii() && !domain.contains('\\') {
        fitting.is_hex_before(length, &format!("@{domain}"))
    } else {
        let domain = domain.replace('.', "\\.");
        fitting.matches(&format!("^[0-9a-f]{{{DIGITS}}}@{domain}$"))
    };
    let email = Email {
        function: fitting.function("email"),
        fold: fitting.fold(!fitting.column.unique.tells_case_apart),
        suffix: Fixed::new(format!("@{domain}").as_bytes()),
        is_plain: domain
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\'),
        keep_domain,
        limit: limit.unwrap_or(usize::MAX),
    };
    Ok(Fitted::pseudonym(email, Becomes::Email, form))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[
        case("email", "[a-z]{1,9}@[a-z]{1,9}\\.(fr|com)", |_, new| {
            let (local, domain) = new.split_once('@').unwrap();
            domain == "demo.example.com" && local.len() == 20 && u128::from_str_radix(local, 16).is_ok()
        }),
        case("email", "[a-z]{1,9}@[a-z]{1,9}\\.(fr|com)", |old, new| {
            old.split_once('@').unwrap().1 == new.split_once('@').unwrap().1
        })
        .with(r#"{"keep_domain": true}"#),
    ];
}

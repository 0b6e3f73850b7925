//! `staging_password`: one password for everyone but those whom a `keep` keeps.

use super::unknown_password::Unknown;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::password_hash::{is_bcrypt, known, BCRYPT};
use crate::keep::Keep;
use crate::misfit::Misfit;
use crate::pseudonym::{Pseudonym, Work};
use pg_dump_archive::copy::Row;
use secrecy::ExposeSecret;
use std::sync::Arc;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("cost", "bcrypt's cost, 10 by default")],
    example: Example::of_text("$2a$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q")
        .with(r#"{"cost": 4}"#),
    ..CatalogueEntry::new(
        "staging_password",
        "a bcrypt hash of <staging_password>; <unknown_password> in rows of which a `keep` keeps a value, and where the hash is \
         not bcrypt's",
        fit,
    )
};

#[derive(Debug)]
struct Staging {
    /// The columns of the table whose rule keeps some values.
    kept: Vec<(usize, Arc<Keep>)>,
    unknown: Unknown,
    hash: Box<[u8]>,
}

impl Pseudonym for Staging {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let is_kept = self.kept.iter().any(|(position, keep)| {
            let field = row.field(*position);
            field != b"\\N" && keep.keeps(field, &mut work.first)
        });
        // Another kind of hash is read by another function, which takes no bcrypt.
        if is_kept || !is_bcrypt(value) {
            self.unknown.write(value, row, work, out);
        } else {
            out.extend_from_slice(&self.hash);
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value == &*self.hash || self.unknown.has_form(value)
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    fitting.may_repeat()?;
    fitting.text_of(BCRYPT)?;
    let Some(password) = &fitting.ground.pseudonyms.staging_password else {
        return Err(fitting.unfit(Misfit::StagingPassword));
    };
    let hash = known(fitting, password.expose_secret())?;
    let kept = fitting.ground.masks.iter().filter_map(|(position, mask)| {
        let keep = mask.keep.as_ref()?;
        Some((*position, Arc::clone(keep)))
    });
    let mask = Staging {
        kept: kept.collect(),
        unknown: Unknown::new(fitting)?,
        hash: hash.as_bytes().into(),
    };
    let mut fitted = fitting.fitted(mask, fitting.is_ascii());
    fitted.known_password = Some(fitting.equals(&hash));
    Ok(fitted)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{case, Case, A_BCRYPT_HASH};

    pub(crate) const CASES: &[Case] = &[case("staging_password", A_BCRYPT_HASH, |_, new| {
        bcrypt::verify("staging", new).unwrap()
    })
    .with(r#"{"cost": 4}"#)
    .repeats()];
}

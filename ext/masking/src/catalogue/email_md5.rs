//! `email_md5`: the MD5 of the row's new address, or, where the row has none, a keyed digest of the old MD5.

use crate::action::Other;
use crate::becomes::Becomes;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, Mask};
use crate::error::Unfit;
use crate::families::distinct::DistinctForm;
use crate::key::Function;
use crate::misfit::{Expected, Held};
use crate::pseudonym::{Pseudonym, Work};
use crate::sql::{plain_text, quote_identifier};
use crate::types::Type;
use md5::{Digest, Md5};
use pg_dump_archive::copy::{self, Row};
use serde_json::Value;
use sha2::Sha256;

pub(crate) static MASK: CatalogueEntry = ENTRY;

const ENTRY: CatalogueEntry = CatalogueEntry {
    options: &[OF],
    example: Example::of_text("5bfcf2d8e394674550332640d72db509"),
    own_form: |_| true,
    is_wide: true,
    ..CatalogueEntry::new(
        "email_md5",
        "the MD5 of the row's new e-mail address",
        |fitting| fit(fitting, Algorithm::Md5),
    )
};

/// For the strategies, which replace empty values as well.
pub(crate) static OF_STRATEGY: CatalogueEntry = CatalogueEntry {
    fit: |fitting| Ok(fit(fitting, Algorithm::Md5)?.also_of_empty()),
    ..ENTRY
};

/// Which column holds the address.
pub(super) const OF: (&str, &str) = ("of", "the column of the address, `email` by default");

/// What an address is put through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    /// How many hex digits it has.
    fn digits(self) -> usize {
        match self {
            Algorithm::Md5 => 32,
            Algorithm::Sha256 => 64,
        }
    }

    /// It, in PostgreSQL, of a text.
    fn sql(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => format!("pg_catalog.md5({text})"),
            Algorithm::Sha256 => {
                let bytes = format!("pg_catalog.convert_to({text}, 'UTF8')");
                format!("pg_catalog.encode(pg_catalog.sha256({bytes}), 'hex')")
            }
        }
    }
}

#[derive(Debug)]
struct OfAddress {
    algorithm: Algorithm,
    /// The row's address.
    email: Option<Other>,
    function: Function,
    form: DistinctForm,
}

impl Pseudonym for OfAddress {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let address = self.email.as_ref().and_then(|email| email.value(row, work));
        match (address, self.algorithm) {
            (Some(address), Algorithm::Md5) => self.form.write(&Md5::digest(address), out),
            (Some(address), Algorithm::Sha256) => self.form.write(&Sha256::digest(address), out),
            (None, _) => {
                let value = copy::decode(value, &mut work.first).unwrap_or_default();
                self.form
                    .write(&self.function.digest_within(value, row.piece), out);
            }
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        self.form.is_of(value)
    }

    fn reads_value(&self) -> bool {
        false
    }

    fn is_plain(&self) -> bool {
        !matches!(self.form, DistinctForm::Bytes(_))
    }
}

/// Fits the digest of an address to a column.
pub(super) fn fit(fitting: &Fitting<'_>, algorithm: Algorithm) -> Result<Fitted, Box<Unfit>> {
    let digits = algorithm.digits();
    let form = match (&fitting.column.kind, algorithm) {
        (Type::Text { limit, .. }, _) => DistinctForm::Hex(limit.unwrap_or(digits).min(digits)),
        (Type::Bytea, _) => DistinctForm::Bytes(digits / 2),
        (Type::Uuid, Algorithm::Md5) => DistinctForm::PlainUuid,
        (_, Algorithm::Md5) => return Err(fitting.cannot_hold(Held::Md5)),
        (_, Algorithm::Sha256) => return Err(fitting.cannot_hold(Held::Sha256)),
    };
    if fitting.column.unique.distinct && !form.is_wide() {
        return Err(fitting.too_small_to_be_distinct());
    }
    let place = address(fitting)?;
    let email = place.map(|place| fitting.other(place)).transpose()?;
    let condition = match (place, &form) {
        (Some(place), DistinctForm::Hex(length)) => {
            let address = quote_identifier(&fitting.ground.table.columns[place].name);
            let digest = algorithm.sql(&format!("{address}::pg_catalog.text"));
            let digest = if *length < digits {
                format!("pg_catalog.left({digest}, {length})")
            } else {
                digest
            };
            format!(
                "CASE WHEN {address} IS NULL THEN {} ELSE {} = {digest} END",
                form.sql(fitting),
                plain_text(&fitting.sql())
            )
        }
        _ => form.sql(fitting),
    };
    let digest = OfAddress {
        algorithm,
        email,
        function: fitting.function(fitting.name()),
        form,
    };
    let fitted = match algorithm {
        Algorithm::Md5 => Fitted::pseudonym(digest, Becomes::EmailMd5, condition),
        Algorithm::Sha256 => fitting.fitted(digest, condition),
    };
    Ok(Fitted {
        reads: place.into_iter().collect(),
        ..fitted
    })
}

/// The place of the address, where it is masked: of one that is not, the digest would be the one that there was.
fn address(fitting: &Fitting<'_>) -> Result<Option<usize>, Box<Unfit>> {
    let table = fitting.ground.table;
    let name = fitting.string("of")?;
    let place = table.position(name.unwrap_or("email"));
    if name.is_some() && place.is_none_or(|place| place == fitting.position) {
        return Err(fitting.wrong_option("of", Expected::Column));
    }
    let is_masked = |place: &usize| {
        let mut masks = fitting.ground.masks.iter();
        masks.any(|(at, mask)| at == place && !mask.reads_others())
    };
    Ok(place.filter(is_masked))
}

impl Mask {
    /// Whether what it writes is made of other columns.
    fn reads_others(&self) -> bool {
        let mut others = ["template", "email_md5", "email_sha256"].iter();
        others.any(|name| self.is(name))
    }

    /// The column of whose new address it writes a digest, if it does that.
    pub fn digested_address(&self) -> Option<&str> {
        let is_digest = self.is("email_md5") || self.is("email_sha256");
        let of = self.options.get("of").and_then(Value::as_str);
        is_digest.then(|| of.unwrap_or("email"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::misfit::{Expected, Misfit};
    use crate::testing::{case, column, pseudonyms, table, text, Case};
    use crate::{Mask, RowMask, Type};
    use md5::{Digest, Md5};
    use serde_json::json;
    use sha2::Sha256;
    use std::sync::Arc;

    pub(crate) const CASES: &[Case] = &[case("email_md5", "[0-9a-f]{32}", |_, new| {
        new.len() == 32 && new.bytes().all(|byte| byte.is_ascii_hexdigit())
    })];

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What becomes of an address and of its digest in a column of some type.
    fn digested(mask: &str, kind: Type, value: &str) -> (String, String) {
        let facts = table(vec![
            column("id", crate::testing::bigint()),
            column("digest", kind),
            column("contact", text()),
        ]);
        let options = json!({"of": "contact"});
        let masks = [
            (1, Mask::named(mask, options.as_object().unwrap()).unwrap()),
            (2, Mask::named("email", &Default::default()).unwrap()),
        ];
        let mask = Arc::new(RowMask::new(&facts, &masks, &pseudonyms()).unwrap());
        let (mut masker, mut out) = (mask.masker(), Vec::new());
        let row = format!("1\t{value}\tAda@Example.org\n");
        masker.mask_piece(row.as_bytes(), &mut out).unwrap();
        assert_eq!(masker.counts().columns[0].violations, 0);
        let line = String::from_utf8(out).unwrap();
        let fields: Vec<&str> = line.trim_end().split('\t').collect();
        (fields[2].to_owned(), fields[1].to_owned())
    }

    #[test]
    fn the_digest_is_that_of_the_new_address_in_the_column_that_the_rule_names() {
        let old = "a".repeat(32);
        let (address, digest) = digested("email_md5", text(), &old);
        assert!(address.ends_with("@demo.example.com"));
        assert_eq!(digest, hex(&Md5::digest(&address)));
        let (address, digest) = digested("email_sha256", text(), &old);
        assert_eq!(digest, hex(&Sha256::digest(address)));
        let (address, digest) = digested("email_md5", Type::Bytea, &format!("\\\\x{old}"));
        assert_eq!(digest, format!("\\\\x{}", hex(&Md5::digest(address))));
        let (address, digest) = digested("email_sha256", Type::Bytea, &format!("\\\\x{old}"));
        assert_eq!(digest, format!("\\\\x{}", hex(&Sha256::digest(address))));
        let (address, digest) = digested("email_md5", Type::Uuid, "3f333df6-90a4-4fda-8dd3-9485d27cee36");
        assert_eq!(digest.replace('-', ""), hex(&Md5::digest(address)));
    }

    #[test]
    fn an_address_that_is_not_there_is_reported() {
        let facts = table(vec![
            column("id", crate::testing::bigint()),
            column("digest", text()),
        ]);
        let options = json!({"of": "contact"});
        let mask = Mask::named("email_md5", options.as_object().unwrap()).unwrap();
        let unfit = RowMask::new(&facts, &[(1, mask)], &pseudonyms()).unwrap_err();
        let expected = Misfit::Option {
            mask: "email_md5",
            option: "of".to_owned(),
            expected: Expected::Column,
        };
        assert_eq!(unfit[0].misfit, expected);
    }
}

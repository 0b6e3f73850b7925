//! A mask on a column that the app encrypts. What it writes would be no ciphertext, and reading it an error: so its
//! pseudonym is encrypted, too, under the key that the app of this environment reads with, or it is one of those that the
//! app has encrypted beforehand.

use super::action::Writes;
use super::entry::{Fitted, Fitting, ANY_VALUE};
use super::envelope::{self, EnvelopeKey};
use super::error::Unfit;
use super::helpers::Encryption;
use super::key::Function;
use super::misfit::Misfit;
use super::pseudonym::{Pseudonym, Work};
use super::table::ColumnFacts;
use super::types::Type;
use crate::becomes::Becomes;
use pg_dump_archive::copy::{self, Row};
use serde_json::Value;
use std::sync::Arc;

/// Masks for which a value is what a digest is made from, or nothing at all: others keep its form, which ciphertext does
/// not show.
const OF_A_DIGEST: &[&str] = &[
    "email",
    "name",
    "first_name",
    "last_name",
    "company",
    "username",
    "address",
    "street",
    "city",
    "fake",
    "uuid",
    "hash",
    "password",
    "unknown_password",
    "redact",
    "static",
    "template",
    "constant",
    "neutral",
    "numbered_name",
    "numbered_phone",
];

/// Fits a mask to its column, encrypted where the app encrypts it.
pub(super) fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let as_it_is = || (fitting.mask.entry.fit)(fitting);
    let helpers = &fitting.ground.pseudonyms.helpers;
    let Some(encryption) = helpers.encryption(&fitting.ground.table.name, &fitting.column.name) else {
        return as_it_is();
    };
    if fitting.mask.is_null() {
        return as_it_is();
    }
    match encryption {
        Encryption::Key { key, downcase } if !is_given_encrypted(fitting) => {
            under_key(fitting, Arc::clone(key), *downcase)
        }
        Encryption::Prepared(values) if !is_given(fitting) => prepared(fitting, values),
        Encryption::Unknown if !is_given(fitting) => Err(unknown(fitting)),
        _ => as_it_is(),
    }
}

/// Whether the rule gives the value, which it may have encrypted.
fn is_given(fitting: &Fitting<'_>) -> bool {
    let given = fitting.option("value").and_then(Value::as_str);
    fitting.name() == "static" && given.is_some_and(|given| !given.is_empty())
}

/// Whether the rule gives a ciphertext.
fn is_given_encrypted(fitting: &Fitting<'_>) -> bool {
    let given = fitting.option("value").and_then(Value::as_str);
    fitting.name() == "static" && given.is_some_and(envelope::is_envelope)
}

fn unknown(fitting: &Fitting<'_>) -> Box<Unfit> {
    let mask = fitting.name();
    fitting.unfit(Misfit::NotEncrypted { mask })
}

/// The mask on what the column would be if it were not encrypted, and its pseudonym sealed.
fn under_key(fitting: &Fitting<'_>, key: Arc<EnvelopeKey>, downcase: bool) -> Result<Fitted, Box<Unfit>> {
    let length = fitting.text()?.limit;
    if !OF_A_DIGEST.contains(&fitting.name()) {
        let mask = fitting.name();
        return Err(fitting.unfit(Misfit::KeepsForm { mask }));
    }
    // A letter may take two bytes.
    let widest = if fitting.ground.pseudonyms.utf8 { 2 } else { 1 };
    let column = ColumnFacts {
        kind: Type::Text {
            limit: (length != usize::MAX).then(|| envelope::room(length) / widest),
            padded: false,
            ignores_case: downcase,
        },
        ..fitting.column.clone()
    };
    let plain = (fitting.mask.entry.fit)(&Fitting {
        column: &column,
        ..*fitting
    })?;
    let becomes = Becomes::Encrypted {
        mask: Box::new(plain.becomes.clone()),
    };
    let writes = match plain.writes {
        Writes::Pseudonym(plain) => {
            let form = fitting.matches(envelope::FORM);
            let sealed = Sealed { plain, key, downcase };
            return Ok(Fitted::pseudonym(sealed, becomes, form));
        }
        Writes::Fixed(fixed) => fixed,
    };
    let Some(value) = copy::decode(writes.bytes(), &mut Vec::new()).map(<[u8]>::to_vec) else {
        return Ok(Fitted::new(Writes::Fixed(writes), plain.becomes, plain.form));
    };
    let mut sealed = Vec::new();
    seal(&key, value, downcase, &mut sealed);
    let sealed = String::from_utf8_lossy(&sealed);
    if sealed.len() > length {
        return Err(fitting.too_short(sealed.len()));
    }
    Ok(Fitted::new(
        Writes::value(&sealed),
        becomes,
        fitting.equals(&sealed),
    ))
}

fn seal(key: &EnvelopeKey, mut value: Vec<u8>, downcase: bool, out: &mut Vec<u8>) {
    if downcase {
        value.make_ascii_lowercase();
    }
    key.seal(&mut value, out);
}

/// Another mask's pseudonym, sealed.
#[derive(Debug)]
struct Sealed {
    plain: Box<dyn Pseudonym>,
    key: Arc<EnvelopeKey>,
    downcase: bool,
}

/// Longer envelopes are opened in memory of their own.
const USUAL: usize = 1024;

impl Pseudonym for Sealed {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let mut plain = std::mem::take(&mut work.third);
        plain.clear();
        self.plain.write(value, row, work.deeper(), &mut plain);
        if self.downcase {
            plain.make_ascii_lowercase();
        }
        self.key.seal(&mut plain, out);
        work.third = plain;
    }

    fn has_form(&self, value: &[u8]) -> bool {
        let is_right = |plain: &[u8]| self.downcase || self.plain.has_form(plain);
        if value.len() <= USUAL {
            let mut buffer = [0; USUAL];
            return self.key.open(value, &mut buffer).is_some_and(is_right);
        }
        let mut buffer = vec![0; value.len()];
        self.key.open(value, &mut buffer).is_some_and(is_right)
    }

    fn is_plain(&self) -> bool {
        true
    }
}

/// One of the ciphertexts that the app has made.
fn prepared(fitting: &Fitting<'_>, values: &Arc<[String]>) -> Result<Fitted, Box<Unfit>> {
    if fitting.column.unique.distinct {
        return Err(fitting.unfit(Misfit::PreparedUnique));
    }
    let length = fitting.text()?.limit;
    if values.is_empty() {
        return Err(unknown(fitting));
    }
    if let Some(long) = values.iter().map(String::len).find(|found| *found > length) {
        return Err(fitting.too_short(long));
    }
    Ok(Fitted::pseudonym(
        Prepared {
            values: Arc::clone(values),
            function: fitting.function("prepared ciphertext"),
        },
        Becomes::Prepared,
        ANY_VALUE,
    ))
}

#[derive(Debug)]
struct Prepared {
    values: Arc<[String]>,
    function: Function,
}

impl Pseudonym for Prepared {
    fn write(&self, value: &[u8], _: &Row<'_>, _: &mut Work, out: &mut Vec<u8>) {
        let digest = self.function.digest(value);
        let place = usize::from(digest[0]) % self.values.len().max(1);
        if let Some(chosen) = self.values.get(place) {
            out.extend_from_slice(chosen.as_bytes());
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        self.values.iter().any(|known| known.as_bytes() == value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{column, pseudonyms, table, UNIQUE};
    use crate::{ColumnFacts, Encryption, EnvelopeKey, Helpers, Mask, Misfit, RowMask, Type, Unfit};
    use serde_json::{json, Map, Value};
    use std::collections::{HashMap, HashSet};
    use std::sync::Arc;

    fn key() -> Arc<EnvelopeKey> {
        Arc::new(EnvelopeKey::from_hex(&"0f".repeat(32)).unwrap())
    }

    fn under(key: Arc<EnvelopeKey>) -> Encryption {
        Encryption::Key { key, downcase: false }
    }

    fn fitted(
        mask: &str,
        options: Value,
        value: ColumnFacts,
        how: Encryption,
    ) -> Result<Arc<RowMask>, Box<Unfit>> {
        let options: Map<String, Value> = serde_json::from_value(options).unwrap();
        let encrypted = HashMap::from([(("public.users".to_owned(), "value".to_owned()), how)]);
        let mut pseudonyms = pseudonyms();
        pseudonyms.helpers = Helpers {
            encrypted: Arc::new(encrypted),
            ..pseudonyms.helpers
        };
        let mask = Mask::named(mask, &options).unwrap();
        let facts = table(vec![column("id", Type::Integer(8)), value]);
        RowMask::new(&facts, &[(1, mask)], &pseudonyms)
            .map(Arc::new)
            .map_err(|mut unfit| Box::new(unfit.remove(0)))
    }

    fn text(limit: Option<usize>) -> ColumnFacts {
        let kind = Type::Text {
            limit,
            padded: false,
            ignores_case: false,
        };
        ColumnFacts {
            not_null: true,
            unique: UNIQUE,
            ..column("value", kind)
        }
    }

    fn run(mask: &Arc<RowMask>, rows: usize) -> Vec<String> {
        let piece: String = (0..rows)
            .map(|id| format!("{id}\t{{\"p\":\"{id}==\",\"h\":{{}}}}\n"))
            .collect();
        let (mut masker, mut out) = (mask.masker(), Vec::new());
        masker.mask_piece(piece.as_bytes(), &mut out).unwrap();
        assert_eq!(masker.counts().columns[0].violations, 0);
        let out = String::from_utf8(out).unwrap();
        out.lines()
            .map(|line| line.split_once('\t').unwrap().1.to_owned())
            .collect()
    }

    fn opened(written: &[String]) -> Vec<String> {
        written
            .iter()
            .map(|envelope| {
                let mut buffer = vec![0; envelope.len()];
                String::from_utf8(key().open(envelope.as_bytes(), &mut buffer).unwrap().to_vec()).unwrap()
            })
            .collect()
    }

    #[test]
    fn a_pseudonym_is_sealed_under_the_key_and_distinct_where_a_unique_index_asks_for_it() {
        for limit in [None, Some(510), Some(255)] {
            let mask = fitted("email", json!({}), text(limit), under(key())).unwrap();
            let written = run(&mask, 500);
            assert!(written
                .iter()
                .all(|value| value.len() <= limit.unwrap_or(usize::MAX)));
            let plain: HashSet<String> = opened(&written).into_iter().collect();
            assert_eq!(plain.len(), 500);
            assert!(plain.iter().all(|value| value.ends_with("@demo.example.com")));
            assert_eq!(mask.columns()[0].becomes.kind(), "mask_encrypted");
        }
    }

    #[test]
    fn what_a_rule_gives_is_sealed_unless_it_is_a_ciphertext_or_null() {
        let plain = || ColumnFacts {
            unique: Default::default(),
            ..text(None)
        };
        let given = |value: &str| fitted("static", json!({ "value": value }), plain(), under(key())).unwrap();
        assert_eq!(opened(&run(&given("n/a"), 2)), ["n/a", "n/a"]);
        let own = r#"{"p":"AA==","h":{"iv":"AA==","at":"AA=="}}"#;
        assert_eq!(run(&given(own), 1), [own]);
        let nullable = column("value", Type::TEXT);
        assert_eq!(
            run(&fitted("null", json!({}), nullable, under(key())).unwrap(), 1),
            ["\\N"]
        );
    }

    #[test]
    fn a_mask_that_keeps_a_form_is_refused_with_those_that_do_not() {
        for mask in ["phone", "iban", "token", "scrub", "postal_code"] {
            let refused = fitted(mask, json!({}), column("value", Type::TEXT), under(key())).unwrap_err();
            assert_eq!(refused.misfit, Misfit::KeepsForm { mask });
        }
        assert!(fitted("email", json!({}), text(Some(90)), under(key())).is_err());
    }

    #[test]
    fn ciphertexts_of_the_apps_own_making_are_drawn_from_but_not_under_a_unique_index() {
        let how = || Encryption::Prepared(Arc::from(["one".to_owned(), "two".to_owned()]));
        let mask = fitted("email", json!({}), column("value", Type::TEXT), how()).unwrap();
        let drawn: HashSet<String> = run(&mask, 50).into_iter().collect();
        assert_eq!(drawn, ["one", "two"].map(str::to_owned).into());
        assert!(fitted("email", json!({}), text(None), how()).is_err());
    }

    #[test]
    fn where_nothing_can_be_encrypted_only_null_and_a_given_value_fit() {
        let fits = |mask: &str, options: Value| {
            fitted(mask, options, column("value", Type::TEXT), Encryption::Unknown).is_ok()
        };
        assert!(fits("null", json!({})) && fits("static", json!({ "value": "made by the app" })));
        assert!(
            !fits("static", json!({ "value": "" })) && !fits("email", json!({})) && !fits("hash", json!({}))
        );
    }

    #[test]
    fn an_attribute_in_lower_case_is_sealed_in_it() {
        let how = Encryption::Key {
            key: key(),
            downcase: true,
        };
        let plain = || column("value", Type::TEXT);
        let written = run(&fitted("name", json!({}), plain(), how).unwrap(), 20);
        assert!(opened(&written).iter().all(|name| name.to_lowercase() == *name));
    }
}

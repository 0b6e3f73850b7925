//! `hstore`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, ANY_VALUE};
use crate::error::Unfit;
use crate::families::document::{places, quoted, scrub, write_quoted, BorrowedBuffers, Inner};
use crate::families::leaves::{Leaves, LEAVES};
use crate::misfit::{Expected, ForTypes};
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[
        ("keys", "from keys, or `*`, to masks"),
        ("scrub", "true: each other value is scrubbed"),
        LEAVES,
    ],
    example: Example::of(r#""email"=>"ada@example.org""#, || Type::Hstore)
        .with(r#"{"keys": {"email": "email"}}"#),
    ..CatalogueEntry::new(
        "hstore",
        "an hstore in which the values of some keys are masked, or each by what it is; keys and other values stay",
        fit,
    )
};

#[derive(Debug)]
struct Hstore {
    keys: Vec<(String, Inner)>,
    scrub: Option<Inner>,
    leaves: Option<Leaves>,
}

impl Hstore {
    fn pairs(
        &self,
        value: &[u8],
        row: &Row<'_>,
        (buffers, work): (&mut BorrowedBuffers, &mut Work),
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let BorrowedBuffers {
            key,
            decoded,
            written,
        } = buffers;
        let mut rest = value;
        loop {
            rest = quoted(rest, key)?;
            write_quoted(key, out);
            rest = rest.strip_prefix(b"=>")?;
            out.extend_from_slice(b"=>");
            let by_key = self
                .keys
                .iter()
                .find(|(known, _)| known.as_bytes() == *key || known == "*")
                .map(|(_, inner)| inner);
            if let Some(after) = rest.strip_prefix(b"NULL") {
                out.extend_from_slice(b"NULL");
                rest = after;
            } else {
                rest = quoted(rest, decoded)?;
                let by_itself = self.leaves.as_ref().filter(|_| by_key.is_none());
                let by_itself = by_itself.map(|leaves| leaves.of_text(leaves.of_key(key, work), decoded));
                match by_key.or(by_itself).or(self.scrub.as_ref()) {
                    Some(inner) if inner.is_null() => out.extend_from_slice(b"NULL"),
                    Some(inner) if !decoded.is_empty() => {
                        written.clear();
                        inner.write(decoded, row, work, written);
                        write_quoted(written, out);
                    }
                    _ => write_quoted(decoded, out),
                }
            }
            if rest.is_empty() {
                return Some(());
            }
            rest = rest.strip_prefix(b", ")?;
            out.extend_from_slice(b", ");
        }
    }
}

impl Pseudonym for Hstore {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        let mut buffers = BorrowedBuffers::of(work);
        let read = self.pairs(value, row, (&mut buffers, work), out);
        buffers.back(work);
        if read.is_none() {
            // Nothing that the server writes; nothing of it goes on.
            out.truncate(start);
        }
    }

    fn has_form(&self, _: &[u8]) -> bool {
        true
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    if fitting.column.kind != Type::Hstore {
        return Err(fitting.wrong_type(ForTypes::Hstore));
    }
    fitting.may_repeat()?;
    let mut keys = places(fitting, "keys", |key| Ok(key.to_owned()))?;
    // A key by its name wins over `*`.
    keys.sort_by_key(|(key, _)| key == "*");
    let (scrub, leaves) = (scrub(fitting)?, Leaves::new(fitting)?);
    if keys.is_empty() && scrub.is_none() && leaves.is_none() {
        return Err(fitting.wrong_option("keys", Expected::OrScrub));
    }
    let hstore = Hstore { keys, scrub, leaves };
    Ok(fitting.fitted(hstore, ANY_VALUE))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::table::Uniqueness;
    use crate::testing::{case, fitted, plain, run, Case};
    use crate::types::Type;
    use serde_json::json;

    pub(crate) const CASES: &[Case] = &[case(
        "hstore",
        "\"email\"=>\"[a-z]{1,6}@[a-z]{1,6}\\.fr\", \"n\"=>\"[0-9]{1,3}\"",
        |old, new| old.split_once(", ").unwrap().1 == new.split_once(", ").unwrap().1,
    )
    .with(r#"{"keys": {"email": "email"}}"#)
    .on(|| Type::Hstore)
    .repeats()];

    #[test]
    fn each_value_is_masked_by_what_its_key_or_itself_says() {
        let mask = fitted(
            "hstore",
            json!({"leaves": true}),
            Type::Hstore,
            Uniqueness::default(),
        )
        .unwrap();
        let (email, name) = (plain("email", "ada@example.org"), plain("name", "Ada Lovelace"));
        assert_eq!(
            run(
                &mask,
                &[r#""email"=>"ada@example.org", "by"=>"Ada Lovelace", "age"=>"36", "theme"=>"dark""#]
            ),
            [format!(
                r#""email"=>"{email}", "by"=>"{name}", "age"=>NULL, "theme"=>"dark""#
            )]
        );
    }

    #[test]
    fn the_values_of_the_named_keys_are_masked_and_no_others() {
        let options = json!({"keys": {"email": "email"}});
        let mask = fitted("hstore", options, Type::Hstore, Uniqueness::default()).unwrap();
        let email = plain("email", "ada@example.org");
        assert_eq!(
            run(&mask, &[r#""email"=>"ada@example.org", "q"=>"a\"b", "n"=>NULL"#]),
            [format!(r#""email"=>"{email}", "q"=>"a\"b", "n"=>NULL"#)]
        );
    }
}

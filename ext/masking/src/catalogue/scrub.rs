//! `scrub`: free text in which what identifies a person becomes the pseudonym that its own mask gives.

use super::national::National;
use super::phone;
use crate::action::Writes;
use crate::bytes::cut;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, ANY_VALUE};
use crate::error::Unfit;
use crate::misfit::Expected;
use crate::pseudonym::{Pseudonym, Work};
use pg_dump_archive::copy::Row;
use regex::bytes::Regex;
use serde_json::{json, Value};
use std::sync::{Arc, LazyLock};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[(
        "country",
        "the country of phone numbers without a country's code, or a list; by default <country> and those of the \
         table's own phone columns",
    )],
    example: Example::of_text("call 06 12 34 56 78 or ada@example.org"),
    ..CatalogueEntry::new(
        "scrub",
        "text in which e-mail addresses, phone numbers, IBANs, cards, NIRs, SSNs and URLs with a query become their \
         pseudonyms; all else stays",
        fit,
    )
};

/// What is looked for, in the order in which one wins over another where both begin at the same place.
const PATTERN: &str = concat!(
    r"(?-u)",
    r"(?P<url>\b(?i:https?)://[^\s<>\x22']+[?#@][^\s<>\x22']+)",
    r"|(?P<email>[A-Za-z0-9_%+][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24})",
    r"|(?P<iban>\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b)",
    r"|(?P<nir>\b[1278] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b)",
    r"|(?P<ssn>\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b)",
    r"|(?P<card>\b[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,7}\b)",
    r"|(?P<phone>(?:\+|\b00)[0-9]{1,3}[ .-]?(?:\(0\))?(?:[ .-]?[0-9]{1,4}){2,6}\b|\b0[1-9](?:[ .-]?[0-9]{2}){4}\b|\b\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}\b)",
    r"|(?P<national>\(?\b[0-9](?:[ .)(/-]{0,2}[0-9]){5,14}\b)",
);

const KINDS: [(&str, &str); 7] = [
    ("url", "url"),
    ("email", "email"),
    ("iban", "iban"),
    ("nir", "nir"),
    ("ssn", "ssn"),
    ("card", "credit_card"),
    ("phone", "phone"),
];

/// One for all columns: compiled, and used by some threads, it takes more than a hundred kilobytes.
static FOUND: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERN).ok());

#[derive(Debug)]
struct Scrub {
    pattern: &'static Regex,
    parts: Arc<Parts>,
    limit: usize,
}

/// What replaces what is found, the same in all columns with the same countries.
#[derive(Debug)]
struct Parts {
    masks: Vec<Box<dyn Pseudonym>>,
    /// For what may be a telephone number as it is dialled at home, which no pattern says.
    national: National,
}

impl Pseudonym for Scrub {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        let mut copied = 0;
        // All of these masks have the same pattern, so that one's places do for another.
        let places = work.places.take();
        let mut places = places.unwrap_or_else(|| self.pattern.capture_locations());
        while let Some(found) = self.pattern.captures_read_at(&mut places, value, copied) {
            // The groups stand in the order of the masks, behind the whole match.
            let kind = (1..places.len())
                .find(|group| places.get(*group).is_some())
                .unwrap_or(1);
            out.extend_from_slice(&value[copied..found.start()]);
            match self.parts.masks.get(kind - 1) {
                Some(mask) => mask.write(found.as_bytes(), row, work.deeper(), out),
                None => self
                    .parts
                    .national
                    .write(found.as_bytes(), row, work.deeper(), out),
            }
            copied = found.end();
        }
        work.places = Some(places);
        out.extend_from_slice(&value[copied..]);
        if self.limit < usize::MAX {
            cut(out, start, self.limit);
        }
    }

    fn has_form(&self, _: &[u8]) -> bool {
        true
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let limit = fitting.text()?.limit;
    fitting.may_repeat()?;
    let countries = countries(fitting)?;
    let pattern = FOUND
        .as_ref()
        .ok_or_else(|| fitting.wrong_option("country", Expected::KnownCountry))?;
    let shared = &fitting.ground.pseudonyms.helpers.shared;
    let name = format!("scrub {}", countries.join(" "));
    let parts = shared.get(&name, || parts(fitting, &countries))?;
    let scrub = Scrub {
        pattern,
        parts,
        limit,
    };
    Ok(fitting.fitted(scrub, ANY_VALUE))
}

fn parts(fitting: &Fitting<'_>, countries: &[String]) -> Result<Parts, Box<Unfit>> {
    let first = countries.first().map_or("FR", String::as_str);
    let mut masks = Vec::new();
    for (_, name) in KINDS {
        let mask = match name {
            "phone" => json!({ "mask": "phone", "country": first }),
            name => json!(name),
        };
        masks.extend(inner(fitting, &mask)?);
    }
    Ok(Parts {
        masks,
        national: National::new(fitting, countries)?,
    })
}

/// A mask of what is found.
pub(super) fn inner(fitting: &Fitting<'_>, mask: &Value) -> Result<Option<Box<dyn Pseudonym>>, Box<Unfit>> {
    let mask = fitting.named(mask).map_err(|invalid| fitting.inner(invalid))?;
    Ok(match fitting.within(&mask)? {
        Writes::Pseudonym(mask) => Some(mask),
        Writes::Fixed(_) => None,
    })
}

/// The countries whose telephone numbers are looked for: those of the option, else the app's own and those that the
/// table's phone columns are masked with.
fn countries(fitting: &Fitting<'_>) -> Result<Vec<String>, Box<Unfit>> {
    let wrong = || fitting.wrong_option("country", Expected::Countries);
    let given = match fitting.option("country") {
        None => None,
        Some(Value::String(country)) => Some(vec![country.clone()]),
        Some(Value::Array(list)) if !list.is_empty() => {
            let texts = list.iter().map(|one| one.as_str().map(str::to_owned));
            Some(texts.collect::<Option<Vec<_>>>().ok_or_else(wrong)?)
        }
        Some(_) => return Err(wrong()),
    };
    let mut countries = given.unwrap_or_else(|| {
        let own = fitting.ground.pseudonyms.helpers.countries.iter().cloned();
        let phones = fitting.ground.masks.iter().filter(|(_, mask)| mask.is("phone"));
        let of_phones = phones.map(|(_, mask)| match mask.options.get("country") {
            Some(Value::String(country)) => country.clone(),
            _ => "FR".to_owned(),
        });
        own.chain(of_phones).collect()
    });
    for country in &mut countries {
        country.make_ascii_uppercase();
        phone::region(country).ok_or_else(wrong)?;
    }
    let mut seen = Vec::new();
    countries.retain(|country| {
        let is_new = !seen.contains(country);
        seen.push(country.clone());
        is_new
    });
    if countries.is_empty() {
        countries.push("FR".to_owned());
    }
    Ok(countries)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{case, plain, Case};

    pub(crate) const CASES: &[Case] = &[
        case(
            "scrub",
            "[a-z ]{0,9} 06[0-9]{8} [a-z]{1,5}@[a-z]{1,5}\\.fr",
            |old, new| {
                let address = old.rsplit_once(' ').unwrap().1;
                !new.contains(address) && new.ends_with("@demo.example.com")
            },
        )
        .repeats(),
        case("scrub", "[a-z ]{1,9}", |old, new| old == new)
            .repeats()
            .may_stay(),
    ];

    #[test]
    fn scrubbed_text_holds_the_pseudonyms_that_the_masks_give() {
        let text =
            "Ada <ada@example.org>, 06 12 34 56 78, FR7630006000011234567890189, card 4111 1111 1111 1111, \
                    https://x.example/reset?token=abc. Fin à 18h.";
        let scrubbed = plain("scrub", text);
        for (mask, value) in [
            ("email", "ada@example.org"),
            ("phone", "06 12 34 56 78"),
            ("iban", "FR7630006000011234567890189"),
            ("credit_card", "4111 1111 1111 1111"),
        ] {
            assert!(!scrubbed.contains(value), "{scrubbed}");
            assert!(scrubbed.contains(&plain(mask, value)), "{mask}: {scrubbed}");
        }
        assert!(
            !scrubbed.contains("token=abc")
                && scrubbed.starts_with("Ada <")
                && scrubbed.ends_with("Fin à 18h.")
        );
        assert_eq!(plain("scrub", "nothing of note"), "nothing of note");
    }
}

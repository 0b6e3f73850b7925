//! The values of a document, each masked by what its key says or, as a whole text, by what it is itself; in all other texts
//! what `scrub` knows is replaced. Structure, keys and what says nothing of anyone stay.

use super::document::Inner;
use crate::entry::Fitting;
use crate::error::Unfit;
use crate::helpers::LeafJudge;
use crate::pseudonym::Work;
use serde_json::json;
use std::sync::Arc;

/// The option of masks of documents.
pub(crate) const LEAVES: (&str, &str) = (
    "leaves",
    "true: each other value is masked by what its key or itself says it is, and what is left is scrubbed",
);

/// Different keys whose masks a worker remembers; further ones are worked out each time.
const KEYS: usize = 512;

/// Masks for whose pseudonyms a number will do.
const OF_NUMBERS: [&str; 11] = [
    "phone",
    "postal_code",
    "credit_card",
    "last4",
    "nir",
    "siren",
    "siret",
    "ssn",
    "token",
    "number",
    "birth_date",
];

#[derive(Debug, Clone)]
pub(crate) struct Leaves {
    judge: Option<LeafJudge>,
    /// The same for all documents of tables whose telephone numbers are of the same countries.
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    masks: Vec<(&'static str, Inner)>,
    scrub: Inner,
}

/// What becomes of a value that is no text.
pub(crate) enum Bare<'m> {
    Stays,
    Null,
    Masked(&'m Inner),
}

impl Parts {
    fn new(fitting: &Fitting<'_>, judge: Option<LeafJudge>) -> Result<Self, Box<Unfit>> {
        let mut masks: Vec<(&'static str, Inner)> = Vec::new();
        for name in judge.map(|judge| (judge.masks)()).unwrap_or_default() {
            if !masks.iter().any(|(known, _)| *known == name) {
                masks.push((name, Inner::new(fitting, &json!(name))?));
            }
        }
        Ok(Self {
            masks,
            scrub: Inner::new(fitting, &json!("scrub"))?,
        })
    }
}

impl Leaves {
    /// What the option asks for.
    pub(crate) fn new(fitting: &Fitting<'_>) -> Result<Option<Self>, Box<Unfit>> {
        if !fitting.flag(LEAVES.0)? {
            return Ok(None);
        }
        let helpers = &fitting.ground.pseudonyms.helpers;
        let judge = helpers.leaves;
        // What a CHECK of this column lists goes into some of them.
        let is_checked = fitting.ground.table.checks.contains_key(&fitting.position);
        let parts = match is_checked {
            true => Arc::new(Parts::new(fitting, judge)?),
            false => {
                let phones = fitting.ground.masks.iter().filter(|(_, mask)| mask.is("phone"));
                let countries: Vec<String> = phones
                    .map(|(_, mask)| format!("{:?}", mask.options.get("country")))
                    .collect();
                let name = format!("leaves {}", countries.join(" "));
                helpers.shared.get(&name, || Parts::new(fitting, judge))?
            }
        };
        Ok(Some(Self { judge, parts }))
    }

    /// The place of the mask that a key asks for.
    pub(crate) fn of_key(&self, key: &[u8], work: &mut Work) -> Option<usize> {
        let judge = self.judge?;
        let name = match work.keys.get(key) {
            Some(known) => *known,
            None => {
                let named = std::str::from_utf8(key).ok().filter(|key| key.len() <= 64);
                let name = named.and_then(judge.of_key);
                if work.keys.len() < KEYS && named.is_some() {
                    work.keys.insert(key.into(), name);
                }
                name
            }
        }?;
        self.parts.masks.iter().position(|(known, _)| *known == name)
    }

    /// The mask of a text: of its key, or by itself.
    pub(crate) fn of_text(&self, by_key: Option<usize>, text: &[u8]) -> &Inner {
        let by_key = by_key.and_then(|place| self.parts.masks.get(place));
        let found = by_key.or_else(|| {
            let name = (self.judge?.of_text)(text)?;
            self.parts.masks.iter().find(|(known, _)| *known == name)
        });
        found.map_or(&self.parts.scrub, |(_, inner)| inner)
    }

    /// What becomes of a number, of true or of false.
    pub(crate) fn of_bare(&self, by_key: usize, is_number: bool) -> Bare<'_> {
        match self.parts.masks.get(by_key) {
            Some((name, inner)) if inner.is_null() || *name == "redact" => Bare::Null,
            Some((name, inner)) if is_number && OF_NUMBERS.contains(name) => Bare::Masked(inner),
            _ => Bare::Stays,
        }
    }
}

//! `fake`: realistic data of a kind, in a language.
//!
//! The words are those of the crate `fake`; the key and the value choose among them. The crate's own generators are
//! not called: they draw from a random number generator whose numbers change between versions of `rand`, which would
//! change every pseudonym with an upgrade, and they allocate for each value.

mod locales;

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::words::{self, SortedWords, TextPart};
use crate::misfit::{Expected, Misfit};
use locales::{List, Locale, Street, LOCALES};
use std::borrow::Cow;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[
        (
            "kind",
            "`first_name`, `last_name`, `name`, `company`, `street`, `city`, `address`, `postal_code`, `country`, \
             `phone`, `email` or `username`; by default what the column's name says",
        ),
        ("locale", "`fr`, the default, `en`, `de`, `it` or `nl`"),
    ],
    example: Example::of_text("Ada Lovelace").with(r#"{"kind": "name", "locale": "en"}"#),
    own_form: |_| true,
    ..CatalogueEntry::new(
        "fake",
        "realistic data in a language: names, places, companies; telephone numbers reserved for films, \
         addresses at <email_domain>",
        fit,
    )
};

/// A kind of data, and the columns that are of it by their name.
const KINDS: &[(&str, &[&str])] = &[
    ("first_name", &["firstname", "givenname", "forename", "prenom"]),
    (
        "last_name",
        &["lastname", "surname", "familyname", "nomdefamille", "nom"],
    ),
    ("name", &["name", "fullname", "displayname", "nomcomplet"]),
    (
        "company",
        &[
            "company",
            "companyname",
            "organization",
            "organisation",
            "societe",
            "entreprise",
        ],
    ),
    (
        "street",
        &["street", "streetaddress", "addressline1", "address1", "rue"],
    ),
    ("city", &["city", "town", "ville", "commune"]),
    ("address", &["address", "fulladdress", "adresse"]),
    (
        "postal_code",
        &["postalcode", "postcode", "zip", "zipcode", "codepostal"],
    ),
    ("country", &["country", "countryname", "pays"]),
    (
        "phone",
        &[
            "phone",
            "phonenumber",
            "mobile",
            "cell",
            "telephone",
            "tel",
            "portable",
        ],
    ),
    ("email", &["email", "emailaddress", "mail", "courriel"]),
    (
        "username",
        &["username", "login", "nickname", "pseudo", "identifiant"],
    ),
];

/// The kind that a column is of by its name.
fn kind_of(column: &str) -> Option<&'static str> {
    let plain: String = column.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let plain = plain.to_ascii_lowercase();
    let found = KINDS.iter().find(|(_, names)| names.contains(&plain.as_str()));
    found.map(|(kind, _)| *kind)
}

/// What words are made of here. The crate's lists hold a comma, a tab and a letter in two characters.
fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '.') || c == ' ')
        && word.trim() == word
}

/// The words of a list that can be written here, sorted, each once.
fn some(list: List, utf8: bool, with_blanks: bool) -> TextPart {
    let good =
        |word: &&&str| is_word(word) && (utf8 || word.is_ascii()) && (with_blanks || !word.contains(' '));
    sorted(
        list.iter()
            .filter(good)
            .map(|word| Cow::Borrowed(*word))
            .collect(),
    )
}

fn sorted(mut words: Vec<Cow<'static, str>>) -> TextPart {
    words.sort_unstable();
    words.dedup();
    TextPart::Word(SortedWords::new(words))
}

/// Words in small letters, without what an address does not take.
fn local(list: List) -> TextPart {
    let good = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    sorted(
        list.iter()
            .filter(good)
            .map(|word| word.to_ascii_lowercase().into())
            .collect(),
    )
}

fn text(text: &'static str) -> TextPart {
    TextPart::Text(text.into())
}

impl Locale {
    fn street(&self, utf8: bool) -> Vec<TextPart> {
        let (name, kind) = (some(self.last, utf8, false), some(self.streets, utf8, false));
        match self.street {
            Street::Before => vec![TextPart::Number, text(" "), kind, text(" "), name],
            Street::Behind => vec![TextPart::Number, text(" "), name, text(" "), kind],
            Street::Joined => vec![name, kind, text(" "), TextPart::Number],
        }
    }

    fn city(&self, utf8: bool) -> Vec<TextPart> {
        if self.towns_are_whole {
            return vec![some(self.towns, utf8, false)];
        }
        vec![some(self.last, utf8, false), some(self.towns, utf8, false)]
    }

    fn phone(&self) -> Option<Vec<TextPart>> {
        let (beginnings, digits) = self.phones;
        let beginning = sorted(beginnings.iter().map(|text| Cow::Borrowed(*text)).collect());
        let mut parts = vec![beginning, TextPart::Digits(digits)];
        if self.name == "fr" {
            parts.extend([text(" "), TextPart::Digits(2)]);
        }
        (!beginnings.is_empty()).then_some(parts)
    }

    fn postal_code(&self) -> Vec<TextPart> {
        let (first, digits, letters) = &self.postal;
        let mut parts = vec![
            sorted(
                first
                    .clone()
                    .map(|number| format!("{number:02}").into())
                    .collect(),
            ),
            TextPart::Digits(*digits),
        ];
        if !letters.is_empty() {
            parts.extend([text(" "), some(letters, false, false)]);
        }
        parts
    }

    /// What a kind is made of; None where there is nothing of it in this language.
    fn parts(&self, kind: &str, utf8: bool, domain: &str) -> Option<Vec<TextPart>> {
        let name = |list, with_blanks| some(list, utf8, with_blanks);
        Some(match kind {
            "first_name" => vec![name(self.first, true)],
            "last_name" => vec![name(self.last, true)],
            "name" => vec![name(self.first, false), text(" "), name(self.last, false)],
            "company" => vec![name(self.last, false), text(" "), name(self.companies, false)],
            "street" => self.street(utf8),
            "city" => self.city(utf8),
            "address" => {
                let mut parts = self.street(utf8);
                parts.push(text(", "));
                parts.extend(self.city(utf8));
                parts
            }
            "postal_code" => self.postal_code(),
            "country" => vec![name(self.countries, true)],
            "phone" => return self.phone(),
            "email" => {
                let domain = TextPart::Text(format!("@{domain}").into());
                vec![
                    local(self.first),
                    text("."),
                    local(self.last),
                    TextPart::Digits(2),
                    domain,
                ]
            }
            _ => vec![local(self.first), TextPart::Digits(4)],
        })
    }
}

/// Leaves out long words, until the rest fits into `limit` characters; None when too few would be left for what is
/// written to look like anything.
fn shortened(parts: &[TextPart], limit: usize) -> Option<Vec<TextPart>> {
    let longest = |parts: &[TextPart]| parts.iter().map(TextPart::longest).sum::<usize>();
    if longest(parts) <= limit {
        return Some(parts.to_vec());
    }
    let widest = parts.iter().map(TextPart::longest).max().unwrap_or(0);
    for most in (1..widest).rev() {
        let mut shorter = parts.to_vec();
        let mut is_rich = true;
        for part in &mut shorter {
            if let TextPart::Word(words) = part {
                let all = words.len();
                let fit = words.iter().filter(|word| word.chars().count() <= most);
                *words = SortedWords::new(fit.cloned().collect());
                is_rich &= words.len() >= 2 && words.len() * 2 >= all;
            }
        }
        if !is_rich {
            return None;
        }
        if longest(&shorter) <= limit {
            return Some(shorter);
        }
    }
    None
}

/// The language that the options name.
fn locale(fitting: &Fitting<'_>) -> Result<&'static Locale, Box<Unfit>> {
    let name = fitting.string("locale")?.unwrap_or("fr");
    LOCALES.iter().find(|locale| locale.name == name).ok_or_else(|| {
        let known = LOCALES.iter().map(|locale| locale.name).collect();
        fitting.wrong_option("locale", Expected::OneOf { known })
    })
}

/// The kind that the options name, or the column's name.
fn kind(fitting: &Fitting<'_>) -> Result<&'static str, Box<Unfit>> {
    let known: Vec<&'static str> = KINDS.iter().map(|(kind, _)| *kind).collect();
    match fitting.string("kind")? {
        Some(given) => known
            .iter()
            .find(|kind| **kind == given)
            .copied()
            .ok_or_else(|| fitting.wrong_option("kind", Expected::OneOf { known })),
        None => kind_of(&fitting.column.name).ok_or_else(|| fitting.unfit(Misfit::FakeOfWhat { known })),
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let limit = fitting.text()?;
    let (locale, kind) = (locale(fitting)?, kind(fitting)?);
    let pseudonyms = fitting.ground.pseudonyms;
    let Some(mut parts) = locale.parts(kind, pseudonyms.utf8, &pseudonyms.email_domain) else {
        return Err(fitting.unfit(Misfit::FakeReserved {
            sort: kind,
            locale: locale.name,
        }));
    };
    if fitting.column.unique.distinct {
        // What keeps them apart stands where such a thing can stand.
        match kind {
            "email" => parts.splice(3..4, [text("."), TextPart::Hex]).for_each(drop),
            "username" => parts.splice(1..2, [TextPart::Hex]).for_each(drop),
            "postal_code" | "phone" => {
                return Err(fitting.unfit(Misfit::FakeTooFew { sort: kind }));
            }
            _ => parts.extend([text(" "), TextPart::Hex]),
        }
    }
    let least: usize = parts.iter().map(TextPart::longest).sum();
    let Some(parts) = shortened(&parts, limit.limit) else {
        return Err(fitting.unfit(Misfit::FakeRoom {
            column_type: fitting.column_type(),
            sort: kind,
            length: least,
        }));
    };
    let fold = match kind {
        "email" => fitting.fold(!fitting.column.unique.tells_case_apart),
        _ => limit.fold,
    };
    let function = fitting.function(&format!("fake {} {kind}", locale.name));
    Ok(words::fit_parts(fitting, function, fold, parts))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{any, case, Case};

    pub(crate) const CASES: &[Case] = &[
        case("fake", "[A-Z][a-zé]{1,9} [A-Z][a-z]{1,9}", |_, new| {
            new.contains(' ')
        })
        .with(r#"{"kind": "name", "locale": "en"}"#),
        case("fake", "[A-Z][a-zé]{1,9}", any).with(r#"{"kind": "city"}"#),
    ];
}

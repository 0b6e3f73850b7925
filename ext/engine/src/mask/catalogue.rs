//! The catalogue: which masks there are, and which columns each documented strategy gives them to.
//!
//! A mask to come is one more [`Entry`] in [`MASKS`] and its function in the file of its family; the plan knows none
//! of them by name.

mod checked;
mod document;
mod email;
mod fake;
mod fixed;
mod json;
mod json_syntax;
mod network;
mod number;
mod phone;
pub(super) mod recipe;
mod scrub;
mod shape;
mod text;
mod time;
mod words;
mod words_form;

pub use recipe::Recipe;
pub(crate) use time::seconds_of;

use super::action::fold_case;
use super::action::write_hex;
use super::compile::Fitted;
use super::keep::Keep;
use super::{Column, Key, Pseudonyms, RowMask, Table, Type, Uniqueness};
use crate::copy;
use recipe::Fitting;
use std::sync::Arc;

/// A mask that the configuration can name.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence without its full stop.
    pub doc: &'static str,
    /// Its options, and what each means.
    pub options: &'static [(&'static str, &'static str)],
    /// The same value becomes the same pseudonym in every column that it fits, so that a foreign key survives.
    joins: bool,
    /// What it writes has a form of its own, which nothing of the value goes into.
    own_form: bool,
    /// A value and the options that the example is made with, as JSON.
    example: (&'static str, Shown, &'static str),
    pub(super) build: fn(&Fitting<'_>) -> Result<Fitted, String>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What a column's values become.
#[derive(Debug, Clone, PartialEq)]
pub enum Mask {
    /// `<20 hex digits>@<domain>`, from the lower-cased address.
    Email,
    /// The MD5 of the row's new e-mail address, in hex.
    EmailMd5,
    /// `User<id>`.
    LastName,
    /// `Demo User<id>`.
    FullName,
    /// `060` and the seven-digit padded user id, or id.
    Phone,
    /// Always the same text.
    Constant(&'static str),
    /// NULL, or a neutral value where the column is NOT NULL.
    Null,
    /// A mask of [`MASKS`] with its options.
    Catalogue(Arc<Recipe>),
    /// A mask that leaves some values alone.
    Keeping {
        /// What the others become.
        mask: Box<Mask>,
        /// Which stay.
        keep: Arc<Keep>,
    },
}

impl Mask {
    /// Whether the same value always becomes the same pseudonym, whatever row and table it is in, so that a
    /// foreign key over it survives when both sides have this mask.
    pub fn is_function_of_value(&self) -> bool {
        match self {
            Mask::Email => true,
            Mask::Catalogue(recipe) => recipe.entry.joins,
            Mask::Keeping { mask, .. } => mask.is_function_of_value(),
            _ => false,
        }
    }

    /// Whether what it writes has a form of its own, whatever the value and the row are: a few values then show
    /// whether a CHECK takes it.
    pub(super) fn has_own_form(&self) -> bool {
        match self {
            Mask::Email | Mask::EmailMd5 => true,
            Mask::Catalogue(recipe) => recipe.entry.own_form && recipe.options.get("keep_domain").is_none(),
            Mask::Keeping { mask, .. } => mask.has_own_form(),
            _ => false,
        }
    }

    /// The mask for the values that are not kept.
    pub(crate) fn without_keep(&self) -> &Mask {
        match self {
            Mask::Keeping { mask, .. } => mask.without_keep(),
            mask => mask,
        }
    }

    /// The mask for values that no pattern of `keep` matches.
    pub fn keeping(self, keep: Arc<Keep>) -> Self {
        Mask::Keeping {
            mask: Box::new(self),
            keep,
        }
    }
}

/// A documented strategy: the columns that it masks where a table has them.
#[derive(Debug, PartialEq)]
pub struct Strategy {
    /// Its name in `config.anonymization_tables`.
    pub name: &'static str,
    /// Column names and what they become.
    pub columns: &'static [(&'static str, Mask)],
}

const LAST_DIGITS: Mask = Mask::Constant("0000");

/// The documented strategies.
pub const STRATEGIES: &[Strategy] = &[
    Strategy {
        name: "user_anonymization",
        columns: &[
            ("email", Mask::Email),
            ("email_md5", Mask::EmailMd5),
            ("first_name", Mask::Constant("Demo")),
            ("last_name", Mask::LastName),
            ("full_name", Mask::FullName),
            ("credit_card_last_4", LAST_DIGITS),
            ("iban_last4", LAST_DIGITS),
            ("stripe_customer_id", Mask::Null),
            ("address_line1", Mask::Constant("8 rue du sentier")),
            ("address_line2", Mask::Null),
            ("city", Mask::Constant("Paris")),
            ("postal_code", Mask::Constant("75002")),
            ("birth_date", Mask::Null),
            ("birth_place", Mask::Null),
            ("google_token", Mask::Null),
            ("facebook_token", Mask::Null),
            ("apple_id", Mask::Null),
            ("billing_extra", Mask::Null),
            ("zendesk_user_id", Mask::Null),
        ],
    },
    Strategy {
        name: "phone_anonymization",
        columns: &[
            ("number", Mask::Phone),
            ("phone", Mask::Phone),
            ("phone_number", Mask::Phone),
        ],
    },
    Strategy {
        name: "payment_anonymization",
        columns: &[
            ("card_last4", LAST_DIGITS),
            ("card_last_4", LAST_DIGITS),
            ("credit_card_last_4", LAST_DIGITS),
            ("iban_last4", LAST_DIGITS),
        ],
    },
    Strategy {
        name: "email_anonymization",
        columns: &[("email", Mask::Email)],
    },
    Strategy {
        name: "address_anonymization",
        columns: &[
            ("address_line1", Mask::Constant("123 Demo Street")),
            ("address_line2", Mask::Null),
            ("city", Mask::Constant("Demo City")),
            ("postal_code", Mask::Constant("00000")),
        ],
    },
];

/// The documented strategy of this name.
pub fn strategy(name: &str) -> Option<&'static Strategy> {
    STRATEGIES.iter().find(|strategy| strategy.name == name)
}

const NO_OPTIONS: &[(&str, &str)] = &[];
const SUBJECT: (&str, &str) = (
    "subject",
    "the column whose value says which dates move together; by default the primary key",
);

const fn entry(
    name: &'static str,
    doc: &'static str,
    options: &'static [(&'static str, &'static str)],
    example: (&'static str, Shown, &'static str),
    build: fn(&Fitting<'_>) -> Result<Fitted, String>,
) -> Entry {
    Entry {
        name,
        doc,
        options,
        joins: false,
        own_form: false,
        example,
        build,
    }
}

const fn joins(mut entry: Entry) -> Entry {
    entry.joins = true;
    entry
}

const fn own_form(mut entry: Entry) -> Entry {
    entry.own_form = true;
    entry
}

const fn example(value: &'static str) -> (&'static str, Shown, &'static str) {
    (value, Shown::Text, "{}")
}

/// The type of the column that an example stands in.
#[derive(Debug, Clone, Copy)]
enum Shown {
    Text,
    Number,
    Date,
    Timestamp,
    Document,
    Hstore,
    Array,
}

impl Shown {
    fn kind(self) -> Type {
        match self {
            Shown::Text => Type::TEXT,
            Shown::Number => Type::Numeric { digits: None },
            Shown::Date => Type::Date,
            Shown::Timestamp => Type::Timestamp,
            Shown::Document => Type::Jsonb,
            Shown::Hstore => Type::Hstore,
            Shown::Array => Type::Array(Box::new(Type::TEXT)),
        }
    }
}

/// The mask `email`.
static EMAIL: Entry = EMAIL_ENTRY;
const EMAIL_ENTRY: Entry = own_form(joins(entry(
    "email",
    "a pseudonym at `config.anonymized_email_domain`",
    &[("keep_domain", "true keeps the original's domain")],
    example("ada@example.org"),
    email::email,
)));

/// The catalogue.
pub static MASKS: &[Entry] = &[
    EMAIL_ENTRY,
    own_form(entry("name", "a first and a last name", NO_OPTIONS, example("Ada Lovelace"), words::name)),
    own_form(entry("first_name", "a first name", NO_OPTIONS, example("Ada"), words::first_name)),
    own_form(entry("last_name", "a last name", NO_OPTIONS, example("Lovelace"), words::last_name)),
    own_form(entry("company", "a company's name", NO_OPTIONS, example("Analytical Engines Ltd"), words::company)),
    own_form(joins(entry("username", "`user_` and a pseudonym", NO_OPTIONS, example("ada42"), words::username))),
    own_form(entry("address", "a street with its number, and a city", NO_OPTIONS, example("10 rue X, Lyon"), words::address)),
    own_form(entry("street", "a street with its number", NO_OPTIONS, example("10 rue X"), words::street)),
    own_form(entry("city", "a city", NO_OPTIONS, example("Lyon"), words::city)),
    own_form(entry(
        "fake",
        "realistic data in a language: names, places, companies; telephone numbers of those that are reserved for films, \
         addresses at `config.anonymized_email_domain`",
        &[
            (
                "kind",
                "`first_name`, `last_name`, `name`, `company`, `street`, `city`, `address`, `postal_code`, `country`, \
                 `phone`, `email` or `username`; by default what the column's name says",
            ),
            ("locale", "`fr`, the default, `en`, `de`, `it` or `nl`"),
        ],
        ("Ada Lovelace", Shown::Text, r#"{"kind": "name", "locale": "en"}"#),
        fake::fake,
    )),
    joins(entry("postal_code", "other digits and letters in the same places", NO_OPTIONS, example("69001"), shape::postal_code)),
    joins(entry(
        "phone",
        "a valid number of the same country and kind, written as the original is; its last eight digits change",
        &[("country", "the country of numbers without a country's code, `FR` by default")],
        example("+33 6 12 34 56 78"),
        phone::phone,
    )),
    joins(entry("iban", "an account of the same country with valid check digits", NO_OPTIONS, example("FR14 2004 1010 0505 0001 3M02 606"), checked::iban)),
    joins(entry("bic", "a bank's code of the same country", NO_OPTIONS, example("PSSTFRPPLYO"), checked::bic)),
    joins(entry(
        "credit_card",
        "a card's number of the same length with a valid check digit",
        &[("keep_bin", "true keeps the first six digits, else only the first")],
        example("4111 1111 1111 1111"),
        checked::credit_card,
    )),
    joins(entry("last4", "other digits in the same places", NO_OPTIONS, example("4242"), shape::last4)),
    joins(entry("nir", "a French social security number of the same sex with a valid key", NO_OPTIONS, example("2 69 05 49 588 157 80"), checked::nir)),
    joins(entry("siren", "a French company's number with a valid check digit", NO_OPTIONS, example("732829320"), checked::siren)),
    joins(entry("siret", "a French establishment's number, which begins with the pseudonym of its SIREN", NO_OPTIONS, example("73282932000074"), checked::siret)),
    joins(entry("vat_number", "a VAT number of the same country; a French one holds the pseudonym of its SIREN", NO_OPTIONS, example("FR44732829320"), checked::vat_number)),
    joins(entry("ssn", "a social security number of the United States that can be given out", NO_OPTIONS, example("219-09-9999"), checked::ssn)),
    entry(
        "date",
        "another day: all dates of a subject move together, so that intervals survive",
        &[
            ("days", "by how many days at most, 180 by default"),
            ("keep_year", "true: another day of the same year"),
            ("age_band", "the first day of a band of so many years"),
            SUBJECT,
        ],
        ("2024-02-29", Shown::Date, "{}"),
        time::date,
    ),
    entry(
        "birth_date",
        "another day of the same year, so that the age is right to a year",
        &[
            ("days", "moved by at most so many days instead"),
            ("keep_year", "true, the default"),
            ("age_band", "the first day of a band of so many years"),
            SUBJECT,
        ],
        ("1815-12-10", Shown::Date, "{}"),
        time::birth_date,
    ),
    entry(
        "timestamp",
        "another moment: all of a subject move together, so that intervals survive",
        &[("days", "by how many days at most, 180 by default"), SUBJECT],
        ("2024-02-29 12:00:00", Shown::Timestamp, "{}"),
        time::timestamp,
    ),
    entry(
        "number",
        "the number, more or less",
        &[("percent", "by how much at most, 10 by default")],
        ("1234.50", Shown::Number, "{}"),
        number::number,
    ),
    joins(entry(
        "ip",
        "an address of the same version",
        &[("keep_prefix", "true: addresses that share a prefix share one as long")],
        example("192.0.2.17"),
        network::ip,
    )),
    joins(entry("mac", "other hex digits in the same places", NO_OPTIONS, example("00:1b:63:84:45:e6"), shape::mac)),
    own_form(joins(entry("url", "an address at `example.com`, the same host for the same host", NO_OPTIONS, example("https://ada.example.org/cv?token=1"), network::url))),
    own_form(entry("user_agent", "a common browser", NO_OPTIONS, example("AdaBrowser/1.0"), words::user_agent)),
    joins(entry("uuid", "a UUID of the same version", NO_OPTIONS, example("3f333df6-90a4-4fda-8dd3-9485d27cee36"), shape::uuid)),
    own_form(entry(
        "hash",
        "hex digits of a keyed SHA-256, as many as fit",
        &[("length", "how many digits")],
        ("anything", Shown::Text, r#"{"length": 32}"#),
        text::hash,
    )),
    joins(entry("token", "other letters and digits of the value's own alphabet, in the same places", NO_OPTIONS, example("sk_live_4eC39HqLyjWDarjtT1"), shape::token)),
    own_form(entry(
        "password",
        "a bcrypt hash of a password that you know",
        &[("password", "the password, `password` by default"), ("cost", "bcrypt's cost, 10 by default")],
        ("$2a$12$…", Shown::Text, r#"{"cost": 4}"#),
        text::password,
    )),
    entry("text", "as many characters of lorem ipsum", NO_OPTIONS, example("She was born in London."), text::text),
    entry(
        "scrub",
        "free text in which e-mail addresses, phone numbers, IBANs, cards, NIRs and URLs with a query become their pseudonyms",
        &[("country", "the country of phone numbers, `FR` by default")],
        example("call 06 12 34 56 78 or ada@example.org"),
        scrub::scrub,
    ),
    own_form(entry("redact", "`[REDACTED]`", NO_OPTIONS, example("secret"), text::redact)),
    entry("null", "NULL", NO_OPTIONS, example("secret"), text::null),
    own_form(entry("static", "always the same value", &[("value", "the value, required")], ("secret", Shown::Text, r#"{"value": "n/a"}"#), fixed::fixed_value)),
    entry(
        "template",
        "text with other columns' values in it, as they are after masking",
        &[("template", "the text, such as `user-{id}@x.test`, required")],
        ("ada", Shown::Text, r#"{"template": "user-{id}@x.test"}"#),
        text::template,
    ),
    entry(
        "json",
        "a document in which the values at some paths are masked, or each string is scrubbed",
        &[
            ("paths", "from paths such as `$.contact.email`, `$.items[*].name` or `$..phone` to masks"),
            ("scrub", "true: each other string is scrubbed"),
        ],
        (r#"{"contact": {"email": "ada@example.org"}}"#, Shown::Document, r#"{"paths": {"$.contact.email": "email"}}"#),
        json::json,
    ),
    entry(
        "hstore",
        "an hstore in which the values of some keys are masked, or each is scrubbed",
        &[
            ("keys", "from keys, or `*`, to masks"),
            ("scrub", "true: each other value is scrubbed"),
        ],
        (r#""email"=>"ada@example.org""#, Shown::Hstore, r#"{"keys": {"email": "email"}}"#),
        document::hstore,
    ),
    entry(
        "array",
        "an array, each element masked as a column of its type",
        &[("of", "the elements' mask, required")],
        ("{ada@example.org}", Shown::Array, r#"{"of": "email"}"#),
        document::array,
    ),
];

/// Names that are spoken for, and why they are not built.
const NOT_BUILT: &[(&str, &str)] = &[
    (
        "shuffle",
        "to exchange values between rows, all of them would have to be held in memory. Take :token, :hash or :fake.",
    ),
];

/// What [`listing`] tells of a mask.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Its options, and what each means.
    pub options: Vec<(&'static str, &'static str)>,
    /// A value.
    pub from: &'static str,
    /// The options that the example is made with, as JSON.
    pub with: &'static str,
    /// What it becomes under a key that is nobody's.
    pub to: String,
}

/// The catalogue with an example of each mask, for people.
pub fn listing() -> Vec<Listed> {
    MASKS
        .iter()
        .map(|entry| Listed {
            name: entry.name,
            doc: entry.doc,
            options: entry.options.to_vec(),
            from: entry.example.0,
            with: entry.example.2,
            to: shown(entry).unwrap_or_default(),
        })
        .collect()
}

/// The example, masked as a row of a table is.
fn shown(entry: &'static Entry) -> Option<String> {
    let (value, kind, options) = &entry.example;
    let options = serde_json::from_str(options).ok()?;
    let mask = Recipe::named(entry.name, &options).ok()?;
    let column = |name: &str, kind: Type| Column {
        name: name.into(),
        kind,
        not_null: false,
        unique: Uniqueness::default(),
    };
    let table = Table {
        name: "public.examples".into(),
        columns: vec![column("id", Type::Integer(8)), column("value", kind.kind())],
        key: vec![0],
        key_is_enforced: true,
        checks: Default::default(),
    };
    let pseudonyms = Pseudonyms {
        key: Key::new(&"an example's key".into()),
        email_domain: "demo.example.com".into(),
        utf8: true,
    };
    let mut row = b"42\t".to_vec();
    copy::encode(Some(value.as_bytes()), &mut row);
    row.push(b'\n');
    let mut out = Vec::new();
    let mask = Arc::new(RowMask::new(&table, &[(1, mask)], &pseudonyms).ok()?);
    mask.masker().mask_piece(&row, &mut out).ok()?;
    let mut scratch = Vec::new();
    let field = out.strip_suffix(b"\n")?.strip_prefix(b"42\t")?;
    let written = copy::decode(field, &mut scratch).unwrap_or(b"NULL");
    Some(String::from_utf8_lossy(written).into_owned())
}

/// The number that ASCII text is.
fn parse<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A distance for [`recipe::Pseudonym::write_nearer`]: as far on the other side, then half of it on either, and so on
/// down to one.
fn nearer(away: i128, step: u32) -> Option<i128> {
    let size = away.unsigned_abs() >> (step.div_ceil(2).min(127));
    let size = i128::try_from(size).ok().filter(|size| *size > 0)?;
    let is_behind = (away < 0) != step.is_multiple_of(2);
    Some(if is_behind { -size } else { size })
}

/// The number that digits below ten are; the largest there is when they are too many.
fn number_of(digits: &[u8]) -> u128 {
    digits.iter().fold(0u128, |number, digit| {
        number.saturating_mul(10).saturating_add(u128::from(*digit))
    })
}

/// What a hex digit stands for.
fn hex_value(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => 0,
    }
}

/// A number in at least so many digits.
fn write_number(mut number: u128, least: usize, out: &mut Vec<u8>) {
    let start = out.len();
    while number > 0 || out.len() - start < least {
        out.push(b'0' + (number % 10) as u8);
        number /= 10;
    }
    out[start..].reverse();
}

/// Cuts what was written from `start` on to so many characters.
fn cut(out: &mut Vec<u8>, start: usize, characters: usize) {
    let length = match std::str::from_utf8(&out[start..]) {
        Ok(text) => text.char_indices().nth(characters).map(|(at, _)| at),
        Err(_) => Some(characters),
    };
    if let Some(length) = length {
        out.truncate(start + length.min(out.len() - start));
    }
}

/// Text as a regular expression that PostgreSQL takes for that text.
fn escape_pattern(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

//! The catalogue: which masks there are, and which columns each documented strategy gives them to.
//!
//! A mask to come is one more [`Entry`] in [`MASKS`] and its function in the file of its family; the plan knows none
//! of them by name.

mod checked;
mod digits;
mod document;
mod email;
mod fake;
mod file_name;
mod fixed;
mod json;
mod json_syntax;
mod listing;
mod network;
mod number;
mod password;
mod phone;
pub(super) mod recipe;
mod scrub;
mod shape;
mod strategies;
mod text;
mod time;
mod words;
mod words_form;

pub use listing::{listing, Listed};
pub use recipe::Recipe;
pub use strategies::{strategy, Strategy, STRATEGIES};
pub(crate) use time::seconds_of;

use super::action::fold_case;
use super::action::write_hex;
use super::compile::Fitted;
use super::keep::Keep;
use super::Type;
use digits::{cut, escape_pattern, hex_value, nearer, number_of, parse, write_number};
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

    /// Whether it writes NULL, whatever the value is, as the configuration names it.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Mask::Catalogue(recipe) if recipe.is("null"))
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

/// A password's hash, for examples.
const AN_OLD_HASH: &str = "$2a$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q";
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
    own_form(joins(entry(
        "filename",
        "a file's name with the same extension",
        NO_OPTIONS,
        example("passport_ada_lovelace.pdf"),
        file_name::filename,
    ))),
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
        &[
            ("password", "the password, by default `config.staging_password`, else `password`"),
            ("cost", "bcrypt's cost, 10 by default"),
        ],
        ("$2a$12$…", Shown::Text, r#"{"password": "password", "cost": 4}"#),
        password::password,
    )),
    entry(
        "staging_password",
        "a bcrypt hash of `config.staging_password`; `:unknown_password` in rows of which a `keep` keeps a value, and where \
         the hash is not bcrypt's",
        &[("cost", "bcrypt's cost, 10 by default")],
        (AN_OLD_HASH, Shown::Text, r#"{"cost": 4}"#),
        password::staging_password,
    ),
    joins(entry(
        "unknown_password",
        "a hash of the same format and cost of a password that no one knows; bcrypt's where the value is no hash",
        NO_OPTIONS,
        example(AN_OLD_HASH),
        password::unknown_password,
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

//! What each language brings: its names, its streets and towns, its postal codes, and numbers that belong to no one.

use crate::families::word_lists::CITIES;
use fake::locales::{Data, DE_DE, EN, FR_FR, IT_IT, NL_NL};

pub(super) type List = &'static [&'static str];

/// Where a street's kind stands: `Rue Dupont`, `Smith Street`, `Müllerstraße`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Street {
    Before,
    Behind,
    Joined,
}

/// What a language brings.
pub(super) struct Locale {
    pub(super) name: &'static str,
    pub(super) first: List,
    pub(super) last: List,
    pub(super) street: Street,
    pub(super) streets: List,
    /// Whole names of towns, or endings behind a family name.
    pub(super) towns: List,
    pub(super) towns_are_whole: bool,
    pub(super) companies: List,
    pub(super) countries: List,
    /// The first two digits of a postal code and what follows them.
    pub(super) postal: (std::ops::RangeInclusive<u8>, usize, List),
    /// A telephone number that is given to no one: what it begins with, and how many digits follow.
    pub(super) phones: (List, usize),
}

/// The languages. Telephone numbers are those that the authorities keep for films and books: Arcep for France (01 99 00,
/// 02 61 91, 03 53 01, 04 65 71, 05 36 49; its mobile one, 06 39 98, is not valid to libphonenumber), the NANPA for
/// North America (555-0100 to 555-0199), the Bundesnetzagentur for Germany (030 23125 and four more).
pub(super) static LOCALES: &[Locale] = &[
    Locale {
        name: "fr",
        first: FR_FR::NAME_FIRST_NAME,
        last: FR_FR::NAME_LAST_NAME,
        street: Street::Before,
        streets: FR_FR::ADDRESS_STREET_SUFFIX,
        towns: CITIES,
        towns_are_whole: true,
        companies: &["Conseil", "SARL", "SAS", "Services", "Industries"],
        countries: FR_FR::ADDRESS_COUNTRY,
        postal: (1..=95, 3, &[]),
        phones: (
            &["01 99 00 ", "02 61 91 ", "03 53 01 ", "04 65 71 ", "05 36 49 "],
            2,
        ),
    },
    Locale {
        name: "en",
        first: EN::NAME_FIRST_NAME,
        last: EN::NAME_LAST_NAME,
        street: Street::Behind,
        streets: EN::ADDRESS_STREET_SUFFIX,
        towns: EN::ADDRESS_CITY_SUFFIX,
        towns_are_whole: false,
        companies: EN::COMPANY_SUFFIX,
        countries: EN::ADDRESS_COUNTRY,
        postal: (10..=99, 3, &[]),
        phones: (
            &[
                "202-555-01",
                "206-555-01",
                "212-555-01",
                "303-555-01",
                "305-555-01",
                "312-555-01",
                "404-555-01",
                "415-555-01",
                "503-555-01",
                "617-555-01",
                "702-555-01",
                "713-555-01",
            ],
            2,
        ),
    },
    Locale {
        name: "de",
        first: DE_DE::NAME_FIRST_NAME,
        last: DE_DE::NAME_LAST_NAME,
        street: Street::Joined,
        streets: DE_DE::ADDRESS_STREET_SUFFIX,
        towns: DE_DE::ADDRESS_CITY_SUFFIX,
        towns_are_whole: false,
        companies: DE_DE::COMPANY_SUFFIX,
        countries: DE_COUNTRIES,
        postal: (10..=99, 3, &[]),
        phones: (
            &["030 23125", "040 66969", "069 90009", "0221 4710", "089 99998"],
            3,
        ),
    },
    Locale {
        name: "it",
        first: IT_IT::NAME_FIRST_NAME,
        last: IT_IT::NAME_LAST_NAME,
        street: Street::Before,
        streets: IT_IT::ADDRESS_STREET_SUFFIX,
        towns: IT_TOWNS,
        towns_are_whole: true,
        companies: IT_IT::COMPANY_SUFFIX,
        countries: IT_IT::ADDRESS_COUNTRY,
        postal: (10..=98, 3, &[]),
        phones: (&[], 0),
    },
    Locale {
        name: "nl",
        first: NL_NL::NAME_FIRST_NAME,
        last: NL_NL::NAME_LAST_NAME,
        street: Street::Joined,
        streets: NL_NL::ADDRESS_STREET_SUFFIX,
        towns: NL_NL::ADDRESS_CITY_SUFFIX,
        towns_are_whole: false,
        companies: NL_NL::COMPANY_SUFFIX,
        countries: NL_NL::ADDRESS_COUNTRY,
        postal: (
            10..=99,
            2,
            &[
                "AB", "BC", "CE", "DG", "GH", "HJ", "JK", "KL", "LM", "NP", "PR", "RT", "TV",
            ],
        ),
        phones: (&[], 0),
    },
];

/// The crate has two countries for German, and three towns' endings for Italian.
const DE_COUNTRIES: List = &[
    "Belgien",
    "Brasilien",
    "Bulgarien",
    "Chile",
    "China",
    "Deutschland",
    "Estland",
    "Finnland",
    "Frankreich",
    "Griechenland",
    "Indien",
    "Irland",
    "Italien",
    "Japan",
    "Kanada",
    "Kroatien",
    "Lettland",
    "Litauen",
    "Luxemburg",
    "Malta",
    "Marokko",
    "Mexiko",
    "Niederlande",
    "Norwegen",
    "Polen",
    "Portugal",
    "Schweden",
    "Schweiz",
    "Slowakei",
    "Slowenien",
    "Spanien",
    "Tschechien",
    "Tunesien",
    "Ungarn",
    "Zypern",
];
const IT_TOWNS: List = &[
    "Ancona", "Arezzo", "Asti", "Bari", "Bergamo", "Biella", "Bologna", "Brescia", "Cagliari", "Catania",
    "Como", "Cremona", "Cuneo", "Ferrara", "Firenze", "Foggia", "Genova", "Grosseto", "Imperia", "Lecce",
    "Lecco", "Livorno", "Lucca", "Mantova", "Matera", "Messina", "Milano", "Modena", "Napoli", "Novara",
    "Padova", "Palermo", "Parma", "Pavia", "Perugia", "Pesaro", "Pisa", "Pistoia", "Potenza", "Prato",
    "Ravenna", "Rimini", "Roma", "Salerno", "Sassari", "Savona", "Siena", "Siracusa", "Taranto", "Terni",
    "Torino", "Trento", "Treviso", "Trieste", "Udine", "Varese", "Venezia", "Verona", "Vicenza", "Viterbo",
];

//! Masks that write words of a list: names, addresses, companies, browsers.

use super::recipe::{Fitting, Pseudonym, Work};
use super::words_form;
use crate::mask::action::Row;
use crate::mask::compile::Fitted;
use crate::mask::key::Function;
use std::borrow::Cow;

// The lists are in ASCII, so that they can be written in every encoding, and each is sorted.
const FIRST_NAMES: &[&str] = &[
    "Adele", "Agathe", "Alice", "Amina", "Anna", "Antoine", "Arthur", "Basile", "Camille", "Carla", "Claire",
    "David", "Diane", "Elena", "Elise", "Emma", "Enzo", "Eva", "Fatima", "Felix", "Gabriel", "Hugo", "Ines",
    "Iris", "Jade", "Jules", "Karim", "Laure", "Lea", "Leo", "Lina", "Louis", "Lucas", "Malik", "Manon",
    "Marie", "Martin", "Mathis", "Maya", "Nadia", "Nathan", "Nina", "Noah", "Olivia", "Oscar", "Paul",
    "Pauline", "Raphael", "Robin", "Romane", "Rose", "Sacha", "Samir", "Sarah", "Simon", "Sofia", "Theo",
    "Thomas", "Victor", "Yanis", "Zoe",
];
const LAST_NAMES: &[&str] = &[
    "Aubert",
    "Bailly",
    "Barbier",
    "Benali",
    "Bernard",
    "Bertrand",
    "Blanc",
    "Bonnet",
    "Bouvier",
    "Boyer",
    "Brun",
    "Carre",
    "Chevalier",
    "Clement",
    "Colin",
    "David",
    "Denis",
    "Diallo",
    "Dubois",
    "Dufour",
    "Dumas",
    "Dupont",
    "Durand",
    "Fabre",
    "Faure",
    "Fontaine",
    "Fournier",
    "Garcia",
    "Garnier",
    "Gautier",
    "Girard",
    "Haddad",
    "Henry",
    "Hubert",
    "Huet",
    "Joly",
    "Lambert",
    "Laurent",
    "Lefebvre",
    "Lemaire",
    "Leroy",
    "Lopez",
    "Lucas",
    "Marchand",
    "Masson",
    "Mercier",
    "Meunier",
    "Meyer",
    "Michel",
    "Moreau",
    "Morel",
    "Nguyen",
    "Noel",
    "Olivier",
    "Perrin",
    "Petit",
    "Picard",
    "Renard",
    "Riviere",
    "Robert",
    "Roche",
    "Rousseau",
    "Roy",
    "Schmitt",
    "Simon",
    "Thomas",
    "Traore",
    "Vidal",
    "Vincent",
];
pub(super) const CITIES: &[&str] = &[
    "Amiens",
    "Angers",
    "Annecy",
    "Arles",
    "Bayonne",
    "Besancon",
    "Blois",
    "Bordeaux",
    "Bourges",
    "Brest",
    "Caen",
    "Calais",
    "Cannes",
    "Chartres",
    "Colmar",
    "Dijon",
    "Dole",
    "Gap",
    "Grenoble",
    "Laval",
    "Lille",
    "Limoges",
    "Lorient",
    "Lyon",
    "Metz",
    "Nancy",
    "Nantes",
    "Nice",
    "Niort",
    "Orleans",
    "Paris",
    "Pau",
    "Poitiers",
    "Quimper",
    "Reims",
    "Rennes",
    "Rodez",
    "Rouen",
    "Sens",
    "Strasbourg",
    "Toulon",
    "Toulouse",
    "Tours",
    "Troyes",
    "Valence",
    "Vannes",
    "Vichy",
];
const STREETS: &[&str] = &[
    "allee des Acacias",
    "allee des Tilleuls",
    "avenue de la Gare",
    "avenue du Parc",
    "chemin des Vignes",
    "chemin du Moulin",
    "impasse des Cerisiers",
    "impasse du Puits",
    "place de la Mairie",
    "place du Marche",
    "quai des Brumes",
    "route de la Plage",
    "rue Basse",
    "rue Haute",
    "rue Neuve",
    "rue de la Fontaine",
    "rue des Ecoles",
    "rue des Fleurs",
    "rue des Jardins",
    "rue des Lilas",
    "rue des Peupliers",
    "rue du Chateau",
    "rue du Lavoir",
    "rue du Port",
    "rue du Stade",
    "rue du Sud",
];
const COMPANY_FORMS: &[&str] = &["Conseil", "SARL", "SAS", "Services", "et Fils"];
const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
];

/// How many hex digits keep words apart under a unique index: 56 bits.
pub(super) const HEX: usize = 14;

/// A piece of what is written.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// One of a sorted list of words.
    Word(Vec<Cow<'static, str>>),
    Text(Cow<'static, str>),
    /// A number from 1 to 199.
    Number,
    /// So many digits.
    Digits(usize),
    /// What keeps words apart under a unique index.
    Hex,
}

impl Part {
    /// The most characters that it writes.
    pub(super) fn longest(&self) -> usize {
        match self {
            Part::Word(words) => words.iter().map(|word| word.chars().count()).max().unwrap_or(0),
            Part::Text(text) => text.chars().count(),
            Part::Number => 3,
            Part::Digits(count) => *count,
            Part::Hex => HEX,
        }
    }

    /// A regular expression for what it writes.
    pub(super) fn pattern(&self) -> String {
        let escape = |text: &str| regex::escape(text);
        match self {
            Part::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| escape(word)).collect();
                format!("({})", words.join("|"))
            }
            Part::Text(text) => escape(text),
            Part::Number => "[0-9]{1,3}".into(),
            Part::Digits(count) => format!("[0-9]{{{count}}}"),
            Part::Hex => format!("[0-9a-f]{{{HEX}}}"),
        }
    }

    /// What is left of `text` behind this part, for each way that it can begin with it.
    fn strip<'t>(&self, text: &'t [u8], then: &dyn Fn(&'t [u8]) -> bool) -> bool {
        match self {
            Part::Word(words) => (1..=text.len()).any(|length| {
                let (word, rest) = text.split_at(length);
                let found = words.binary_search_by(|known| known.as_bytes().cmp(word));
                found.is_ok() && then(rest)
            }),
            Part::Text(fixed) => text.strip_prefix(fixed.as_bytes()).is_some_and(then),
            Part::Digits(count) => {
                text.len() >= *count && text[..*count].iter().all(u8::is_ascii_digit) && then(&text[*count..])
            }
            Part::Number => (1..=3.min(text.len()))
                .any(|length| text[..length].iter().all(u8::is_ascii_digit) && then(&text[length..])),
            Part::Hex => {
                text.len() >= HEX
                    && text[..HEX]
                        .iter()
                        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                    && then(&text[HEX..])
            }
        }
    }
}

/// Words chosen by the key and the value.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) function: Function,
    pub(super) fold_case: bool,
    pub(super) parts: Vec<Part>,
}

impl Words {
    fn compose(&self, digest: &[u8; 32], turn: u64, out: &mut Vec<u8>) {
        let mut from = 0;
        for part in &self.parts {
            let mut eight = [0; 8];
            eight.copy_from_slice(&digest[from % 24..from % 24 + 8]);
            let number = u64::from_be_bytes(eight).wrapping_add(turn);
            match part {
                Part::Word(words) => {
                    let chosen = (number % words.len().max(1) as u64) as usize;
                    out.extend_from_slice(words.get(chosen).map_or(b"", |word| word.as_bytes()));
                    from += 4;
                }
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Number => {
                    let number = number % 199 + 1;
                    let digits =
                        [number / 100, number / 10 % 10, number % 10].map(|digit| b'0' + digit as u8);
                    let skipped = digits.iter().take_while(|digit| **digit == b'0').count();
                    out.extend_from_slice(&digits[skipped..]);
                    from += 4;
                }
                Part::Digits(count) => {
                    let size = 10u64.pow((*count).min(18) as u32);
                    super::write_number(u128::from(number % size), *count, out);
                    from += 4;
                }
                // The digits that make it distinct are of the digest's other half and the beginning.
                Part::Hex => super::write_hex(&digest[32 - HEX / 2..], HEX, out),
            }
        }
    }

    fn continues(&self, part: usize, rest: &[u8]) -> bool {
        match self.parts.get(part) {
            None => rest.is_empty(),
            Some(this) => this.strip(rest, &|rest| self.continues(part + 1, rest)),
        }
    }
}

impl Pseudonym for Words {
    fn write(&self, value: &[u8], _: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let digest = if self.fold_case {
            super::fold_case(value, &mut work.first);
            self.function.digest(&work.first)
        } else {
            self.function.digest(value)
        };
        let start = out.len();
        self.compose(&digest, 0, out);
        if out[start..].eq_ignore_ascii_case(value) {
            out.truncate(start);
            self.compose(&digest, 1, out);
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        self.continues(0, value)
    }
}

/// The words of a list that fit.
fn list(words: &[&'static str], limit: usize) -> Part {
    let words = words.iter().filter(|word| word.len() <= limit);
    let mut words: Vec<Cow<'static, str>> = words.map(|word| Cow::Borrowed(*word)).collect();
    words.sort_unstable();
    Part::Word(words)
}

fn fit(fitting: &Fitting<'_>, kind: &str, fold_case: bool, mut parts: Vec<Part>) -> Result<Fitted, String> {
    let is_distinct = parts.iter().any(|part| matches!(part, Part::Hex));
    if fitting.column.unique.distinct && !is_distinct {
        parts.extend([Part::Text(" ".into()), Part::Hex]);
    }
    let empty = |part: &Part| matches!(part, Part::Word(words) if words.len() < 2);
    let least = parts.iter().map(Part::longest).sum();
    let text = fitting.text_of(if parts.iter().any(empty) {
        usize::MAX
    } else {
        least
    })?;
    let form = words_form::condition(&fitting.sql(), &parts);
    let words = Words {
        function: fitting.function(kind),
        fold_case: fold_case || text.ignores_case,
        parts,
    };
    Ok(fitting.fitted(words, form))
}

/// The characters that are left for words.
fn room(fitting: &Fitting<'_>) -> Result<usize, String> {
    let limit = fitting.text()?.limit;
    let taken = if fitting.column.unique.distinct {
        HEX + 1
    } else {
        0
    };
    Ok(limit.saturating_sub(taken))
}

pub(super) fn first_name(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(
        fitting,
        "first_name",
        false,
        vec![list(FIRST_NAMES, room(fitting)?)],
    )
}

pub(super) fn last_name(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(
        fitting,
        "last_name",
        false,
        vec![list(LAST_NAMES, room(fitting)?)],
    )
}

pub(super) fn name(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let half = room(fitting)?.saturating_sub(1) / 2;
    let parts = vec![
        list(FIRST_NAMES, half),
        Part::Text(" ".into()),
        list(LAST_NAMES, half),
    ];
    fit(fitting, "name", false, parts)
}

pub(super) fn company(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let room = room(fitting)?.saturating_sub(1);
    let parts = vec![
        list(LAST_NAMES, room.saturating_sub(4).min(room)),
        Part::Text(" ".into()),
        list(COMPANY_FORMS, room.saturating_sub(9).max(4)),
    ];
    fit(fitting, "company", false, parts)
}

pub(super) fn city(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(fitting, "city", false, vec![list(CITIES, room(fitting)?)])
}

pub(super) fn street(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let room = room(fitting)?.saturating_sub(4);
    fit(
        fitting,
        "street",
        false,
        vec![Part::Number, Part::Text(" ".into()), list(STREETS, room)],
    )
}

pub(super) fn address(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let room = room(fitting)?.saturating_sub(6);
    let parts = vec![
        Part::Number,
        Part::Text(" ".into()),
        list(STREETS, room.saturating_sub(10).max(room / 2)),
        Part::Text(", ".into()),
        list(CITIES, room - room.saturating_sub(10).max(room / 2)),
    ];
    fit(fitting, "address", false, parts)
}

pub(super) fn username(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(
        fitting,
        "username",
        false,
        vec![Part::Text("user_".into()), Part::Hex],
    )
}

pub(super) fn user_agent(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(fitting, "user_agent", false, vec![list(BROWSERS, room(fitting)?)])
}

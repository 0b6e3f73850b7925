//! What the names of a table's columns say of one another: whose gender one says, of which address another is a digest.

use super::phrases::strong_kind;
use crate::words::words;
use crate::PiiKind;

/// Words of columns that say what gender a person is, the plainest first.
const GENDERS: [&[&str]; 3] = [
    &[
        "gender",
        "sex",
        "sexe",
        "geschlecht",
        "sexo",
        "sesso",
        "genero",
        "genere",
        "geslacht",
    ],
    &[
        "civilite",
        "civility",
        "salutation",
        "honorific",
        "anrede",
        "aanhef",
        "pronoun",
        "tratamiento",
        "tratamento",
        "trattamento",
        "prefix",
    ],
    &["title", "titre", "titel", "titolo", "titulo"],
];

/// Words beside those that do not say whose gender it is.
const SAY_NOTHING: &[&str] = &[
    "code", "type", "value", "name", "at", "birth", "identity", "legal", "cd",
];

/// People, and things, whose name is not that of the one whom a row is about.
const OTHERS: &[&str] = &[
    "spouse",
    "husband",
    "wife",
    "partner",
    "mother",
    "father",
    "mom",
    "dad",
    "parent",
    "guardian",
    "child",
    "kin",
    "emergency",
    "conjoint",
    "mere",
    "pere",
    "enfant",
    "tuteur",
    "urgence",
    "ehepartner",
    "mutter",
    "vater",
    "kind",
    "madre",
    "padre",
    "mae",
    "pai",
    "hijo",
    "figlio",
    "filho",
    "moeder",
    "vader",
    "referrer",
    "doctor",
    "medecin",
    "company",
    "team",
    "school",
    "file",
    "table",
    "class",
];

/// What stands in the names of columns that may hold a person's.
const NAMES: &[&str] = &[
    "nam", "nom", "naam", "first", "given", "person", "author", "owner", "holder", "contact", "greet",
];

/// A column that says a gender, and whose: the words that are left of its name.
struct GenderColumn {
    place: usize,
    rank: usize,
    owner: Vec<String>,
}

impl GenderColumn {
    fn new(place: usize, name: &str) -> Option<Self> {
        // There may be thousands of tables.
        let parts = [
            "gen", "sex", "ses", "geschl", "gesl", "civ", "salut", "honor", "anrede", "aanhef", "pronoun",
        ];
        let more = ["trat", "prefix", "tit"];
        if !(parts.iter().chain(&more)).any(|part| contains(name, part)) {
            return None;
        }
        let words = words(name);
        // A key of a table of genders.
        if words.last().is_some_and(|word| word == "id") {
            return None;
        }
        let is = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        let rank = GENDERS.iter().position(|known| is(known))?;
        let says_whose = |word: &&String| {
            let word = word.as_str();
            !GENDERS.iter().any(|known| known.contains(&word)) && !SAY_NOTHING.contains(&word)
        };
        let owner = words.iter().filter(says_whose).cloned().collect();
        Some(Self { place, rank, owner })
    }

    /// Whether it says the gender of the one whose name a column of these words holds.
    fn is_of(&self, words: &[String]) -> bool {
        match self.owner.is_empty() {
            true => !words.iter().any(|word| OTHERS.contains(&word.as_str())),
            false => self.owner.iter().all(|word| words.contains(word)),
        }
    }
}

/// By the place of each column that may hold a person's name, that of the column that says of what gender this person is; by
/// the columns' names alone.
///
/// ```
/// let columns = ["id", "gender", "first_name", "spouse_gender", "spouse_name", "mother_name"];
/// assert_eq!(personal_data::genders(&columns), [(2, 1), (4, 3)]);
/// ```
pub fn genders(columns: &[&str]) -> Vec<(usize, usize)> {
    let known = columns.iter().enumerate();
    let mut known: Vec<GenderColumn> = known
        .filter_map(|(place, name)| GenderColumn::new(place, name))
        .collect();
    // Whose it is comes before how plainly it is said.
    known.sort_by_key(|gender| (gender.owner.is_empty(), gender.rank));
    if known.is_empty() {
        return Vec::new();
    }
    let may_be_name = |place: usize, name: &str| {
        NAMES.iter().any(|part| contains(name, part)) && known.iter().all(|gender| gender.place != place)
    };
    let found = columns.iter().enumerate().filter_map(|(place, name)| {
        let words = may_be_name(place, name).then(|| words(name))?;
        let gender = known.iter().find(|gender| gender.is_of(&words))?;
        Some((place, gender.place))
    });
    found.collect()
}

/// What an address is put through, as far as a column's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestName {
    /// MD5.
    Md5,
    /// SHA-256.
    Sha256,
    /// It does not say.
    Open,
}

/// The column whose address the one at `place` holds a digest of, by the columns' names alone.
///
/// ```
/// use personal_data::{address_digest, DigestName};
/// let columns = ["id", "email", "gravatar_hash", "email_sha256", "password_digest"];
/// assert_eq!(address_digest(&columns, 2), Some((1, DigestName::Md5)));
/// assert_eq!(address_digest(&columns, 3), Some((1, DigestName::Sha256)));
/// assert_eq!(address_digest(&columns, 4), None);
/// ```
pub fn address_digest(columns: &[&str], place: usize) -> Option<(usize, DigestName)> {
    let name = columns.get(place)?;
    let marks = ["md5", "md_5", "sha", "hash", "digest", "gravatar", "fingerprint"];
    if !marks.iter().any(|mark| contains(name, mark)) {
        return None;
    }
    let words = words(name);
    let has = |word: &str| words.iter().any(|known| known == word);
    let digest = match (has("md"), has("sha"), has("gravatar")) {
        (true, _, _) if has("5") => DigestName::Md5,
        (_, true, _) if has("256") => DigestName::Sha256,
        // Of SHA-1 and others there is no mask.
        (true, _, _) | (_, true, _) => return None,
        (_, _, true) if has("hash") || has("id") || has("digest") => DigestName::Md5,
        (_, _, true) => return None,
        _ => DigestName::Open,
    };
    const MARKS: [&str; 10] = [
        "md",
        "5",
        "sha",
        "256",
        "hash",
        "hashed",
        "digest",
        "fingerprint",
        "id",
        "hex",
    ];
    let rest: Vec<&str> = (words.iter().map(String::as_str))
        .filter(|word| !MARKS.contains(word))
        .collect();
    let address = address_of(columns, place, &rest)?;
    Some((address, digest))
}

/// The column of the address that these words name: one that is called so, or the only one of a table for `email`.
fn address_of(columns: &[&str], place: usize, rest: &[&str]) -> Option<usize> {
    let mut addresses = Vec::new();
    for (at, name) in columns.iter().enumerate().filter(|(at, _)| *at != place) {
        if !(contains(name, "mail") || contains(name, "courriel") || contains(name, "correo")) {
            continue;
        }
        let words = words(name);
        if words.iter().map(String::as_str).eq(rest.iter().copied()) {
            return Some(at);
        }
        let is_digest = [
            "md",
            "sha",
            "hash",
            "hashed",
            "digest",
            "fingerprint",
            "bidx",
            "ciphertext",
        ];
        let holds_one = !words.iter().any(|word| is_digest.contains(&word.as_str()));
        if holds_one && strong_kind(&words) == Some(PiiKind::Email) {
            addresses.push((at, words));
        }
    }
    let is_plain = matches!(
        rest,
        ["email"]
            | ["mail"]
            | ["e", "mail"]
            | ["courriel"]
            | ["correo"]
            | ["gravatar"]
            | ["user" | "contact", "email"]
    );
    let email = addresses
        .iter()
        .find(|(_, words)| matches!(words.as_slice(), [only] if only == "email"));
    match (is_plain, email, addresses.as_slice()) {
        (true, Some((at, _)), _) | (true, None, [(at, _)]) => Some(*at),
        _ => None,
    }
}

/// Whether a name has these small letters in it, in either case.
fn contains(name: &str, part: &str) -> bool {
    let (name, part) = (name.as_bytes(), part.as_bytes());
    name.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gender_is_that_of_the_person_whose_name_is_beside_it() {
        type Case<'a> = (&'a [&'a str], &'a [(usize, usize)]);
        let cases: [Case<'_>; 8] = [
            (&["sexe", "nom", "prenom"], &[(1, 0), (2, 0)]),
            (&["firstName", "lastName", "civilite"], &[(0, 2), (1, 2)]),
            (&["title", "gender", "full_name"], &[(2, 1)]),
            (&["patient_gender", "patient_name", "doctor_name"], &[(1, 0)]),
            (&["gender_id", "first_name"], &[]),
            (&["job_title", "first_name"], &[]),
            (&["anrede", "vorname", "mutter_name"], &[(1, 0)]),
            (&["agenda", "session_id", "messages", "name"], &[]),
        ];
        for (columns, expected) in cases {
            assert_eq!(genders(columns), expected, "{columns:?}");
        }
    }

    #[test]
    fn a_digest_is_that_of_the_address_that_its_name_says() {
        let columns = [
            "email",
            "contact_email",
            "md5_email",
            "contact_email_sha256",
            "email_hash",
            "email_sha1",
        ];
        let found: Vec<_> = (0..columns.len())
            .map(|place| address_digest(&columns, place))
            .collect();
        let expected = [
            None,
            None,
            Some((0, DigestName::Md5)),
            Some((1, DigestName::Sha256)),
            Some((0, DigestName::Open)),
            None,
        ];
        assert_eq!(found, expected);
        let of = |columns: &[&str]| address_digest(columns, 0).map(|(address, _)| address);
        assert_eq!(of(&["emailMd5", "courriel"]), Some(1));
        assert_eq!(of(&["gravatar_hash", "work_email", "home_email"]), None);
        assert_eq!(of(&["email_confirmation_digest", "email"]), None);
        assert_eq!(of(&["gravatar_url", "email"]), None);
        assert_eq!(of(&["file_md5", "email"]), None);
        assert_eq!(of(&["email_md5"]), None);
    }
}

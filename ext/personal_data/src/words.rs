//! The words of a name: `contactEmail2`, `contact_emails` and `ContactEmail` are the same two.

/// A name's words, in small letters without accents, in the singular; digits are words of their own.
///
/// `contactEmails2` becomes `contact`, `email`, `2`.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut previous = Class::Other;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let class = Class::of(character);
        // "IPAddress": the last capital of a run begins the next word.
        let run_ends = class == Class::Upper
            && previous == Class::Upper
            && characters
                .peek()
                .is_some_and(|next| Class::of(*next) == Class::Lower);
        let boundary = match (previous, class) {
            (_, Class::Other) => true,
            (Class::Lower | Class::Digit, Class::Upper) => true,
            (Class::Digit, Class::Lower) | (Class::Lower | Class::Upper, Class::Digit) => true,
            _ => run_ends,
        };
        if boundary && !word.is_empty() {
            words.push(singular(std::mem::take(&mut word)));
        }
        if class != Class::Other {
            fold(character, &mut word);
        }
        previous = class;
    }
    if !word.is_empty() {
        words.push(singular(word));
    }
    words
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Other,
}

impl Class {
    fn of(character: char) -> Class {
        match character {
            '0'..='9' => Class::Digit,
            _ if character.is_uppercase() => Class::Upper,
            _ if character.is_alphabetic() => Class::Lower,
            _ => Class::Other,
        }
    }
}

/// Appends a letter as a small one without its accent.
fn fold(character: char, word: &mut String) {
    for character in character.to_lowercase() {
        match character {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => word.push('a'),
            'ç' => word.push('c'),
            'è' | 'é' | 'ê' | 'ë' => word.push('e'),
            'ì' | 'í' | 'î' | 'ï' => word.push('i'),
            'ñ' => word.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => word.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => word.push('u'),
            'ß' => word.push_str("ss"),
            'œ' => word.push_str("oe"),
            _ => word.push(character),
        }
    }
}

/// Endings in s that are no plural.
const NO_PLURALS: &[&str] = &[
    "sms", "gps", "iris", "nss", "ens", "pos", "bus", "corps", "sens", "always", "news",
];

/// The singular of a word, near enough for comparing: both sides of every comparison go through it.
fn singular(mut word: String) -> String {
    if word.len() < 4 || NO_PLURALS.contains(&word.as_str()) {
        return word;
    }
    // Spanish and Portuguese: "trabajadores", "direcciones", "observações".
    if word.ends_with("coes") {
        word.truncate(word.len() - 4);
        word.push_str("cao");
    } else if ["sses", "adores", "edores", "idores", "ciones"]
        .iter()
        .any(|ending| word.ends_with(ending))
    {
        word.truncate(word.len() - 2);
    } else if word.ends_with("ies") && word.len() > 4 {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if word.ends_with("eux") || word.ends_with("eaux") {
        word.truncate(word.len() - 1);
    } else if word.ends_with("aux") && word.len() > 5 {
        word.truncate(word.len() - 2);
        word.push('l');
    } else if ["ss", "us", "is"].iter().all(|ending| !word.ends_with(ending)) && word.ends_with('s') {
        word.truncate(word.len() - 1);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_name_gives_the_same_words() {
        for name in [
            "contact_email",
            "contactEmail",
            "ContactEmails",
            "contact-emails",
            "CONTACT_EMAIL",
        ] {
            assert_eq!(words(name), ["contact", "email"], "{name}");
        }
        assert_eq!(words("IPAddress2"), ["ip", "address", "2"]);
        assert_eq!(words("prénoms"), ["prenom"]);
        assert_eq!(words("addresses"), words("address"));
        assert_eq!(words("iban_last4"), ["iban", "last", "4"]);
        assert_eq!(words("journaux_des_lieux"), ["journal", "des", "lieu"]);
        assert_eq!(words("trabajadores"), words("trabajador"));
        assert_eq!(words("direcciones"), words("dirección"));
        assert_eq!(words("observações"), words("observação"));
        assert_eq!(words("__"), Vec::<String>::new());
    }
}

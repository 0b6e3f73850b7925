//! What a short value says of a person by its words: an illness, a family status, a relative, a faith.
//!
//! One such value proves little, since goods and teams are called so too: see `Strength::Fact`.

use crate::PiiKind;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Longer values are looked at as text.
const LONGEST: usize = 48;
/// The words of such a value.
const WORDS: usize = 6;

/// Beginnings of words that name an illness, a treatment or a state of health, in the languages that names are known in;
/// ASCII alone, since accents are taken off first.
const ILLNESSES: &str = "\
    adhd, alergia, alergic, allerg, alzheim, amputa, anaemi, anaphyl, anemi, anorex, antibiot, \
    arrhythm, arthrit, arthros, artrit, artros, asma, asperger, asthm, astma, autis, behinder, bipolar, \
    blind, bluthochdruck, bronchi, bronqui, brustkrebs, bulimi, burnout, cancer, cardiopat, celiac, \
    celiaq, choroba, ciaza, cirrh, cirros, coeliac, coeliak, copd, covid, cukrzyc, deaf, demen, \
    depresi, depresj, depress, diabet, disabil, discapac, dislex, dyslek, dyslex, dysprax, eczem, \
    embarazada, emphysem, enceinte, endometri, epileps, epilept, erdnussallerg, esclerosis, fibromyal, \
    fractur, fractura, fraktur, gastrit, gluten, gravida, gravidan, gravidez, grossesse, haemophil, \
    handicap, hemophil, hepatit, herzinfarkt, heuschnupfen, hipertens, hiv, hoofdpijn, hypertens, \
    hypertoni, hypotens, hypothyr, ibuprofen, incinta, infarct, infarkt, insulin, intoleran, invalidit, \
    ipertens, ischem, kanker, krebs, lactose, lattosio, leukaem, leukem, lupus, malvoyant, melanom, \
    migrain, migran, miopi, myocard, myop, neuropath, nierenin, nowotw, obes, osteopor, paracetamol, \
    parkinson, penicil, pneumon, pregnan, psoria, reumat, rheuma, schizo, schlaganfall, schwanger, \
    sclerose, sclerosi, scolios, sourd, stroke, sucht, suchtkrank, tdah, thrombos, tourette, trombos, \
    tubercul, tumeur, tumor, vih, zuckerkrank, zwanger";

const FAMILY: &str = "\
    alleinerziehend, alleinstehend, casada, casado, celibataire, celibe, cohabitant, cohabiting, \
    concubin, concubinage, coniugata, coniugato, convivente, divorce, divorced, divorcee, divorciada, \
    divorciado, divorziata, divorziato, en concubinage, en couple, gehuwd, gescheiden, geschieden, \
    getrennt, in a relationship, in een relatie, ledig, mariee, married, nubile, ongehuwd, pacs, pacse, \
    pacsee, rozwiedziona, rozwiedziony, samenwonend, separada, separado, separata, separated, separato, \
    separe, separee, single, solteira, solteiro, soltera, soltero, sposata, sposato, uniao estavel, \
    union libre, vedova, vedovo, verheiratet, verwitwet, veuf, veuve, vie maritale, viuda, viudo, \
    viuva, viuvo, weduwe, weduwnaar, widow, widowed, widower, zamezna, zonaty";

const RELATIVES: &str = "\
    abuela, abuelo, ami, amie, aunt, avo, boyfriend, brat, broer, bror, brother, bruder, child, \
    coniuge, conjoint, conjointe, conjuge, conyuge, cousin, cousine, daughter, dochter, ehefrau, \
    ehemann, eltern, enkel, epouse, epoux, esposa, esposo, father, figlia, figlio, filha, filho, fille, \
    fils, foster parent, fratello, frere, geschwister, girlfriend, grand-mere, grand-pere, grandfather, \
    grandmother, grandparent, grossmutter, grossvater, guardian, hermana, hermano, hija, hijo, husband, \
    irmao, kind, lebensgefahrte, legal guardian, madre, mae, mari, marido, marito, matka, mere, moeder, \
    moglie, mother, mutter, neighbor, neighbour, nephew, niece, nonna, nonno, ojciec, oma, oncle, oom, \
    opa, opiekun, padre, pai, parent, partenaire, partner, partnerin, pere, responsable legal, \
    schwester, sibling, siostra, sister, soeur, sohn, son, sorella, spouse, stepfather, stepmother, \
    tante, tia, tio, tochter, tuteur, tutor, tutora, tutore, tutrice, uncle, vader, vater, voisin, \
    voisine, voogd, vormund, wife, zia, zio, zoon, zus, zwager";

const FAITHS: &str = "\
    adventist, agnostic, agnostique, anglican, ateo, athee, atheist, baptist, bouddhiste, buddhist, \
    catholic, catholique, catolica, catolico, cattolica, cattolico, christian, church of england, \
    evangelica, evangelico, evangelique, evangelisch, hindu, islam, jehovah's witness, jew, jewish, \
    judia, judio, juif, juive, katholiek, katholisch, konfessionslos, lutheran, methodist, mormon, \
    moslem, muculmano, muslim, musulman, musulmana, musulmane, musulmano, orthodox, orthodoxe, \
    pentecostal, presbyterian, protestant, protestante, protestantisch, quaker, roman catholic, \
    romisch-katholisch, sikh";

/// The words that are facts as a whole.
static STATED: LazyLock<HashMap<&'static str, PiiKind>> = LazyLock::new(|| {
    let lists = [
        (PiiKind::MaritalStatus, FAMILY),
        (PiiKind::SensitiveTrait, RELATIVES),
        (PiiKind::SensitiveTrait, FAITHS),
    ];
    let words = |(kind, list): (PiiKind, &'static str)| list.split(", ").map(move |word| (word, kind));
    lists.into_iter().flat_map(words).collect()
});

/// Beginnings of words that name an illness, by their first letter.
static ILLNESS: LazyLock<[Vec<&'static str>; 26]> = LazyLock::new(|| {
    let mut starts = [const { Vec::new() }; 26];
    for start in ILLNESSES.split(", ") {
        if let Some(place) = letter(start) {
            starts[place].push(start);
        }
    }
    starts
});

fn letter(word: &str) -> Option<usize> {
    let first = word.bytes().next().filter(u8::is_ascii_lowercase)?;
    Some(usize::from(first - b'a'))
}

/// Without its accent a woman's name.
const MARRIED: [&str; 2] = ["marié", "Marié"];

/// The kind of fact that a whole value states, if any.
pub(super) fn fact(value: &[u8]) -> Option<PiiKind> {
    if MARRIED.iter().any(|word| word.as_bytes() == value) {
        return Some(PiiKind::MaritalStatus);
    }
    if !(3..=LONGEST).contains(&value.len()) || value[0].is_ascii_digit() {
        return None;
    }
    let mut plain = [0u8; LONGEST];
    let text = without_accents(value, &mut plain)?;
    (STATED.get(text).copied()).or_else(|| is_illness(text).then_some(PiiKind::Health))
}

fn is_illness(text: &str) -> bool {
    let words = || text.split([' ', '-', ',', '/', '(', '\'']);
    let names_one =
        |word: &str| letter(word).is_some_and(|at| ILLNESS[at].iter().any(|start| word.starts_with(start)));
    words().nth(WORDS).is_none() && words().any(names_one)
}

/// Small letters of a Latin alphabet without their accents; nothing where others stand between.
fn without_accents<'b>(value: &[u8], plain: &'b mut [u8; LONGEST]) -> Option<&'b str> {
    let mut length = 0;
    for letter in std::str::from_utf8(value).ok()?.chars() {
        plain[length] = match letter {
            'A'..='Z' => letter.to_ascii_lowercase() as u8,
            'a'..='z' | '0'..='9' | ' ' | '-' | ',' | '/' | '(' | ')' | '\'' => letter as u8,
            'à'..='å' | 'À'..='Å' | 'ą' => b'a',
            'ç' | 'Ç' | 'ć' => b'c',
            'è'..='ë' | 'È'..='Ë' | 'ę' => b'e',
            'ì'..='ï' | 'Ì'..='Ï' => b'i',
            'ñ' | 'Ñ' | 'ń' => b'n',
            'ò'..='ö' | 'Ò'..='Ö' => b'o',
            'ù'..='ü' | 'Ù'..='Ü' => b'u',
            'ł' => b'l',
            'ś' | 'ß' => b's',
            'ż' | 'ź' => b'z',
            _ => return None,
        };
        length += 1;
    }
    std::str::from_utf8(&plain[..length]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_illness_family_and_faith_are_known_in_seven_languages() {
        for (value, kind) in [
            ("Type 2 diabetes", PiiKind::Health),
            ("Allergie aux arachides", PiiKind::Health),
            ("Bluthochdruck", PiiKind::Health),
            ("Hipertensión", PiiKind::Health),
            ("Célibataire", PiiKind::MaritalStatus),
            ("Marié", PiiKind::MaritalStatus),
            ("verwitwet", PiiKind::MaritalStatus),
            ("união estável", PiiKind::MaritalStatus),
            ("Mère", PiiKind::SensitiveTrait),
            ("legal guardian", PiiKind::SensitiveTrait),
            ("römisch-katholisch", PiiKind::SensitiveTrait),
        ] {
            assert_eq!(fact(value.as_bytes()), Some(kind), "{value}");
        }
    }

    #[test]
    fn other_words_state_no_fact() {
        for value in [
            "active",
            "",
            "ab",
            "Hive",
            "2 diabetes",
            "Parental leave",
            "日本語",
            "Sonate",
        ] {
            assert_eq!(
                fact(value.as_bytes()).filter(|kind| *kind != PiiKind::Health),
                None,
                "{value}"
            );
        }
        assert_eq!(fact(b"active"), None);
    }
}

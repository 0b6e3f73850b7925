//! Check digits and ranges: what distinguishes a real number of a kind from any other number.
//!
//! Every function takes ASCII digits (or what it says) without separators and allocates nothing.

/// The Luhn check (ISO/IEC 7812-1, annex B) over ASCII digits.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit.wrapping_sub(b'0')) << (place % 2);
            if value > 9 {
                value - 9
            } else {
                value
            }
        })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// A payment card: an issuer's range with a length it issues, and Luhn.
///
/// Ranges as the networks publish them: Visa 4, Mastercard 51-55 and 2221-2720, American Express 34 and 37,
/// Diners 300-305, 36, 38, 39, Discover 6011, 644-649, 65, UnionPay 62, JCB 3528-3589, Maestro 50, 56-58, 6.
pub(crate) fn card(digits: &[u8]) -> bool {
    let prefix = |length: usize| number(digits.get(..length).unwrap_or(&[]));
    let issued = match digits.len() {
        14 => matches!(prefix(3), 300..=305) || matches!(prefix(2), 36 | 38 | 39),
        15 => matches!(prefix(2), 34 | 37),
        13 => digits[0] == b'4',
        16 => {
            digits[0] == b'4'
                || matches!(prefix(2), 51..=55 | 62 | 65)
                || matches!(prefix(4), 2221..=2720 | 6011 | 3528..=3589)
                || matches!(prefix(3), 644..=649)
                || matches!(prefix(2), 50 | 56..=58)
        }
        17..=19 => matches!(prefix(2), 62 | 65 | 50 | 56..=58) || (digits.len() == 19 && digits[0] == b'4'),
        _ => false,
    };
    issued && !repeats(digits) && luhn(digits)
}

/// A SIREN: nine digits with Luhn (INSEE, "Numéro Siren").
pub(crate) fn siren(digits: &[u8]) -> bool {
    digits.len() == 9 && !repeats(digits) && luhn(digits)
}

/// A SIRET: a SIREN and five digits, with Luhn over all (INSEE, "Numéro Siret").
///
/// La Poste's establishments (356000000) sum to a multiple of five instead.
pub(crate) fn siret(digits: &[u8]) -> bool {
    if digits.len() != 14 || !siren(&digits[..9]) {
        return false;
    }
    let la_poste = digits.starts_with(b"356000000")
        && digits
            .iter()
            .map(|d| u32::from(d.wrapping_sub(b'0')))
            .sum::<u32>()
            % 5
            == 0;
    la_poste || luhn(digits)
}

/// A NIR with its key: sex, year, month, department (with 2A and 2B), commune, order, 97 - n mod 97.
pub(crate) fn nir(characters: &[u8]) -> bool {
    if characters.len() != 15 {
        return false;
    }
    let mut digits = [0u8; 15];
    digits.copy_from_slice(characters);
    // Corsica's departments: the key is computed with 19 for 2A and 18 for 2B.
    match &characters[5..7] {
        b"2A" | b"2a" => digits[5..7].copy_from_slice(b"19"),
        b"2B" | b"2b" => digits[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    if !digits.iter().all(u8::is_ascii_digit) || !matches!(digits[0], b'1' | b'2' | b'3' | b'4' | b'7' | b'8')
    {
        return false;
    }
    let month = number(&digits[3..5]);
    let plausible = matches!(month, 1..=12 | 20 | 30..=42 | 50..=99) && number(&digits[7..10]) > 0;
    plausible && number(&digits[13..]) == 97 - number(&digits[..13]) % 97
}

/// A US social-security number: nine digits in the ranges the SSA issues (20 CFR 422.103; no 000, 666 or 9xx).
pub(crate) fn ssn(digits: &[u8]) -> bool {
    if digits.len() != 9 {
        return false;
    }
    let (area, group, serial) = (number(&digits[..3]), number(&digits[3..5]), number(&digits[5..]));
    area != 0 && area != 666 && area < 900 && group != 0 && serial != 0 && !repeats(digits)
}

/// An IBAN without spaces, in capitals or small letters: the country's length and mod 97 (ISO 13616).
pub(crate) fn iban(characters: &[u8]) -> bool {
    if characters.len() < 15 || iban_length(characters[0], characters[1]) != Some(characters.len()) {
        return false;
    }
    let mut rotated = characters[4..].iter().chain(&characters[..4]);
    let rest = rotated.try_fold(0u32, |rest, character| match character.to_ascii_uppercase() {
        digit @ b'0'..=b'9' => Some((rest * 10 + u32::from(digit - b'0')) % 97),
        letter @ b'A'..=b'Z' => Some((rest * 100 + u32::from(letter - b'A') + 10) % 97),
        _ => None,
    });
    rest == Some(1)
}

/// The length of a country's IBANs, from the registry that SWIFT keeps for ISO 13616.
pub(crate) fn iban_length(first: u8, second: u8) -> Option<usize> {
    Some(match &[first.to_ascii_uppercase(), second.to_ascii_uppercase()] {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FO" | b"GL" | b"NL" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"XK" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BJ" | b"BF" | b"BI" | b"CI" | b"CM" | b"DZ" | b"ML" | b"MG" | b"MZ" | b"SN" => 28,
        b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HU" | b"LB" | b"PL" | b"SV" | b"MA" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        _ => return None,
    })
}

/// An ISBN-10 without hyphens: nine digits and a check mod 11 that may be X. Distinguished since half of them
/// look like French telephone numbers.
pub(crate) fn isbn10(characters: &[u8]) -> bool {
    if characters.len() != 10 {
        return false;
    }
    let sum = characters
        .iter()
        .enumerate()
        .try_fold(0u32, |sum, (place, character)| {
            let value = match character {
                b'0'..=b'9' => u32::from(character - b'0'),
                b'X' | b'x' if place == 9 => 10,
                _ => return None,
            };
            Some(sum + value * (10 - place as u32))
        });
    sum.is_some_and(|sum| sum % 11 == 0)
}

/// The number that up to 18 ASCII digits write; 0 when there are none.
fn number(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |n, digit| n * 10 + u64::from(digit.wrapping_sub(b'0')))
}

/// Whether all digits are the same: a filler, never a real number.
fn repeats(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_and_issuer_ranges_recognise_cards() {
        assert!(card(b"4111111111111111") && card(b"5555555555554444") && card(b"378282246310005"));
        assert!(card(b"30569309025904") && card(b"6011111111111117") && card(b"3530111333300000"));
        assert!(!card(b"4111111111111112"), "wrong check digit");
        assert!(
            !card(b"1111111111111117") && !card(b"0000000000000000"),
            "an unassigned range"
        );
    }

    #[test]
    fn an_iban_needs_its_country_its_length_and_its_remainder() {
        assert!(
            iban(b"FR1420041010050500013M02606")
                && iban(b"DE89370400440532013000")
                && iban(b"gb82west12345698765432")
        );
        assert!(
            !iban(b"FR1420041010050500013M02607")
                && !iban(b"DE8937040044053201300")
                && !iban(b"XX89370400440532013000")
        );
    }

    #[test]
    fn a_nir_needs_its_key_also_in_corsica() {
        assert!(nir(b"255081416802538") && nir(b"188012A00100157"));
        assert!(!nir(b"255081416802539") && !nir(b"955081416802538") && !nir(b"25508141680253"));
    }

    #[test]
    fn company_numbers_need_luhn() {
        assert!(siren(b"732829320") && siret(b"73282932000074") && siret(b"35600000049837"));
        assert!(!siren(b"732829321") && !siret(b"73282932000075") && !siren(b"000000000"));
    }

    #[test]
    fn social_security_numbers_stay_in_their_ranges() {
        assert!(ssn(b"078051120"));
        assert!(!ssn(b"666051120") && !ssn(b"900051120") && !ssn(b"078001120") && !ssn(b"078050000"));
    }

    #[test]
    fn a_books_number_is_reported_apart() {
        assert!(isbn10(b"0306406152") && isbn10(b"080442957X") && !isbn10(b"0612345678"));
    }
}

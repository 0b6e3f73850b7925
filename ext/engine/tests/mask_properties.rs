//! What holds of every mask of the catalogue, on random input. The masks come from the catalogue: one that is not in the
//! list of cases here fails the test. What has check digits is checked by programs of its own, built otherwise than
//! the engine's: long division of the written number, tables, digit sums.

#![allow(clippy::unwrap_used, clippy::panic)]

mod mask_support;

use mask_support::{column, keyed, pseudonyms, table, varchar};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rlibphonenumber::{Region, PHONE_NUMBER_UTIL};
use serde_json::{json, Map, Value};
use staging_sync_engine::copy;
use staging_sync_engine::mask::{listing, Mask, RowMask, Table, Type};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

const DOMAIN: &str = "demo.example.com";

/// Whether a pseudonym is right for its original.
type Check = fn(&str, &str) -> bool;

/// A mask on values of one form.
struct Case {
    mask: &'static str,
    options: &'static str,
    kind: fn() -> Type,
    values: &'static str,
    /// Different values become different ones under a unique index.
    keeps_distinct: bool,
    /// A value never becomes itself.
    changes: bool,
    check: Check,
}

const fn case(mask: &'static str, values: &'static str, check: Check) -> Case {
    Case {
        mask,
        options: "{}",
        kind: text,
        values,
        keeps_distinct: true,
        changes: true,
        check,
    }
}

impl Case {
    const fn with(mut self, options: &'static str) -> Self {
        self.options = options;
        self
    }

    const fn on(mut self, kind: fn() -> Type) -> Self {
        self.kind = kind;
        self
    }

    /// The mask repeats itself, and the plan refuses it under a unique index.
    const fn repeats(mut self) -> Self {
        self.keeps_distinct = false;
        self
    }

    /// Some values are as they were: a constant, or text without anything personal.
    const fn may_stay(mut self) -> Self {
        self.changes = false;
        self
    }
}

const A_BCRYPT_HASH: &str = "[$]2[aby][$]04[$][./A-Za-z0-9]{53}";

fn text() -> Type {
    Type::TEXT
}

fn bigint() -> Type {
    Type::Integer(8)
}

fn any(_: &str, _: &str) -> bool {
    true
}

fn cases() -> Vec<Case> {
    vec![
        case("email", "[a-z]{1,9}@[a-z]{1,9}\\.(fr|com)", |_, new| {
            let (local, domain) = new.split_once('@').unwrap();
            domain == "demo.example.com" && local.len() == 20 && u128::from_str_radix(local, 16).is_ok()
        }),
        case("email", "[a-z]{1,9}@[a-z]{1,9}\\.(fr|com)", |old, new| {
            old.split_once('@').unwrap().1 == new.split_once('@').unwrap().1
        })
        .with(r#"{"keep_domain": true}"#),
        case("name", "[A-Z][a-zé]{1,9} [A-Z][a-z]{1,9}", |_, new| {
            new.split(' ').count() >= 2
        }),
        case("first_name", "[A-Z][a-zé]{1,9}", any),
        case("last_name", "[A-Z][a-zé]{1,9}", any),
        case("company", "[A-Z][a-z]{1,9} (SA|Ltd)", any),
        case("username", "[a-z0-9é_]{1,12}", |_, new| new.starts_with("user_")),
        case(
            "address",
            "[0-9]{1,3} rue [A-Z][a-z]{1,9}, [A-Z][a-z]{1,9}",
            |_, new| new.contains(", "),
        ),
        case("street", "[0-9]{1,3} rue [A-Z][a-z]{1,9}", |_, new| {
            new.starts_with(|c: char| c.is_ascii_digit())
        }),
        case("city", "[A-Z][a-z]{1,9}", any),
        case("fake", "[A-Z][a-zé]{1,9} [A-Z][a-z]{1,9}", |_, new| {
            new.contains(' ')
        })
        .with(r#"{"kind": "name", "locale": "en"}"#),
        case("fake", "[A-Z][a-zé]{1,9}", any).with(r#"{"kind": "city"}"#),
        case("postal_code", "[0-9]{5}", same_shape),
        case("postal_code", "[A-Z]{1,2}[0-9]{1,2} [0-9][A-Z]{2}", same_shape),
        case("phone", "0[1-79][0-9]{8}", |old, new| {
            same_shape(old, new) && same_validity(Region::FR, old, new)
        }),
        case("phone", "\\+44 7[0-9]{3} [0-9]{6}", |old, new| {
            same_shape(old, new) && same_validity(Region::GB, old, new)
        }),
        case("phone", "[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}", |old, new| {
            same_shape(old, new) && same_validity(Region::US, old, new)
        })
        .with(r#"{"country": "US"}"#),
        case("phone", "[1-9][0-9]{6,17}", same_shape).on(bigint),
        case("iban", "FR[0-9]{2}[0-9]{10}[0-9A-Z]{11}[0-9]{2}", |old, new| {
            (iban_rest(old) == 1) == (iban_rest(new) == 1)
        }),
        case("iban", "GB[0-9]{2}[A-Z]{4}[0-9]{14}", |old, new| {
            same_shape(old, new) && (iban_rest(old) == 1) == (iban_rest(new) == 1)
        }),
        case("bic", "[A-Z]{4}FR[A-Z0-9]{2}([A-Z0-9]{3})?", |old, new| {
            same_shape(old, new) && &new[4..6] == "FR"
        }),
        case("credit_card", "[1-9][0-9]{12,18}", |old, new| {
            old[..1] == new[..1] && luhn_rest(old) == luhn_rest(new)
        }),
        case("credit_card", "[4-6][0-9]{15}", |old, new| {
            old[..6] == new[..6] && luhn_rest(old) == luhn_rest(new)
        })
        .with(r#"{"keep_bin": true}"#),
        case("credit_card", "[1-8][0-9]{18}|9[01][0-9]{17}", |old, new| {
            luhn_rest(old) == luhn_rest(new)
        })
        .on(bigint),
        case("last4", "[0-9]{4}", same_shape),
        case("last4", "[1-9][0-9]{0,3}", any).on(|| Type::Integer(2)),
        case(
            "nir",
            "[12][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[1-8][0-9]|9[0-5])[0-9]{8}",
            |old, new| old[..1] == new[..1] && (nir_rest(old) == 0) == (nir_rest(new) == 0),
        ),
        case("nir", "[12][0-9]{2}(0[1-9]|1[0-2])2[AB][0-9]{8}", |old, new| {
            old[..1] == new[..1] && (nir_rest(old) == 0) == (nir_rest(new) == 0)
        }),
        case("siren", "[0-9]{9}", |old, new| {
            same_shape(old, new) && luhn_rest(old) == luhn_rest(new)
        }),
        case("siret", "[0-9]{14}", |old, new| {
            same_shape(old, new) && luhn_rest(old) == luhn_rest(new)
        }),
        case("vat_number", "FR[0-9]{11}", |old, new| {
            (vat_rest(old) == 0) == (vat_rest(new) == 0)
        }),
        case("vat_number", "DE[0-9]{9}", same_shape),
        case("ssn", "[0-9]{3}-[0-9]{2}-[0-9]{4}", |old, new| {
            same_shape(old, new) && is_ssn(old) == is_ssn(new)
        }),
        case(
            "date",
            "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8])",
            |old, new| (1..=180).contains(&days_between(old, new).abs()),
        )
        .on(|| Type::Date)
        .repeats(),
        case(
            "birth_date",
            "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8])",
            |old, new| old[..4] == new[..4],
        )
        .on(|| Type::Date)
        .repeats(),
        case(
            "timestamp",
            "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8]) (0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]",
            |old, new| days_between(&old[..10], &new[..10]).abs() <= 181,
        )
        .on(|| Type::Timestamp)
        .repeats(),
        case("number", "-?[1-9][0-9]{0,8}(\\.[0-9]{2})?", |old, new| {
            let (old, new): (f64, f64) = (old.parse().unwrap(), new.parse().unwrap());
            (new - old).abs() <= (old.abs() * 0.1).max(1.0) + 0.01
        })
        .on(|| Type::Numeric { digits: None })
        .repeats(),
        case(
            "ip",
            "[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?",
            |_, new| matches!(new.parse(), Ok(IpAddr::V4(_))),
        ),
        case("ip", "2001:db8:[1-9a-f]{1,4}::[1-9a-f]{1,4}", |_, new| {
            matches!(new.parse(), Ok(IpAddr::V6(_)))
        }),
        case("mac", "[0-9a-f]{2}(:[0-9a-f]{2}){5}", |_, new| {
            new.split(':').count() == 6
                && new
                    .split(':')
                    .all(|byte| byte.len() == 2 && u8::from_str_radix(byte, 16).is_ok())
        }),
        case(
            "url",
            "https://[a-z]{1,6}\\.fr/[a-z]{0,6}(\\?t=[a-z]{1,3})?",
            |_, new| {
                url::Url::parse(new)
                    .is_ok_and(|url| url.host_str().is_some_and(|host| host.ends_with(".example.com")))
            },
        ),
        case("user_agent", "[A-Z][a-z]{3,9}/[0-9]", any),
        case(
            "uuid",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            |old, new| {
                let groups: Vec<usize> = new.split('-').map(str::len).collect();
                groups == [8, 4, 4, 4, 12] && new[14..15] == old[14..15] && new[19..20] == old[19..20]
            },
        ),
        case("hash", "(?s).{1,20}", |_, new| {
            new.len() == 64 && u128::from_str_radix(&new[..32], 16).is_ok()
        }),
        case("token", "[0-9A-Za-z_-]{2,60}[a-z0-9]", |old, new| {
            old.len() == new.len()
        }),
        case("password", "[a-z]{1,9}", |_, new| {
            bcrypt::verify("password", new).unwrap()
        })
        .with(r#"{"password": "password", "cost": 4}"#)
        .repeats(),
        case("text", "(?s).{1,60}", |old, new| {
            old.chars().count() == new.chars().count()
        })
        .repeats(),
        case(
            "scrub",
            "[a-z ]{0,9} 06[0-9]{8} [a-z]{1,5}@[a-z]{1,5}\\.fr",
            |old, new| {
                let address = old.rsplit_once(' ').unwrap().1;
                !new.contains(address) && new.ends_with("@demo.example.com")
            },
        )
        .repeats(),
        case("redact", "[a-z]{1,9}", |_, new| new == "[REDACTED]").repeats(),
        case("null", "[a-z]{1,9}", |_, new| new == "\\N"),
        case("static", "[a-z]{1,9}", |_, new| new == "n/a")
            .with(r#"{"value": "n/a"}"#)
            .repeats(),
        case("template", "[a-z]{1,9}", |_, new| {
            new.starts_with("user-") && new.ends_with("@x.test")
        })
        .with(r#"{"template": "user-{id}@x.test"}"#),
        case(
            "json",
            "\\{\"a\": \\{\"email\": \"[a-z]{1,6}@[a-z]{1,6}\\.fr\"\\}, \"n\": [1-9][0-9]{0,9}\\}",
            |old, new| {
                let (old, new): (Value, Value) = (
                    serde_json::from_str(old).unwrap(),
                    serde_json::from_str(new).unwrap(),
                );
                old["n"] == new["n"] && new["a"]["email"].as_str().unwrap().ends_with("@demo.example.com")
            },
        )
        .with(r#"{"paths": {"$.a.email": "email"}}"#)
        .on(|| Type::Jsonb)
        .repeats(),
        case(
            "hstore",
            "\"email\"=>\"[a-z]{1,6}@[a-z]{1,6}\\.fr\", \"n\"=>\"[0-9]{1,3}\"",
            |old, new| old.split_once(", ").unwrap().1 == new.split_once(", ").unwrap().1,
        )
        .with(r#"{"keys": {"email": "email"}}"#)
        .on(|| Type::Hstore)
        .repeats(),
        case("array", "\\{[a-z]{1,6}@[a-z]{1,6}\\.fr,NULL,\"\"\\}", |_, new| {
            new.ends_with("@demo.example.com\",NULL,\"\"}")
        })
        .with(r#"{"of": "email"}"#)
        .on(|| Type::Array(Box::new(Type::TEXT)))
        .repeats(),
        case(
            "array",
            "\\{[1-9][0-9]{0,5},NULL,-[1-9][0-9]{0,5}\\}",
            |old, new| old.split(',').count() == new.split(',').count(),
        )
        .with(r#"{"of": "number"}"#)
        .on(|| Type::Array(Box::new(Type::Integer(4))))
        .repeats(),
        // What has nothing of the kind stays, or is masked as any text is.
        case("scrub", "[a-z ]{1,9}", |old, new| old == new)
            .repeats()
            .may_stay(),
        case("staging_password", A_BCRYPT_HASH, |_, new| {
            bcrypt::verify("staging", new).unwrap()
        })
        .with(r#"{"cost": 4}"#)
        .repeats(),
        case("unknown_password", A_BCRYPT_HASH, |old, new| {
            bcrypt::verify("staging", new).is_ok() && new[..7] == old[..7] && new.len() == 60
        }),
        case(
            "filename",
            "[a-zé]{1,12}([.](pdf|PDF|tar[.]gz|numbers))?",
            |old, new| {
                new.starts_with("file-")
                    && new.split_once('.').map(|(_, end)| end) == old.split_once('.').map(|(_, end)| end)
            },
        ),
    ]
}

fn same_shape(old: &str, new: &str) -> bool {
    let shape = |text: &str| -> String {
        text.chars()
            .map(|c| match c {
                '0'..='9' => '9',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                other => other,
            })
            .collect()
    };
    shape(old) == shape(new)
}

fn same_validity(region: Region, old: &str, new: &str) -> bool {
    let is_valid = |text: &str| {
        PHONE_NUMBER_UTIL
            .parse(text, Some(region))
            .is_ok_and(|number| PHONE_NUMBER_UTIL.is_valid_number(&number))
    };
    is_valid(old) == is_valid(new)
}

/// By how much the last digit is off from what Luhn's table of doubled digits asks for; 0 is right.
fn luhn_rest(text: &str) -> u32 {
    const DOUBLED: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let digits: Vec<usize> = text.bytes().map(|byte| usize::from(byte - b'0')).collect();
    let mut sum = 0;
    let mut doubles = false;
    for digit in digits.iter().rev() {
        sum += if doubles { DOUBLED[*digit] } else { *digit as u32 };
        doubles = !doubles;
    }
    sum % 10
}

/// The remainder of a written number, by long division as on paper.
fn remainder(number: &str, by: u64) -> u64 {
    let mut rest = 0;
    for digit in number.chars() {
        rest = (rest * 10 + u64::from(digit.to_digit(10).unwrap())) % by;
    }
    rest
}

/// ISO 13616: 1 is right.
fn iban_rest(text: &str) -> u64 {
    let turned = format!("{}{}", &text[4..], &text[..4]);
    let written: String = turned
        .chars()
        .map(|c| c.to_digit(36).unwrap().to_string())
        .collect();
    remainder(&written, 97)
}

/// What number and key come to by 97: 0 is right, as the key is 97 less the remainder.
fn nir_rest(text: &str) -> u64 {
    let number = text[..13].replace("2A", "19").replace("2B", "18");
    (remainder(&number, 97) + remainder(&text[13..], 97)) % 97
}

/// Article 215 of the directive leaves the key to France: 12 and three times the SIREN by 97.
fn vat_rest(text: &str) -> u64 {
    let key: u64 = text[2..4].parse().unwrap();
    let siren: u64 = text[4..].parse().unwrap();
    (key + 97 * 4 - (12 + siren * 3) % 97) % 97
}

/// Numbers that the Social Security Administration gives out: no group of zeros, no 666, none from 900.
fn is_ssn(text: &str) -> bool {
    let groups: Vec<u32> = text.split('-').map(|group| group.parse().unwrap()).collect();
    groups.iter().all(|group| *group != 0) && groups[0] != 666 && groups[0] < 900
}

fn days_between(old: &str, new: &str) -> i64 {
    let date = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    i64::from((date(new) - date(old)).get_days())
}

fn compiled(case: &Case, unique: bool) -> Result<Arc<RowMask>, String> {
    let options: Map<String, Value> = serde_json::from_str(case.options).unwrap();
    let mask = Mask::named(case.mask, &options)?;
    keyed(mask, (case.kind)(), unique, DOMAIN)
}

/// What becomes of each value; `\N` is NULL, before and after.
fn masked(mask: &Arc<RowMask>, values: &[String]) -> Vec<String> {
    let mut rows = Vec::new();
    for (number, value) in values.iter().enumerate() {
        rows.extend_from_slice(format!("{number}\t").as_bytes());
        copy::encode(Some(value.as_bytes()).filter(|value| value != b"\\N"), &mut rows);
        rows.push(b'\n');
    }
    let (mut masker, mut out) = (mask.masker(), Vec::new());
    masker.mask_piece(&rows, &mut out).unwrap();
    assert_eq!(
        masker.counts().columns[0].violations,
        0,
        "{values:?} {}",
        String::from_utf8_lossy(&out)
    );
    let mut scratch = Vec::new();
    let text = String::from_utf8(out).unwrap();
    text.lines()
        .map(|row| {
            let field = row.split_once('\t').unwrap().1;
            let value = copy::decode(field.as_bytes(), &mut scratch).unwrap_or(b"\\N");
            String::from_utf8(value.to_vec()).unwrap()
        })
        .collect()
}

fn values(pattern: &str, count: usize, seed: u8) -> Vec<String> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]),
    );
    let strategy = proptest::string::string_regex(pattern).unwrap();
    (0..count)
        .map(|_| {
            strategy
                .new_tree(&mut runner)
                .unwrap()
                .current()
                .replace('\0', "")
        })
        .collect()
}

#[test]
fn every_mask_of_the_catalogue_has_a_case() {
    let known: BTreeSet<&str> = listing().iter().map(|listed| listed.name).collect();
    let tested: BTreeSet<&str> = cases().iter().map(|case| case.mask).collect();
    assert_eq!(known, tested);
}

#[test]
fn a_mask_is_deterministic_right_for_its_kind_and_never_the_original() {
    for (number, case) in cases().iter().enumerate() {
        let values = values(case.values, 300, number as u8);
        let mask = compiled(case, false).unwrap();
        let new = masked(&mask, &values);
        assert_eq!(
            new,
            masked(&compiled(case, false).unwrap(), &values),
            "{}",
            case.mask
        );
        for (old, new) in values.iter().zip(&new) {
            assert!(
                (case.check)(old, new),
                "{} {}: {old} became {new}",
                case.mask,
                case.options
            );
            assert!(
                !case.changes || old != new,
                "{} {}: {old} stayed",
                case.mask,
                case.options
            );
        }
    }
}

/// Puts the digits in `place` that make `is_right` true.
fn righted(value: &str, place: std::ops::Range<usize>, is_right: impl Fn(&str) -> bool) -> String {
    let width = place.len();
    // An IBAN's are from 02 to 98, a NIR's from 01 to 97, a VAT number's from 00 to 96.
    let range = match (width, &value[..2]) {
        (1, _) => 0..10,
        (_, "FR") if value.len() == 13 => 0..97,
        (_, "FR" | "DE") => 2..99,
        _ => 1..98,
    };
    range
        .map(|digits| format!("{}{digits:0width$}{}", &value[..place.start], &value[place.end..]))
        .find(|value| is_right(value))
        .unwrap()
}

#[test]
fn right_check_digits_become_right_ones() {
    type Right = fn(&str) -> bool;
    let is_luhn: Right = |text| luhn_rest(text) == 0;
    let kinds: [(&str, &str, std::ops::Range<usize>, Right); 9] = [
        ("iban", "FR00[0-9]{10}[0-9A-Z]{11}[0-9]{2}", 2..4, |text| {
            iban_rest(text) == 1
        }),
        ("iban", "DE00[0-9]{18}", 2..4, |text| iban_rest(text) == 1),
        (
            "nir",
            "[12][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[1-8][0-9]|9[0-5])[0-9]{6}00",
            13..15,
            |text| nir_rest(text) == 0,
        ),
        (
            "nir",
            "[12][0-9]{2}(0[1-9]|1[0-2])2[AB][0-9]{6}00",
            13..15,
            |text| nir_rest(text) == 0,
        ),
        ("vat_number", "FR00[0-9]{9}", 2..4, |text| vat_rest(text) == 0),
        ("credit_card", "[3-6][0-9]{15}", 15..16, is_luhn),
        ("credit_card", "3[47][0-9]{13}", 14..15, is_luhn),
        ("siren", "[0-9]{9}", 8..9, is_luhn),
        ("siret", "[0-9]{14}", 13..14, is_luhn),
    ];
    for (mask, pattern, place, is_right) in kinds {
        let case = case(mask, pattern, any);
        let values: Vec<String> = values(pattern, 100, 9)
            .iter()
            .map(|value| righted(value, place.clone(), is_right))
            .collect();
        for (old, new) in values
            .iter()
            .zip(masked(&compiled(&case, true).unwrap(), &values))
        {
            assert!(is_right(&new) && *old != new, "{mask}: {old} became {new}");
        }
    }
}

#[test]
fn null_stays_null_and_empty_text_stays_empty() {
    for case in cases() {
        let mask = compiled(&case, false).unwrap();
        assert_eq!(masked(&mask, &["\\N".into()]), ["\\N"], "{}", case.mask);
        // What is empty is made NULL by :null alone.
        let says_null = case.mask == "null";
        if (case.kind)() == Type::TEXT && !says_null {
            assert_eq!(masked(&mask, &[String::new()]), [""], "{}", case.mask);
        }
    }
}

#[test]
fn under_a_unique_index_different_values_stay_different_or_the_plan_refuses_the_mask() {
    for (number, case) in cases().iter().enumerate() {
        match compiled(case, true) {
            Err(problem) => {
                assert!(!case.keeps_distinct, "{}: {problem}", case.mask);
                assert!(
                    problem.contains("unique index") && problem.ends_with('.'),
                    "{problem}"
                );
            }
            Ok(mask) => {
                assert!(case.keeps_distinct, "{} should be refused", case.mask);
                let values = values(case.values, 2000, 100 + number as u8);
                let mut seen: HashMap<String, String> = HashMap::new();
                for (old, new) in values.iter().zip(masked(&mask, &values)) {
                    if let Some(other) = seen.insert(new.clone(), old.clone()) {
                        // A template is made of the row's id, and NULLs are not the same.
                        assert!(
                            new == "\\N" || other == *old,
                            "{}: {old} and {other} became {new}",
                            case.mask
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_written_fits_a_column_that_the_plan_admits() {
    for (number, case) in cases()
        .iter()
        .enumerate()
        .filter(|(_, case)| (case.kind)() == Type::TEXT)
    {
        for limit in [3usize, 8, 15, 22, 40, 64] {
            let options: Map<String, Value> = serde_json::from_str(case.options).unwrap();
            let table = Table {
                key: Vec::new(),
                key_is_enforced: false,
                ..table(&[column("value", varchar(limit))])
            };
            let options = if case.mask == "template" {
                Map::from_iter([(
                    "template".to_owned(),
                    json!("a longer text than some columns hold"),
                )])
            } else {
                options
            };
            let mask = Mask::named(case.mask, &options).unwrap();
            let Ok(mask) = RowMask::new(&table, &[(0, mask)], &pseudonyms(DOMAIN)) else {
                continue;
            };
            let (mut masker, mut rows, mut out) = (Arc::new(mask).masker(), Vec::new(), Vec::new());
            for value in values(case.values, 100, number as u8) {
                let value: String = value.chars().take(limit).collect();
                copy::encode(Some(value.as_bytes()), &mut rows);
                rows.push(b'\n');
            }
            masker.mask_piece(&rows, &mut out).unwrap();
            let mut scratch = Vec::new();
            for field in out.split(|byte| *byte == b'\n') {
                let value = copy::decode(field, &mut scratch).unwrap_or_default();
                let length = std::str::from_utf8(value).unwrap().chars().count();
                assert!(
                    length <= limit,
                    "{} in {limit}: {}",
                    case.mask,
                    String::from_utf8_lossy(value)
                );
            }
        }
    }
}

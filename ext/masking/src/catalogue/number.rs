//! `number`: the original, more or less.

use crate::bytes::parse;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, ANY_VALUE};
use crate::error::Unfit;
use crate::key::Function;
use crate::misfit::ForTypes;
use crate::pseudonym::{nearer, Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;
use std::io::Write;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("percent", "by how much at most, 10 by default")],
    example: Example::of("1234.50", || Type::Numeric { digits: None }),
    ..CatalogueEntry::new(
        "number",
        "the number, more or less; its sign and its decimal places stay",
        fit,
    )
};

#[derive(Debug)]
struct Noise {
    function: Function,
    percent: i128,
    /// The largest number that the column holds, in units of the last place that a value shows; by the digits
    /// before its decimal point.
    most: Most,
}

#[derive(Debug, Clone, Copy)]
enum Most {
    Integer(i128),
    Digits(usize),
    Real,
    Double,
}

impl Most {
    fn is_float(self) -> bool {
        matches!(self, Most::Real | Most::Double)
    }

    /// Whether the type holds a number: one too small is refused, too, as it would become zero.
    fn takes(self, number: f64) -> bool {
        let size = number.abs();
        match self {
            Most::Real => (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&size),
            _ => (f64::MIN_POSITIVE..=f64::MAX).contains(&size),
        }
    }
}

/// A decimal number: its digits as one number, and how many stand behind the point.
fn decimal(value: &[u8]) -> Option<(i128, usize)> {
    let (digits, is_negative) = match value.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (value, false),
    };
    let mut number: i128 = 0;
    let mut scale = None;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                number = number.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                scale = scale.map(|scale| scale + 1);
            }
            b'.' if scale.is_none() => scale = Some(0),
            _ => return None,
        }
    }
    // Room for the noise, which multiplies by ten thousand.
    let fits = !digits.is_empty() && number < 10i128.pow(33) && scale.is_none_or(|scale| scale <= 33);
    let number = Some(number).filter(|_| fits)?;
    Some((if is_negative { -number } else { number }, scale.unwrap_or(0)))
}

/// The inverse of [`decimal`].
fn write_decimal(number: i128, scale: usize, out: &mut Vec<u8>) {
    let digits = number.unsigned_abs();
    if number < 0 {
        out.push(b'-');
    }
    let unit = 10u128.pow(scale as u32);
    // Writing into a Vec does not fail.
    let _ = if scale == 0 {
        write!(out, "{digits}")
    } else {
        write!(out, "{}.{:0scale$}", digits / unit, digits % unit)
    };
}

impl Noise {
    fn permille(&self, value: &[u8]) -> i128 {
        let digest = self.function.digest(value);
        let number = i128::from(u64::from_be_bytes([
            digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
        ]));
        // Hundredths of a percent, from -percent to percent.
        let span = self.percent * 100;
        number % (2 * span + 1) - span
    }

    fn most(&self, scale: usize) -> i128 {
        match self.most {
            Most::Integer(most) => most,
            Most::Digits(digits) => 10i128
                .checked_pow((digits + scale) as u32)
                .map_or(i128::MAX, |most| most - 1),
            Most::Real | Most::Double => i128::MAX,
        }
    }
}

impl Pseudonym for Noise {
    fn write(&self, value: &[u8], _: &Row<'_>, _: &mut Work, out: &mut Vec<u8>) {
        let noise = self.permille(value);
        let Some((number, scale)) = decimal(value) else {
            // Writing into a Vec does not fail.
            let _ = match parse::<f64>(value) {
                Some(number) if number.is_finite() && self.most.is_float() => {
                    let found = number * (1.0 + noise as f64 / 10_000.0);
                    let found = [found, number / 2.0, number * 2.0]
                        .into_iter()
                        .find(|found| *found != number && self.most.takes(*found));
                    write!(out, "{:e}", found.unwrap_or(0.0))
                }
                Some(number) if number.is_finite() => {
                    // A number of more than 33 digits: the first ones are kept in number, the others are not.
                    let whole = value.iter().take_while(|byte| **byte != b'.').count();
                    out.extend_from_slice(&value[..1.min(whole)]);
                    out.resize(out.len() + whole.saturating_sub(1), b'0');
                    Ok(())
                }
                // Infinity and NaN say nothing about a person.
                _ => out.write_all(match value {
                    b"NaN" | b"Infinity" | b"-Infinity" => value,
                    _ => b"0",
                }),
            };
            return;
        };
        let magnitude = number.abs();
        let mut change = magnitude * noise / 10_000;
        if change == 0 {
            change = 1;
        }
        let most = self.most(scale);
        let mut found = magnitude + change;
        if found > most || found < 0 {
            found = magnitude - change.abs();
        }
        write_decimal(if number < 0 { -found } else { found }, scale, out);
    }

    fn write_nearer(&self, original: &[u8], written: &[u8], step: u32, out: &mut Vec<u8>) -> bool {
        let (Some((original, scale)), Some((written, same))) = (decimal(original), decimal(written)) else {
            return false;
        };
        let away = nearer(written - original, step).filter(|_| scale == same);
        away.is_some_and(|away| {
            write_decimal(original + away, scale, out);
            true
        })
    }

    fn has_form(&self, value: &[u8]) -> bool {
        parse::<f64>(value).is_some()
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let most = match fitting.column.kind {
        Type::Integer(2) => Most::Integer(i128::from(i16::MAX)),
        Type::Integer(4) => Most::Integer(i128::from(i32::MAX)),
        Type::Integer(_) => Most::Integer(i128::from(i64::MAX)),
        Type::Numeric { digits } => Most::Digits(digits.unwrap_or(1000).min(38)),
        Type::Real => Most::Real,
        Type::Double => Most::Double,
        _ => return Err(fitting.wrong_type(ForTypes::Numbers)),
    };
    fitting.may_repeat()?;
    let percent = fitting.number("percent", 10, 1..=100)?;
    let mask = Noise {
        function: fitting.function("number"),
        percent: i128::from(percent),
        most,
    };
    Ok(fitting.fitted(mask, ANY_VALUE))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{case, of_kind, Case};
    use crate::types::Type;

    pub(crate) const CASES: &[Case] = &[case("number", "-?[1-9][0-9]{0,8}(\\.[0-9]{2})?", |old, new| {
        let (old, new): (f64, f64) = (old.parse().unwrap(), new.parse().unwrap());
        (new - old).abs() <= (old.abs() * 0.1).max(1.0) + 0.01
    })
    .on(|| Type::Numeric { digits: None })
    .repeats()];

    #[test]
    fn numbers_stay_near_and_keep_sign_and_scale() {
        for (kind, value, least, most) in [
            (Type::Numeric { digits: None }, "1000.50", 900.0, 1101.0),
            (Type::Integer(4), "-1000", -1101.0, -899.0),
            (Type::Integer(2), "32767", 29000.0, 32766.0),
            (Type::Numeric { digits: Some(3) }, "999.99", 890.0, 999.98),
            (Type::Integer(8), "0", 1.0, 1.0),
            (Type::Double, "1.5e+300", 1.3e300, 1.7e300),
        ] {
            let masked = of_kind("number", kind, value);
            let number: f64 = masked.parse().unwrap();
            assert!(
                masked != value && (least..=most).contains(&number),
                "{value} {masked}"
            );
            let scale = |text: &str| text.split_once('.').map(|(_, rest)| rest.len());
            assert!(value.contains('e') || scale(&masked) == scale(value));
        }
        assert_eq!(of_kind("number", Type::Double, "NaN"), "NaN");
    }
}

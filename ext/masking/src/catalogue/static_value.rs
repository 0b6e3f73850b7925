//! `static`: always the same value, of the column's type.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::constant;
use crate::misfit::{Expected, Misfit};
use crate::sql::quote_literal;
use crate::types::{Test, Type};
use serde_json::Value;
use std::net::IpAddr;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("value", "the value, required")],
    example: Example::of_text("secret").with(r#"{"value": "n/a"}"#),
    own_form: |_| true,
    ..CatalogueEntry::new("static", "always the same value", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    fitting.may_repeat()?;
    let given = match fitting.option("value") {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        _ => return Err(fitting.wrong_option("value", Expected::Value)),
    };
    match form(fitting, &given).or_else(|| neutral_form(fitting, &given)) {
        Some(form) => Ok(constant::fit(fitting, &given, form)),
        None => Err(fitting.unfit(Misfit::StaticValue {
            column_type: fitting.column_type(),
        })),
    }
}

/// Whether the column's type takes a value.
pub(super) fn takes(fitting: &Fitting<'_>, given: &str) -> bool {
    form(fitting, given)
        .or_else(|| neutral_form(fitting, given))
        .is_some()
}

/// The condition that the column holds this value; None where its type does not take it.
fn form(fitting: &Fitting<'_>, given: &str) -> Option<String> {
    let sql = fitting.sql();
    let of_type = |name: &str| format!("{sql} = {}::pg_catalog.{name}", quote_literal(given));
    let integer = || given.parse::<i64>().ok();
    let is_float = || given.parse::<f64>().is_ok_and(f64::is_finite);
    match &fitting.column.kind {
        Type::Text { limit, padded, .. } => {
            let fits = given.chars().count() <= limit.unwrap_or(usize::MAX);
            (fits && !(*padded && given.ends_with(' '))).then(|| fitting.equals(given))
        }
        Type::Integer(bytes) => {
            let fits = |number: &i64| match bytes {
                2 => i16::try_from(*number).is_ok(),
                4 => i32::try_from(*number).is_ok(),
                _ => true,
            };
            integer().filter(fits).map(|number| format!("{sql} = {number}"))
        }
        Type::Numeric { digits } => decimal_form(given, *digits, &sql),
        Type::Real => is_float().then(|| of_type("float4")),
        Type::Double => is_float().then(|| of_type("float8")),
        Type::Boolean => {
            matches!(given, "true" | "false" | "t" | "f").then(|| format!("{sql} = {}", quote_literal(given)))
        }
        Type::Date => given.parse::<jiff::civil::Date>().ok().map(|_| of_type("date")),
        Type::Timestamp => given
            .parse::<jiff::civil::DateTime>()
            .ok()
            .map(|_| of_type("timestamp")),
        Type::TimestampTz => given
            .parse::<jiff::Timestamp>()
            .ok()
            .map(|_| of_type("timestamptz")),
        Type::Time => given
            .parse::<jiff::civil::Time>()
            .ok()
            // A time alone, not that of a moment.
            .filter(|_| given.as_bytes().get(2) == Some(&b':'))
            .map(|_| of_type("time")),
        Type::Uuid => is_uuid(given).then(|| fitting.equals(given)),
        Type::Inet => network(given).map(|_| of_type("inet")),
        Type::Cidr => network(given)
            .filter(|(address, length)| has_no_host(*address, *length))
            .map(|_| of_type("cidr")),
        Type::MacAddr => is_mac(given, 6).then(|| of_type("macaddr")),
        Type::MacAddr8 => is_mac(given, 8).then(|| of_type("macaddr8")),
        Type::Bytea => {
            let digits = given.strip_prefix("\\x")?;
            let is_hex =
                digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| of_type("bytea"))
        }
        Type::Bit(length) => (given.len() == *length && is_bits(given)).then(|| fitting.equals(given)),
        Type::VarBit => is_bits(given).then(|| fitting.equals(given)),
        Type::Jsonb => is_json(given).then(|| of_type("jsonb")),
        Type::Json => is_json(given).then(|| fitting.equals(given)),
        Type::Enum(labels) => labels
            .iter()
            .any(|label| label == given)
            .then(|| fitting.equals(given)),
        _ => None,
    }
}

/// The same where the value is the one that says nothing, which each known type has.
fn neutral_form(fitting: &Fitting<'_>, given: &str) -> Option<String> {
    let neutral = fitting
        .column
        .kind
        .neutral()
        .filter(|neutral| neutral.value == given)?;
    Some(match neutral.test {
        Test::Text(_) => fitting.equals(given),
        Test::Equals(sql) => format!("{} = {sql}", fitting.sql()),
    })
}

/// The condition for a number such as -12.50 in a column of so many digits before the point, which may round it.
fn decimal_form(given: &str, digits: Option<usize>, sql: &str) -> Option<String> {
    let (whole, behind) = match given.split_once('.') {
        Some((whole, behind)) => (whole, Some(behind)),
        None => (given, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !behind.is_none_or(is_digits) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let (Some(room), Some(behind)) = (digits, behind) else {
        let fits = digits.is_none_or(|room| whole.len() <= room);
        return fits.then(|| format!("{sql} = {given}"));
    };
    // What is rounded up may need a digit more.
    let carries = behind >= "5" && whole.bytes().all(|byte| byte == b'9');
    (whole.len() + usize::from(carries) <= room).then(|| format!("pg_catalog.abs({sql} - ({given})) <= 0.5"))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// An address and how many bits of it are the network's.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(width);
    (length <= width).then_some((address, length))
}

/// Whether all bits behind the network's are zero.
fn has_no_host(address: IpAddr, length: u32) -> bool {
    match address {
        IpAddr::V4(address) => address.to_bits().trailing_zeros() + length >= 32,
        IpAddr::V6(address) => address.to_bits().trailing_zeros() + length >= 128,
    }
}

fn is_mac(text: &str, bytes: usize) -> bool {
    let is_byte = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(':').count() == bytes && text.split(':').all(is_byte)
}

fn is_bits(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0' | b'1'))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, on_text, Case};
    use serde_json::json;

    pub(crate) const CASES: &[Case] = &[case("static", "[a-z]{1,9}", |_, new| new == "n/a")
        .with(r#"{"value": "n/a"}"#)
        .repeats()];

    #[test]
    fn the_value_is_what_the_option_says() {
        assert_eq!(on_text("static", json!({"value": "n/a"}), "x"), "n/a");
    }
}

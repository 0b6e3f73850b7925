//! Dates and moments as PostgreSQL writes them in ISO style, on the proleptic Gregorian calendar.

use super::bytes;
use std::io::Write;

pub(super) const SECONDS_OF_DAY: i64 = 86_400;

/// The first day that PostgreSQL knows: 4714-11-24 BC.
pub(super) const FIRST: i64 = -2_440_588;

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar (Hinnant's algorithm).
pub(super) fn days_from(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse: year, month, day.
pub(super) fn civil_from(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// A date or a moment.
pub(super) struct Moment<'a> {
    /// Days since 1970-01-01.
    pub(super) days: i64,
    /// Seconds of the day; None for a date.
    pub(super) seconds: Option<i64>,
    /// Fractions of a second, and the zone.
    pub(super) rest: &'a [u8],
}

/// The digits of a second's fraction in what stands behind the seconds, and what stands behind them.
pub(super) fn fraction(rest: &[u8]) -> (&[u8], &[u8]) {
    match rest.strip_prefix(b".") {
        Some(rest) => rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count()),
        None => (b"", rest),
    }
}

/// What a value says; None when it is no date, which infinity is none of.
pub(super) fn parse(value: &[u8]) -> Option<Moment<'_>> {
    let (value, is_bc) = match value.strip_suffix(b" BC") {
        Some(value) => (value, true),
        None => (value, false),
    };
    let year_length = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = &value[year_length..];
    if year_length < 4 || rest.len() < 6 || rest[0] != b'-' || rest[3] != b'-' {
        return None;
    }
    let number = |text: &[u8]| bytes::parse::<i64>(text).filter(|_| text.iter().all(u8::is_ascii_digit));
    let year = number(&value[..year_length])?;
    let year = if is_bc { 1 - year } else { year };
    let (month, day) = (number(&rest[1..3])?, number(&rest[4..6])?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let time = &rest[6..];
    let (seconds, rest) = if time.is_empty() {
        (None, time)
    } else {
        if time.len() < 9 || time[3] != b':' || time[6] != b':' {
            return None;
        }
        let (hour, minute, second) = (number(&time[1..3])?, number(&time[4..6])?, number(&time[7..9])?);
        (Some(hour * 3600 + minute * 60 + second), &time[9..])
    };
    Some(Moment {
        days: days_from(year, month, day),
        seconds,
        rest,
    })
}

/// A date or moment in seconds since 1970-01-01 00:00, in UTC where it has a zone; the ends of time for infinity.
pub fn seconds_of(value: &[u8]) -> Option<i64> {
    match value {
        b"infinity" => return Some(i64::MAX),
        b"-infinity" => return Some(i64::MIN),
        _ => {}
    }
    let parsed = parse(value)?;
    let zone = parsed.rest.iter().position(|byte| matches!(byte, b'+' | b'-'));
    let offset = zone.map_or(0, |at| {
        let (sign, zone) = (parsed.rest[at], &parsed.rest[at + 1..]);
        let parts = zone.split(|byte| *byte == b':').zip([3600, 60, 1]);
        let seconds: i64 = parts
            .map(|(part, unit)| bytes::parse::<i64>(part).unwrap_or(0) * unit)
            .sum();
        if sign == b'-' {
            -seconds
        } else {
            seconds
        }
    });
    Some(parsed.days * SECONDS_OF_DAY + parsed.seconds.unwrap_or(0) - offset)
}

/// The inverse of [`parse`].
pub(super) fn write(days: i64, seconds: Option<i64>, rest: &[u8], out: &mut Vec<u8>) {
    let (year, month, day) = civil_from(days);
    let shown = if year > 0 { year } else { 1 - year };
    // Writing into a Vec does not fail.
    let _ = write!(out, "{shown:04}-{month:02}-{day:02}");
    if let Some(seconds) = seconds {
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let _ = write!(out, " {hour:02}:{minute:02}:{second:02}");
    }
    out.extend_from_slice(rest);
    if year <= 0 {
        out.extend_from_slice(b" BC");
    }
}

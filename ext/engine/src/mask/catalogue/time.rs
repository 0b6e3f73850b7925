//! `date`, `birth_date` and `timestamp`.

use super::recipe::{Fitting, Pseudonym, Work};
use crate::copy;
use crate::mask::action::Row;
use crate::mask::compile::{Fitted, ANY_VALUE};
use crate::mask::key::Function;
use crate::mask::types::Type;
use std::io::Write;

/// What happens to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It moves by up to so many days.
    Shift(i64),
    /// It becomes another day of the same year.
    WithinYear,
    /// It becomes the first day of the first year of its band of so many years.
    Band(i64),
}

#[derive(Debug)]
struct Days {
    function: Function,
    change: Change,
    /// The time of day changes too.
    seconds: bool,
    /// Whose dates move together: the columns that say it, or the value itself.
    subject: Vec<usize>,
    /// The last day that the column's type holds.
    last: i64,
}

const SECONDS_OF_DAY: i64 = 86_400;

/// The first day that PostgreSQL knows: 4714-11-24 BC.
const FIRST: i64 = -2_440_588;

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar (Hinnant's algorithm).
fn days_from(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse: year, month, day.
fn civil_from(days: i64) -> (i64, i64, i64) {
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

/// A date as PostgreSQL writes it in ISO style.
struct Parsed<'a> {
    days: i64,
    /// Seconds of the day; None for a date.
    seconds: Option<i64>,
    /// Fractions of a second, and the zone.
    rest: &'a [u8],
}

fn parse(value: &[u8]) -> Option<Parsed<'_>> {
    let (value, is_bc) = match value.strip_suffix(b" BC") {
        Some(value) => (value, true),
        None => (value, false),
    };
    let year_length = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = &value[year_length..];
    if year_length < 4 || rest.len() < 6 || rest[0] != b'-' || rest[3] != b'-' {
        return None;
    }
    let number = |text: &[u8]| super::parse::<i64>(text).filter(|_| text.iter().all(u8::is_ascii_digit));
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
    Some(Parsed {
        days: days_from(year, month, day),
        seconds,
        rest,
    })
}

/// A date or moment in seconds since 1970-01-01 00:00, in UTC where it has a zone; the ends of time for infinity.
pub(crate) fn seconds_of(value: &[u8]) -> Option<i64> {
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
            .map(|(part, unit)| super::parse::<i64>(part).unwrap_or(0) * unit)
            .sum();
        if sign == b'-' {
            -seconds
        } else {
            seconds
        }
    });
    Some(parsed.days * SECONDS_OF_DAY + parsed.seconds.unwrap_or(0) - offset)
}

fn write(days: i64, seconds: Option<i64>, rest: &[u8], out: &mut Vec<u8>) {
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

impl Days {
    fn number(&self, value: &[u8], row: &Row<'_>, scratch: &mut Vec<u8>) -> u64 {
        let has_subject = self.subject.iter().any(|place| row.field(*place) != b"\\N");
        let digest = if has_subject {
            let mut parts = self.function.begin();
            for place in &self.subject {
                parts.add(copy::decode(row.field(*place), scratch));
            }
            parts.finish()
        } else {
            self.function.digest(value)
        };
        let mut eight = [0; 8];
        eight.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(eight)
    }
}

impl Pseudonym for Days {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let Some(parsed) = parse(value) else {
            // infinity and -infinity say nothing of anybody; anything else is no date.
            let written: &[u8] = match value {
                b"infinity" | b"-infinity" => value,
                _ => b"1970-01-01",
            };
            return out.extend_from_slice(written);
        };
        let (mut days, mut seconds) = (parsed.days, parsed.seconds);
        match self.change {
            Change::Shift(most) => {
                let number = self.number(value, row, &mut work.first);
                // From -most to most, without zero.
                let mut shift = (number % (2 * most as u64)) as i64 - most;
                if shift >= 0 {
                    shift += 1;
                }
                if !(FIRST..=self.last).contains(&(days + shift)) {
                    shift = -shift;
                }
                if let (true, Some(of_day)) = (self.seconds, seconds) {
                    let more = (number >> 32) as i64 % SECONDS_OF_DAY;
                    seconds = Some((of_day + more) % SECONDS_OF_DAY);
                    days += (of_day + more) / SECONDS_OF_DAY;
                    if days + shift > self.last {
                        shift = -shift;
                    }
                }
                days += shift;
            }
            Change::WithinYear => {
                let (year, ..) = civil_from(days);
                let first = days_from(year, 1, 1);
                let length = days_from(year + 1, 1, 1) - first;
                let number = self.function.digest(value)[..8]
                    .iter()
                    .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
                let step = (number % (length as u64 - 1)) as i64 + 1;
                days = first + (days - first + step) % length;
                days = days.clamp(FIRST, self.last);
            }
            Change::Band(years) => {
                let (year, ..) = civil_from(days);
                days = days_from(year - year.rem_euclid(years), 1, 1).clamp(FIRST, self.last);
                seconds = seconds.map(|_| 0);
            }
        }
        write(days, seconds, parsed.rest, out);
    }

    fn write_nearer(&self, original: &[u8], written: &[u8], step: u32, out: &mut Vec<u8>) -> bool {
        let (Some(original), Some(written)) = (parse(original), parse(written)) else {
            return false;
        };
        let Some(of_day) = original.seconds else {
            let away = super::nearer(i128::from(written.days - original.days), step);
            return away.is_some_and(|away| {
                write(original.days + away as i64, None, original.rest, out);
                true
            });
        };
        let moment = |parsed: &Parsed<'_>| parsed.days * SECONDS_OF_DAY + parsed.seconds.unwrap_or(0);
        let away = super::nearer(i128::from(moment(&written) - moment(&original)), step);
        away.is_some_and(|away| {
            let found = original.days * SECONDS_OF_DAY + of_day + away as i64;
            let (days, seconds) = (found.div_euclid(SECONDS_OF_DAY), found.rem_euclid(SECONDS_OF_DAY));
            write(days, Some(seconds), original.rest, out);
            true
        })
    }

    fn has_form(&self, value: &[u8]) -> bool {
        match parse(value) {
            None => matches!(value, b"infinity" | b"-infinity"),
            Some(parsed) => match self.change {
                Change::Band(years) => {
                    let (year, month, day) = civil_from(parsed.days);
                    month == 1 && day == 1 && year.rem_euclid(years) == 0 || parsed.days == FIRST
                }
                _ => true,
            },
        }
    }
}

/// Whose dates move together: the column that the option names, else the primary key.
fn subject(fitting: &Fitting<'_>) -> Result<Vec<usize>, String> {
    match fitting.string("subject")? {
        None => Ok(fitting.table.key.clone()),
        Some(name) => fitting
            .table
            .columns
            .iter()
            .position(|column| column.name == name)
            .map(|place| vec![place])
            .ok_or_else(|| fitting.wrong_option("subject", "a column of its table")),
    }
}

fn fit(fitting: &Fitting<'_>, change: Change, seconds: bool, subject: Vec<usize>) -> Result<Fitted, String> {
    let last = match fitting.column.kind {
        Type::Date if !seconds => days_from(5_874_897, 12, 31),
        Type::Timestamp | Type::TimestampTz => days_from(294_276, 12, 30),
        _ if seconds => return Err(fitting.wrong_type("timestamp columns")),
        _ => return Err(fitting.wrong_type("date and timestamp columns")),
    };
    fitting.may_repeat()?;
    let form = match change {
        // With a time zone, the day is another one for another session.
        Change::Band(years) if fitting.column.kind != Type::TimestampTz => {
            let sql = fitting.sql();
            // Years before Christ count from another end: those are left to the check in flight.
            format!(
                "NOT pg_catalog.isfinite({sql}) OR extract(year FROM {sql}) <= 0 \
                 OR extract(doy FROM {sql}) = 1 AND extract(year FROM {sql})::int8 % {years} = 0"
            )
        }
        _ => ANY_VALUE.into(),
    };
    let days = Days {
        function: fitting.function("date"),
        change,
        seconds,
        subject,
        last,
    };
    Ok(fitting.fitted(days, form))
}

/// What the options ask for.
fn change(fitting: &Fitting<'_>, default: Change) -> Result<Change, String> {
    let asked: Vec<&str> = ["days", "keep_year", "age_band"]
        .into_iter()
        .filter(|option| fitting.options.contains_key(*option))
        .collect();
    if asked.len() > 1 {
        return Err(fitting.problem(
            &format!(
                "has the mask :{} with the options {}, which exclude one another.",
                fitting.name,
                asked.join(" and ")
            ),
            "Keep one of them.",
        ));
    }
    Ok(if fitting.options.contains_key("age_band") {
        Change::Band(fitting.number("age_band", 5, 2..=100)? as i64)
    } else if fitting.flag("keep_year")? {
        Change::WithinYear
    } else if fitting.options.contains_key("days") {
        Change::Shift(fitting.number("days", 180, 2..=36_500)? as i64)
    } else {
        default
    })
}

pub(super) fn date(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(
        fitting,
        change(fitting, Change::Shift(180))?,
        false,
        subject(fitting)?,
    )
}

pub(super) fn birth_date(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(
        fitting,
        change(fitting, Change::WithinYear)?,
        false,
        subject(fitting)?,
    )
}

pub(super) fn timestamp(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let days = fitting.number("days", 180, 2..=36_500)? as i64;
    fit(fitting, Change::Shift(days), true, subject(fitting)?)
}

//! Dates and moments that move: by a number of days, within a year, to the beginning of a band of years. A moment moves at
//! full precision: the fraction of its second would say whose row it is.

use crate::entry::{Fitted, Fitting, ANY_VALUE};
use crate::error::Unfit;
use crate::key::Function;
use crate::misfit::{Expected, ForTypes, Misfit};
use crate::moment::{civil_from, days_from, fraction, parse, write, Moment, FIRST, SECONDS_OF_DAY};
use crate::pseudonym::{nearer, Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::{self, Row};
use std::io::Write as IoWrite;

/// The option `subject` of the masks here.
pub(crate) const SUBJECT: (&str, &str) = (
    "subject",
    "the column whose value says which dates move together; by default the primary key",
);

/// What happens to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It moves by up to so many days.
    Shift(i64),
    /// It becomes another day of the same year.
    WithinYear,
    /// It becomes the first day of the first year of its band of so many years.
    Band(i64),
}

/// Microseconds of a second.
const MICROS: u64 = 1_000_000;

#[derive(Debug)]
struct Days {
    function: Function,
    change: Change,
    /// A midnight stays one: the column's moments may be days.
    keeps_midnight: bool,
    /// Whose dates move together: the columns that say it, or the value itself.
    subject: Vec<usize>,
    /// The last day that the column's type holds.
    last: i64,
}

/// How far a value moves. The time of day moves, too, to the microsecond, since it would say whose row it is.
struct Step {
    /// For the days.
    number: u64,
    /// Seconds of a day.
    seconds: i64,
    micros: u64,
}

/// Where a moment has come to within its day: its seconds, whether that is past midnight, its fraction's digits.
struct TimeOfDay {
    seconds: i64,
    is_past_midnight: bool,
    micros: u64,
}

impl Step {
    fn of(digest: &[u8; 32]) -> Self {
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&digest[at..at + 8]);
            u64::from_be_bytes(eight)
        };
        Self {
            number: number(0),
            seconds: (number(0) >> 32) as i64 % SECONDS_OF_DAY,
            micros: number(8) % MICROS,
        }
    }

    /// A time of day after the step, as precise as it shows itself: of `digits` digits behind its seconds.
    fn time(&self, seconds: i64, fraction: &[u8]) -> TimeOfDay {
        let unit = 10u64.pow(6 - fraction.len().min(6) as u32);
        let digits = fraction.iter().take(6);
        let shown = digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')) * unit;
        let micros = shown + self.micros / unit * unit;
        let seconds = seconds + self.seconds + (micros / MICROS) as i64;
        TimeOfDay {
            seconds: seconds % SECONDS_OF_DAY,
            is_past_midnight: seconds >= SECONDS_OF_DAY,
            micros: micros % MICROS,
        }
    }
}

impl Days {
    /// The step of the subject of a row, or of the value itself where it has none.
    fn step(&self, value: &[u8], row: &Row<'_>, scratch: &mut Vec<u8>) -> Step {
        let has_subject = self.subject.iter().any(|place| row.field(*place) != b"\\N");
        if !has_subject || self.change == Change::WithinYear {
            return Step::of(&self.function.digest(value));
        }
        let mut parts = self.function.begin();
        for place in &self.subject {
            parts.add(copy::decode(row.field(*place), scratch));
        }
        Step::of(&parts.finish())
    }

    /// The day that a day becomes; `more` is the day that the time of day has gone past.
    fn day(&self, days: i64, more: i64, step: &Step) -> i64 {
        match self.change {
            Change::Shift(most) => {
                // From -most to most, without zero.
                let mut shift = (step.number % (2 * most as u64)) as i64 - most;
                if shift >= 0 {
                    shift += 1;
                }
                if !(FIRST..=self.last).contains(&(days + more + shift)) {
                    shift = -shift;
                }
                days + more + shift
            }
            Change::WithinYear => {
                let (year, ..) = civil_from(days);
                let first = days_from(year, 1, 1);
                let length = days_from(year + 1, 1, 1) - first;
                let step = (step.number % (length as u64 - 1)) as i64 + 1;
                (first + (days - first + step) % length).clamp(FIRST, self.last)
            }
            Change::Band(years) => {
                let (year, ..) = civil_from(days);
                days_from(year - year.rem_euclid(years), 1, 1).clamp(FIRST, self.last)
            }
        }
    }
}

impl Pseudonym for Days {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let Some(parsed) = parse(value) else {
            // infinity and -infinity say nothing about a person; anything else is no date.
            let written: &[u8] = match value {
                b"infinity" | b"-infinity" => value,
                _ => b"1970-01-01",
            };
            return out.extend_from_slice(written);
        };
        let step = self.step(value, row, &mut work.first);
        let Some(seconds) = parsed.seconds else {
            return write(self.day(parsed.days, 0, &step), None, parsed.rest, out);
        };
        let (fraction, zone) = fraction(parsed.rest);
        if matches!(self.change, Change::Band(_)) {
            return write(self.day(parsed.days, 0, &step), Some(0), zone, out);
        }
        if self.keeps_midnight && seconds == 0 && fraction.is_empty() {
            return write(self.day(parsed.days, 0, &step), Some(0), zone, out);
        }
        let time = step.time(seconds, fraction);
        let more = i64::from(time.is_past_midnight);
        let rest = &mut work.second;
        rest.clear();
        if !fraction.is_empty() {
            // Writing into a Vec does not fail.
            let _ = IoWrite::write_fmt(rest, format_args!(".{:06}", time.micros));
            rest.truncate(1 + fraction.len().min(6));
        }
        rest.extend_from_slice(zone);
        write(self.day(parsed.days, more, &step), Some(time.seconds), rest, out);
    }

    fn write_nearer(&self, original: &[u8], written: &[u8], step: u32, out: &mut Vec<u8>) -> bool {
        let (Some(original), Some(written)) = (parse(original), parse(written)) else {
            return false;
        };
        let Some(of_day) = original.seconds else {
            let away = nearer(i128::from(written.days - original.days), step);
            return away.is_some_and(|away| {
                write(original.days + away as i64, None, original.rest, out);
                true
            });
        };
        let at = |parsed: &Moment<'_>| parsed.days * SECONDS_OF_DAY + parsed.seconds.unwrap_or(0);
        let away = nearer(i128::from(at(&written) - at(&original)), step);
        away.is_some_and(|away| {
            let found = original.days * SECONDS_OF_DAY + of_day + away as i64;
            let (days, seconds) = (found.div_euclid(SECONDS_OF_DAY), found.rem_euclid(SECONDS_OF_DAY));
            write(days, Some(seconds), written.rest, out);
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
fn subject(fitting: &Fitting<'_>) -> Result<Vec<usize>, Box<Unfit>> {
    match fitting.string("subject")? {
        None => Ok(fitting.ground.table.key.clone()),
        Some(name) => fitting
            .ground
            .table
            .position(name)
            .map(|place| vec![place])
            .ok_or_else(|| fitting.wrong_option("subject", Expected::Column)),
    }
}

/// Fits it to date and timestamp columns; those alone that are `moments`, to the latter.
pub(crate) fn fit(fitting: &Fitting<'_>, change: Change, moments: bool) -> Result<Fitted, Box<Unfit>> {
    let subject = subject(fitting)?;
    let last = match fitting.column.kind {
        Type::Date if !moments => days_from(5_874_897, 12, 31),
        Type::Timestamp | Type::TimestampTz => days_from(294_276, 12, 30),
        _ if moments => return Err(fitting.wrong_type(ForTypes::Timestamps)),
        _ => return Err(fitting.wrong_type(ForTypes::Dates)),
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
        keeps_midnight: !moments,
        subject,
        last,
    };
    Ok(fitting.fitted(days, form))
}

/// What the options ask for.
pub(crate) fn change(fitting: &Fitting<'_>, default: Change) -> Result<Change, Box<Unfit>> {
    let asked: Vec<&'static str> = ["days", "keep_year", "age_band"]
        .into_iter()
        .filter(|option| fitting.option(option).is_some())
        .collect();
    if asked.len() > 1 {
        return Err(fitting.unfit(Misfit::Exclusive {
            mask: fitting.name(),
            options: asked,
        }));
    }
    Ok(if fitting.option("age_band").is_some() {
        Change::Band(fitting.number("age_band", 5, 2..=100)? as i64)
    } else if fitting.flag("keep_year")? {
        Change::WithinYear
    } else if fitting.option("days").is_some() {
        Change::Shift(fitting.number("days", 180, 2..=36_500)? as i64)
    } else {
        default
    })
}

//! Dates and moments that move: by a number of days, within a year, to the beginning of a band of years.

use crate::entry::{Fitted, Fitting, ANY_VALUE};
use crate::error::{Misfit, Unfit};
use crate::key::Function;
use crate::moment::{civil_from, days_from, parse, write, Moment, FIRST, SECONDS_OF_DAY};
use crate::pseudonym::{nearer, Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::{self, Row};

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
fn subject(fitting: &Fitting<'_>) -> Result<Vec<usize>, Box<Unfit>> {
    match fitting.string("subject")? {
        None => Ok(fitting.ground.table.key.clone()),
        Some(name) => fitting
            .ground
            .table
            .position(name)
            .map(|place| vec![place])
            .ok_or_else(|| fitting.wrong_option("subject", "a column of its table")),
    }
}

/// Fits it to date and timestamp columns; if the time of day changes too (`seconds`), to the latter.
pub(crate) fn fit(fitting: &Fitting<'_>, change: Change, seconds: bool) -> Result<Fitted, Box<Unfit>> {
    let subject = subject(fitting)?;
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
pub(crate) fn change(fitting: &Fitting<'_>, default: Change) -> Result<Change, Box<Unfit>> {
    let asked: Vec<&str> = ["days", "keep_year", "age_band"]
        .into_iter()
        .filter(|option| fitting.option(option).is_some())
        .collect();
    if asked.len() > 1 {
        return Err(fitting.unfit(
            Misfit::Option(asked[0].to_owned()),
            format!(
                "has the mask :{} with the options {}, which exclude one another.",
                fitting.name(),
                asked.join(" and ")
            ),
            "Keep one of them.",
        ));
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

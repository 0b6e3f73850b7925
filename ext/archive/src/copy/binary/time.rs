//! Dates and times, from PostgreSQL's ISO text to days and microseconds since the year 2000.

/// Microseconds.
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Years that a `timestamp` and a `date` can have; the server knows the exact days at both ends.
const FIRST_YEAR: i64 = -4713;
const LAST_YEAR_OF_TIMESTAMP: i64 = 294_277;
const LAST_YEAR_OF_DATE: i64 = 5_874_898;

/// The farthest that a time zone may be from UTC, in hours (`MAX_TZDISP_HOUR`).
const FARTHEST_ZONE: i64 = 15;

/// A `date`: days since 2000-01-01.
pub(super) fn date(raw: &[u8]) -> Option<i32> {
    match raw {
        b"infinity" => Some(i32::MAX),
        b"-infinity" => Some(i32::MIN),
        _ => {
            let (raw, before_christ) = era(raw);
            let (days, rest) = day(raw, before_christ, LAST_YEAR_OF_DATE)?;
            i32::try_from(days).ok().filter(|_| rest.is_empty())
        }
    }
}

/// A `timestamp` without time zone: microseconds since 2000-01-01.
#[inline]
pub(super) fn timestamp(raw: &[u8]) -> Option<i64> {
    let (microseconds, rest) = moment(raw)?;
    rest.is_empty().then_some(microseconds)
}

/// A `timestamp` with time zone: microseconds since 2000-01-01 in UTC. The zone must be written as an offset.
#[inline]
pub(super) fn timestamp_tz(raw: &[u8]) -> Option<i64> {
    let (microseconds, rest) = moment(raw)?;
    match rest {
        b"+00" => Some(microseconds),
        _ if matches!(microseconds, i64::MAX | i64::MIN) => rest.is_empty().then_some(microseconds),
        _ => Some(microseconds - offset(rest)?),
    }
}

/// A `time` without time zone: microseconds since midnight.
pub(super) fn time(raw: &[u8]) -> Option<i64> {
    if raw == b"24:00:00" {
        return Some(DAY);
    }
    let (microseconds, rest) = clock(raw)?;
    rest.is_empty().then_some(microseconds)
}

/// A date and time, and what follows it but the era.
#[inline]
fn moment(raw: &[u8]) -> Option<(i64, &[u8])> {
    let (raw, before_christ) = era(raw);
    let Some((days, rest)) = day(raw, before_christ, LAST_YEAR_OF_TIMESTAMP) else {
        return match raw {
            b"infinity" => Some((i64::MAX, b"")),
            b"-infinity" => Some((i64::MIN, b"")),
            _ => None,
        };
    };
    let (microseconds, rest) = clock(rest.strip_prefix(b" ")?)?;
    Some((days * DAY + microseconds, rest))
}

/// Without the ` BC` at the end, and whether it was there.
#[inline]
fn era(raw: &[u8]) -> (&[u8], bool) {
    match raw {
        [rest @ .., b' ', b'B', b'C'] => (rest, true),
        _ => (raw, false),
    }
}

/// The days of `2024-02-29`, and what follows. A year has four digits or more.
#[inline]
fn day(raw: &[u8], before_christ: bool, last_year: i64) -> Option<(i64, &[u8])> {
    let (year, rest) = match raw {
        [y1, y2, y3, y4, b'-', ..] => (two(*y1, *y2)? * 100 + two(*y3, *y4)?, &raw[4..]),
        _ => long_year(raw)?,
    };
    let [b'-', m1, m2, b'-', d1, d2, rest @ ..] = rest else {
        return None;
    };
    let (month, day) = (two(*m1, *m2)?, two(*d1, *d2)?);
    if year == 0 {
        return None;
    }
    let year = if before_christ { 1 - year } else { year };
    let is_one = (FIRST_YEAR..=last_year).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(month, year)).contains(&day);
    is_one.then(|| (days_since_2000(year, month, day), rest))
}

/// A year of five to seven digits, and what follows.
#[cold]
fn long_year(raw: &[u8]) -> Option<(i64, &[u8])> {
    let digits = raw.iter().take(8).position(|byte| *byte == b'-')?;
    let (year, rest) = raw.split_at_checked(digits).filter(|_| digits > 4)?;
    let year = year
        .iter()
        .try_fold(0, |year, byte| Some(year * 10 + digit(*byte)?))?;
    Some((year, rest))
}

/// The microseconds of `13:30:05.25`, and what follows.
#[inline]
fn clock(raw: &[u8]) -> Option<(i64, &[u8])> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = raw else {
        return None;
    };
    let (hour, minute, second) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    Some((((hour * 60 + minute) * 60 + second) * SECOND + fraction, rest))
}

/// One to six digits behind the point, as microseconds, and what follows. The server would round more.
#[inline]
fn fraction(raw: &[u8]) -> Option<(i64, &[u8])> {
    let mut value = 0;
    let mut unit = SECOND;
    let mut rest = raw;
    while let [byte, after @ ..] = rest {
        let Some(digit) = digit(*byte) else { break };
        if unit == 1 {
            return None;
        }
        unit /= 10;
        value += digit * unit;
        rest = after;
    }
    (unit < SECOND).then_some((value, rest))
}

/// The microseconds that `+05:30` is ahead of UTC; seconds occur in local mean times.
fn offset(raw: &[u8]) -> Option<i64> {
    let (sign, rest) = match raw {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes, seconds) = match rest {
        [h1, h2] => (two(*h1, *h2)?, 0, 0),
        [h1, h2, b':', m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?, 0),
        [h1, h2, b':', m1, m2, b':', s1, s2] => (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?),
        _ => return None,
    };
    let is_one = hours <= FARTHEST_ZONE && minutes < 60 && seconds < 60;
    is_one.then_some(sign * ((hours * 60 + minutes) * 60 + seconds) * SECOND)
}

#[inline]
fn digit(byte: u8) -> Option<i64> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some(i64::from(digit))
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then_some(i64::from(tens) * 10 + i64::from(ones))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[inline]
fn days_in(month: i64, year: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 2000-01-01 in the Gregorian calendar, which PostgreSQL extends to all times; year 0 is 1 BC.
#[inline]
fn days_since_2000(year: i64, month: i64, day: i64) -> i64 {
    /// Days in the months before each one, in a year that begins in March, so that a leap day is its last.
    const BEFORE: [i64; 12] = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
    /// Whole turns of the calendar, so that no year is negative: unsigned numbers are quicker to divide.
    const TURNS: i64 = 12 * 400;
    /// 2000-01-01, counted as below.
    const EPOCH: i64 = 2_483_589;
    let year = if month <= 2 { year - 1 } else { year } + TURNS;
    let whole = year as u32;
    let leap_days = i64::from(whole / 4) - i64::from(whole / 100) + i64::from(whole / 400);
    year * 365 + leap_days + BEFORE[(month - 1) as usize] + day - 1 - EPOCH
}

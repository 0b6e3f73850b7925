//! How a hypertable is divided, as the CHECKs of its chunks have it: `at >= '2026-06-01'::date AND at < '2026-06-08'::date`
//! of a range, `_timescaledb_functions.get_partition_hash(id) < 1073741823` of a hash.

use crate::plan::entries::TIMESCALEDB;
use crate::plan::sql::{split, Cursor, Token};
use crate::plan::TableName;

/// Hashes are below this (TimescaleDB's `DIMENSION_SLICE_CLOSED_MAX`).
const HASHES: i64 = 2_147_483_647;

/// One column by which a hypertable is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) struct Dimension {
    pub(in crate::plan) column: String,
    /// What is made of its values before they are divided, other than by the extension's own hash.
    pub(in crate::plan) function: Option<TableName>,
    pub(in crate::plan) slices: Slices,
}

/// Into what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) enum Slices {
    /// Ranges of this width, in SQL.
    Range(String),
    /// So many partitions by hash.
    Hash(i64),
}

/// A value that a chunk begins with, or ends before.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bound {
    Number(i64),
    Time { value: String, sql_type: &'static str },
}

impl Dimension {
    pub(in crate::plan) fn is_range(&self) -> bool {
        matches!(self.slices, Slices::Range(_))
    }

    /// What a CHECK of a chunk says; None where it says something else, or not how wide the chunk is.
    pub(super) fn read(check: &[Token<'_>]) -> Option<Self> {
        let (mut low, mut high, mut divided) = (None, None, None);
        for part in conjuncts(bare(check)) {
            let at = part
                .iter()
                .position(|token| token.is_symbol('<') || token.is_symbol('>'))?;
            let (left, right) = (bare(part.get(..at)?), part.get(at + 1..)?);
            let this = expression(left)?;
            if divided.get_or_insert_with(|| this.clone()) != &this {
                return None;
            }
            match (&part[at], right.split_first()) {
                (Token::Symbol('>'), Some((equal, right))) if equal.is_symbol('=') => {
                    low = Some(bound(right)?)
                }
                (Token::Symbol('<'), _) => high = Some(bound(right)?),
                _ => return None,
            }
        }
        let (column, function) = divided?;
        let is_hash = |function: &TableName| {
            function.schema.starts_with(TIMESCALEDB) && function.name == "get_partition_hash"
        };
        let is_number =
            |bound: &Option<Bound>| bound.as_ref().is_none_or(|one| matches!(one, Bound::Number(_)));
        let slices = match function.is_some() && is_number(&low) && is_number(&high) {
            true => Slices::Hash(partitions(low.as_ref(), high.as_ref())?),
            false => Slices::Range(width(low.as_ref()?, high.as_ref()?)?),
        };
        Some(Self {
            column,
            function: function.filter(|function| !is_hash(function)),
            slices,
        })
    }
}

/// Without the parentheses around it.
fn bare<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    loop {
        let mut cursor = Cursor::new(tokens);
        match cursor.parenthesized() {
            Some(within) if cursor.peek().is_none() => tokens = within,
            _ => return tokens,
        }
    }
}

/// The parts that AND joins.
fn conjuncts<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut depth = 0usize;
    let mut ends = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Symbol('(') => depth += 1,
            Token::Symbol(')') => depth = depth.saturating_sub(1),
            token if depth == 0 && token.is("AND") => ends.push(at),
            _ => {}
        }
    }
    let starts = std::iter::once(0).chain(ends.iter().map(|at| at + 1));
    let ends = ends.iter().copied().chain([tokens.len()]);
    starts
        .zip(ends)
        .map(|(start, end)| bare(&tokens[start..end]))
        .collect()
}

/// `at`, or `public.day_of(at)`.
fn expression(tokens: &[Token<'_>]) -> Option<(String, Option<TableName>)> {
    if let [column] = tokens {
        return Some((column.name()?, None));
    }
    let mut cursor = Cursor::new(tokens);
    let function = cursor.qualified("pg_catalog")?;
    let [column] = bare(cursor.parenthesized()?) else {
        return None;
    };
    cursor
        .peek()
        .is_none()
        .then_some((column.name()?, Some(function)))
}

/// `1073741823`, `'-5'::integer`, `'2026-06-01 00:00:00+00'::timestamp with time zone`.
fn bound(tokens: &[Token<'_>]) -> Option<Bound> {
    let number = |text: &str| text.parse().ok().map(Bound::Number);
    match bare(tokens) {
        [Token::Number(digits)] => number(digits),
        [Token::Symbol('-'), Token::Number(digits)] => number(&format!("-{digits}")),
        [Token::Text(value), Token::Symbol(':'), Token::Symbol(':'), sql_type @ ..] => {
            let words: Option<Vec<String>> = sql_type.iter().map(Token::name).collect();
            let sql_type = match words?.join(" ").as_str() {
                "bigint" | "integer" | "smallint" => return number(value),
                "date" => "date",
                "timestamp without time zone" => "timestamp",
                "timestamp with time zone" => "timestamptz",
                _ => return None,
            };
            let is_due = |c: char| c.is_ascii_alphanumeric() || " :.+-".contains(c);
            value.chars().all(is_due).then(|| Bound::Time {
                value: value.to_string(),
                sql_type,
            })
        }
        _ => None,
    }
}

/// The width of a range, as `create_hypertable` takes it.
fn width(low: &Bound, high: &Bound) -> Option<String> {
    match (low, high) {
        (Bound::Number(low), Bound::Number(high)) => {
            let width = high.checked_sub(*low).filter(|width| *width > 0)?;
            Some(format!("{width}::bigint"))
        }
        (Bound::Time { value: low, sql_type }, Bound::Time { value: high, .. }) => {
            let width = format!("'{high}'::{sql_type} - '{low}'::{sql_type}");
            Some(match *sql_type {
                "date" => format!("({width}) * interval '1 day'"),
                _ => width,
            })
        }
        _ => None,
    }
}

/// How many partitions there are, by the hashes of one: the last takes what division leaves over.
fn partitions(low: Option<&Bound>, high: Option<&Bound>) -> Option<i64> {
    let width = match (low, high) {
        (Some(Bound::Number(low)), Some(Bound::Number(high))) => high.checked_sub(*low)?,
        (None, Some(Bound::Number(high))) => *high,
        (Some(Bound::Number(low)), None) => HASHES.checked_sub(*low)?,
        _ => return None,
    };
    let partitions = HASHES.checked_add(width / 2)?.checked_div(width)?;
    (1..=32_767).contains(&partitions).then_some(partitions)
}

/// The CHECKs among what stands within a table's parentheses, those that the extension has made.
pub(super) fn checks<'t, 'a>(items: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let check = |item: &'t [Token<'a>]| {
        let mut cursor = Cursor::new(item);
        let is_own = cursor.accept("CONSTRAINT") && cursor.identifier()?.starts_with("constraint_");
        (is_own && cursor.accept("CHECK"))
            .then(|| cursor.parenthesized())
            .flatten()
    };
    split(items, ',').into_iter().filter_map(check).collect()
}

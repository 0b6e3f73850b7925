//! `category`: one of the few values that the column has, drawn by key and row. The original goes into nothing, so
//! nothing of it can be guessed back; how often each value occurs stays about the same.
//!
//! Which values there are is known from the option, an enum, a CHECK's list, or the first rows, which also say how often
//! each occurs ([`Mask::learned`]). One that is first seen in a later row is replaced as any other is, and never drawn.

use super::neutral;
use super::static_value;
use crate::becomes::Becomes;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, Mask, Nulls, ANY_VALUE};
use crate::error::Unfit;
use crate::key::Function;
use crate::learned::Learned;
use crate::misfit::Expected;
use crate::pseudonym::{Pseudonym, Work};
use crate::starts::listed;
use crate::types::Type;
use pg_dump_archive::copy::{self, Row};
use serde_json::Value;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[(
        "values",
        "the values to draw from; by default those of its enum, of its CHECK's list, or of the first rows",
    )],
    example: Example::of_text("widowed").with(r#"{"values": ["single", "married", "divorced"]}"#),
    nulls: Nulls::Never,
    learns: true,
    ..CatalogueEntry::new(
        "category",
        "one of the column's own values, drawn by key and row; how often each occurs stays about the same, and where the \
         values are not known, or more than 64, it is NULL or empty",
        fit,
    )
};

/// What is drawn from, by weight.
struct Category {
    function: Function,
    values: Vec<Box<[u8]>>,
    /// The sum of the weights up to each value.
    sums: Vec<u64>,
    /// The columns that say which row it is; none: all of them do.
    key: Vec<usize>,
}

impl std::fmt::Debug for Category {
    /// The values are production's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Category")
    }
}

impl Category {
    fn new(fitting: &Fitting<'_>, weighted: Vec<(String, u64)>) -> Self {
        let mut sum = 0u64;
        let mut sums = Vec::with_capacity(weighted.len());
        let mut values = Vec::with_capacity(weighted.len());
        for (value, weight) in weighted {
            sum = sum.saturating_add(weight.max(1));
            sums.push(sum);
            values.push(value.into_bytes().into());
        }
        Self {
            // Two columns of a row are drawn independently.
            function: fitting.function(&format!("category/{}", fitting.column.name)),
            values,
            sums,
            key: fitting.ground.table.key.clone(),
        }
    }

    fn draw(&self, row: &Row<'_>, scratch: &mut Vec<u8>) -> u64 {
        let mut parts = self.function.begin();
        if self.key.is_empty() {
            (0..row.fields()).for_each(|place| parts.add(Some(row.field(place))));
        } else {
            for place in &self.key {
                parts.add(copy::decode(row.field(*place), scratch));
            }
        }
        let digest = parts.finish();
        let mut eight = [0; 8];
        eight.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(eight)
    }
}

impl Pseudonym for Category {
    fn write(&self, _: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let total = self.sums.last().copied().unwrap_or(0);
        let draw = (u128::from(self.draw(row, &mut work.first)) * u128::from(total)) >> 64;
        let place = self.sums.partition_point(|sum| u128::from(*sum) <= draw);
        if let Some(value) = self.values.get(place) {
            out.extend_from_slice(value);
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        self.values.iter().any(|known| **known == *value)
    }

    fn reads_value(&self) -> bool {
        false
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    fitting.may_repeat()?;
    let values = values(fitting)?;
    if !values.is_empty() {
        return Ok(Fitted::pseudonym(
            Category::new(fitting, values),
            Becomes::OwnValue,
            ANY_VALUE,
        ));
    }
    (neutral::MASK.fit)(fitting)
}

/// The values to draw from and their weights; none where they are not known.
fn values(fitting: &Fitting<'_>) -> Result<Vec<(String, u64)>, Box<Unfit>> {
    let checks = fitting.ground.table.checks.get(&fitting.position);
    let admits = |value: &str| {
        let admits = |checks: &std::sync::Arc<[crate::Check]>| {
            checks
                .iter()
                .all(|check| check.condition.admits(Some(value.as_bytes())))
        };
        checks.is_none_or(admits)
    };
    let allowed = allowed(fitting)?;
    let learned = fitting
        .mask
        .learned
        .as_ref()
        .map(Learned::values)
        .unwrap_or_default();
    let is_allowed = |value: &str| {
        allowed
            .as_ref()
            .is_none_or(|allowed| allowed.iter().any(|known| known == value))
            && admits(value)
    };
    let seen: Vec<(String, u64)> = learned
        .iter()
        .filter(|(value, _)| is_allowed(value))
        .cloned()
        .collect();
    if !seen.is_empty() {
        return Ok(seen);
    }
    let evenly = allowed.into_iter().flatten().filter(|value| admits(value));
    Ok(evenly.map(|value| (value, 1)).collect())
}

/// The values that the option, the type or a CHECK lists.
fn allowed(fitting: &Fitting<'_>) -> Result<Option<Vec<String>>, Box<Unfit>> {
    let wrong = || fitting.wrong_option("values", Expected::Values);
    if let Some(given) = fitting.option("values") {
        let given = given
            .as_array()
            .filter(|given| !given.is_empty())
            .ok_or_else(wrong)?;
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        let values: Option<Vec<String>> = given.iter().map(text).collect();
        let values = values.ok_or_else(wrong)?;
        if !values.iter().all(|value| static_value::takes(fitting, value)) {
            return Err(wrong());
        }
        return Ok(Some(values));
    }
    Ok(match &fitting.column.kind {
        Type::Enum(labels) => Some(labels.clone()),
        Type::Boolean => Some(vec!["t".into(), "f".into()]),
        _ => {
            let checks = fitting.ground.table.checks.get(&fitting.position);
            checks.and_then(|checks| listed(checks))
        }
    })
}

impl Mask {
    /// A mask that draws from these values.
    pub fn category_of(values: &[String]) -> Self {
        let values = values.iter().map(|value| Value::from(value.as_str())).collect();
        let options = [("values".to_owned(), Value::Array(values))];
        Self::new(&MASK, options.into_iter().collect())
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::misfit::{Expected, Misfit};
    use crate::testing::column;
    use crate::testing::{any, case, fitted, pseudonyms, run, table, Case};
    use crate::{Learned, Mask, RowMask, Type, Uniqueness};
    use serde_json::{json, Map};
    use std::collections::HashMap;
    use std::sync::Arc;

    pub(crate) const CASES: &[Case] = &[
        case("category", "[a-c]", |_, new| matches!(new, "x" | "y"))
            .with(r#"{"values": ["x", "y"]}"#)
            .repeats(),
        case("category", "[a-c]", any)
            .on(|| Type::Enum(vec!["a".into(), "b".into(), "c".into()]))
            .may_stay()
            .repeats(),
    ];

    fn learned(kind: Type, not_null: bool, values: &[(&str, u64)]) -> Arc<RowMask> {
        let mut facts = table(vec![column("id", Type::Integer(8)), column("value", kind)]);
        facts.columns[1].not_null = not_null;
        let values = values.iter().map(|(value, count)| ((*value).to_owned(), *count));
        let mask = Mask::named("category", &Map::new())
            .unwrap()
            .learned(Learned::new(values.collect()));
        Arc::new(RowMask::new(&facts, &[(1, mask)], &pseudonyms()).unwrap())
    }

    fn drawn(mask: &Arc<RowMask>, value: &str, rows: u32) -> HashMap<String, u32> {
        let piece: String = (0..rows).map(|id| format!("{id}\t{value}\n")).collect();
        let (mut masker, mut out) = (mask.masker(), Vec::new());
        masker.mask_piece(piece.as_bytes(), &mut out).unwrap();
        assert_eq!(masker.counts().columns[0].violations, 0);
        let mut found = HashMap::new();
        for line in String::from_utf8(out).unwrap().lines() {
            *found
                .entry(line.split_once('\t').unwrap().1.to_owned())
                .or_default() += 1;
        }
        found
    }

    #[test]
    fn values_are_drawn_as_often_as_the_first_rows_show_them_whatever_the_original_is() {
        let mask = learned(Type::TEXT, true, &[("M", 250), ("F", 750)]);
        let found = drawn(&mask, "never seen before", 4000);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!((850..1150).contains(&found["M"]), "{found:?}");
    }

    #[test]
    fn without_known_values_the_column_is_null_or_says_nothing() {
        let values = |not_null, kind| {
            drawn(&learned(kind, not_null, &[]), "FRA", 3)
                .into_keys()
                .collect::<Vec<_>>()
        };
        assert_eq!(values(false, Type::TEXT), ["\\N"]);
        assert_eq!(values(true, Type::TEXT), [""]);
        assert_eq!(values(true, Type::Integer(4)), ["0"]);
    }

    #[test]
    fn values_that_the_type_does_not_take_are_refused() {
        let refused = fitted(
            "category",
            json!({"values": ["x"]}),
            Type::Integer(4),
            Uniqueness::default(),
        );
        let values = Misfit::Option {
            mask: "category",
            option: "values".to_owned(),
            expected: Expected::Values,
        };
        assert_eq!(refused.unwrap_err().misfit, values);
        let taken = fitted(
            "category",
            json!({"values": [1, 2]}),
            Type::Integer(4),
            Uniqueness::default(),
        )
        .unwrap();
        assert!(matches!(run(&taken, &["5"])[0].as_str(), "1" | "2"));
    }
}

//! Fits a mask to a column: what its type, NOT NULL and unique indexes make of it, or why it does not fit.

use super::action::{
    Action, DistinctForm, DistinctIds, EmailMd5, EmailPseudonym, IdSource, Numbered, EMAIL_DIGITS, ID_DIGITS,
};
use super::append::Fixed;
use super::catalogue::recipe::Fitting;
use super::hold;
use super::sql::{quote_identifier, quote_literal};
use super::types::{Test, Type};
use super::{Column, Mask, MaskedColumn, Pseudonyms, Table};
use crate::copy;
use std::sync::Arc;

/// The fewest bits of a keyed digest that are taken for distinct under a unique index: among ten million rows,
/// two of 2^56 values meet with a probability below one in a thousand, and then an index fails, nothing leaks.
const BITS: usize = 56;
/// Hex and decimal digits for that many bits.
const HEX_DIGITS: usize = BITS / 4;
const DECIMAL_DIGITS: usize = 17;

/// The form of values that SQL cannot tell from others. The server need not look at them.
pub(super) const ANY_VALUE: &str = "TRUE";

/// What a mask becomes on one column.
pub(super) struct Fitted {
    pub(super) action: Action,
    pub(super) description: String,
    /// A condition on the column that every masked value meets; NULL is added by the caller. [`ANY_VALUE`]: none.
    pub(super) form: String,
    /// A condition on the rows that get a password that is known; see [`MaskedColumn::known_password`].
    pub(super) known_password: Option<String>,
}

/// Fits `mask` to the column at `position`, under its CHECKs. `masks` are all masks of the table.
pub(super) fn compile(
    table: &Table,
    position: usize,
    mask: &Mask,
    masks: &[(usize, Mask)],
    pseudonyms: &Pseudonyms,
) -> Result<(MaskedColumn, Action), String> {
    let (column, action) = without_checks(table, position, mask, masks, pseudonyms)?;
    let Some(checks) = table.checks.get(&position) else {
        return Ok((column, action));
    };
    if let Some(check) = hold::never_met(&action, mask, checks, table) {
        return Err(format!(
            "{}.{} has the CHECK \"{check}\", which does not take what its mask writes. Take another mask, such as one \
             that keeps the value's form (:token, :phone, :postal_code), or :static with a value that the CHECK takes.",
            table.name, column.name
        ));
    }
    let action = Action::Holding {
        checks: Arc::clone(checks),
        action: Box::new(action),
    };
    Ok((column, action))
}

/// Fits a mask to a column, whatever its CHECKs say.
fn without_checks(
    table: &Table,
    position: usize,
    mask: &Mask,
    masks: &[(usize, Mask)],
    pseudonyms: &Pseudonyms,
) -> Result<(MaskedColumn, Action), String> {
    let Some(column) = table.columns.get(position) else {
        return Err(format!(
            "{} has no column number {position} in its data.",
            table.name
        ));
    };
    let fit = Fit {
        table,
        position,
        column,
        masks,
        pseudonyms,
        sql: quote_identifier(&column.name),
    };
    let fitted = match mask {
        Mask::Email => fit.email(),
        Mask::EmailMd5 => fit.email_md5(),
        Mask::LastName => fit.name(b"User"),
        Mask::FullName => fit.name(b"Demo User"),
        Mask::Phone => fit.phone(),
        Mask::Constant(text) => fit.constant(text),
        Mask::Null => fit.null(),
        Mask::Catalogue(recipe) => (recipe.entry.build)(&Fitting {
            table,
            column,
            masks,
            pseudonyms,
            name: recipe.entry.name,
            options: &recipe.options,
        }),
        Mask::Keeping { mask, keep } => {
            let (column, action) = without_checks(table, position, mask, masks, pseudonyms)?;
            let kept = keep.sql(&fit.sql);
            let action = Action::Keeping {
                keep: Arc::clone(keep),
                action: Box::new(action),
            };
            let form_sql = match column.form_sql.as_str() {
                ANY_VALUE => column.form_sql,
                form => format!("{form} OR {kept}"),
            };
            return Ok((MaskedColumn { form_sql, ..column }, action));
        }
    }?;
    let form_sql = match &fitted.action {
        // The form of a NULL that the mask itself writes.
        Action::Fixed(fixed) if fixed.bytes() == b"\\N" => fitted.form,
        _ if fitted.form == ANY_VALUE => fitted.form,
        _ => format!("{} IS NULL OR {}", fit.sql, fitted.form),
    };
    let masked = MaskedColumn {
        name: column.name.clone(),
        position,
        description: fitted.description,
        form_sql,
        known_password: fitted.known_password,
    };
    Ok((masked, fitted.action))
}

struct Fit<'a> {
    table: &'a Table,
    position: usize,
    column: &'a Column,
    masks: &'a [(usize, Mask)],
    pseudonyms: &'a Pseudonyms,
    /// The column's name in quotes.
    sql: String,
}

impl Fit<'_> {
    fn problem(&self, what: &str, fix: &str) -> String {
        format!("{}.{} {what} {fix}", self.table.name, self.column.name)
    }

    fn wrong_type(&self, value: &str) -> String {
        self.problem(
            &format!("is {}, which cannot hold {value}.", self.column.kind.describe()),
            "Take the column's table out of this strategy, or exclude the table.",
        )
    }

    fn too_small_to_be_distinct(&self) -> String {
        self.problem(
            &format!(
                "is under a unique index, and its type ({}) cannot hold enough distinct pseudonyms.",
                self.column.kind.describe()
            ),
            "Widen the column, drop the index in production, or exclude the table.",
        )
    }

    /// A condition on the column as text.
    fn text_is(&self, operator: &str, text: &str) -> String {
        format!("{}::pg_catalog.text {operator} {}", self.sql, quote_literal(text))
    }

    /// A condition that the column's text has this many bytes: hex digits, then `rest`, which begins with none and is
    /// ASCII. Eight times as fast as a regular expression, because bytes are compared, not characters.
    fn is_hex_before(&self, length: usize, rest: &str) -> String {
        let text = format!("{}::pg_catalog.text", self.sql);
        format!(
            "pg_catalog.octet_length({text}) = {length} AND \
             pg_catalog.ltrim(pg_catalog.textsend({text}), '0123456789abcdef'::pg_catalog.bytea) = {}::pg_catalog.bytea",
            quote_literal(rest)
        )
    }

    /// A condition that the column is `prefix` and the digits of one of the columns that `ids` name, at most seven,
    /// padded with zeros. Those that meet it meet the pattern of a numbered pseudonym, and for nearly all rows it
    /// spares the regular expression.
    fn is_numbered_by(&self, prefix: &str, ids: &[IdSource], width: usize) -> Option<String> {
        let IdSource::Column(position) = ids.first()? else {
            return None;
        };
        let column = self.table.columns.get(*position)?;
        let is_masked = self.masks.iter().any(|(masked, _)| masked == position);
        if is_masked || !matches!(column.kind, Type::Integer(_)) {
            return None;
        }
        let id = quote_identifier(&column.name);
        let digits = if width > 1 {
            format!("pg_catalog.lpad({id}::pg_catalog.text, {width}, '0')")
        } else {
            format!("{id}::pg_catalog.text")
        };
        Some(format!(
            "{id} BETWEEN 0 AND 9999999 AND {}::pg_catalog.text = {} || {digits}",
            self.sql,
            quote_literal(prefix)
        ))
    }

    fn email(&self) -> Result<Fitted, String> {
        let domain = &self.pseudonyms.email_domain;
        let Type::Text { limit, .. } = self.column.kind else {
            return Err(self.wrong_type("an e-mail address"));
        };
        let length = EMAIL_DIGITS + 1 + domain.len();
        if limit.is_some_and(|limit| limit < length) {
            return Err(self.problem(
                &format!(
                    "is {}, and a pseudonymous address has {length} characters.",
                    self.column.kind.describe()
                ),
                &format!(
                    "Shorten config.anonymized_email_domain to at most {} characters.",
                    limit.unwrap_or(0).saturating_sub(EMAIL_DIGITS + 1)
                ),
            ));
        }
        // A backslash means something to bytea.
        let form = if domain.is_ascii() && !domain.contains('\\') {
            self.is_hex_before(length, &format!("@{domain}"))
        } else {
            let pattern = format!("^[0-9a-f]{{{EMAIL_DIGITS}}}@{}$", domain.replace('.', "\\."));
            self.text_is("~", &pattern)
        };
        Ok(Fitted {
            action: Action::Email(self.email_pseudonym(self.position)),
            description: "e-mail pseudonym".into(),
            form: format!("{form} OR {}", self.text_is("=", "")),
            known_password: None,
        })
    }

    fn email_pseudonym(&self, position: usize) -> EmailPseudonym {
        let column = &self.table.columns[position];
        EmailPseudonym {
            column: position,
            function: self.pseudonyms.key.function("email"),
            fold_case: !column.unique.tells_case_apart,
            padded: matches!(column.kind, Type::Text { padded: true, .. }),
            suffix: Fixed::new(format!("@{}", self.pseudonyms.email_domain).as_bytes()),
            is_remembered: self
                .masks
                .iter()
                .any(|(_, mask)| *mask.without_keep() == Mask::EmailMd5),
        }
    }

    fn email_md5(&self) -> Result<Fitted, String> {
        let form = match self.column.kind {
            Type::Text { limit, .. } => DistinctForm::Hex(limit.unwrap_or(32).min(32)),
            Type::Uuid => DistinctForm::PlainUuid,
            _ => return Err(self.wrong_type("an MD5 in hex")),
        };
        if self.column.unique.distinct && matches!(form, DistinctForm::Hex(length) if length < HEX_DIGITS) {
            return Err(self.too_small_to_be_distinct());
        }
        let email = self.masks.iter().find_map(|(position, mask)| {
            let column = self.table.columns.get(*position)?;
            let (mask, keep) = match mask {
                Mask::Keeping { mask, keep } => (&**mask, Some(Arc::clone(keep))),
                mask => (mask, None),
            };
            let is_address = *mask == Mask::Email && column.name == "email";
            is_address.then(|| (*position, self.email_pseudonym(*position), keep))
        });
        let keep = email.as_ref().and_then(|(.., keep)| keep.clone());
        let email = email.map(|(position, email, _)| (position, email));
        let condition = match (&email, &form) {
            (Some((position, _)), DistinctForm::Hex(length)) => {
                let email = quote_identifier(&self.table.columns[*position].name);
                let md5 = format!("pg_catalog.md5({email}::pg_catalog.text)");
                let md5 = if *length < 32 {
                    format!("pg_catalog.left({md5}, {length})")
                } else {
                    md5
                };
                format!(
                    "CASE WHEN {email} IS NULL THEN {} ELSE {}::pg_catalog.text = {md5} END",
                    self.distinct_sql(&form),
                    self.sql
                )
            }
            _ => self.distinct_sql(&form),
        };
        let function = self.pseudonyms.key.function("email_md5");
        Ok(Fitted {
            action: Action::EmailMd5(EmailMd5 {
                email,
                keep,
                function,
                form,
            }),
            description: "MD5 of the new e-mail address".into(),
            form: condition,
            known_password: None,
        })
    }

    /// Where `<id>` comes from: the primary key, a column `id`, or the value itself.
    fn id(&self) -> IdSource {
        match self.table.key.as_slice() {
            [] => self.table.position("id").map_or(IdSource::Own, IdSource::Column),
            [one] => IdSource::Column(*one),
            several => IdSource::Key(several.to_vec()),
        }
    }

    /// The sources of an id that differs from row to row, and whether it is an integer.
    fn distinct_id(&self) -> (IdSource, bool) {
        if !self.table.key_is_enforced || self.table.key.is_empty() {
            return (IdSource::Own, false);
        }
        let source = self.id();
        let is_integer = match source {
            IdSource::Column(at) => matches!(self.table.columns[at].kind, Type::Integer(_)),
            _ => false,
        };
        (source, is_integer)
    }

    /// How a numbered pseudonym stays distinct with this much room for digits, or None when it may repeat itself.
    fn distinct(&self, room: usize) -> Result<Option<(IdSource, DistinctIds)>, String> {
        if !self.column.unique.distinct {
            return Ok(None);
        }
        let (source, integer) = self.distinct_id();
        // Ten digits are all that an integer has, and as many as a bigint ever needs; the worker watches the rest.
        let needed = if integer { 10 } else { DECIMAL_DIGITS };
        if room < needed {
            return Err(self.too_small_to_be_distinct());
        }
        Ok(Some((source, DistinctIds { integer, room })))
    }

    fn name(&self, prefix: &'static [u8]) -> Result<Fitted, String> {
        let Type::Text { limit, padded, .. } = self.column.kind else {
            return Err(self.wrong_type("a name"));
        };
        let room = limit.map_or(usize::MAX, |limit| limit.saturating_sub(prefix.len()));
        let distinct = self.distinct(room)?;
        Ok(self.numbered(prefix, Vec::new(), 0, limit, distinct, false, padded))
    }

    fn phone(&self) -> Result<Fitted, String> {
        // What is left for digits after 060, or after 60 in a number, whose leading zero is not kept.
        let (prefix, limit, room): (&'static [u8], _, _) = match self.column.kind {
            Type::Text { limit, .. } => (
                b"060",
                limit,
                limit.map_or(usize::MAX, |limit| limit.saturating_sub(3)),
            ),
            Type::Integer(4) => (b"60", None, 7),
            Type::Integer(8) => (b"60", None, 17),
            Type::Numeric { digits: None } => (b"60", None, usize::MAX),
            Type::Numeric { digits: Some(digits) } if digits >= 9 => (b"60", None, digits - 2),
            Type::Double => (b"60", None, 13),
            _ => return Err(self.wrong_type("a phone number")),
        };
        let is_text = matches!(self.column.kind, Type::Text { .. });
        let padded = matches!(self.column.kind, Type::Text { padded: true, .. });
        let distinct = self.distinct(room)?;
        let user = self.table.position("user_id").map(IdSource::Column);
        let first = if distinct.is_some() { None } else { user };
        let mut fitted = self.numbered(
            prefix,
            first.into_iter().collect(),
            7,
            limit,
            distinct,
            is_text,
            padded,
        );
        fitted.description = "phone number 060…".into();
        if !is_text {
            // Seven digits or more after 60.
            fitted.form = format!("{} >= 600000000", self.sql);
            if !self.column.unique.distinct {
                fitted.form.push_str(&format!(" AND {} <= 609999999", self.sql));
            }
        }
        Ok(fitted)
    }

    #[allow(clippy::too_many_arguments)]
    fn numbered(
        &self,
        prefix: &'static [u8],
        mut ids: Vec<IdSource>,
        pad: usize,
        limit: Option<usize>,
        distinct: Option<(IdSource, DistinctIds)>,
        keep_empty: bool,
        padded: bool,
    ) -> Fitted {
        let (last, distinct) = match distinct {
            Some((source, distinct)) => (source, Some(distinct)),
            None => (self.id(), None),
        };
        ids.push(last);
        if !ids.contains(&IdSource::Own) {
            ids.push(IdSource::Own);
        }
        let text = String::from_utf8_lossy(prefix);
        let pattern = match (limit, distinct) {
            (Some(limit), _) if limit <= prefix.len() => self.text_is("=", &text[..limit]),
            (_, Some(_)) => self.text_is("~", &format!("^{text}[0-9]{{{},}}$", pad.max(1))),
            (limit, None) => {
                let most = limit.map_or(7, |limit| (limit - prefix.len()).min(7));
                self.text_is("~", &format!("^{text}[0-9]{{{},{most}}}$", pad.clamp(1, most)))
            }
        };
        // The whole of such a pseudonym must fit, and seven digits always do where there is room for them.
        let fits = limit.is_none_or(|limit| limit >= prefix.len() + ID_DIGITS);
        let usual = self.is_numbered_by(&text, &ids, pad).filter(|_| fits);
        let mut form = usual.map_or(pattern.clone(), |usual| format!("{usual} OR {pattern}"));
        if keep_empty {
            form = format!("{form} OR {}", self.text_is("=", ""));
        }
        let function = self.pseudonyms.key.function("id");
        let numbered = Numbered {
            prefix: Fixed::new(prefix),
            ids,
            function,
            pad,
            limit,
            distinct,
            keep_empty,
            padded,
        };
        Fitted {
            action: Action::Numbered(numbered),
            description: format!("{text}<id>"),
            form,
            known_password: None,
        }
    }

    fn constant(&self, text: &str) -> Result<Fitted, String> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.trim_start_matches('0');
        let number = if number.is_empty() { "0" } else { number };
        let digits = if number == "0" { 0 } else { number.len() };
        let fits = match &self.column.kind {
            Type::Text { .. } => true,
            Type::Integer(2) => is_number && number.parse::<i16>().is_ok(),
            Type::Integer(4) => is_number && number.parse::<i32>().is_ok(),
            Type::Integer(_) => is_number && number.parse::<i64>().is_ok(),
            Type::Numeric { digits: room } => is_number && room.is_none_or(|room| digits <= room),
            Type::Real | Type::Double => is_number,
            Type::Enum(labels) => labels.iter().any(|label| label == text),
            _ => false,
        };
        if !fits {
            return Err(self.wrong_type(&format!("\"{text}\"")));
        }
        if self.column.unique.distinct {
            return self.distinct_value();
        }
        Ok(match &self.column.kind {
            Type::Text { limit, .. } => {
                let cut: String = text.chars().take(limit.unwrap_or(usize::MAX)).collect();
                self.fixed(Some(&cut), self.text_is("=", &cut))
            }
            Type::Enum(_) => self.fixed(Some(text), self.text_is("=", text)),
            _ => self.fixed(Some(number), format!("{} = {number}", self.sql)),
        })
    }

    fn null(&self) -> Result<Fitted, String> {
        let unique = self.column.unique;
        if unique.distinct && (self.column.not_null || unique.counts_nulls) {
            return self.distinct_value();
        }
        if !self.column.not_null {
            return Ok(self.fixed(None, format!("{} IS NULL", self.sql)));
        }
        let Some(neutral) = self.column.kind.neutral() else {
            return Err(self.problem(
                &format!(
                    "is NOT NULL and of type {}, for which no neutral value is known.",
                    self.column.kind.describe()
                ),
                "Take the column's table out of this strategy, or exclude the table.",
            ));
        };
        let form = match &neutral.test {
            Test::Text(text) => self.text_is("=", text),
            Test::Equals(sql) => format!("{} = {sql}", self.sql),
        };
        let mut fitted = self.fixed(Some(&neutral.value), form);
        fitted.description = format!("neutral value \"{}\"", neutral.value);
        Ok(fitted)
    }

    fn fixed(&self, value: Option<&str>, form: String) -> Fitted {
        let mut field = Vec::new();
        copy::encode(value.map(str::as_bytes), &mut field);
        let description = value.map_or("NULL".to_owned(), |value| format!("constant \"{value}\""));
        Fitted {
            action: Action::Fixed(Fixed::new(&field)),
            description,
            form,
            known_password: None,
        }
    }

    /// A keyed value that differs where the original does.
    fn distinct_value(&self) -> Result<Fitted, String> {
        let form = match self.column.kind {
            Type::Text { limit, .. } => DistinctForm::Hex(limit.unwrap_or(32).min(32)),
            Type::Uuid => DistinctForm::Uuid,
            Type::Integer(8) => DistinctForm::Digits(18),
            Type::Numeric { digits } => DistinctForm::Digits(digits.unwrap_or(25).min(25)),
            Type::Bytea => DistinctForm::Bytes,
            _ => return Err(self.too_small_to_be_distinct()),
        };
        if matches!(form, DistinctForm::Hex(length) if length < HEX_DIGITS)
            || matches!(form, DistinctForm::Digits(length) if length < DECIMAL_DIGITS)
        {
            return Err(self.too_small_to_be_distinct());
        }
        Ok(Fitted {
            form: self.distinct_sql(&form),
            action: Action::Distinct {
                function: self.pseudonyms.key.function("distinct"),
                form,
            },
            description: "distinct keyed value".into(),
            known_password: None,
        })
    }

    fn distinct_sql(&self, form: &DistinctForm) -> String {
        match form {
            DistinctForm::Hex(length) => self.is_hex_before(*length, ""),
            DistinctForm::PlainUuid => self.text_is("~", "^[0-9a-f-]{36}$"),
            DistinctForm::Uuid => self.text_is(
                "~",
                "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
            ),
            DistinctForm::Digits(length) => {
                format!("{} BETWEEN 0 AND {}", self.sql, "9".repeat(*length))
            }
            DistinctForm::Bytes => format!("pg_catalog.octet_length({}) = 16", self.sql),
        }
    }
}

//! What is told of a column that looks personal: in the report, in the dry run, by `scan` and by `suggest`.

use super::Kind;
use serde::Serialize;
use serde_json::{Map, Value};

/// A column that looks personal, and what stands between it and staging.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// `schema.table`; of partitions their root, of inherited columns the table that they come from.
    pub table: String,
    /// The column.
    pub column: String,
    /// What it holds, such as `email`: [`Kind::as_str`].
    pub kind: &'static str,
    /// The heading that the report puts it under, such as `contact`.
    pub heading: &'static str,
    /// How sure that is, from 0.5 to 1, in hundredths.
    pub confidence: f64,
    /// What told it.
    pub found_by: FoundBy,
    /// Why, in a few words: `named "email"`; `e-mail addresses in 90% of the values`.
    pub reason: String,
    /// Values of the sample that are not NULL; 0 where only the name was looked at.
    pub values: u64,
    /// In how many of them it was seen.
    pub count: u64,
    /// In what share of them, from 0 to 1, in thousandths.
    pub share: f64,
    /// What stands between it and staging.
    pub status: Status,
    /// The rule that covers it, why it is ignored, or why it could not be masked by itself.
    pub because: Option<String>,
    /// The mask that was found to fit; where a rule covers the column, or none fits: None.
    pub mask: Option<Suggestion>,
    /// The entry for `config.anonymization_tables`, as Ruby; with [`Finding::mask`].
    pub rule: Option<String>,
}

/// What told that a column is personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// Its name, its table's and its type.
    Name,
    /// Its values.
    Content,
    /// Name and values together.
    Both,
}

/// What stands between a personal column and staging. A later one weighs more where partitions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// `config.pii_ignore` says that it is not personal.
    Ignored,
    /// A rule covers it, or its rows are not loaded.
    Covered,
    /// No rule covers it, and it was masked under `config.pii_policy = :mask`.
    Masked,
    /// Nothing covers it, and its table was left empty.
    Withheld,
    /// Nothing covers it: its values are in staging as they are in production, or would be.
    Uncovered,
}

impl Status {
    /// Whether the column needs a rule or an entry in `config.pii_ignore`.
    pub fn needs_a_rule(self) -> bool {
        matches!(self, Status::Withheld | Status::Uncovered)
    }
}

/// A mask of the catalogue with its options.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// Its name.
    pub mask: &'static str,
    /// Its options.
    pub options: Map<String, Value>,
}

impl Suggestion {
    /// A mask without options.
    pub fn plain(mask: &'static str) -> Self {
        Self {
            mask,
            options: Map::new(),
        }
    }

    /// As Ruby: `:email`, or `{ mask: :json, scrub: true }`.
    pub fn ruby(&self) -> String {
        if self.options.is_empty() {
            return format!(":{}", self.mask);
        }
        let options: Vec<String> = (self.options.iter())
            .map(|(name, value)| format!("{name}: {}", ruby_value(value)))
            .collect();
        format!("{{ mask: :{}, {} }}", self.mask, options.join(", "))
    }
}

fn ruby_value(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{} => {}", ruby_string(key), ruby_value(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(ruby_value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(text) => ruby_string(text),
        Value::Null => "nil".into(),
        other => other.to_string(),
    }
}

/// A string of Ruby, in which nothing is interpolated.
fn ruby_string(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('#', "\\#");
    format!("\"{escaped}\"")
}

/// `email: :email`, or `"odd name": :email`.
fn ruby_pair(column: &str, mask: &str) -> String {
    let plain = column.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && column.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain {
        format!("{column}: {mask}")
    } else {
        format!("{}: {mask}", ruby_string(column))
    }
}

/// A table's name as a rule has it: without `public`, quoted where it has dots or stars in it.
fn ruby_table(table: &str) -> String {
    let Some((schema, name)) = table.split_once('.') else {
        return ruby_string(table);
    };
    let quoted = |part: &str| {
        if part.contains(['.', '*', '"']) || part.trim() != part {
            format!("\"{}\"", part.replace('"', "\"\""))
        } else {
            part.to_owned()
        }
    };
    if schema == "public" {
        ruby_string(&quoted(name))
    } else {
        ruby_string(&format!("{}.{}", quoted(schema), quoted(name)))
    }
}

impl Finding {
    /// A finding about a column of which only its name is known.
    pub fn by_name(table: String, column: String, kind: Kind, confidence: f32, reason: String) -> Self {
        Self {
            table,
            column,
            kind: kind.as_str(),
            heading: kind.heading().as_str(),
            confidence: rounded(confidence, 100.0),
            found_by: FoundBy::Name,
            reason,
            values: 0,
            count: 0,
            share: 0.0,
            status: Status::Uncovered,
            because: None,
            mask: None,
            rule: None,
        }
    }

    /// Notes the mask that fits.
    pub fn suggest(&mut self, mask: Suggestion) {
        self.rule = Some(format!(
            "{{ table: {}, columns: {{ {} }} }}",
            ruby_table(&self.table),
            ruby_pair(&self.column, &mask.ruby())
        ));
        self.mask = Some(mask);
    }

    /// `public.users.email: email (0.97), named "email"`.
    pub fn line(&self) -> String {
        let because = self
            .because
            .as_ref()
            .filter(|_| self.status.needs_a_rule())
            .map(|because| format!("; {because}"))
            .unwrap_or_default();
        format!(
            "{}.{}: {} ({:.2}), {}{because}",
            self.table, self.column, self.kind, self.confidence, self.reason
        )
    }
}

/// A figure for people, without the digits that say nothing.
pub fn rounded(figure: f32, parts: f64) -> f64 {
    (f64::from(figure) * parts).round() / parts
}

/// The entries for `config.anonymization_tables` that cover these findings, one per table, as Ruby.
///
/// A column for which no mask was found stands in a comment.
pub fn rules_to_paste<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> String {
    let mut tables: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        match tables.iter_mut().find(|(table, _)| *table == finding.table) {
            Some((_, columns)) => columns.push(finding),
            None => tables.push((&finding.table, vec![finding])),
        }
    }
    let mut text = String::from("config.anonymization_tables += [\n");
    for (table, columns) in tables {
        let (with, without): (Vec<&Finding>, Vec<&Finding>) =
            columns.into_iter().partition(|finding| finding.mask.is_some());
        for finding in without {
            text.push_str(&format!("  # {}: no mask was found that fits.\n", finding.line()));
        }
        if with.is_empty() {
            continue;
        }
        text.push_str(&format!("  {{ table: {}, columns: {{\n", ruby_table(table)));
        for (place, finding) in with.iter().enumerate() {
            let mask = finding.mask.as_ref().map(Suggestion::ruby).unwrap_or_default();
            let comma = if place + 1 < with.len() { "," } else { "" };
            text.push_str(&format!(
                "    {}{comma} # {} ({:.2}), {}\n",
                ruby_pair(&finding.column, &mask),
                finding.kind,
                finding.confidence,
                finding.reason.replace('\n', " ")
            ));
        }
        text.push_str("  } },\n");
    }
    text.push_str("]\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(table: &str, column: &str, mask: Option<Suggestion>) -> Finding {
        let mut finding = Finding::by_name(
            table.into(),
            column.into(),
            Kind::Email,
            0.9,
            "named \"mail\"".into(),
        );
        if let Some(mask) = mask {
            finding.suggest(mask);
        }
        finding
    }

    #[test]
    fn rules_are_ruby_that_can_be_pasted() {
        let mut options = Map::new();
        options.insert("scrub".into(), Value::Bool(true));
        let json = Suggestion {
            mask: "json",
            options,
        };
        let found = [
            finding("public.users", "email", Some(Suggestion::plain("email"))),
            finding("audit.log", "Odd #{name}", Some(json)),
            finding("public.users", "id", None),
        ];
        assert_eq!(
            rules_to_paste(&found),
            "config.anonymization_tables += [\n\
             \x20 # public.users.id: email (0.90), named \"mail\": no mask was found that fits.\n\
             \x20 { table: \"users\", columns: {\n\
             \x20   email: :email # email (0.90), named \"mail\"\n\
             \x20 } },\n\
             \x20 { table: \"audit.log\", columns: {\n\
             \x20   \"Odd \\#{name}\": { mask: :json, scrub: true } # email (0.90), named \"mail\"\n\
             \x20 } },\n\
             ]\n"
        );
    }
}

//! The tables that a statement names, pointed at where their rows are while the rule runs.

use super::temporaries::Temporaries;
use crate::failure::{Advice, SqlFault};
use crate::plan::exclude::{no_table, tables_like};
use crate::plan::names::{meant, NamePattern};
use crate::plan::parse::{first_table, folded, ONLY};
use crate::plan::schema::Schema;
use crate::plan::{quote_identifier, TableName};
use sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, SetExpr, Statement, TableAlias, TableFactor, VisitorMut,
};
use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

/// The table of a name without or with a schema. Without: the rule's own first, then `public`'s, then the only one.
pub(super) fn find_table(schema: &Schema, own: usize, in_schema: Option<&str>, name: &str) -> Option<usize> {
    if let Some(in_schema) = in_schema {
        return schema.table(&TableName::new(in_schema, name));
    }
    if schema.tables[own].name.name == name {
        return Some(own);
    }
    let public = schema.table(&TableName::new("public", name));
    public.or_else(|| {
        let mut tables = schema
            .tables
            .iter()
            .enumerate()
            .filter(|(_, table)| table.name.name == name);
        match (tables.next(), tables.next()) {
            (Some((only, _)), None) => Some(only),
            _ => None,
        }
    })
}

/// Points every table's name at the table that holds its rows while the rule runs.
pub(super) struct Names<'a> {
    schema: &'a Schema,
    own: usize,
    temporaries: &'a Temporaries<'a>,
    ctes: HashSet<String>,
    /// The next relation is a function.
    function: bool,
    /// A statement that changes rows was met.
    changes: bool,
    pub(super) named: BTreeSet<usize>,
    pub(super) reads: BTreeSet<usize>,
    pub(super) faults: Vec<SqlFault>,
}

impl<'a> Names<'a> {
    pub(super) fn new(schema: &'a Schema, own: usize, temporaries: &'a Temporaries<'a>) -> Self {
        Self {
            schema,
            own,
            temporaries,
            ctes: HashSet::new(),
            function: false,
            changes: false,
            named: temporaries.family(own),
            reads: BTreeSet::new(),
            faults: Vec::new(),
        }
    }

    /// Notes that a table is read, and says whether it is a temporary one.
    fn note(&mut self, table: usize) -> bool {
        if self.temporaries.contains(table) {
            self.named.extend(self.temporaries.family(table));
            return true;
        }
        let mut related = self.schema.descendants(table);
        related.extend(self.schema.partition_ancestors(table));
        let related = related
            .into_iter()
            .find(|relative| self.temporaries.contains(*relative));
        if let Some(relative) = related {
            self.faults.push(SqlFault::ReadsRelated {
                table: self.schema.tables[table].name.to_string(),
                relative: self.schema.tables[relative].name.to_string(),
            });
        }
        self.reads.insert(table);
        false
    }

    /// The name under which a statement finds a table's rows.
    fn home_of(&mut self, table: usize, is_only: bool) -> ObjectName {
        let found = &self.schema.tables[table];
        if is_only && found.partition_key.is_some() {
            self.faults.push(SqlFault::OnlyOfPartitioned {
                table: found.name.to_string(),
            });
        }
        let (home, name) = if self.note(table) {
            ("pg_temp", self.temporaries.name(table))
        } else {
            (found.name.schema.as_str(), found.name.name.as_str())
        };
        let home = if is_only {
            // An identifier without quotes is written unchanged.
            Ident::new(format!("ONLY {}", quote_identifier(home)))
        } else {
            Ident::with_quote('"', home)
        };
        ObjectName::from(vec![home, Ident::with_quote('"', name)])
    }

    /// A table named by `reads:`.
    pub(super) fn add_read(&mut self, name: &str) {
        let Some(pattern) = NamePattern::parse(name) else {
            return self.faults.push(SqlFault::ReadsNoName {
                name: name.to_owned(),
            });
        };
        let tables = tables_like(&pattern, self.schema);
        if tables.is_empty() {
            let fault = no_table(name, &pattern, self.schema);
            self.faults.push(SqlFault::ReadsNoTable { fault });
        }
        for table in tables {
            self.note(table);
        }
    }

    fn table_of(&self, name: &ObjectName) -> Option<(Option<String>, String)> {
        let parts: Option<Vec<String>> = name
            .0
            .iter()
            .map(|part| match part {
                ObjectNamePart::Identifier(ident) => Some(folded(ident)),
                ObjectNamePart::Function(_) => None,
            })
            .collect();
        let parts = parts?;
        match parts.strip_prefix(&[ONLY.to_owned()]).unwrap_or(&parts) {
            [name] => Some((None, name.clone())),
            [schema, name] => Some((Some(schema.clone()), name.clone())),
            _ => None,
        }
    }

    /// The real table's name, for a temporary one that could not have it.
    fn alias_of(&self, relation: &ObjectName) -> Option<TableAlias> {
        let (in_schema, name) = self.table_of(relation)?;
        if in_schema.is_none() && self.ctes.contains(&name) {
            return None;
        }
        let table = find_table(self.schema, self.own, in_schema.as_deref(), &name)?;
        let differs = self.temporaries.contains(table) && self.temporaries.name(table) != name;
        differs.then(|| TableAlias {
            explicit: true,
            name: Ident::with_quote('"', name),
            columns: Vec::new(),
            at: None,
        })
    }

    /// There is one statement that changes rows, and it changes the rule's own table: a condition goes into that one.
    fn check_target(&mut self, factor: Option<&TableFactor>) {
        if std::mem::replace(&mut self.changes, true) {
            self.faults.push(SqlFault::WithChangesRows);
        }
        let Some(TableFactor::Table { name, .. }) = factor else {
            return;
        };
        let Some((schema, bare)) = self.table_of(name) else {
            return;
        };
        match find_table(self.schema, self.own, schema.as_deref(), &bare) {
            Some(table) if table == self.own => {}
            Some(other) => self.faults.push(SqlFault::ChangesOther {
                other: self.schema.tables[other].name.to_string(),
                table: self.schema.tables[self.own].name.to_string(),
            }),
            // Reported where the name is looked up.
            None => {}
        }
    }
}

impl VisitorMut for Names<'_> {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &mut Statement) -> ControlFlow<()> {
        match statement {
            Statement::Update(update) => self.check_target(Some(&update.table.relation)),
            Statement::Delete(delete) => {
                let factor = first_table(delete).map(|table| table.relation.clone());
                self.check_target(factor.as_ref());
            }
            Statement::Query(_) => {}
            _ => self.faults.push(SqlFault::OtherStatement),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = folded(&cte.alias.name);
            if self.schema.tables.iter().any(|table| table.name.name == name) {
                self.faults.push(SqlFault::WithTakesName { name: name.clone() });
            }
            self.ctes.insert(name);
        }
        if matches!(query.body.as_ref(), SetExpr::Table(_)) {
            self.faults.push(SqlFault::TableForQuery);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        self.function = matches!(
            factor,
            TableFactor::Table { args: Some(_), .. } | TableFactor::Function { .. }
        );
        if let TableFactor::Table {
            name,
            alias: alias @ None,
            args: None,
            ..
        } = factor
        {
            *alias = self.alias_of(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        if std::mem::take(&mut self.function) {
            return ControlFlow::Continue(());
        }
        let Some((in_schema, name)) = self.table_of(relation) else {
            return ControlFlow::Continue(());
        };
        let is_only =
            matches!(relation.0.first(), Some(ObjectNamePart::Identifier(ident)) if ident.value == ONLY);
        let known = match in_schema.as_deref() {
            None if self.ctes.contains(&name) => return ControlFlow::Continue(()),
            Some("pg_catalog" | "information_schema") => return ControlFlow::Continue(()),
            None if name.starts_with("pg_") => return ControlFlow::Continue(()),
            in_schema => find_table(self.schema, self.own, in_schema, &name),
        };
        if let Some(table) = known {
            *relation = self.home_of(table, is_only);
            return ControlFlow::Continue(());
        }
        let view = self.schema.views.iter().find(|(view, _)| {
            view.name == name && in_schema.as_ref().is_none_or(|schema| *schema == view.schema)
        });
        self.faults.push(match view {
            Some((view, kind)) => SqlFault::ReadsView {
                sort: kind.as_str().to_lowercase(),
                name: view.to_string(),
            },
            None => {
                let name = in_schema.map_or_else(|| name.clone(), |schema| format!("{schema}.{name}"));
                let advice = meant(&name, self.schema.tables.iter().map(|table| &table.name));
                SqlFault::NamesNoTable {
                    name,
                    advice: advice.unwrap_or(Advice::Correct),
                }
            }
        });
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        // schema.table.column: the temporary table is in another schema.
        if let Expr::CompoundIdentifier(parts) = expression {
            if let [in_schema, table, _] = parts.as_slice() {
                let found = find_table(self.schema, self.own, Some(&folded(in_schema)), &folded(table));
                if found.is_some_and(|found| self.temporaries.contains(found)) {
                    parts.remove(0);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

//! The rows that follow from the rules: first what goes, to the greatest fixpoint; then what rows that stay in any case
//! need, to the least; then what nothing refers to any more. Rows that stay out take part in the first step alone, and are left
//! as it leaves them.
//!
//! Key tables lose rows by DELETE, which takes no room. A table's component is done when those that it refers to are, so
//! only circles need rounds; a round looks at what the one before has changed.

mod statements;

use super::graph::{components, reached, Component};
use super::keys::KeyTable;
use super::why;
use crate::error::Result;
use crate::plan::part::{Part, PartRule, Reference};
use crate::postgres::Session;
use statements::dangling;

/// The key tables and what hangs them together.
pub(super) struct Closure<'a> {
    pub(super) session: &'a Session,
    pub(super) part: &'a Part,
    pub(super) tables: &'a [KeyTable],
    /// By reference: whether some rows refer to rows that never existed. Which rows do is noted separately.
    dangling: Vec<bool>,
    /// For the question why: the key tables are copied as they are before, and without what goes downwards, and it stays
    /// noted in which round rows came back, or stay.
    pub(super) keeps_copies: bool,
}

/// Tables that rows of others may bring rows back to: those that tables which come whole lead to.
pub(super) fn wanted(part: &Part) -> Vec<bool> {
    let binding = part
        .references
        .iter()
        .filter(|one| one.binds() && part.brings(one));
    let edges: Vec<(usize, usize)> = binding.map(|one| (one.from, one.to)).collect();
    let relations = part.relations.iter().enumerate();
    let whole: Vec<usize> = relations
        .filter(|(_, relation)| relation.rule == PartRule::All && !relation.is_excluded)
        .map(|(at, _)| at)
        .collect();
    reached(part.relations.len(), &edges, &whole)
}

impl<'a> Closure<'a> {
    pub(super) fn new(session: &'a Session, part: &'a Part, tables: &'a [KeyTable]) -> Self {
        Self {
            session,
            part,
            tables,
            dangling: vec![false; part.references.len()],
            keeps_copies: false,
        }
    }

    /// Leaves in each key table the rows that stay. Returns, for each, how many of them others have brought back.
    pub(super) async fn run(&mut self) -> Result<Vec<u64>> {
        self.copy(why::ALL).await?;
        self.note_dangling().await?;
        let wanted = wanted(self.part);
        self.find_needed(&wanted).await?;
        self.drop_downwards().await?;
        self.copy(why::DOWN).await?;
        let added = self.bring_back(&wanted).await?;
        self.shrink_referenced().await?;
        Ok(added)
    }

    async fn copy(&self, name: &str) -> Result<()> {
        for table in self.tables.iter().filter(|_| self.keeps_copies) {
            let copy = table.beside(name);
            let copy = copy.trim_start_matches("pg_temp.");
            self.change(&format!("CREATE TEMPORARY TABLE {copy} AS TABLE {}", table.sql()))
                .await?;
        }
        Ok(())
    }

    /// The places of rows whose reference becomes NULL, as a query.
    pub(super) fn nullified(&self, reference: usize) -> String {
        let one = &self.part.references[reference];
        format!(
            "SELECT c.place FROM {} c WHERE {}",
            self.keys(one.from),
            self.is_orphan(reference)
        )
    }

    /// A reference to a row that the backup does not hold says nothing: its counterpart did not go.
    async fn note_dangling(&mut self) -> Result<()> {
        for at in 0..self.part.references.len() {
            let reference = &self.part.references[at];
            let is_whole = self.part.relations[reference.from].rule == PartRule::All;
            if reference.enforced || is_whole && reference.binds() {
                continue;
            }
            let sql = format!(
                "CREATE TEMPORARY TABLE {} AS SELECT c.place FROM {} c WHERE {}",
                dangling(at).trim_start_matches("pg_temp."),
                self.keys(reference.from),
                self.is_orphan(at)
            );
            self.dangling[at] = self.change(&sql).await? > 0;
        }
        Ok(())
    }

    /// What rows of tables that come whole need, and what that needs in turn, noted beside.
    async fn find_needed(&self, wanted: &[bool]) -> Result<()> {
        for (table, _) in self.tables.iter().zip(wanted).filter(|(_, wanted)| **wanted) {
            self.create_beside(table, "needed").await?;
        }
        let brings = |one: &Reference| one.binds() && self.part.brings(one);
        for component in self.order(brings).iter().rev() {
            for (at, reference) in self.part.references.iter().enumerate() {
                let is_whole = self.part.relations[reference.from].rule == PartRule::All;
                let leads = brings(reference) && (is_whole || wanted[reference.from]);
                if leads && component.leads_in(reference) {
                    let from = if is_whole { "keys" } else { "needed" };
                    self.mark(at, from, "needed", "true", "0").await?;
                }
            }
            if component.is_cyclic && component.members.iter().all(|member| wanted[*member]) {
                self.mark_in_rounds(component, "needed", brings).await?;
            }
        }
        Ok(())
    }

    /// Takes out what its own rule does not keep and what refers to a row that goes.
    async fn drop_downwards(&self) -> Result<()> {
        for table in self.tables.iter().filter(|table| table.says_stays()) {
            self.change(&format!("DELETE FROM {} WHERE NOT stays", table.sql()))
                .await?;
        }
        for component in self.order(|one| one.binds()) {
            for (at, reference) in self.part.references.iter().enumerate() {
                let goes = reference.binds() && self.part.relations[reference.from].rule != PartRule::All;
                if goes && component.leads_out(reference) {
                    let keys = self.keys(reference.from);
                    let sql = format!("DELETE FROM {keys} c WHERE {}", self.is_orphan(at));
                    self.change(&sql).await?;
                }
            }
            if component.is_cyclic {
                self.drop_in_rounds(&component).await?;
            }
        }
        Ok(())
    }

    /// Within a circle: what refers to a row that is not there, then what refers to that, and so on.
    async fn drop_in_rounds(&self, component: &Component) -> Result<()> {
        let inner = self.inner(component, |one| one.binds());
        for member in &component.members {
            self.create_beside(&self.tables[*member], "gone").await?;
        }
        let mut gone = 0;
        for &at in &inner {
            let reference = &self.part.references[at];
            let columns = self.columns(reference.from);
            let sql = format!(
                "WITH gone AS (DELETE FROM {} c WHERE {} RETURNING {}) INSERT INTO {} ({columns}, round) SELECT *, 0 FROM gone",
                self.keys(reference.from),
                self.is_orphan(at),
                self.columns_of("c", reference.from),
                self.beside(reference.from, "gone"),
            );
            gone += self.change(&sql).await?;
        }
        if gone > 0 {
            for &at in &inner {
                let reference = &self.part.references[at];
                self.index(
                    reference.from,
                    "keys",
                    reference.columns.iter().map(|(from, _)| *from),
                )
                .await?;
            }
            let rounds = inner.iter().map(|&at| {
                let reference = &self.part.references[at];
                format!(
                    "WITH gone AS (DELETE FROM {} c USING {} p WHERE p.round = n AND {} RETURNING {}) \
                     INSERT INTO {} ({}, round) SELECT *, n + 1 FROM gone",
                    self.keys(reference.from),
                    self.beside(reference.to, "gone"),
                    self.joined(reference),
                    self.columns_of("c", reference.from),
                    self.beside(reference.from, "gone"),
                    self.columns(reference.from),
                )
            });
            self.in_rounds(component, "gone", rounds.collect()).await?;
        }
        for member in &component.members {
            self.drop_beside(*member, "gone").await?;
        }
        Ok(())
    }

    /// Puts back what is needed and not there. Returns how many rows that were, for each table.
    async fn bring_back(&self, wanted: &[bool]) -> Result<Vec<u64>> {
        let mut added = vec![0; self.tables.len()];
        for (at, _) in wanted.iter().enumerate().filter(|(_, wanted)| **wanted) {
            let (keys, columns) = (self.keys(at), self.columns(at));
            let sql = format!(
                "INSERT INTO {keys} ({columns}) SELECT {columns} FROM {} n \
                 WHERE NOT EXISTS (SELECT FROM {keys} k WHERE k.place = n.place)",
                self.beside(at, "needed")
            );
            added[at] = self.change(&sql).await?;
            if !self.keeps_copies {
                self.drop_beside(at, "needed").await?;
            }
        }
        Ok(added)
    }

    /// Of tables that are there to be referred to, only rows stay that others refer to.
    async fn shrink_referenced(&self) -> Result<()> {
        let shrinks = |at: usize| {
            let relation = &self.part.relations[at];
            relation.rule == PartRule::Referenced && !relation.is_excluded
        };
        let both = |one: &Reference| shrinks(one.from) && shrinks(one.to);
        for component in self.order(both).iter().rev() {
            let [first, ..] = component.members[..] else {
                continue;
            };
            if !shrinks(first) {
                continue;
            }
            if component.is_cyclic {
                self.shrink_in_rounds(component).await?;
                continue;
            }
            let into = self.part.references.iter();
            let into = into.filter(|one| one.to == first && self.part.brings(one));
            let unwanted: Vec<String> = into
                .map(|one| {
                    format!(
                        "NOT EXISTS (SELECT FROM {} c WHERE {})",
                        self.keys(one.from),
                        self.joined(one)
                    )
                })
                .collect();
            let unwanted = if unwanted.is_empty() {
                "true".to_owned()
            } else {
                unwanted.join(" AND ")
            };
            self.change(&format!("DELETE FROM {} p WHERE {unwanted}", self.keys(first)))
                .await?;
        }
        Ok(())
    }

    async fn shrink_in_rounds(&self, component: &Component) -> Result<()> {
        for member in &component.members {
            self.create_beside(&self.tables[*member], "referred").await?;
        }
        for (at, reference) in self.part.references.iter().enumerate() {
            if component.leads_in(reference) && self.part.brings(reference) {
                self.mark(at, "keys", "referred", "true", "0").await?;
            }
        }
        self.mark_in_rounds(component, "referred", |_| true).await?;
        for member in &component.members {
            let sql = format!(
                "DELETE FROM {} k WHERE NOT EXISTS (SELECT FROM {} r WHERE r.place = k.place)",
                self.keys(*member),
                self.beside(*member, "referred")
            );
            self.change(&sql).await?;
            if !self.keeps_copies {
                self.drop_beside(*member, "referred").await?;
            }
        }
        Ok(())
    }

    /// Notes beside a table the rows that a reference leads to, from rows of `from` that `which` holds for.
    async fn mark(&self, at: usize, from: &str, beside: &str, which: &str, round: &str) -> Result<()> {
        let sql = self.marking(at, from, beside, which, round);
        self.change(&sql).await.map(|_| ())
    }

    fn marking(&self, at: usize, from: &str, beside: &str, which: &str, round: &str) -> String {
        let reference = &self.part.references[at];
        let noted = self.beside(reference.to, beside);
        format!(
            "INSERT INTO {noted} ({}, round) SELECT {}, {round} FROM {} p \
             WHERE EXISTS (SELECT FROM {} c WHERE {which} AND {}) \
             AND NOT EXISTS (SELECT FROM {noted} n WHERE n.place = p.place)",
            self.columns(reference.to),
            self.columns_of("p", reference.to),
            self.keys(reference.to),
            self.beside(reference.from, from),
            self.joined(reference),
        )
    }

    /// Within a circle: what noted rows lead to, then what these lead to, and so on.
    async fn mark_in_rounds(
        &self,
        component: &Component,
        beside: &str,
        counts: impl Fn(&Reference) -> bool,
    ) -> Result<()> {
        let inner = self.inner(component, counts);
        for &at in &inner {
            let reference = &self.part.references[at];
            self.index(reference.to, "keys", reference.columns.iter().map(|(_, to)| *to))
                .await?;
        }
        let rounds = inner
            .iter()
            .map(|&at| self.marking(at, beside, beside, "c.round = n", "n + 1"));
        self.in_rounds(component, beside, rounds.collect()).await
    }

    /// Runs statements in rounds, `n` from 0 on, until a round changes nothing. They stay on the server: a chain of ten
    /// thousand rows takes ten thousand rounds.
    async fn in_rounds(&self, component: &Component, beside: &str, statements: Vec<String>) -> Result<()> {
        for member in &component.members {
            let noted = self.beside(*member, beside);
            self.change(&format!(
                "CREATE INDEX ON {noted} (round); CREATE INDEX ON {noted} (place)"
            ))
            .await?;
        }
        let body: Vec<String> = statements
            .into_iter()
            .map(|statement| format!("{statement}; changed := changed OR FOUND;"))
            .collect();
        let sql = format!(
            "DO $rounds$ DECLARE n integer := 0; changed boolean; BEGIN LOOP changed := false; {} \
             EXIT WHEN NOT changed; n := n + 1; END LOOP; END $rounds$",
            body.join(" ")
        );
        self.change(&sql).await.map(|_| ())
    }

    /// All tables, what is referred to before what refers to it by references that count.
    pub(super) fn order(&self, counts: impl Fn(&Reference) -> bool) -> Vec<Component> {
        let counted = self.part.references.iter().filter(|reference| counts(reference));
        let edges: Vec<(usize, usize)> = counted.map(|one| (one.from, one.to)).collect();
        components(self.part.relations.len(), &edges)
    }

    fn inner(&self, component: &Component, counts: impl Fn(&Reference) -> bool) -> Vec<usize> {
        let references = self.part.references.iter().enumerate();
        references
            .filter(|(_, one)| counts(one) && component.holds(one.from) && component.holds(one.to))
            .map(|(at, _)| at)
            .collect()
    }
}

impl Component {
    pub(super) fn holds(&self, table: usize) -> bool {
        self.members.contains(&table)
    }

    /// Whether a reference leads from elsewhere to one of its tables.
    fn leads_in(&self, reference: &Reference) -> bool {
        self.holds(reference.to) && !self.holds(reference.from)
    }

    /// Whether a reference leads from one of its tables elsewhere.
    fn leads_out(&self, reference: &Reference) -> bool {
        self.holds(reference.from) && !self.holds(reference.to)
    }
}

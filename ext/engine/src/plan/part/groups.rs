//! Which columns are compared with one another, over all references.

use super::compare::{compared, nature};
use super::Compared;
use crate::plan::schema::Schema;
use std::collections::HashMap;

/// Columns that are compared with one another, directly or by way of others.
#[derive(Default)]
pub(super) struct Groups {
    number: HashMap<(usize, String), usize>,
    members: Vec<Vec<(usize, String)>>,
}

impl Groups {
    /// These two are.
    pub(super) fn join(&mut self, one: (usize, String), other: (usize, String)) {
        let (kept, gone) = (self.of(one), self.of(other));
        if kept == gone {
            return;
        }
        for member in std::mem::take(&mut self.members[gone]) {
            self.number.insert(member.clone(), kept);
            self.members[kept].push(member);
        }
    }

    fn of(&mut self, column: (usize, String)) -> usize {
        if let Some(number) = self.number.get(&column) {
            return *number;
        }
        self.number.insert(column.clone(), self.members.len());
        self.members.push(vec![column]);
        self.members.len() - 1
    }

    /// How each is compared.
    pub(super) fn compared(&self, schema: &Schema) -> HashMap<(usize, String), Compared> {
        let mut found = HashMap::new();
        for members in &self.members {
            let natures: Vec<_> = members
                .iter()
                .map(|(table, column)| nature(schema, *table, column))
                .collect();
            found.extend(members.iter().cloned().zip(compared(&natures)));
        }
        found
    }
}

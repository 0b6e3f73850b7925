//! What statements leave to one another: parents, inherited columns, and what a primary key says of its columns.

use super::{Column, Schema, Unique, UserType};
use std::collections::{HashMap, HashSet};

impl Schema {
    pub(super) fn resolve_parents(&mut self) {
        for index in 0..self.tables.len() {
            let parents = std::mem::take(&mut self.tables[index].parents);
            for parent in parents {
                let Some(parent) = self.table(&parent).filter(|parent| *parent != index) else {
                    continue;
                };
                if self.tables[parent].partition_key.is_some() {
                    self.tables[index].partition_of = Some(parent);
                } else {
                    self.tables[index].inherits.push(parent);
                }
            }
            let parents: Vec<usize> = self.tables[index]
                .partition_of
                .iter()
                .chain(&self.tables[index].inherits)
                .copied()
                .collect();
            for parent in parents {
                self.tables[parent].children.push(index);
            }
        }
    }

    /// Adds what CREATE TABLE does not repeat: the columns of parents and of composite types.
    pub(super) fn complete_columns(&mut self) {
        let mut done = vec![false; self.tables.len()];
        for index in 0..self.tables.len() {
            let mut order = self.ancestors(index);
            order.reverse();
            order.push(index);
            for table in order {
                if !std::mem::replace(&mut done[table], true) {
                    self.complete_columns_of(table);
                }
            }
        }
    }

    fn complete_columns_of(&mut self, index: usize) {
        let table = &self.tables[index];
        let mut inherited: Vec<Column> = Vec::new();
        if let Some(UserType::Composite(columns)) =
            table.of_type.as_ref().and_then(|name| self.types.get(name))
        {
            inherited.extend(columns.iter().cloned());
        }
        for parent in table.inherits.iter().chain(&table.partition_of) {
            // An attached partition repeats all columns, in an order of its own.
            if table.partition_of.is_none() || table.columns.iter().all(|column| column.column_type.is_none())
            {
                inherited.extend(self.tables[*parent].columns.iter().cloned());
            }
        }
        if inherited.is_empty() {
            return;
        }
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut columns: Vec<Column> = Vec::new();
        for column in inherited
            .into_iter()
            .chain(std::mem::take(&mut self.tables[index].columns))
        {
            match places.get(&column.name) {
                Some(&place) => {
                    let known = &mut columns[place];
                    known.not_null |= column.not_null;
                    known.has_default |= column.has_default;
                    known.column_type = column.column_type.or(known.column_type.take());
                    known.generated = column.generated.or(known.generated.take());
                }
                None => {
                    places.insert(column.name.clone(), columns.len());
                    columns.push(column);
                }
            }
        }
        self.tables[index].columns = columns;
    }

    /// Primary key columns are NOT NULL, whether CREATE TABLE says so or not.
    pub(super) fn complete_keys(&mut self) {
        for table in &mut self.tables {
            let key: HashSet<&str> = table
                .uniques
                .iter()
                .filter(|unique| unique.primary)
                .filter_map(Unique::columns)
                .flatten()
                .collect();
            for column in &mut table.columns {
                column.not_null |= key.contains(column.name.as_str());
            }
        }
    }
}

//! A look at rows: each field that shows anything goes to its column's detector.

use super::categories::Categories;
use super::digests::Digests;
use crate::plan::personal::{Watch, Watched};
use memchr::{memchr, memchr2};
use personal_data::{ColumnDetector, Recent, Scanner};
use pg_dump_archive::copy::decode;
use pg_dump_archive::DumpId;

/// One thread's look at rows of one load.
pub(crate) struct LoadScan {
    pub(super) load: DumpId,
    pub(super) detectors: Vec<ColumnDetector>,
    /// Per column of the data, the place of its detector; up to the last column that has one.
    pub(super) places: Vec<Option<usize>>,
    /// What masks draw among, in the first rows.
    pub(super) categories: Categories,
    /// Which columns hold digests of addresses, in the first rows.
    pub(super) digests: Digests,
    scanner: Scanner,
    recent: Recent,
    scratch: Vec<u8>,
}

impl LoadScan {
    /// A look at the columns of `watch` that `wanted` lets pass.
    pub(super) fn new(load: DumpId, watch: &Watch, wanted: impl Fn(&Watched) -> bool) -> Self {
        let detectors: Vec<ColumnDetector> = watch
            .columns
            .iter()
            .map(|column| ColumnDetector::new(&column.name, &column.sql_type))
            .collect();
        let mut places = vec![None; watch.width];
        for (place, column) in watch.columns.iter().enumerate() {
            if let Some(slot) = places.get_mut(column.position) {
                *slot = (wanted(column) && detectors[place].is_worth_feeding()).then_some(place);
            }
        }
        let wanted = places
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |last| last + 1);
        places.truncate(wanted);
        Self {
            load,
            detectors,
            places,
            categories: Categories::default(),
            digests: Digests::default(),
            scanner: Scanner::new(),
            recent: Recent::new(),
            scratch: Vec::new(),
        }
    }

    /// The same, and what masks draw among, and which columns hold digests of addresses.
    pub(super) fn learning(self, categories: Categories, digests: Digests) -> Self {
        Self {
            categories,
            digests,
            ..self
        }
    }

    /// Looks at whole rows of COPY text, at most so many; returns how many it was.
    pub(crate) fn observe(&mut self, rows: &[u8], most: u64) -> u64 {
        self.categories.observe(rows, most);
        self.digests.observe(rows, most);
        let mut seen = 0;
        let mut at = 0;
        while at < rows.len() && seen < most {
            seen += 1;
            at += self.row(&rows[at..]);
        }
        seen
    }

    /// Looks at the first of some rows, as far as its last field that shows anything; returns its length.
    fn row(&mut self, rows: &[u8]) -> usize {
        let mut at = 0;
        for place in &self.places {
            let end = at + memchr2(b'\t', b'\n', &rows[at..]).unwrap_or(rows.len() - at);
            if let Some(detector) = place.and_then(|place| self.detectors.get_mut(place)) {
                if let Some(value) = decode(&rows[at..end], &mut self.scratch) {
                    detector.observe_with(value, &mut self.scanner, &mut self.recent);
                }
            }
            at = (end + 1).min(rows.len());
            if rows.get(end) != Some(&b'\t') {
                return at;
            }
        }
        memchr(b'\n', &rows[at..]).map_or(rows.len(), |end| at + end + 1)
    }
}

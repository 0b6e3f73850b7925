//! What is known of each class in each column. There may be many thousands of columns, and most hold nothing that is
//! looked for, so a column's numbers are made when there is something to count.

use crate::class::Class;

/// What is known of one class in one column.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ClassTally {
    /// Candidates seen.
    pub(crate) seen: u64,
    /// Different ones among them, as far as known.
    pub(crate) distinct: u64,
    /// Candidates that are originals.
    pub(crate) certain: u64,
    /// How many different ones those are, as far as known.
    pub(crate) values: u64,
    /// Past the bounds: candidates that are originals as far as sketches show, the certain ones among them.
    pub(crate) possible: u64,
    /// How many of those are their errors, on average.
    pub(crate) expected: f64,
}

/// The place of a class in a column.
pub(crate) fn place(column: u32, class: Class) -> u32 {
    column * Class::COUNT as u32 + class.index() as u32
}

/// The tallies of all places.
pub(crate) struct Tallies(Vec<Option<Box<[ClassTally; Class::COUNT]>>>);

impl Tallies {
    /// For so many columns.
    pub(crate) fn new(columns: usize) -> Self {
        Self(vec![None; columns])
    }

    /// The tally of a place, to be counted on.
    pub(crate) fn count(&mut self, place: u32) -> &mut ClassTally {
        let (column, class) = (place as usize / Class::COUNT, place as usize % Class::COUNT);
        &mut self.0[column].get_or_insert_with(Default::default)[class]
    }

    /// The tally of a place; None where nothing of its column was counted.
    pub(crate) fn of(&self, place: u32) -> Option<&ClassTally> {
        let (column, class) = (place as usize / Class::COUNT, place as usize % Class::COUNT);
        self.0.get(column)?.as_ref()?.get(class)
    }

    /// All in which something was counted, or may have been.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ClassTally> {
        self.0.iter().flatten().flat_map(|column| column.iter())
    }

    /// The same, to be changed.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut ClassTally> {
        self.0.iter_mut().flatten().flat_map(|column| column.iter_mut())
    }

    /// Those of a class in the columns in which it was seen, with their places.
    pub(crate) fn seen_of(&mut self, class: Class) -> impl Iterator<Item = (u32, &mut ClassTally)> {
        let columns = self.0.iter_mut().enumerate();
        let known = columns.filter_map(move |(column, known)| {
            let tally = &mut known.as_mut()?[class.index()];
            (tally.seen > 0).then(|| (place(column as u32, class), tally))
        });
        known
    }
}

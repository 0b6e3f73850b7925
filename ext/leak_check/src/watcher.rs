//! One lane's worker: looks at pieces of rows as they came and as they are written, and hands hashes on in batches.

use crate::class::{Class, Hasher};
use crate::find::{is_digest, Candidate, Finder};
use crate::watch::{LeakWatch, Role, ScanMode, WatchedColumn};
use crate::LeakCheck;
use md5::{Digest as _, Md5};
use personal_data::PiiKind;
use pg_dump_archive::copy::{self, Row, Splitter};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use std::sync::Arc;

/// When a worker looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookTime {
    /// While rows are masked and sent: at originals, and at what is written.
    Sent,
    /// While rows are masked that are read back later: at originals only.
    Masked,
    /// When all is done: at what the tables hold.
    ReadBack,
    /// When all is done, of what was looked at as it was sent: only at what rules in SQL have left in their columns.
    Kept,
}

/// What a value is to the check.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Original,
    Written,
    Kept,
}

/// The longest value that is taken for a number as a whole.
const LONGEST_WHOLE: usize = 40;
/// Recent originals that are not handed on again.
const RECENT: usize = 256;

/// Looks at the rows of one data block.
pub struct Watcher {
    watch: LeakWatch,
    looker: Looker,
    /// Of what came, and of what is written.
    splitters: [Splitter; 2],
}

/// No hash, no value.
impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

/// What was found and is not handed on yet.
struct Batch {
    hasher: Hasher,
    originals: Vec<(Class, u64)>,
    digests: Vec<u64>,
    sightings: Vec<(u32, Class, u64)>,
    unscanned: Vec<(u32, u64)>,
    /// What is kept, each with its digests.
    kept: Vec<(u64, Vec<u64>)>,
    /// Hashes of originals that came lately, by their lowest bits.
    recent: Box<[u64; RECENT]>,
    digest_level: u32,
    folded: Vec<u8>,
}

impl Batch {
    fn original(&mut self, kind: PiiKind, value: &[u8]) {
        let Some((class, hash)) = self.hasher.value(kind, value) else {
            return;
        };
        let recent = &mut self.recent[hash as usize % RECENT];
        if std::mem::replace(recent, hash) == hash {
            return;
        }
        self.originals.push((class, hash));
        if let Some(account) = self.hasher.account(kind, value) {
            self.originals.push(account);
        }
        self.all_digests_of(class, hash, value);
    }

    fn kept(&mut self, kind: PiiKind, value: &[u8]) {
        let Some((class, hash)) = self.hasher.value(kind, value) else {
            return;
        };
        let digests = self.digests.len();
        self.all_digests_of(class, hash, value);
        let digests = self.digests.split_off(digests);
        self.kept.push((hash, digests));
    }

    /// The digests of a value in the forms in which it is hashed as a rule, of a share of all values.
    fn all_digests_of(&mut self, class: Class, hash: u64, value: &[u8]) {
        if class == Class::Name || hash.trailing_zeros() < self.digest_level {
            return;
        }
        let value = value.trim_ascii();
        self.digests_of(value);
        // An address is hashed in small letters as a rule, a number without what stands between its digits.
        let mut folded = std::mem::take(&mut self.folded);
        folded.clear();
        match class {
            Class::Email => folded.extend(value.iter().map(u8::to_ascii_lowercase)),
            _ => {
                let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'+';
                folded.extend(value.iter().filter(is_part).map(u8::to_ascii_uppercase));
            }
        }
        if folded != value {
            self.digests_of(&folded);
        }
        self.folded = folded;
    }

    fn digests_of(&mut self, value: &[u8]) {
        self.digests.push(self.hasher.digest(&Md5::digest(value)));
        self.digests.push(self.hasher.digest(&Sha1::digest(value)));
        self.digests.push(self.hasher.digest(&Sha256::digest(value)));
        self.digests.push(self.hasher.digest(&Sha512::digest(value)));
    }

    fn sighting(&mut self, column: u32, candidate: Candidate<'_>) {
        match candidate {
            Candidate::Value(kind, value) => {
                if let Some((class, hash)) = self.hasher.value(kind, value) {
                    self.sightings.push((column, class, hash));
                }
            }
            Candidate::Digest(digest) => {
                self.sightings
                    .push((column, Class::Digest, self.hasher.digest(digest)));
            }
        }
    }

    fn hand_on(&mut self, check: &LeakCheck) {
        let parts = [
            self.originals.len(),
            self.digests.len(),
            self.sightings.len(),
            self.kept.len(),
        ];
        if parts.iter().any(|length| *length > 0) {
            let mut sets = check.sets();
            sets.originals_found(&self.originals);
            self.originals.clear();
            for hash in self.digests.drain(..) {
                sets.digest(hash);
            }
            for (column, class, hash) in self.sightings.drain(..) {
                sets.sighting(column, class, hash);
            }
            for (hash, digests) in self.kept.drain(..) {
                sets.kept(hash, &digests);
            }
            let hashed = Class::ALL.into_iter();
            let hashed = hashed.filter(|class| !matches!(class, Class::Name | Class::Digest));
            let originals = hashed.map(|class| sets.originals(class)).sum();
            check.set_digest_level(originals);
        }
        if !self.unscanned.is_empty() {
            check.add_unscanned(&mut self.unscanned);
        }
        self.digest_level = check.digest_level();
    }
}

/// What looks at fields.
struct Looker {
    check: Arc<LeakCheck>,
    moment: LookTime,
    /// Whether what is written is looked at.
    sees_written: bool,
    finder: Finder,
    value: Vec<u8>,
    batch: Batch,
}

impl Watcher {
    pub(crate) fn new(check: Arc<LeakCheck>, watch: LeakWatch, moment: LookTime) -> Self {
        let batch = Batch {
            hasher: check.hasher.clone(),
            originals: Vec::new(),
            digests: Vec::new(),
            sightings: Vec::new(),
            unscanned: Vec::new(),
            kept: Vec::new(),
            recent: Box::new([0; RECENT]),
            digest_level: check.digest_level(),
            folded: Vec::new(),
        };
        Self {
            looker: Looker {
                finder: Finder::new(check.names),
                check,
                moment,
                sees_written: moment == LookTime::ReadBack || (moment == LookTime::Sent && !watch.read_back),
                value: Vec::new(),
                batch,
            },
            watch,
            splitters: Default::default(),
        }
    }

    /// Whether a column at a place is looked at when it is read back.
    pub fn looks_at(&self, position: usize) -> bool {
        let is_looked_at = |role: Role| match role {
            Role::Written | Role::Scrubbed => self.looker.moment != LookTime::Kept,
            Role::MaskedLater => true,
            Role::Masked | Role::Ignored => false,
        };
        let mut columns = self.watch.columns.iter();
        columns.any(|column| column.position == position && is_looked_at(column.role))
    }

    /// Whether that is so of any column.
    pub fn looks_at_anything(&self) -> bool {
        self.watch
            .columns
            .iter()
            .any(|column| self.looks_at(column.position))
    }

    /// Looks at whole rows of COPY text: `raw` as they came, `written` the same rows as they are written. Where
    /// nothing is masked the two are one.
    pub fn piece(&mut self, raw: &[u8], written: &[u8]) {
        if self.watch.is_empty() {
            return;
        }
        let [mut raw_splitter, mut splitter] = std::mem::take(&mut self.splitters);
        let mut rows = splitter.rows(written);
        let mut raw_rows = (!std::ptr::eq(raw, written)).then(|| raw_splitter.rows(raw));
        while let Some(row) = rows.next_row() {
            let raw_row = match raw_rows.as_mut().map(|rows| rows.next_row()) {
                None => row,
                Some(Some(raw)) => raw,
                Some(None) => break,
            };
            self.row(raw_row, row);
        }
        self.splitters = [raw_splitter, splitter];
        self.end_of_piece();
    }

    /// Looks at one row, as it came and as it is written. [`Watcher::end_of_piece`] must be called now and then.
    pub fn row(&mut self, raw: Row<'_>, written: Row<'_>) {
        let Self { watch, looker, .. } = self;
        let fields = raw.fields().min(written.fields());
        for column in &watch.columns {
            let at = column.position;
            if at < fields {
                looker.column(column, raw.field(at), written.field(at));
            }
        }
        if !looker.check.names || !matches!(looker.moment, LookTime::Sent | LookTime::Masked) {
            return;
        }
        if let Some((first, family)) = watch.full_name {
            if first.max(family) < fields {
                looker.full_name(raw.field(first), raw.field(family));
            }
        }
    }

    /// Hands on what was found, to where all of a run's watchers do.
    pub fn end_of_piece(&mut self) {
        self.looker.batch.hand_on(&self.looker.check);
    }
}

impl Looker {
    #[inline]
    fn column(&mut self, column: &WatchedColumn, raw: &[u8], written: &[u8]) {
        let is_written = self.sees_written;
        let is_raw = matches!(self.moment, LookTime::Sent | LookTime::Masked);
        match column.role {
            Role::Written if is_written => self.look(column, written, Side::Written),
            Role::Masked if is_raw && raw != written => self.look(column, raw, Side::Original),
            Role::MaskedLater if is_raw => self.look(column, raw, Side::Original),
            Role::MaskedLater => self.look(column, written, Side::Kept),
            Role::Scrubbed => {
                if is_raw && raw != written {
                    self.look(column, raw, Side::Original);
                }
                if is_written {
                    self.look(column, written, Side::Written);
                }
            }
            _ => {}
        }
    }

    /// Looks at one field.
    fn look(&mut self, column: &WatchedColumn, field: &[u8], side: Side) {
        if field == b"\\N" || field.is_empty() {
            return;
        }
        if column.whole.is_none() && column.scan == ScanMode::Text && self.finder.has_nothing(field) {
            return;
        }
        let value = copy::decode(field, &mut self.value).unwrap_or_default();
        // What is hashed already is nothing to find again, and numbers in it are there by chance.
        if side != Side::Written && is_digest(value) {
            return;
        }
        let batch = &mut self.batch;
        let mut any = false;
        let mut found = |candidate: Candidate<'_>| {
            any = true;
            match (candidate, side) {
                (candidate, Side::Written) => batch.sighting(column.column, candidate),
                (Candidate::Value(kind, value), Side::Original) => batch.original(kind, value),
                (Candidate::Value(kind, value), Side::Kept) => batch.kept(kind, value),
                (Candidate::Digest(_), _) => {}
            }
        };
        match column.scan {
            ScanMode::Text => self.finder.text(value, &mut found),
            ScanMode::Number => self.finder.number(value, &mut found),
            ScanMode::Bytes => {
                let hex = value.strip_prefix(b"\\x").unwrap_or(value);
                if !self.finder.bytes(hex, &mut found) && side == Side::Written {
                    batch.unscanned.push((column.column, 1));
                }
            }
        }
        if let Some(kind) = column.whole.filter(|kind| !any && may_be(*kind, value)) {
            match side {
                Side::Original => self.batch.original(kind, value),
                Side::Kept => self.batch.kept(kind, value),
                Side::Written => self.batch.sighting(column.column, Candidate::Value(kind, value)),
            }
        }
    }

    /// A first and a last name that are both masked are an original together.
    fn full_name(&mut self, first: &[u8], family: &[u8]) {
        let is_name = |field: &[u8]| field.len() > 1 && field != b"\\N" && !field.contains(&b'\\');
        if is_name(first) && is_name(family) {
            let value = &mut self.value;
            value.clear();
            value.extend_from_slice(first);
            value.push(b' ');
            value.extend_from_slice(family);
            self.batch.original(PiiKind::Name, value);
        }
    }
}

/// Whether a whole value may be one of the kind that its column's name says.
fn may_be(kind: PiiKind, value: &[u8]) -> bool {
    if value.len() > LONGEST_WHOLE {
        return false;
    }
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    match kind {
        PiiKind::Phone => digits >= 9 && !value.iter().any(u8::is_ascii_alphabetic),
        PiiKind::Name => value.trim_ascii().contains(&b' '),
        _ => digits >= 5,
    }
}

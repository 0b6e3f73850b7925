//! The finished archive, read again: it is whole, holds as many rows as were written, and what is masked has its form.

use super::unreadable;
use crate::error::{Error, Result};
use crate::notice::Mismatch;
use crate::plan::{Load, Plan};
use crate::postgres::LoadedTable;
use crate::source::hex;
use masking::{FormCheck, MaskedColumn};
use pg_dump_archive::copy::Pieces;
use pg_dump_archive::{Archive, Block, DataBlock, DumpId, LargeObjectsBlock};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, Read};
use tokio_util::sync::CancellationToken;

/// About how many bytes of rows are looked at together.
const PIECE: usize = 128 * 1024;

/// What an archive is expected to hold.
pub(crate) struct Expected<'a> {
    /// The plan as it was carried out.
    pub(crate) plan: &'a Plan,
    /// What was written of each table.
    pub(crate) loads: &'a [LoadedTable],
    /// Large objects.
    pub(crate) large_objects: u64,
    /// Whether masked values are looked at.
    pub(crate) forms: bool,
}

/// An archive that is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Its bytes.
    pub(crate) size: u64,
    /// Their SHA-256, in lower-case hexadecimal.
    pub(crate) sha256: String,
    /// What is wrong with it, a sentence each; nothing when all is well.
    pub(crate) problems: Vec<Mismatch>,
}

/// Reads the archive to its end.
///
/// # Errors
/// [`Kind::Verification`](crate::error::Kind::Verification) when it cannot be read as an archive; when it is cancelled.
pub(crate) fn check(
    archive: impl Read,
    expected: &Expected<'_>,
    cancel: &CancellationToken,
) -> Result<Checked> {
    let mut bytes = Hashed {
        reader: archive,
        hasher: Sha256::new(),
        size: 0,
    };
    let mut check = Check {
        expected,
        loads: expected.loads.iter().map(|load| (load.dump_id, load)).collect(),
        objects: 0,
        problems: Vec::new(),
        cancel,
    };
    check.read(&mut bytes)?;
    check.conclude();
    Ok(Checked {
        size: bytes.size,
        sha256: hex(bytes.hasher),
        problems: check.problems,
    })
}

struct Check<'a> {
    expected: &'a Expected<'a>,
    /// Tables that were not met yet.
    loads: HashMap<DumpId, &'a LoadedTable>,
    objects: u64,
    problems: Vec<Mismatch>,
    cancel: &'a CancellationToken,
}

impl Check<'_> {
    fn read(&mut self, bytes: impl Read) -> Result<()> {
        let mut archive = Archive::open(bytes).map_err(|error| unreadable(&error))?;
        while let Some(block) = archive.next_block().map_err(|error| unreadable(&error))? {
            match block {
                Block::Data(block) => self.table(block)?,
                Block::LargeObjects(block) => self.large_objects(block)?,
            }
        }
        Ok(())
    }

    fn table<R: Read>(&mut self, block: DataBlock<'_, R>) -> Result<()> {
        let id = block.dump_id();
        let (Some(written), Some(load)) = (self.loads.remove(&id), self.expected.plan.rows_of(id)) else {
            let entry = id.to_string();
            self.problems.push(Mismatch::NotWritten { entry });
            return Ok(());
        };
        let mut forms = match self.expected.forms {
            true => Forms::of(load, written),
            false => Forms::default(),
        };
        let (mut rows, mut pieces, mut piece) = (0, Pieces::new(block, PIECE), Vec::new());
        while pieces.next(&mut piece).map_err(|error| unreadable(&error))? {
            self.go_on()?;
            rows += memchr::memchr_iter(b'\n', &piece).count() as u64;
            forms.look(&piece)?;
        }
        if rows != written.rows {
            self.problems.push(Mismatch::ArchivedRowsDiffer {
                table: load.table.to_string(),
                count: rows,
                written: written.rows,
            });
        }
        forms.conclude(load, &mut self.problems);
        Ok(())
    }

    fn large_objects<R: Read>(&mut self, mut block: LargeObjectsBlock<'_, R>) -> Result<()> {
        while let Some(mut object) = block.next_object().map_err(|error| unreadable(&error))? {
            self.go_on()?;
            io::copy(&mut object, &mut io::sink()).map_err(|error| unreadable(&error))?;
            self.objects += 1;
        }
        Ok(())
    }

    fn go_on(&self) -> Result<()> {
        match self.cancel.is_cancelled() {
            true => Err(Error::interrupted()),
            false => Ok(()),
        }
    }

    /// What is missing in the end.
    fn conclude(&mut self) {
        let mut missing: Vec<&LoadedTable> = self.loads.drain().map(|(_, load)| load).collect();
        missing.sort_unstable_by_key(|load| load.dump_id);
        for load in missing {
            let table = load.table.to_string();
            self.problems.push(Mismatch::ArchivedRowsMissing { table });
        }
        let written = self.expected.large_objects;
        if self.objects != written {
            self.problems.push(Mismatch::ArchivedObjectsDiffer {
                count: self.objects,
                written,
            });
        }
    }
}

/// The forms of a table's masked values.
#[derive(Default)]
struct Forms {
    /// Each with how many values of each column may be without form, because they were kept.
    checks: Vec<(FormCheck, Vec<u64>)>,
    violations_seen: u64,
}

impl Forms {
    fn of(load: &Load, written: &LoadedTable) -> Self {
        let vectors = load
            .vectors_under(load.mask.as_deref())
            .map(|vectors| &vectors.mask);
        let kept = written.masked.iter().map(|column| column.kept).collect();
        let mask = load.mask.as_ref().map(|mask| (mask.form_check(), kept));
        let emptied = vectors.map(|mask| (mask.form_check(), vec![0; mask.columns().len()]));
        Self {
            checks: mask.into_iter().chain(emptied).collect(),
            violations_seen: written.masked.iter().map(|column| column.violations).sum(),
        }
    }

    fn look(&mut self, piece: &[u8]) -> Result<()> {
        for (check, _) in &mut self.checks {
            check.look(piece).map_err(|error| unreadable(&error))?;
        }
        Ok(())
    }

    fn conclude(&self, load: &Load, problems: &mut Vec<Mismatch>) {
        let before = problems.len();
        for (check, kept) in &self.checks {
            let columns = check.columns().iter().zip(check.without_form()).zip(kept);
            for ((column, without), kept) in columns {
                problems.extend(problem(load, column, without.saturating_sub(*kept)));
            }
        }
        if problems.len() == before && self.violations_seen > 0 {
            problems.push(Mismatch::ArchivedFormLostInWriting {
                table: load.table.to_string(),
                count: self.violations_seen,
            });
        }
    }
}

fn problem(load: &Load, column: &MaskedColumn, values: u64) -> Option<Mismatch> {
    (values > 0).then(|| Mismatch::ArchivedFormLost {
        column: format!("{}.{}", load.table, column.name),
        count: values,
        mask: column.becomes.clone(),
    })
}

/// A reader's bytes, hashed as they pass.
struct Hashed<R> {
    reader: R,
    hasher: Sha256,
    size: u64,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(out)?;
        self.hasher.update(&out[..count]);
        self.size += count as u64;
        Ok(count)
    }
}

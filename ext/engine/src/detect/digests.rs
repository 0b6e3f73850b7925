//! Digests of the row's own e-mail address, as far as the first rows show: its MD5 or its SHA-256, under whatever name.
//!
//! One value that is the digest of the address beside it is no chance, so few rows are looked at.

use crate::plan::personal::{AddressDigest, Algorithm, Watch};
use md5::{Digest, Md5};
use personal_data::{ContentFinding, PiiKind, Status, Verdict};
use pg_dump_archive::copy::{decode, Row, Splitter};
use sha2::Sha256;

/// Rows that are looked at.
const MOST: u64 = 500;
/// So many digests without one of an address are others.
const ENOUGH: u64 = 64;

/// A column that may hold digests.
struct Candidate {
    place: usize,
    /// Digests in rows that have an address.
    seen: u64,
    /// Those among them that are of one, by what.
    found: Vec<(AddressDigest, u64)>,
}

/// What was seen of the columns of a load.
#[derive(Default)]
pub(crate) struct Digests {
    candidates: Vec<Candidate>,
    /// The columns that may hold addresses.
    texts: Vec<usize>,
    rows: u64,
    splitter: Splitter,
    scratch: Vec<u8>,
    lower: Vec<u8>,
}

/// A digest that was found in a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundDigest {
    pub(super) of: AddressDigest,
    pub(super) values: u64,
    pub(super) count: u64,
}

impl Digests {
    /// A look at the columns of a load that no rule covers.
    pub(super) fn of(watch: &Watch) -> Self {
        let fits =
            |place: usize, algorithm: Algorithm| watch.kind(place).is_some_and(|kind| algorithm.fits(kind));
        let open = watch.columns.iter().filter(|column| {
            let is_open = matches!(column.standing.status, Status::Uncovered | Status::Masked);
            is_open && column.blocked.is_none() && fits(column.position, Algorithm::Md5)
        });
        let candidate = |place| Candidate {
            place,
            seen: 0,
            found: Vec::new(),
        };
        Self {
            candidates: open.map(|column| candidate(column.position)).collect(),
            texts: watch.texts().collect(),
            ..Self::default()
        }
    }

    /// Looks at whole rows of COPY text, at most so many.
    pub(super) fn observe(&mut self, rows: &[u8], most: u64) {
        let mut splitter = std::mem::take(&mut self.splitter);
        let mut rows = splitter.rows(rows);
        let mut left = most.min(MOST.saturating_sub(self.rows));
        while left > 0 && !self.candidates.is_empty() {
            let Some(row) = rows.next_row() else { break };
            left -= 1;
            self.rows += 1;
            self.row(&row);
        }
        self.splitter = splitter;
    }

    fn row(&mut self, row: &Row<'_>) {
        let Self {
            candidates,
            texts,
            scratch,
            lower,
            ..
        } = self;
        for candidate in candidates.iter_mut().filter(|one| one.place < row.fields()) {
            let Some((value, algorithm)) = digest(row.field(candidate.place), scratch) else {
                continue;
            };
            let mut has_address = false;
            for place in texts.iter().filter(|place| **place < row.fields()) {
                let field = row.field(*place);
                let is_short = field.len() <= 320 && memchr::memchr(b'@', field).is_some();
                let Some(address) = decode(field, scratch).filter(|_| is_short) else {
                    continue;
                };
                has_address = true;
                if is_digest_of(
                    &value[..algorithm.length()],
                    algorithm,
                    address.trim_ascii(),
                    lower,
                ) {
                    candidate.hit(AddressDigest {
                        address: *place,
                        algorithm,
                    });
                }
            }
            candidate.seen += u64::from(has_address);
        }
        candidates.retain(|one| one.seen < ENOUGH || !one.found.is_empty());
    }

    /// What the column at a place holds digests of, if most of its values are some.
    pub(super) fn found(&self, place: usize) -> Option<FoundDigest> {
        let candidate = self.candidates.iter().find(|one| one.place == place)?;
        let most = candidate.found.iter().rev().max_by_key(|(_, count)| *count)?;
        let found = FoundDigest {
            of: most.0,
            values: candidate.seen,
            count: most.1,
        };
        (found.count * 2 > found.values).then_some(found)
    }
}

impl Candidate {
    fn hit(&mut self, of: AddressDigest) {
        match self.found.iter_mut().find(|(known, _)| *known == of) {
            Some((_, count)) => *count += 1,
            None => self.found.push((of, 1)),
        }
    }
}

impl Algorithm {
    /// How many bytes it has.
    fn length(self) -> usize {
        match self {
            Algorithm::Md5 => 16,
            Algorithm::Sha256 => 32,
        }
    }
}

impl FoundDigest {
    /// What it says of its column, with what was known.
    pub(super) fn verdict(self, known: Option<Verdict>) -> Verdict {
        Verdict {
            kind: PiiKind::Email,
            confidence: 0.99,
            name: known.and_then(|known| known.name),
            content: vec![ContentFinding {
                kind: PiiKind::Email,
                confidence: 0.99,
                count: self.count,
                share: self.count as f32 / self.values.max(1) as f32,
                inside_text: false,
            }],
        }
    }
}

/// The digest that a field is: hex digits, those of a UUID, or those of a bytea.
fn digest(field: &[u8], scratch: &mut Vec<u8>) -> Option<([u8; 32], Algorithm)> {
    // Before anything is decoded: what else there is is mostly of another length.
    if !matches!(field.len(), 32 | 34..=36 | 64 | 66..=67) {
        return None;
    }
    let value = decode(field, scratch)?;
    let value = value.strip_prefix(b"\\x").unwrap_or(value);
    let mut digits = value.iter().filter(|byte| **byte != b'-' || value.len() != 36);
    let (mut bytes, mut length) = ([0u8; 32], 0);
    while let Some(high) = digits.next() {
        let digit = |byte: u8| (byte as char).to_digit(16);
        let (high, low) = (digit(*high)?, digit(*digits.next()?)?);
        *bytes.get_mut(length)? = (high * 16 + low) as u8;
        length += 1;
    }
    match length {
        16 => Some((bytes, Algorithm::Md5)),
        32 => Some((bytes, Algorithm::Sha256)),
        _ => None,
    }
}

/// Whether a value is the digest of an address, as it is or in small letters.
fn is_digest_of(value: &[u8], algorithm: Algorithm, address: &[u8], lower: &mut Vec<u8>) -> bool {
    let is_of = |address: &[u8]| match algorithm {
        Algorithm::Md5 => Md5::digest(address).as_slice() == value,
        Algorithm::Sha256 => Sha256::digest(address).as_slice() == value,
    };
    lower.clear();
    lower.extend(address.iter().map(u8::to_ascii_lowercase));
    is_of(lower) || lower.as_slice() != address && is_of(address)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn seen(rows: &str) -> Digests {
        let candidates = [1, 2].map(|place| Candidate {
            place,
            seen: 0,
            found: Vec::new(),
        });
        let mut digests = Digests {
            candidates: candidates.into(),
            texts: vec![0, 1, 2],
            ..Digests::default()
        };
        digests.observe(rows.as_bytes(), u64::MAX);
        digests
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Rows of an address, what `digest` makes of it, and something else of the same form.
    fn rows(count: usize, digest: impl Fn(&str) -> String) -> String {
        let row = |number: usize| {
            let address = format!("Ada{number}@People.example");
            let other = hex(&Md5::digest(format!("token {number}")));
            format!("{address}\t{}\t{other}\n", digest(&address))
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn a_digest_of_the_rows_own_address_is_recognised_however_it_is_written() {
        let md5 = |address: &str| hex(&Md5::digest(address));
        type Form<'a> = &'a dyn Fn(&str) -> String;
        let forms: [(Form<'_>, Algorithm); 5] = [
            (&|address| md5(&address.to_lowercase()), Algorithm::Md5),
            (&|address| md5(address).to_uppercase(), Algorithm::Md5),
            (&|address| format!("\\\\x{}", md5(address)), Algorithm::Md5),
            (
                &|address| {
                    let hex = md5(address);
                    format!(
                        "{}-{}-{}-{}-{}",
                        &hex[..8],
                        &hex[8..12],
                        &hex[12..16],
                        &hex[16..20],
                        &hex[20..]
                    )
                },
                Algorithm::Md5,
            ),
            (
                &|address| hex(&Sha256::digest(address.to_lowercase())),
                Algorithm::Sha256,
            ),
        ];
        for (form, algorithm) in forms {
            let digests = seen(&rows(40, form));
            let found = digests.found(1).unwrap();
            assert_eq!(
                found.of,
                AddressDigest {
                    address: 0,
                    algorithm
                }
            );
            assert_eq!((found.values, found.count), (40, 40));
            assert!(digests.found(2).is_none());
        }
    }

    #[test]
    fn another_rows_digest_and_a_few_among_many_are_none() {
        let of_others = |address: &str| hex(&Md5::digest(format!("x{address}")));
        let digests = seen(&rows(100, of_others));
        assert!(digests.found(1).is_none());
        assert!(digests.candidates.is_empty(), "it is given up");
        let few = |address: &str| match address.starts_with("Ada1@") {
            true => hex(&Md5::digest(address)),
            false => of_others(address),
        };
        assert!(seen(&rows(100, few)).found(1).is_none());
        assert!(seen("\\N\t\\N\t\\N\nx\ty\tz\n").found(1).is_none());
    }
}

//! `hash`.

use crate::bytes::{is_hex, write_hex};
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::equal::Fold;
use crate::error::Unfit;
use crate::fitting::DISTINCT_HEX;
use crate::key::Function;
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("length", "how many digits")],
    example: Example::of_text("anything").with(r#"{"length": 32}"#),
    own_form: |_| true,
    is_wide: true,
    ..CatalogueEntry::new("hash", "hex digits of a keyed SHA-256, as many as fit", fit)
};

/// `hash`: hex digits of a keyed SHA-256.
#[derive(Debug)]
struct Hash {
    function: Function,
    fold: Fold,
    length: usize,
    is_bytea: bool,
}

impl Pseudonym for Hash {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let digest = self
            .function
            .digest_of(value, row.piece, self.fold, &mut work.first);
        if self.is_bytea {
            out.extend_from_slice(b"\\x");
        }
        write_hex(&digest, self.length, out);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        let prefix = if self.is_bytea { &b"\\x"[..] } else { b"" };
        value
            .strip_prefix(prefix)
            .is_some_and(|digits| digits.len() == self.length && is_hex(digits))
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    if fitting.column.kind == Type::Bytea {
        let mask = Hash {
            function: fitting.function("hash"),
            fold: Fold::default(),
            length: 64,
            is_bytea: true,
        };
        let form = format!("pg_catalog.octet_length({}) IN (0, 32)", fitting.sql());
        return Ok(fitting.fitted(mask, form));
    }
    let least = if fitting.column.unique.distinct {
        DISTINCT_HEX
    } else {
        1
    };
    let wanted = fitting.number("length", 0, least as u64..=64)? as usize;
    let starts = fitting.starts();
    let limit = fitting.text()?.limit.saturating_sub(starts.longest());
    let length = if wanted > 0 {
        wanted
    } else {
        limit.clamp(least, 64)
    };
    let text = fitting.text_of(length + starts.longest())?;
    let mask = Hash {
        function: fitting.function("hash"),
        fold: text.fold,
        length,
        is_bytea: false,
    };
    let form = fitting.matches(&format!("^{}[0-9a-f]{{{length}}}$", starts.pattern()));
    Ok(fitting.fitted(starts.before(mask), form))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case("hash", "(?s).{1,20}", |_, new| {
        new.len() == 64 && u128::from_str_radix(&new[..32], 16).is_ok()
    })];
}

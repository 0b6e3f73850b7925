//! `text`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::key::Function;
use crate::pseudonym::{Pseudonym, Work};
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("She was born in London."),
    ..CatalogueEntry::new("text", "as many characters of lorem ipsum", fit)
};

const LOREM: &[u8] = b"lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua ut enim ad minim veniam quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat ";

/// `text`: as many characters of lorem ipsum, from a place that the key and the value choose.
#[derive(Debug)]
struct Lorem {
    function: Function,
}

impl Pseudonym for Lorem {
    fn write(&self, value: &[u8], _: &Row<'_>, _: &mut Work, out: &mut Vec<u8>) {
        let length = match std::str::from_utf8(value) {
            Ok(text) => text.chars().count(),
            Err(_) => value.len(),
        };
        let digest = self.function.digest(value);
        let mut from = usize::from(digest[0]) % LOREM.len();
        // From a word's beginning.
        while from > 0 && LOREM[from - 1] != b' ' {
            from -= 1;
        }
        let start = out.len();
        out.extend(LOREM.iter().cycle().skip(from).take(length));
        // Trailing blanks do not count in character(n), and look odd elsewhere.
        if let Some(last) = out[start..].last_mut().filter(|last| **last == b' ') {
            *last = b's';
        }
        if &out[start..] == value {
            if let Some(last) = out.last_mut() {
                *last = if *last == b'e' { b'a' } else { b'e' };
            }
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || *byte == b' ')
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    fitting.text()?;
    fitting.may_repeat()?;
    let mask = Lorem {
        function: fitting.function("text"),
    };
    Ok(fitting.fitted(mask, fitting.matches("^[a-z ]*$")))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case("text", "(?s).{1,60}", |old, new| {
        old.chars().count() == new.chars().count()
    })
    .repeats()];
}

//! `email_sha256`: the SHA-256 of the row's new address, or, where the row has none, a keyed digest of the old one.

use super::email_md5::{self, Algorithm};
use crate::entry::{CatalogueEntry, Example};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[email_md5::OF],
    example: Example::of_text("cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d"),
    own_form: |_| true,
    is_wide: true,
    ..CatalogueEntry::new(
        "email_sha256",
        "the SHA-256 of the row's new e-mail address",
        |fitting| email_md5::fit(fitting, Algorithm::Sha256),
    )
};

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case("email_sha256", "[0-9a-f]{64}", |_, new| {
        new.len() == 64 && new.bytes().all(|byte| byte.is_ascii_hexdigit())
    })];
}

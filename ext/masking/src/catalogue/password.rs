//! `password`: one that you know.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::constant;
use crate::families::password_hash::{known, BCRYPT};
use secrecy::ExposeSecret;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[
        (
            "password",
            "the password, by default <staging_password>, else `password`",
        ),
        ("cost", "bcrypt's cost, 10 by default"),
    ],
    example: Example::of_text("$2a$12$…").with(r#"{"password": "password", "cost": 4}"#),
    own_form: |_| true,
    ..CatalogueEntry::new("password", "a bcrypt hash of a password that you know", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    fitting.may_repeat()?;
    fitting.text_of(BCRYPT)?;
    let staging = fitting.ground.pseudonyms.staging_password.as_ref();
    let password = match fitting.string("password")? {
        Some(password) => password,
        None => staging.map_or("password", |password| password.expose_secret()),
    };
    let hash = known(fitting, password)?;
    let mut fitted = constant::fit(fitting, &hash, fitting.equals(&hash));
    fitted.known_password = Some(fitting.equals(&hash));
    Ok(fitted)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{case, on_text, Case};
    use serde_json::json;

    pub(crate) const CASES: &[Case] = &[case("password", "[a-z]{1,9}", |_, new| {
        bcrypt::verify("password", new).unwrap()
    })
    .with(r#"{"password": "password", "cost": 4}"#)
    .repeats()];

    #[test]
    fn the_hash_is_one_of_the_password() {
        let hash = on_text("password", json!({"password": "staging", "cost": 4}), "old");
        assert!(bcrypt::verify("staging", &hash).unwrap() && hash.len() == 60);
    }
}

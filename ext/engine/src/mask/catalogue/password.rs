//! `password`: one that you know.

use crate::mask::entry::{Entry, Example, Fitted, Fitting};
use crate::mask::families::constant;
use crate::mask::families::password_hash::{known, BCRYPT};
use secrecy::ExposeSecret;

pub(in crate::mask) static MASK: Entry = Entry {
    options: &[
        (
            "password",
            "the password, by default `config.staging_password`, else `password`",
        ),
        ("cost", "bcrypt's cost, 10 by default"),
    ],
    example: Example::of_text("$2a$12$…").with(r#"{"password": "password", "cost": 4}"#),
    own_form: |_| true,
    ..Entry::new("password", "a bcrypt hash of a password that you know", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, String> {
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

//! The known name that a misspelt one resembles.

/// How alike two names are at least for one to be offered for the other.
pub const ALIKE: f64 = 0.8;

/// How alike two names are, from 0 to 1 (Jaro-Winkler).
pub fn likeness(one: &str, other: &str) -> f64 {
    strsim::jaro_winkler(one, other)
}

/// The name among `known` that is most like `name`, if one is like it.
///
/// ```
/// assert_eq!(near::nearest("emial", ["phone", "email"].into_iter()), Some("email"));
/// assert_eq!(near::nearest("emial", ["phone", "iban"].into_iter()), None);
/// ```
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|known| (likeness(name, known), known))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// The same as a question behind a sentence, with `mark` before the name; or nothing.
///
/// ```
/// assert_eq!(near::did_you_mean("emial", ["email"].into_iter(), ":"), " Did you mean :email?");
/// ```
pub fn did_you_mean<'n>(name: &str, known: impl Iterator<Item = &'n str>, mark: &str) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!(" Did you mean {mark}{near}?"))
}

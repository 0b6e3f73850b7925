//! The known name that an unknown one resembles.

/// How alike two names are at least, from 0 to 1 (Jaro-Winkler), for one to be offered for the other.
const ALIKE: f64 = 0.8;

/// The name among `known` that is most like `name`, if one is like it.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// The same as a question behind a sentence, ` Did you mean name?`, with `mark` before the name; or nothing.
pub fn did_you_mean<'n>(name: &str, known: impl Iterator<Item = &'n str>, mark: &str) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!(" Did you mean {mark}{near}?"))
}

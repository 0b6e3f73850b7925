//! PostgreSQL's error codes, as far as they decide what is said.

/// Whether an error of this code, met where no row is near, is about objects alone, so that the server's own words can
/// be quoted. Of the other classes, functions raise some themselves, with words of their own (P0, 38, 39 …), and some
/// speak of values (22, 23, 44).
pub(super) fn is_about_objects(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    matches!(
        class,
        "08" | "0A"
            | "0L"
            | "0P"
            | "25"
            | "28"
            | "2B"
            | "3D"
            | "3F"
            | "40"
            | "42"
            | "53"
            | "54"
            | "55"
            | "57"
            | "58"
    )
}

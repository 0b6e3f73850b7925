//! An archive's statements within a transaction that they cannot end.
//!
//! What PL/pgSQL executes within a transaction that was begun outside it can neither commit nor roll it back, nor begin a
//! COPY over the connection, however the text is written. So a definition that holds more than pg_dump writes is refused
//! by the server, and "nothing was changed" stays true. Where the target has no PL/pgSQL, `plan::agree` alone holds it.

/// The statements, as one that executes them.
pub(in crate::postgres) fn enclosed(sql: &str) -> String {
    let mut number = 0;
    let (outer, inner) = loop {
        let quotes = (format!("$enclosing_{number}$"), format!("$enclosed_{number}$"));
        if !sql.contains(&quotes.0) && !sql.contains(&quotes.1) {
            break quotes;
        }
        number += 1;
    };
    format!("DO {outer} BEGIN EXECUTE {inner}{sql}\n{inner}; END {outer}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_such_as_the_statements_do_not_hold() {
        assert_eq!(
            enclosed("SELECT 1"),
            "DO $enclosing_0$ BEGIN EXECUTE $enclosed_0$SELECT 1\n$enclosed_0$; END $enclosing_0$"
        );
        let sly = "SELECT $enclosed_0$; COMMIT; $enclosing_1$";
        assert_eq!(
            enclosed(sly),
            format!("DO $enclosing_2$ BEGIN EXECUTE $enclosed_2${sly}\n$enclosed_2$; END $enclosing_2$")
        );
    }
}

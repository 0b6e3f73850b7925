//! What statements become, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::field::encode;
use super::*;
use proptest::prelude::*;

fn columns(names: &[&str]) -> Vec<(String, bool)> {
    // A star marks a generated column.
    names
        .iter()
        .map(|name| (name.replace('*', ""), name.contains('*')))
        .collect()
}

/// Gives one byte at a time, so that every boundary is met.
struct Drops<'a>(&'a [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let (Some((&first, rest)), Some(slot)) = (self.0.split_first(), out.first_mut()) else {
            return Ok(0);
        };
        *slot = first;
        self.0 = rest;
        Ok(1)
    }
}

fn all<R: Read>(mut source: InsertRows<R>) -> io::Result<Vec<u8>> {
    let (mut rows, mut piece) = (Vec::new(), b"left over".to_vec());
    while source.next(&mut piece)? {
        assert!(piece.ends_with(b"\n"));
        rows.extend_from_slice(&piece);
    }
    Ok(rows)
}

fn rows_of(statements: &str, names: &[&str]) -> io::Result<String> {
    let columns = columns(names);
    let at_once = all(InsertRows::new(statements.as_bytes(), 16, &columns))?;
    let in_drops = all(InsertRows::new(Drops(statements.as_bytes()), 1, &columns))?;
    assert_eq!(at_once, in_drops);
    Ok(String::from_utf8(at_once).unwrap())
}

fn refusal(statements: &str, names: &[&str]) -> (u64, &'static str) {
    match rows_of(statements, names)
        .unwrap_err()
        .downcast::<RowError>()
        .unwrap()
    {
        RowError::Insert { row, what } => (row, what),
        other => panic!("{other}"),
    }
}

#[test]
fn each_literal_becomes_what_copy_writes() {
    for (literal, field) in [
        ("NULL", "\\N"),
        ("true", "t"),
        ("false", "f"),
        ("1", "1"),
        ("-1.5e-7", "-1.5e-7"),
        ("'NaN'", "NaN"),
        ("''", ""),
        ("'it''s'", "it's"),
        ("''''", "'"),
        ("'a\tb\nc\\d\re'", "a\\tb\\nc\\\\d\\re"),
        ("'\\N'", "\\\\N"),
        ("'), (''; -- \"x'", "), ('; -- \"x"),
        ("'é日😀'", "é日😀"),
        (
            "E'a\\tb\\\\c\\'d''e\\x41\\101\\u00e9\\U0001F600\\q'",
            "a\\tb\\\\c'd'eAAé😀q",
        ),
        ("E'\\ud83d\\ude00'", "😀"),
        ("B'0101'", "0101"),
        ("B''", ""),
        ("X'5F'", "01011111"),
    ] {
        let statement = format!("INSERT INTO public.t VALUES ({literal}, 0);\n");
        assert_eq!(
            rows_of(&statement, &["a", "b"]).unwrap(),
            format!("{field}\t0\n"),
            "{literal}"
        );
    }
}

#[test]
fn every_form_of_statement_that_pg_dump_writes_is_read() {
    for statements in [
        "INSERT INTO public.t VALUES (1, 'a');\nINSERT INTO public.t VALUES (2, 'b');\n\n\n",
        "INSERT INTO public.t VALUES\n\t(1, 'a'),\n\t(2, 'b');\n",
        "INSERT INTO \"odd.\"\"na(me\".\"VALUES\" (id, \"na\"\"me\") VALUES (1, 'a'), (2, 'b');\n",
        "INSERT INTO t (id, \"na\"\"me\") OVERRIDING SYSTEM VALUE VALUES (1, 'a'), (2, 'b') ON CONFLICT DO NOTHING;",
        "INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (1, 'a') ON CONFLICT DO NOTHING;\n\
         INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (2, 'b') ON CONFLICT DO NOTHING;\n",
        "-- a comment; INSERT\n\n/* another /* within */ one */ insert into T (ID, \"na\"\"me\") values (1, 'a');\n\
         --\nINSERT INTO t VALUES (2, 'b');",
    ] {
        assert_eq!(rows_of(statements, &["id", "na\"me"]).unwrap(), "1\ta\n2\tb\n", "{statements}");
    }
}

#[test]
fn generated_columns_are_dropped() {
    let names = ["*first", "id", "*twice", "name", "*last"];
    let statements = "INSERT INTO t VALUES (DEFAULT, 1, DEFAULT, 'a', DEFAULT);\n\
                      INSERT INTO t VALUES ('not default', NULL, 2, 'b', NULL);\n";
    assert_eq!(rows_of(statements, &names).unwrap(), "1\ta\n\\N\tb\n");
    let statements = "INSERT INTO t (id, name) VALUES (1, 'a');\n";
    assert_eq!(rows_of(statements, &names).unwrap(), "1\ta\n");
    assert_eq!(
        rows_of("INSERT INTO t VALUES (DEFAULT);\n", &["*only"]).unwrap(),
        "\n"
    );
}

#[test]
fn values_come_out_in_the_tables_order_whatever_the_statements() {
    let statements = "INSERT INTO t (c, g, a, b) VALUES ('x', DEFAULT, 1, NULL), ('y\t', DEFAULT, 2, 'z');\n\
                      INSERT INTO t (b, c, a) VALUES ('q', '', 3);\n\
                      INSERT INTO t (a, b, c) VALUES (4, '5', '6');\n";
    let rows = rows_of(statements, &["a", "b", "*g", "c"]).unwrap();
    assert_eq!(rows, "1\t\\N\tx\n2\tz\ty\\t\n3\tq\t\n4\t5\t6\n");
}

#[test]
fn a_table_without_columns_has_blank_lines() {
    let statements = "INSERT INTO public.t DEFAULT VALUES;\nINSERT INTO public.t DEFAULT VALUES;\n\n";
    assert_eq!(rows_of(statements, &[]).unwrap(), "\n\n");
    assert_eq!(
        refusal(statements, &["a"]).1,
        "DEFAULT VALUES in a table that has columns"
    );
}

#[test]
fn a_table_without_rows_gives_no_piece() {
    for nothing in ["", "\n\n", "-- nothing\n", "-- nothing"] {
        assert_eq!(rows_of(nothing, &["a"]).unwrap(), "");
    }
}

#[test]
fn a_statement_of_another_table_is_refused() {
    let read = |statement: &'static str| {
        let rows = InsertRows::new(statement.as_bytes(), 100, &columns(&["id"]));
        all(rows.of_table("app", "Odd"))
    };
    for own in ["app.\"Odd\"", "\"Odd\"", "\"app\".\"Odd\""] {
        let statements: &'static str =
            format!("INSERT INTO {own} VALUES (1);\nINSERT INTO {own} VALUES (2);\n").leak();
        assert_eq!(read(statements).ok().as_deref(), Some(&b"1\n2\n"[..]));
    }
    for other in ["app.odd", "public.\"Odd\"", "app.\"Odd\".x"] {
        let statements =
            format!("INSERT INTO app.\"Odd\" VALUES (1);\nINSERT INTO {other} VALUES (2);\n").leak();
        let error = read(statements)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains("an INSERT into another table"), "{error}");
    }
}

#[test]
fn anything_else_than_literals_in_inserts_is_refused() {
    let names = &["a", "b"];
    for statements in [
        "DELETE FROM t;",
        "INSERT INTO t VALUES (now(), 1);",
        "INSERT INTO t VALUES (1 + 1, 1);",
        "INSERT INTO t VALUES ('a'::text, 1);",
        "INSERT INTO t VALUES (1);",
        "INSERT INTO t VALUES (1, 2, 3);",
        "INSERT INTO t VALUES (, 2);",
        "INSERT INTO t VALUES (DEFAULT, 2);",
        "INSERT INTO t VALUES (-, 2);",
        "INSERT INTO t VALUES (B'012', 2);",
        "INSERT INTO t VALUES (E'\\ud83d', 2);",
        "INSERT INTO t VALUES (E'\\u12', 2);",
        "INSERT INTO t VALUES (1, 2) RETURNING a;",
        "INSERT INTO t VALUES (1, 2) ON CONFLICT DO UPDATE SET a = 1;",
        "INSERT INTO t (a) VALUES (1);",
        "INSERT INTO t (a, a, b) VALUES (1, 1, 2);",
        "INSERT INTO t (a, b, c) VALUES (1, 2, 3);",
        "INSERT INTO t SELECT 1, 2;",
        "INSERT t VALUES (1, 2);",
        "INSERT INTO VALUES (1, 2);",
        "- INSERT INTO t VALUES (1, 2);",
        "/ INSERT INTO t VALUES (1, 2);",
    ] {
        refusal(statements, names);
    }
}

#[test]
fn statements_cut_off_anywhere_are_refused_with_the_row() {
    let statements = "INSERT INTO t (a, \"b\") VALUES (1, 'x'), (NULL, E'\\x41') ON CONFLICT DO NOTHING;";
    for end in 1..statements.len() {
        refusal(&statements[..end], &["a", "b"]);
    }
    assert_eq!(refusal(&statements[..42], &["a", "b"]).0, 2);
}

#[test]
fn a_refusal_quotes_no_value() {
    let error = rows_of("INSERT INTO t VALUES ('secret' || 'secret');", &["a"]).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn backslashes_are_escapes_when_the_archive_says_so() {
    let statements = &b"INSERT INTO t VALUES ('a\\\\b\\'c');\n"[..];
    let rows = all(InsertRows::new(statements, 16, &columns(&["a"])).with_backslash_escapes()).unwrap();
    assert_eq!(rows, b"a\\\\b'c\n");
}

#[test]
fn a_string_without_an_end_does_not_fill_the_memory() {
    let endless = Read::chain(&b"INSERT INTO t VALUES ('"[..], io::repeat(b'a'));
    let mut source = InsertRows::new(endless, 1_000, &columns(&["a"]));
    source.longest = 100_000;
    let error = source.next(&mut Vec::new()).unwrap_err();
    assert_eq!(error.downcast::<RowError>().unwrap(), RowError::RowTooLong);
    let mut source = InsertRows::new(
        Read::chain(&b"INSERT INTO "[..], io::repeat(b'a')),
        1_000,
        &columns(&["a"]),
    );
    assert!(source.next(&mut Vec::new()).is_err());
}

#[test]
fn a_statement_whose_beginning_is_longer_than_the_buffer_is_read() {
    let name = "n".repeat(lookahead::BUFFER);
    let statement = format!("INSERT INTO t (\"{name}\") VALUES (1);\n");
    assert_eq!(rows_of(&statement.repeat(3), &[&name]).unwrap(), "1\n1\n1\n");
}

proptest! {
    #[test]
    fn any_text_comes_through_a_literal_unchanged(
        values in proptest::collection::vec(proptest::option::of(".*"), 1..20),
    ) {
        let mut statements = String::new();
        let mut expected = Vec::new();
        for value in &values {
            let literal = value.as_ref().map_or("NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")));
            statements.push_str(&format!("INSERT INTO t VALUES ({literal}, 7);\n"));
            encode(value.as_ref().map(|text| text.as_bytes()), &mut expected);
            expected.extend_from_slice(b"\t7\n");
        }
        prop_assert_eq!(rows_of(&statements, &["a", "b"]).unwrap().into_bytes(), expected);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(INSERT|INTO|VALUES|t|,|'|\\(|\\)|E'|\\\\|u|x|;|-|/|\\*|\"| |1|\n|.){0,40}") {
        let _ = all(InsertRows::new(text.as_bytes(), 16, &columns(&["a", "*b"])));
        let begun = format!("INSERT INTO t VALUES ({text}");
        let _ = all(InsertRows::new(begun.as_bytes(), 16, &columns(&["a", "*b"])));
    }
}

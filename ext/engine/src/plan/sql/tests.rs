#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn quotes_of_every_kind_are_one_token() {
    let tokens = lex(r#"'a''b' E'it\'s\n' $x$ ; ' $x$ $$ " $$ "sel""ect" B'01' x"#);
    assert_eq!(
        tokens,
        [
            Token::Text("a'b".into()),
            Token::Text("it's\n".into()),
            Token::Text(" ; ' ".into()),
            Token::Text(" \" ".into()),
            Token::Quoted("sel\"ect".into()),
            Token::Text("01".into()),
            Token::Word("x"),
        ]
    );
}

#[test]
fn comments_are_passed_over_also_nested_ones() {
    assert_eq!(
        lex("a /* b /* c */ d */ e -- f\ng"),
        [Token::Word("a"), Token::Word("e"), Token::Word("g")]
    );
}

#[test]
fn a_parameter_is_not_a_dollar_quote() {
    assert_eq!(
        lex("$1 + $2"),
        [
            Token::Symbol('$'),
            Token::Number("1"),
            Token::Symbol('+'),
            Token::Symbol('$'),
            Token::Number("2")
        ]
    );
}

#[test]
fn what_is_not_closed_ends_with_the_text() {
    for sql in [
        "'abc", "\"abc", "$$abc", "$a$abc", "/* abc", "E'abc\\", "(((", "$", "'", "\"", "E'",
    ] {
        lex(sql);
        let tokens = lex(sql);
        Cursor::new(&tokens).parenthesized();
    }
    assert_eq!(lex("'é"), [Token::Text("é".into())]);
}

#[test]
fn commas_within_parentheses_and_quotes_do_not_split() {
    let tokens = lex("a numeric(1,2), b text DEFAULT 'x,(', c int[]");
    let parts = split(&tokens, ',');
    assert_eq!(parts.len(), 3);
    assert_eq!(parts[1][0], Token::Word("b"));
}

#[test]
fn qualified_names_keep_their_quotes_meaning() {
    let tokens = lex("\"Odd Schema\".\"se.lect\" Users");
    let mut cursor = Cursor::new(&tokens);
    let name = cursor.qualified("public").unwrap();
    assert_eq!(
        (name.schema.as_str(), name.name.as_str()),
        ("Odd Schema", "se.lect")
    );
    assert_eq!(cursor.qualified("public").unwrap().to_string(), "public.users");
}

proptest::proptest! {
    #[test]
    fn any_text_is_lexed_without_panic(sql in "[-a-z'\"$/*\\\\E( )é,;.0-9\n]{0,60}") {
        let tokens = lex(&sql);
        split(&tokens, ',');
        Cursor::new(&tokens).skip_past("A B");
    }
}

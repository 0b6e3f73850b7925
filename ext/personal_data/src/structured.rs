//! The strings inside JSON, hstore, arrays, YAML, XML and query strings, each with the key it stands under.
//!
//! Not a parser: it never fails, and what it misunderstands it gives as a string without a key. No allocation.

/// Which of the notations a text is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// JSON and hstore: quoted strings, keys before `:` or `=>`.
    Quoted,
    /// PostgreSQL's array notation: elements between braces.
    Array,
    /// Lines of `key: value`.
    Yaml,
    /// `<key>value</key>`.
    Xml,
    /// `key=value&key=value`.
    Query,
}

/// The notation a text seems to be in.
pub(crate) fn notation(text: &[u8]) -> Option<Notation> {
    let second = text.get(1).copied().unwrap_or_default();
    match text.first()? {
        b'{' if matches!(second, b'"' | b'}' | b' ' | b'\n') => Some(Notation::Quoted),
        b'{' if text.ends_with(b"}") => Some(Notation::Array),
        b'[' if matches!(second, b'{' | b'"' | b' ' | b'\n') => Some(Notation::Quoted),
        b'"' if memchr::memmem::find(text, b"\"=>").is_some() => Some(Notation::Quoted),
        b'-' if text.starts_with(b"---\n") || text.starts_with(b"--- ") => Some(Notation::Yaml),
        b'<' => Some(Notation::Xml),
        _ if is_query(text) => Some(Notation::Query),
        _ => None,
    }
}

/// `a=b&c=d` without spaces, also behind a URL's question mark.
fn is_query(text: &[u8]) -> bool {
    let head = &text[..text.len().min(400)];
    memchr::memchr(b'=', head).is_some()
        && memchr::memchr(b'&', head).is_some()
        && memchr::memchr(b' ', head).is_none()
}

/// Calls back with each string and its key.
pub(crate) fn strings<'a>(
    text: &'a [u8],
    notation: Notation,
    mut found: impl FnMut(Option<&'a [u8]>, &'a [u8]),
) {
    match notation {
        Notation::Quoted => quoted(text, &mut found),
        Notation::Array => {
            for element in text[1..text.len() - 1].split(|b| *b == b',') {
                found(None, unquoted(element));
            }
        }
        Notation::Yaml => {
            for line in text.split(|b| *b == b'\n') {
                if let Some(colon) = memchr::memmem::find(line, b": ") {
                    let key = line[..colon].trim_ascii().trim_ascii_start();
                    found(
                        Some(key.strip_prefix(b"- ").unwrap_or(key)),
                        unquoted(line[colon + 2..].trim_ascii()),
                    );
                }
            }
        }
        Notation::Xml => xml(text, &mut found),
        Notation::Query => {
            for pair in text.split(|b| matches!(b, b'&' | b'?')) {
                if let Some(equals) = memchr::memchr(b'=', pair) {
                    found(Some(&pair[..equals]), &pair[equals + 1..]);
                }
            }
        }
    }
}

fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""))
        .unwrap_or(text)
}

fn quoted<'a>(text: &'a [u8], found: &mut impl FnMut(Option<&'a [u8]>, &'a [u8])) {
    let mut key = None;
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'"', &text[at..]).map(|offset| at + offset + 1) {
        let Some(close) = closing_quote(text, open) else {
            return;
        };
        let string = &text[open..close];
        let rest = text[close + 1..].trim_ascii_start();
        let is_key = rest.starts_with(b":") || rest.starts_with(b"=>");
        if is_key {
            key = Some(string);
        } else {
            found(key, string);
        }
        at = close + 1;
    }
}

/// Where the string that begins at `from` ends.
fn closing_quote(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', &text[at..])?;
        match text[at] {
            b'"' => return Some(at),
            _ => at += 2,
        }
        if at >= text.len() {
            return None;
        }
    }
}

fn xml<'a>(text: &'a [u8], found: &mut impl FnMut(Option<&'a [u8]>, &'a [u8])) {
    for element in text.split(|b| *b == b'<') {
        let Some(close) = memchr::memchr(b'>', element) else {
            continue;
        };
        let tag = &element[..close];
        let content = element[close + 1..].trim_ascii();
        if !content.is_empty() && !tag.starts_with(b"/") {
            let name = tag.split(|b| *b == b' ').next().unwrap_or(tag);
            found(Some(name), content);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pairs(text: &str) -> Vec<(Option<String>, String)> {
        let mut pairs = Vec::new();
        let own = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let notation = notation(text.as_bytes()).unwrap();
        strings(text.as_bytes(), notation, |key, value| {
            pairs.push((key.map(own), own(value)))
        });
        pairs
    }

    #[test]
    fn every_notation_gives_its_pairs() {
        let expected = [
            (Some("a".to_string()), "x y".to_string()),
            (Some("b".to_string()), "z".to_string()),
        ];
        for text in [
            r#"{"a": "x y", "n": 1, "b":"z"}"#,
            r#""a"=>"x y", "b"=>"z""#,
            "---\na: x y\nb: z\n",
            "<r><a>x y</a><b>z</b></r>",
        ] {
            assert_eq!(pairs(text), expected, "{text}");
        }
        assert_eq!(
            pairs("http://x/?a=x&b=z")[0],
            (Some("a".to_string()), "x".to_string())
        );
        assert_eq!(
            pairs(r#"{x,"y z"}"#),
            [(None, "x".to_string()), (None, "y z".to_string())]
        );
    }

    #[test]
    fn broken_texts_do_no_harm() {
        for text in [r#"{"a": "x"#, r#"{"a\"#, "{}", "[ ", "<a", "--- "] {
            if let Some(notation) = notation(text.as_bytes()) {
                strings(text.as_bytes(), notation, |_, _| {});
            }
        }
    }
}

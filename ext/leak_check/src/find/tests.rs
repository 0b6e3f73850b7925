use super::*;

fn found(text: &str) -> Vec<(PiiKind, String)> {
    let mut hits = Vec::new();
    Finder::new(false).text(text.as_bytes(), &mut |candidate| {
        if let Candidate::Value(kind, value) = candidate {
            hits.push((kind, String::from_utf8_lossy(value).into_owned()));
        }
    });
    hits
}

fn digests_of(text: &str) -> usize {
    let mut count = 0;
    Finder::new(false).text(text.as_bytes(), &mut |candidate| {
        count += usize::from(matches!(candidate, Candidate::Digest(_)));
    });
    count
}

#[test]
fn what_detection_finds_is_found() {
    for text in [
        "Write to <alice.o'neil+shop@mail.example.co.uk> or call 06 12 34 56 78, thanks",
        "carte 4111 1111 1111 1111 exp 12/27, IBAN FR14 2004 1010 0505 0001 3M02 606.",
        "NIR 2 55 08 14 168 025 38, 188012A00100157, SSN 078-05-1120, (415) 555-2671",
        r#"{"a":{"b":["alice@example.com","+33612345678"]},"c":"\nbob@example.com\u0040x"}"#,
        r#""{\"a\":\"\\nalice\\u0040example.com\"}""#,
        "u=1&email=alice%40example.com&tel=%2B33612345678&x=2",
        "Bonjour =C3=A0 alice@exam=\nple.com, 06 12=\n 34 56 78",
        "\"mail\"=>\"alice@example.com\", \"n\"=>\"1\"",
        "{alice@example.com,\"bob@example.com\"}",
        "12.50 EUR le 2024-01-17 10:30:00, ref 1700000000, v0612345678, logo@2x.png",
        "x <a href=\"mailto:alice@example.com?subject=50%\">100% = 06.12.34.56.78</a>",
    ] {
        let mut expected = Vec::new();
        personal_data::find_in_text(text.as_bytes(), |kind, range| {
            if kind != PiiKind::Name && crate::Class::of(kind).is_some() {
                // Compared as they are compared.
                let mut form = Vec::new();
                personal_data::canonical(kind, text[range].as_bytes(), &mut form);
                expected.push((kind, form));
            }
        });
        let mut actual: Vec<_> = found(text)
            .iter()
            .filter(|(kind, _)| crate::Class::of(*kind).is_some())
            .map(|(kind, value)| {
                let mut form = Vec::new();
                personal_data::canonical(*kind, value.as_bytes(), &mut form);
                (*kind, form)
            })
            .collect();
        expected.sort();
        actual.sort();
        assert_eq!(actual, expected, "{text}");
    }
}

#[test]
fn texts_without_candidates_give_none() {
    for text in [
        "",
        "short",
        "a plain sentence without anything",
        "12345678",
        "100% = nothing \\ here",
        "@ @ @@",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn digests_are_found_by_their_length() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let sha256 = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
    assert_eq!(digests_of(md5), 1);
    assert_eq!(digests_of(&format!("https://gravatar.com/avatar/{md5}?s=80")), 1);
    assert_eq!(digests_of(&format!("{sha1} {sha256},{md5}")), 3);
    assert_eq!(
        digests_of(&format!("x{md5} {md5}0 {}", &md5[1..])),
        0,
        "glued, longer, shorter"
    );
}

#[test]
fn bytes_are_looked_at_where_they_read_as_text() {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut hits = 0;
    let mut finder = Finder::new(false);
    assert!(finder.bytes(hex("to: alice@example.com").as_bytes(), &mut |_| hits += 1));
    assert_eq!(hits, 1);
    assert!(!finder.bytes(b"89504e470d0a1a0a0000000d49484452", &mut |_| hits += 1) || hits == 2);
    assert!(
        !finder.bytes(b"89504e470d0a1a0a00", &mut |_| {}),
        "a picture is not looked at"
    );
}

#[test]
fn numbers_of_number_columns_need_their_check() {
    let mut hits = Vec::new();
    let finder = Finder::new(false);
    for number in [
        "4111111111111111",
        "255081416802538",
        "1700000000000",
        "612345678",
    ] {
        finder.number(number.as_bytes(), &mut |candidate| {
            if let Candidate::Value(kind, _) = candidate {
                hits.push(kind);
            }
        });
    }
    assert_eq!(hits, [PiiKind::Card, PiiKind::Nir]);
}

use super::*;

fn observe(column: &str, sql_type: &str, values: &[&str]) -> Vec<ContentFinding> {
    let mut detector = ColumnDetector::new(column, sql_type);
    values
        .iter()
        .for_each(|value| detector.observe(value.as_bytes(), &mut Scanner::new()));
    detector.findings()
}

fn surest(column: &str, sql_type: &str, values: &[&str]) -> Option<PiiKind> {
    observe(column, sql_type, values)
        .first()
        .filter(|finding| finding.confidence >= 0.5)
        .map(|finding| finding.kind)
}

#[test]
fn a_finding_has_a_count_and_a_share_and_never_a_value() {
    let findings = observe(
        "x",
        "text",
        &["a@example.com", "b@example.com", "nothing", "c@example.com"],
    );
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].kind, findings[0].count, findings[0].share),
        (PiiKind::Email, 3, 0.75)
    );
    assert!(!findings[0].inside_text && !format!("{findings:?}").contains("example"));
}

#[test]
fn names_are_reported_by_their_share() {
    let names = [
        "Marie", "Paul", "Xyzzy", "Thomas", "Julie", "Karim", "Sophie", "Hugo", "Emma", "Zorglub",
    ];
    assert_eq!(surest("x", "text", &names), Some(PiiKind::FirstName));
    assert_eq!(
        surest("x", "text", &["red", "blue", "active", "Rose", "Paris"]),
        None
    );
    assert_eq!(surest("x", "text", &["Marie"; 20]), None, "always the same one");
}

#[test]
fn objects_are_looked_into_by_their_keys() {
    for (sql_type, value) in [
        ("jsonb", r#"{"birth_date": "1980-01-02", "theme": "dark"}"#),
        ("hstore", r#""birth_date"=>"1980-01-02", "theme"=>"dark""#),
        ("text", "---\nbirth_date: 1980-01-02\ntheme: dark\n"),
        (
            "bytea",
            r"\x7b2262697274685f64617465223a2022313938302d30312d3032227d",
        ),
    ] {
        assert_eq!(
            surest("x", sql_type, &[value; 5]),
            Some(PiiKind::BirthDate),
            "{sql_type}"
        );
    }
    assert_eq!(
        surest("x", "jsonb", &[r#"{"birth_date": "[FILTERED]"}"#; 5]),
        None
    );
}

#[test]
fn books_and_random_numbers_are_no_telephone_numbers() {
    assert_eq!(
        surest(
            "x",
            "text",
            &["0306406152", "0201633612", "0131103628", "0596007124"]
        ),
        None
    );
    let numbers: Vec<String> = (0..100u64)
        .map(|n| format!("{:010}", n * 987_654_321 % 10_000_000_000))
        .collect();
    assert_eq!(
        surest(
            "x",
            "text",
            &numbers.iter().map(String::as_str).collect::<Vec<_>>()
        ),
        None
    );
}

#[test]
fn remembering_what_was_lately_seen_changes_nothing() {
    let values = [
        "Marie",
        "a@example.com",
        "red",
        "0306406152",
        "Marie",
        "Paul Martin",
        "red",
        "",
        " Marie ",
    ];
    let (mut scanner, mut recent) = (Scanner::new(), Recent::new());
    for (column, sql_type) in [
        ("x", "text"),
        ("last_sign_in_ip", "text"),
        ("phone", "bytea"),
        ("tags", "text[]"),
    ] {
        let mut plain = ColumnDetector::new(column, sql_type);
        let mut remembering = ColumnDetector::new(column, sql_type);
        for value in values.iter().cycle().take(100) {
            plain.observe(value.as_bytes(), &mut scanner);
            remembering.observe_with(value.as_bytes(), &mut scanner, &mut recent);
        }
        assert_eq!(remembering.findings(), plain.findings(), "{column} {sql_type}");
        assert_eq!(remembering.values(), plain.values());
    }
}

#[test]
fn what_several_detectors_saw_of_a_column_adds_up() {
    let mut scanner = Scanner::new();
    let (mut one, mut other) = (ColumnDetector::new("x", "text"), ColumnDetector::new("x", "text"));
    one.observe(b"a@example.com", &mut scanner);
    other.observe(b"b@example.com", &mut scanner);
    other.observe(b"nothing", &mut scanner);
    one.merge(&other);
    assert_eq!((one.values(), one.findings()[0].count), (3, 2));
}

#[test]
fn types_that_can_hold_nothing_personal_are_not_worth_reading() {
    assert!(!ColumnDetector::new("x", "boolean").is_worth_feeding());
    assert!(ColumnDetector::new("x", "character varying(20)").is_worth_feeding());
}

#[test]
fn words_for_facts_of_persons_make_a_column_of_them_when_every_other_value_is_one() {
    let illnesses = ["asthma", "none", "Diabetes mellitus", "Heuschnupfen"].repeat(3);
    assert_eq!(surest("x", "text", &illnesses), Some(PiiKind::Health));
    let families = ["married", "single", "divorced", "-"].repeat(3);
    assert_eq!(surest("x", "text", &families), Some(PiiKind::MaritalStatus));
    assert_eq!(surest("x", "text", &["single", "double", "twin"].repeat(5)), None);
    assert_eq!(surest("x", "text", &["asthma", "asthma"]), None, "too few");
}

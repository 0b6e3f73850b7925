use super::*;
use crate::{lexicon, Clue};

fn kind(table: &str, column: &str, sql_type: &str) -> Option<PiiKind> {
    kind_beside(table, column, sql_type, &[])
}

fn names_clue(reason: &Reason, clue: &Clue) -> bool {
    matches!(reason, Reason::Learned { clues } if clues.contains(clue))
}

fn kind_beside(table: &str, column: &str, sql_type: &str, others: &[&str]) -> Option<PiiKind> {
    let context = TableContext::new(table, others.iter().copied().chain([column]));
    by_name(
        &ColumnName {
            table,
            column,
            sql_type,
        },
        &context,
    )
    .filter(|finding| finding.confidence >= super::super::PERSONAL)
    .map(|finding| finding.kind)
}

#[test]
fn no_phrase_stands_in_two_rules() {
    let mut seen: HashMap<String, PiiKind> = HashMap::new();
    for rule in lexicon::RULES {
        for phrase in rule.phrases.split(',') {
            let phrase = words(phrase).join(" ");
            assert!(!phrase.is_empty());
            if let Some(other) = seen.insert(phrase.clone(), rule.kind) {
                assert_eq!(other, rule.kind, "{phrase}");
            }
        }
    }
}

#[test]
fn the_same_name_is_a_persons_or_a_things() {
    assert_eq!(kind("users", "name", "text"), Some(PiiKind::Name));
    assert_eq!(kind("products", "name", "text"), None);
    assert_eq!(kind("clients", "adresse", "text"), Some(PiiKind::StreetAddress));
    assert_eq!(kind("webhooks", "address", "text"), None);
    assert_eq!(kind("visits", "ip_address", "text"), Some(PiiKind::IpAddress));
    assert_eq!(kind("orders", "product_name", "text"), None);
    assert_eq!(kind("orders", "customer_name", "text"), Some(PiiKind::Name));
    assert_eq!(
        kind_beside("patients", "nom", "text", &["prenom"]),
        Some(PiiKind::LastName)
    );
}

#[test]
fn what_follows_a_word_can_make_it_something_else() {
    for column in [
        "email_sent_at",
        "emails_count",
        "password_policy",
        "phone_country",
        "address_id",
        "token_type",
        "is_email",
    ] {
        assert_eq!(kind("users", column, "character varying"), None, "{column}");
    }
    assert_eq!(kind("users", "email", "boolean"), None);
    assert_eq!(
        kind("users", "birthday", "timestamp without time zone"),
        Some(PiiKind::BirthDate)
    );
}

#[test]
fn rails_own_ways_are_known() {
    assert_eq!(
        kind("users", "encrypted_password", "character varying"),
        Some(PiiKind::PasswordHash)
    );
    assert_eq!(
        kind("users", "password_digest", "character varying"),
        Some(PiiKind::PasswordHash)
    );
    assert_eq!(
        kind("users", "encrypted_favourite", "text"),
        Some(PiiKind::Secret)
    );
    assert_eq!(
        kind("versions", "object_changes", "jsonb"),
        Some(PiiKind::Payload)
    );
    assert_eq!(kind("audits", "audited_changes", "text"), Some(PiiKind::Payload));
    assert_eq!(kind("schema_migrations", "version", "character varying"), None);
    assert_eq!(
        kind("emails", "address", "character varying"),
        Some(PiiKind::Email)
    );
}

#[test]
fn what_rails_declares_is_believed() {
    let hints = RailsHints {
        filter_parameters: vec!["zorg".into()],
        encrypted: [("users".to_string(), "wombat".to_string())].into(),
        matched: None,
    };
    let context = TableContext::new("users", ["wombat", "my_zorg_x"]).with_hints(hints);
    let kind = |column| {
        by_name(
            &ColumnName {
                table: "users",
                column,
                sql_type: "text",
            },
            &context,
        )
        .map(|f| f.kind)
    };
    assert_eq!(kind("wombat"), Some(PiiKind::Secret));
    assert_eq!(kind("my_zorg_x"), Some(PiiKind::Secret));
    assert_eq!(kind("colour"), None);
}

#[test]
fn a_teams_own_patterns_replace_what_is_known() {
    let matched = [
        ("users".to_string(), "shoe".to_string()),
        ("users".to_string(), "phone".to_string()),
    ];
    let matched = matched.into_iter().map(|key| (key, Heading::Contact)).collect();
    let hints = RailsHints {
        matched: Some(matched),
        ..RailsHints::default()
    };
    let context = TableContext::new("public.users", ["shoe", "phone", "email"]).with_hints(hints);
    let kind = |column| {
        by_name(
            &ColumnName {
                table: "public.users",
                column,
                sql_type: "text",
            },
            &context,
        )
        .map(|f| f.kind)
    };
    assert_eq!(kind("shoe").map(PiiKind::heading), Some(Heading::Contact));
    assert_eq!(kind("phone"), Some(PiiKind::Phone));
    assert_eq!(kind("email"), None);
}

#[test]
fn what_no_rule_knows_is_found_by_what_stands_around_it() {
    let columns = [
        "nombre",
        "apellidos",
        "fecha_nacimiento",
        "telefono",
        "cedula",
        "email",
        "institucion_procedencia",
    ];
    let context = TableContext::new("pacientes", columns);
    let column = ColumnName {
        table: "pacientes",
        column: "institucion_procedencia",
        sql_type: "character varying",
    };
    assert_eq!(weigh(&column, &context).rule, None);
    let found = by_name(&column, &context).unwrap_or(NameFinding {
        kind: PiiKind::Secret,
        confidence: 0.0,
        reason: Reason::LikeOthers,
    });
    assert!(found.confidence >= PERSONAL && found.confidence <= 0.95);
    assert!(
        names_clue(&found.reason, &Clue::BesidePersonal),
        "{:?}",
        found.reason
    );
    let alone = TableContext::new("versiones", ["institucion_procedencia"]);
    let column = ColumnName {
        table: "versiones",
        ..column
    };
    assert_eq!(by_name(&column, &alone), None);
}

#[test]
fn what_a_table_refers_to_says_whose_its_columns_are() {
    let odds = |columns: [&'static str; 3]| {
        let column = ColumnName {
            table: "sessions",
            column: "remarks_given",
            sql_type: "text",
        };
        weigh(&column, &TableContext::new("sessions", columns)).odds
    };
    assert!(odds(["id", "patient_id", "remarks_given"]) > odds(["id", "product_id", "remarks_given"]));
}

#[test]
fn the_model_takes_away_what_a_rule_takes_for_personal() {
    let column = ColumnName {
        table: "email_templates",
        column: "message",
        sql_type: "text",
    };
    let context = TableContext::new(
        "email_templates",
        ["subject", "message", "locale", "key", "position"],
    );
    let weighed = weigh(&column, &context);
    assert!(weighed.rule.is_some_and(|rule| rule.confidence >= PERSONAL));
    assert!(weighed.finding.is_some_and(|found| found.confidence < PERSONAL));
}

#[test]
fn what_is_said_of_persons_and_things_alike_is_a_persons_among_persons_only() {
    for (table, column, sql_type) in [
        ("loans", "interest", "numeric"),
        ("companies", "vision", "text"),
        ("servers", "health", "character varying"),
        ("builds", "run", "integer"),
        ("builds", "ci", "character varying"),
        ("orders", "tracking_id", "character varying"),
        ("games", "ranking", "integer"),
    ] {
        assert_eq!(kind(table, column, sql_type), None, "{table}.{column}");
    }
}

#[test]
fn keys_of_the_app_belong_to_no_person() {
    for (column, sql_type) in [
        ("id", "uuid"),
        ("student_id", "bigint"),
        ("patient_id", "uuid"),
        ("device_id", "integer"),
    ] {
        assert_eq!(kind("people", column, sql_type), None, "{column}");
    }
    assert_eq!(
        kind("people", "student_id", "character varying"),
        Some(PiiKind::ExternalId)
    );
    for column in ["facebook_id", "zendesk_user_id"] {
        assert_eq!(
            kind("people", column, "bigint"),
            Some(PiiKind::ExternalId),
            "{column}"
        );
    }
}

#[test]
fn other_languages_are_read_where_they_are_clear() {
    assert_eq!(kind("kunden", "geburtsdatum", "date"), Some(PiiKind::BirthDate));
    assert_eq!(kind("clientes", "apellidos", "text"), Some(PiiKind::LastName));
    assert_eq!(kind("clienti", "codice_fiscale", "text"), Some(PiiKind::TaxId));
    for (table, column, expected) in [
        ("clientes", "telefone", PiiKind::Phone),
        ("pessoas", "cpf", PiiKind::NationalId),
        ("alunos", "data_nascimento", PiiKind::BirthDate),
        ("clientes", "cep", PiiKind::PostalCode),
        ("personas", "celular", PiiKind::Phone),
        ("personas", "rut", PiiKind::NationalId),
        ("pazienti", "cellulare", PiiKind::Phone),
        ("leden", "voornaam", PiiKind::FirstName),
        ("leden", "tussenvoegsel", PiiKind::LastName),
        ("leden", "woonplaats", PiiKind::City),
        ("mitglieder", "mitgliedsnummer", PiiKind::ExternalId),
        ("patienten", "blutdruck", PiiKind::Health),
        ("usagers", "ressources_mensuelles", PiiKind::Income),
        ("pazienti", "professione", PiiKind::SensitiveTrait),
    ] {
        assert_eq!(
            self::kind(table, column, "character varying"),
            Some(expected),
            "{table}.{column}"
        );
    }
}

#[test]
fn a_word_that_no_schema_had_is_known_by_its_class() {
    for (table, column) in [("patients", "rheumatism"), ("pacientes", "lumbalgia")] {
        let name = ColumnName {
            table,
            column,
            sql_type: "text",
        };
        let found = by_name(&name, &TableContext::new(table, [column, "email", "phone"]));
        let known = found.filter(|found| found.kind == PiiKind::Health && found.confidence >= PERSONAL);
        let illness = Clue::WordFor {
            term: "illness".into(),
        };
        assert!(
            known
                .as_ref()
                .is_some_and(|known| names_clue(&known.reason, &illness)),
            "{table}.{column}: {known:?}"
        );
    }
}

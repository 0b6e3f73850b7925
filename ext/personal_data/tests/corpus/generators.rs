//! How the values of the corpus are made.

use super::words::*;
use super::Rng;
use std::fmt::Write as _;

fn plain(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter_map(|c| match c {
            'à' | 'â' | 'ä' => Some('a'),
            'é' | 'è' | 'ê' | 'ë' => Some('e'),
            'î' | 'ï' => Some('i'),
            'ô' | 'ö' => Some('o'),
            'ù' | 'û' | 'ü' => Some('u'),
            'ç' => Some('c'),
            'a'..='z' | '-' => Some(c),
            _ => None,
        })
        .collect()
}

fn email(rng: &mut Rng) -> String {
    let (first, last, domain) = (plain(rng.pick(FIRST)), plain(rng.pick(LAST)), rng.pick(DOMAINS));
    match rng.below(4) {
        0 => format!("{first}.{last}@{domain}"),
        1 => format!("{}{last}{}@{domain}", &first[..1], rng.below(99)),
        2 => format!("{last}_{first}@{domain}"),
        _ => format!("{first}+shop@{domain}"),
    }
}

fn phone_fr(rng: &mut Rng) -> String {
    let number = format!(
        "0{}{}",
        rng.pick(&["6", "6", "7", "1", "2", "4", "9"]),
        rng.digits(8)
    );
    let pairs: Vec<&str> = (0..5).map(|i| &number[i * 2..i * 2 + 2]).collect();
    match rng.below(4) {
        0 | 1 => number,
        2 => pairs.join(" "),
        _ => pairs.join("."),
    }
}

fn phone_us(rng: &mut Rng) -> String {
    let (area, exchange) = (
        rng.pick(&["212", "415", "617", "206", "312", "512"]),
        rng.between(220, 989),
    );
    let line = rng.digits(4);
    match rng.below(4) {
        0 => format!("({area}) {exchange}-{line}"),
        1 => format!("{area}-{exchange}-{line}"),
        2 => format!("+1{area}{exchange}{line}"),
        _ => format!("{area}.{exchange}.{line}"),
    }
}

fn phone_intl(rng: &mut Rng) -> String {
    match rng.below(5) {
        0 => format!("+336{}", rng.digits(8)),
        1 => format!("+49151{}", rng.chars("123456789", 8)),
        2 => format!("+447911 {}", rng.chars("123456789", 6)),
        3 => format!("+346{}", rng.digits(8)),
        _ => format!("+1206555{}", rng.digits(4)),
    }
}

fn luhn_digit(digits: &str) -> u64 {
    let sum: u64 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let d = u64::from(b - b'0') * if i % 2 == 0 { 2 } else { 1 };
            d / 10 + d % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

fn card(rng: &mut Rng) -> String {
    let body = format!(
        "{}{}",
        rng.pick(&["4970", "4532", "5136", "5275", "4111"]),
        rng.digits(11)
    );
    let number = format!("{body}{}", luhn_digit(&body));
    if rng.below(3) == 0 {
        return (0..4)
            .map(|i| &number[i * 4..i * 4 + 4])
            .collect::<Vec<_>>()
            .join(" ");
    }
    number
}

fn iban(rng: &mut Rng) -> String {
    let (country, length) = [("FR", 23), ("DE", 18), ("BE", 12)][rng.below(3) as usize];
    let account = rng.digits(length);
    let numeric: String = format!("{account}{country}00")
        .chars()
        .map(|c| {
            if c.is_ascii_digit() {
                c.to_string()
            } else {
                (c as u32 - 'A' as u32 + 10).to_string()
            }
        })
        .collect();
    let rest = numeric
        .bytes()
        .fold(0u64, |r, b| (r * 10 + u64::from(b - b'0')) % 97);
    let iban = format!("{country}{:02}{account}", 98 - rest);
    if rng.below(3) == 0 {
        let chars: Vec<char> = iban.chars().collect();
        return chars
            .chunks(4)
            .map(|c| c.iter().collect::<String>())
            .collect::<Vec<_>>()
            .join(" ");
    }
    iban
}

fn nir(rng: &mut Rng, spaced: bool) -> String {
    let parts = [
        rng.between(1, 2).to_string(),
        format!("{:02}", rng.between(40, 99)),
        format!("{:02}", rng.between(1, 12)),
        format!("{:02}", rng.between(21, 95)),
        format!("{:03}", rng.between(1, 620)),
        format!("{:03}", rng.between(1, 450)),
    ];
    let number: u64 = parts.concat().parse().expect("digits");
    let key = format!("{:02}", 97 - number % 97);
    if spaced {
        format!("{} {key}", parts.join(" "))
    } else {
        format!("{}{key}", parts.concat())
    }
}

fn siren(rng: &mut Rng) -> String {
    let body = rng.digits(8);
    format!("{body}{}", luhn_digit(&body))
}

fn ip(rng: &mut Rng) -> String {
    format!(
        "{}.{}.{}.{}",
        rng.pick(&["81", "90", "176", "203", "66", "37"]),
        rng.below(256),
        rng.below(256),
        rng.between(1, 254)
    )
}

fn ip6(rng: &mut Rng) -> String {
    format!(
        "2a01:{:x}:{:x}:{:x}::{:x}",
        rng.between(0x100, 0xfff),
        rng.below(0xffff),
        rng.below(0xffff),
        rng.between(1, 0xffff)
    )
}

fn date(rng: &mut Rng, from: u64, to: u64) -> String {
    format!(
        "{}-{:02}-{:02}",
        rng.between(from, to),
        rng.between(1, 12),
        rng.between(1, 28)
    )
}

fn timestamp(rng: &mut Rng) -> String {
    let clock = format!(
        "{:02}:{:02}:{:02}.{:06}",
        rng.below(24),
        rng.below(60),
        rng.below(60),
        rng.below(1_000_000)
    );
    format!("{} {clock}", date(rng, 2019, 2025))
}

fn full(rng: &mut Rng) -> String {
    format!("{} {}", rng.pick(FIRST), rng.pick(LAST))
}

fn sentences(rng: &mut Rng, list: &[&'static str]) -> String {
    (0..rng.between(1, 4))
        .map(|_| rng.pick(list))
        .collect::<Vec<_>>()
        .join(" ")
}

/// What people write: mostly harmless sentences, now and then a person's name, address or number.
fn text_person(rng: &mut Rng, french: bool) -> String {
    let mut text = sentences(rng, if french { TEXT_FR } else { TEXT });
    match rng.below(8) {
        0 => write!(
            text,
            " {} {}",
            if french { "Écrire à" } else { "Write to" },
            email(rng)
        ),
        1 => write!(
            text,
            " {} {}.",
            if french { "Rappeler au" } else { "Call back on" },
            if french { phone_fr(rng) } else { phone_us(rng) }
        ),
        2 => write!(
            text,
            " {} {}",
            if french { "Cordialement," } else { "Best," },
            full(rng)
        ),
        _ => Ok(()),
    }
    .expect("writing to a string");
    text
}

fn record(rng: &mut Rng) -> Vec<(&'static str, String)> {
    vec![
        ("id", rng.below(9000).to_string()),
        ("email", email(rng)),
        ("first_name", rng.pick(FIRST).to_string()),
        ("last_name", rng.pick(LAST).to_string()),
        ("phone", phone_fr(rng)),
        ("status", rng.pick(&["active", "closed"]).to_string()),
    ]
}

fn json(pairs: &[(&str, String)]) -> String {
    let body: Vec<String> = pairs
        .iter()
        .map(|(k, v)| format!("\"{k}\": \"{}\"", v.replace('"', "\\\"")))
        .collect();
    format!("{{{}}}", body.join(", "))
}

fn url_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => out.push(b as char),
            _ => write!(out, "%{b:02X}").expect("writing to a string"),
        }
        out
    })
}

fn quoted_printable(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for b in text.bytes() {
        if column > 70 && b != b'\n' {
            out.push_str("=\n");
            column = 0;
        }
        match b {
            b'=' => out.push_str("=3D"),
            b'\n' => column = 0,
            0x80.. => write!(out, "={b:02X}").expect("writing to a string"),
            _ => {}
        }
        if b < 0x80 && b != b'=' {
            out.push(b as char);
        }
        column += 1;
    }
    out
}

fn bytea(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_string(), |mut out, b| {
        write!(out, "{b:02x}").expect("writing to a string");
        out
    })
}

fn base64(rng: &mut Rng, length: usize) -> String {
    rng.chars(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        length,
    )
}

const HEX: &str = "0123456789abcdef";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn uuid(rng: &mut Rng) -> String {
    let h = rng.chars(HEX, 32);
    format!(
        "{}-{}-4{}-a{}-{}",
        &h[..8],
        &h[8..12],
        &h[13..16],
        &h[17..20],
        &h[20..]
    )
}

/// The value that a generator makes for a row.
pub fn generate(generator: &str, row: u64, rng: &mut Rng) -> Vec<u8> {
    if let Some(choices) = generator.strip_prefix("enum:") {
        return rng
            .pick(&choices.split('|').collect::<Vec<_>>())
            .as_bytes()
            .to_vec();
    }
    let mut parts = generator.split(':');
    let name = parts.next().unwrap_or_default();
    let bounds: Vec<u64> = parts.map(|p| p.parse().expect("a bound")).collect();
    match name {
        "int" => return rng.between(bounds[0], bounds[1]).to_string().into_bytes(),
        "float" => return format!("{}.{}", rng.between(bounds[0], bounds[1]), rng.below(10)).into_bytes(),
        _ => {}
    }
    if let Some(length) = name.strip_prefix("digits").and_then(|n| n.parse().ok()) {
        return rng.digits(length).into_bytes();
    }
    if let Some(length) = name.strip_prefix("hex").and_then(|n| n.parse().ok()) {
        return rng.chars(HEX, length).into_bytes();
    }
    text_value(name, row, rng).into_bytes()
}

fn text_value(name: &str, row: u64, rng: &mut Rng) -> String {
    match name {
        "serial" => (row + 1).to_string(),
        "bool" => rng.pick(&["t", "f"]).into(),
        "uuid" => uuid(rng),
        "email" => email(rng),
        "email_role" => format!("{}@{}", rng.pick(&["support", "help", "contact"]), rng.pick(&["acme-corp.io", "globex.com", "initech.io"])),
        "emails_list" => format!("{}, {}", email(rng), email(rng)),
        "first" => rng.pick(FIRST).into(),
        "last" => rng.pick(LAST).into(),
        "last_upper" => rng.pick(LAST).to_uppercase(),
        "full" => full(rng),
        "full_dr" => format!("Dr {}", full(rng)),
        "full_caps" => format!("{} {}", rng.pick(LAST).to_uppercase(), rng.pick(FIRST)),
        "full_caps_noise" => match rng.below(2) {
            0 => rng.pick(&["N/A", "OK", "123", "à vérifier"]).into(),
            _ => format!("{} {}", rng.pick(LAST).to_uppercase(), rng.pick(FIRST)),
        },
        "initials" => rng.chars("ABCDEFGHJKLM", 2),
        "username" => format!("{}{}", rng.pick(&["moonlight", "sk8er", "papillon", "darkstar", "coco", "jdoe", "ghost"]), rng.below(999)),
        "birth" => date(rng, 1938, 2005),
        "birth_young" => date(rng, 2006, 2018),
        "date" => date(rng, 2019, 2025),
        "timestamp" => timestamp(rng),
        "version_ts" => format!("2023{:02}{:02}{:06}", rng.between(1, 12), rng.between(1, 28), rng.below(235959)),
        "money" => format!("{}.{:02}", rng.below(900), rng.below(100)),
        "money4" => format!("{}.00", rng.between(18, 90) * 100),
        "phone_fr" => phone_fr(rng),
        "phone_fr_plus" => format!("+33{}{}", rng.pick(&["6", "7", "1"]), rng.digits(8)),
        "phone_us" => phone_us(rng),
        "phone_uk" => format!("07{} {}", rng.pick(&["700", "911", "400"]), rng.chars("123456789", 6)),
        "phone_de" => format!("0151 {}", rng.chars("123456789", 8)),
        "phone_intl" => phone_intl(rng),
        "street_fr" => format!("{}{} {}", rng.between(1, 180), rng.pick(&["", "", "", " bis", ","]), rng.pick(STREETS_FR)),
        "street_us" => format!("{} {}", rng.between(1, 9900), rng.pick(STREETS_US)),
        "street_de" => format!("{} {}", rng.pick(&["Hauptstraße", "Bahnhofstr.", "Gartenweg", "Marktplatz", "Lindenallee", "Kirchgasse"]), rng.between(1, 120)),
        "street_es" => format!("{}, {}", rng.pick(&["Calle Mayor", "Avenida de América", "C/ Serrano", "Plaza Nueva", "Paseo del Prado"]), rng.between(1, 120)),
        "street_it" => format!("{} {}", rng.pick(&["Via Roma", "Viale Garibaldi", "Piazza Dante", "Corso Italia"]), rng.between(1, 120)),
        "flat" => format!("{} {}", rng.pick(&["Apt", "Suite", "Unit"]), rng.between(1, 90)),
        "flat_fr" => format!("{} {}", rng.pick(&["Bâtiment", "Étage", "Appt"]), rng.between(1, 9)),
        "city_fr" => rng.pick(CITIES_FR).into(),
        "city_en" => rng.pick(CITIES_EN).into(),
        "zip_fr" => format!("{:05}", rng.between(1000, 95900)),
        "zip_us" => rng.digits(5),
        "postcode_uk" => format!("{}{} {}{}", rng.pick(&["SW", "LS", "M", "BA"]), rng.between(1, 20), rng.between(1, 9), rng.chars("ABDEF", 2)),
        "lat" => format!("{}.{:06}", rng.between(42, 51), rng.below(1_000_000)),
        "lng" => format!("{}.{:06}", rng.between(0, 8), rng.below(1_000_000)),
        "point" => format!("({}.{},{}.{})", rng.between(42, 51), rng.below(9999), rng.between(0, 8), rng.below(9999)),
        "iban" => iban(rng),
        "bic" => format!("{}FR{}", rng.pick(&["BNPA", "SOGE", "AGRI"]), rng.pick(&["PP", "PPXXX", "2X"])),
        "vat" => format!("FR{}{}", rng.digits(2), siren(rng)),
        "card" => card(rng),
        "nir" => nir(rng, false),
        "nir_spaced" => nir(rng, true),
        "siren" => siren(rng),
        "siret" => {
            let body = format!("{}{}", siren(rng), rng.digits(4));
            format!("{body}{}", luhn_digit(&body))
        }
        "ssn" => format!("{:03}-{:02}-{:04}", rng.between(1, 665), rng.between(1, 99), rng.between(1, 9999)),
        "nino" => format!("{}{}{}", rng.pick(&["AB", "JK", "PR"]), rng.digits(6), rng.pick(&["A", "B", "C"])),
        "dni" => {
            let number = rng.between(10_000_000, 99_999_999);
            format!("{number}{}", b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize] as char)
        }
        "codice_fiscale" => format!("{}{:02}{}{:02}{}{}{}", rng.chars("BCDFGLMNPRST", 6), rng.below(99), rng.chars("ABCDEHLMPRST", 1), rng.between(1, 28), rng.chars("ABCDEF", 1), rng.digits(3), rng.chars("ABCDEFGH", 1)),
        "rpps" => format!("1{}", rng.digits(10)),
        "ine" => format!("{}{}", rng.digits(9), rng.chars("ABCDEFGH", 2)),
        "numen" => format!("{}E{}{}", rng.digits(2), rng.digits(7), rng.chars("ABCDEFGH", 3)),
        "upn" => format!("{}{}", rng.chars("ABCDEFGH", 1), rng.digits(12)),
        "passport" => format!("{}{}{}", rng.digits(2), rng.chars("ABCDEFGH", 2), rng.digits(5)),
        "plate" => format!("{}-{}-{}", rng.chars("ABCDEFGHJK", 2), rng.digits(3), rng.chars("ABCDEFGHJK", 2)),
        "vin" => format!("VF1{}", rng.chars("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", 14)),
        "imei" => {
            let body = format!("35{}", rng.digits(12));
            format!("{body}{}", luhn_digit(&body))
        }
        "mac" => (0..6).map(|_| rng.chars(HEX, 2)).collect::<Vec<_>>().join(":"),
        "ip" => ip(rng),
        "ip6" => ip6(rng),
        "ip_private" => format!("10.{}.{}.{}", rng.below(20), rng.below(256), rng.between(1, 254)),
        "ua" => format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.{}.{} Safari/537.36", rng.between(90, 130), rng.between(1000, 6000), rng.below(200)),
        "bcrypt" => format!("$2a$12${}", rng.chars(ALNUM, 53)),
        "hextoken" => rng.chars(HEX, 64),
        "stripe" => format!("cus_{}", rng.chars(ALNUM, 14)),
        "stripe_sub" => format!("sub_{}", rng.chars(ALNUM, 14)),
        "stripe_pi" => format!("pi_{}", rng.chars(ALNUM, 24)),
        "apikey" => format!("{}{}", rng.pick(&["sk_live_", "ghp_"]), rng.chars(ALNUM, 36)),
        "base32" => rng.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32),
        "base64_16" => format!("{}==", base64(rng, 22)),
        "base64_text" => base64(rng, 160),
        "md5" => rng.chars(HEX, 32),
        "ciphertext" => format!("{{\"p\":\"{}\",\"h\":{{\"iv\":\"{}\",\"at\":\"{}==\"}}}}", base64(rng, 24), base64(rng, 16), base64(rng, 22)),
        "pem" => format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n-----END RSA PRIVATE KEY-----\n", base64(rng, 64), base64(rng, 64)),
        "array_codes" => format!("{{{},{},{}}}", rng.chars(HEX, 10), rng.chars(HEX, 10), rng.chars(HEX, 10)),
        "array_tags" => format!("{{{},{}}}", rng.pick(&["new", "sale", "urgent"]), rng.pick(&["summer", "\"on hold\"", "beta"])),
        "array_email" => format!("{{{},{}}}", email(rng), email(rng)),
        "array_full" => format!("{{\"{}\",\"{}\"}}", full(rng), full(rng)),
        "array_files" => format!("{{IMG_{}.jpg,IMG_{}.jpg}}", rng.digits(4), rng.digits(4)),
        "array_float" => format!("{{0.{},0.{},-0.{},0.{}}}", rng.digits(8), rng.digits(8), rng.digits(8), rng.digits(8)),
        "order_number" => format!("{}{:06}", rng.pick(&["R", "F2024-", "INV-"]), rng.below(1_000_000)),
        "sku" => format!("{}-{}-{}", rng.chars("ABCDEFGHJK", 3), rng.digits(4), rng.chars("ABCDEFGHJK", 1)),
        "ean" => {
            let body = format!("376{}", rng.digits(9));
            let sum: u64 = body.bytes().enumerate().map(|(i, b)| u64::from(b - b'0') * if i % 2 == 0 { 1 } else { 3 }).sum();
            format!("{body}{}", (10 - sum % 10) % 10)
        }
        "isbn13" => {
            let body = format!("978{}", rng.digits(9));
            let sum: u64 = body.bytes().enumerate().map(|(i, b)| u64::from(b - b'0') * if i % 2 == 0 { 1 } else { 3 }).sum();
            format!("{body}{}", (10 - sum % 10) % 10)
        }
        "isbn10" => {
            let body = format!("{}{}", rng.pick(&["0", "2", "1"]), rng.digits(8));
            let sum: u64 = body.bytes().enumerate().map(|(i, b)| u64::from(b - b'0') * (10 - i as u64)).sum();
            match (11 - sum % 11) % 11 {
                10 => format!("{body}X"),
                check => format!("{body}{check}"),
            }
        }
        "tracking" => format!("1Z{}{}", rng.chars("ABCDEFGH0123456789", 8), rng.digits(8)),
        "coupon" => format!("{}{}", rng.pick(&["WELCOME", "SUMMER", "NOEL"]), rng.between(5, 50)),
        "icd10" | "cim10" => format!("{}{}.{}", rng.chars("ABCEGIJKM", 1), rng.digits(2), rng.below(10)),
        "ndc" => format!("{}-{}-{}", rng.digits(5), rng.digits(4), rng.digits(2)),
        "naf" => format!("{}{}", rng.digits(4), rng.chars("ABZ", 1)),
        "tension" => format!("{}/{}", rng.between(10, 17), rng.between(6, 10)),
        "version" => format!("{}.{}.{}", rng.between(1, 18), rng.below(10), rng.below(30)),
        "version4" => format!("{}.{}.{}.{}", rng.between(1, 9), rng.below(20), rng.below(10), rng.below(15)),
        "hostname" => format!("web-{}.internal", rng.between(1, 9)),
        "url" => format!("https://www.{}/{}/{}", rng.pick(&["example.com", "acme-corp.io", "exemple.fr"]), rng.pick(&["a", "media", "p"]), rng.chars(HEX, 8)),
        "slug" => format!("{}-{}-{}", rng.pick(&["blue", "summer", "winter", "new"]), rng.pick(&["shirt", "sale", "dashboard", "export"]), rng.below(90)),
        "category" => rng.pick(&["Shoes", "Kitchen", "Garden", "Books", "Jouets", "Accueil"]).into(),
        "icon" => rng.pick(&["fa-home", "fa-star"]).into(),
        "color" => rng.pick(&["red", "blue", "vert", "noir", "Rose", "Violet"]).into(),
        "color_hex" => format!("#{}", rng.chars(HEX, 6)),
        "brand" => rng.pick(BRANDS).into(),
        "company" => rng.pick(COMPANIES).into(),
        "store_name" => format!("{} {}", rng.pick(&["Shop", "Magasin", "Office"]), rng.pick(CITIES_FR)),
        "product" => rng.pick(PRODUCTS).into(),
        "product_fr" => rng.pick(PRODUCTS_FR).into(),
        "drug" => rng.pick(DRUGS).into(),
        "dish" => rng.pick(&["Salade verte", "Gratin dauphinois", "Poulet rôti", "Tarte aux pommes", "Yaourt"]).into(),
        "filename" => format!("{}_{}.{}", rng.pick(&["scan", "IMG", "doc"]), rng.digits(4), rng.pick(&["png", "jpg", "pdf"])),
        "device_name" => format!("{}'s iPhone", rng.pick(FIRST)),
        "hours" => "Mon-Fri 09:00-19:00, Sat 10:00-18:00".into(),
        "lorem" => sentences(rng, LOREM),
        "lorem_fr" => sentences(rng, LOREM_FR),
        "lorem_short" => rng.pick(&["Question about delivery", "The long road", "Great value", "Quarterly plan", "A short history", "Update the docs"]).into(),
        "lorem_short_fr" => rng.pick(&["Question sur la livraison", "La longue route", "Bilan trimestriel", "Déjeuner d'équipe", "Résultats", "Contrôle de mars"]).into(),
        "text_person" => text_person(rng, false),
        "text_person_fr" => text_person(rng, true),
        "text_medical" => rng.pick(MEDICAL).into(),
        "text_medical_fr" => rng.pick(MEDICAL_FR).into(),
        "bank_label" => format!("VIR SEPA {} {}", rng.pick(LAST).to_uppercase(), rng.pick(FIRST).to_uppercase()),
        "stacktrace" => format!("NoMethodError: undefined method 'x' for nil\napp/models/order.rb:{}:in 'total'", rng.below(300)),
        "json_plain" => format!("{{\"theme\": \"{}\", \"per_page\": {}, \"flags\": [\"a\", \"b\"]}}", rng.pick(&["dark", "light"]), rng.between(10, 100)),
        "json_drugs" => format!("[{{\"nom\": \"{}\", \"dose\": \"1\"}}]", rng.pick(DRUGS)),
        "json_headers" => format!("{{\"Accept\": \"*/*\", \"Authorization\": \"Bearer {}\", \"X-Forwarded-For\": \"{}\"}}", rng.chars(ALNUM, 30), ip(rng)),
        "json_person" => json(&record(rng)),
        "yaml_person" => record(rng).iter().fold("---\n".to_string(), |out, (k, v)| format!("{out}{k}: {v}\n")),
        "xml_person" => format!("<PERSONNE>{}</PERSONNE>", record(rng).iter().fold(String::new(), |out, (k, v)| format!("{out}<{k}>{v}</{k}>"))),
        "hstore_person" => record(rng).iter().map(|(k, v)| format!("\"{k}\"=>\"{v}\"")).collect::<Vec<_>>().join(", "),
        "csv_person" => record(rng).iter().map(|(_, v)| v.clone()).collect::<Vec<_>>().join(";"),
        "urlenc_person" => format!("https://app.example.com/cb?{}", record(rng).iter().map(|(k, v)| format!("{k}={}", url_encoded(v))).collect::<Vec<_>>().join("&")),
        "qp_person" => quoted_printable(&format!("Content-Transfer-Encoding: quoted-printable\n\nBonjour,\nveuillez répondre à {} ou appeler le {}, merci.\n{}\n", email(rng), phone_fr(rng), full(rng))),
        "hl7" => format!("MSH|^~\\&|LAB|HOSP\rPID|1||{}||{}^{}||{}", rng.digits(8), rng.pick(LAST).to_uppercase(), rng.pick(FIRST).to_uppercase(), date(rng, 1940, 2000).replace('-', "")),
        "contract_address" => format!("0x{}", rng.chars(HEX, 40)),
        "bytea_bin" => {
            let bytes: Vec<u8> = (0..60).map(|_| rng.below(256) as u8).collect();
            bytea(&bytes)
        }
        "bytea_text_person" => bytea(json(&record(rng)).as_bytes()),
        other => panic!("no generator named {other}"),
    }
}

//! Names of domains in letters of all alphabets, from the form that the domain name system has for them (RFC 3492):
//! `xn--mller-kva.de` is `müller.de`.

const BASE: u32 = 36;
const MIN: u32 = 1;
const MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;

/// Appends a host to an address, its labels decoded.
pub(crate) fn extend_with_host(address: &mut Vec<u8>, host: &[u8]) {
    for (place, label) in host.split(|byte| *byte == b'.').enumerate() {
        if place > 0 {
            address.push(b'.');
        }
        match label.strip_prefix(b"xn--").and_then(decode) {
            Some(name) => address.extend_from_slice(name.as_bytes()),
            None => address.extend_from_slice(label),
        }
    }
}

/// A label without its prefix; None where it is none.
fn decode(label: &[u8]) -> Option<String> {
    let (plain, codes) = match memchr::memrchr(b'-', label) {
        Some(dash) => (&label[..dash], &label[dash + 1..]),
        None => (&label[..0], label),
    };
    if codes.is_empty() {
        return None;
    }
    let mut name: Vec<char> = plain.iter().copied().map(char::from).collect();
    let (mut code, mut at, mut bias) = (128u32, 0u32, 72u32);
    let mut codes = codes.iter();
    while !codes.as_slice().is_empty() {
        let before = at;
        let (mut weight, mut threshold) = (1u32, BASE);
        loop {
            let digit = digit(*codes.next()?)?;
            at = at.checked_add(digit.checked_mul(weight)?)?;
            let least = threshold.saturating_sub(bias).clamp(MIN, MAX);
            if digit < least {
                break;
            }
            weight = weight.checked_mul(BASE - least)?;
            threshold += BASE;
        }
        let length = name.len() as u32 + 1;
        bias = adapt(at - before, length, before == 0);
        code = code.checked_add(at / length)?;
        at %= length;
        name.insert(at as usize, char::from_u32(code)?);
        at += 1;
    }
    Some(name.into_iter().collect())
}

fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'a'..=b'z' => Some(u32::from(byte - b'a')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 26),
        _ => None,
    }
}

fn adapt(delta: u32, length: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / length;
    let mut steps = 0;
    while delta > (BASE - MIN) * MAX / 2 {
        delta /= BASE - MIN;
        steps += BASE;
    }
    steps + (BASE - MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_decoded_and_others_stay() {
        for (host, name) in [
            ("xn--mller-kva.de", "müller.de"),
            ("xn--caf-crme-60ag.fr", "café-crème.fr"),
            ("xn--e1afmkfd.xn--p1ai", "пример.рф"),
            ("example.com", "example.com"),
            ("xn--.de", "xn--.de"),
            ("xn--9999999999.de", "xn--9999999999.de"),
        ] {
            let mut address = Vec::new();
            extend_with_host(&mut address, host.as_bytes());
            assert_eq!(String::from_utf8_lossy(&address), name, "{host}");
        }
    }
}

//! Secrets, by the beginnings that their makers give them.

use super::{is_word, Visitor};
use crate::PiiKind;
use memchr::{memchr, memmem};
use regex::bytes::Regex;
use std::sync::LazyLock;

/// Secrets that say by their beginning what they are. The shapes are those their makers document.
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let shapes = [
        // JSON web tokens: two base64url parts that begin like an object, and a signature (RFC 7519).
        r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{8,}",
        // PEM private keys, to their end where it is in sight (RFC 7468).
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?s:.{0,6000}?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)?",
        // bcrypt; crypt(3)'s SHA-256 and SHA-512; argon2; Django's PBKDF2.
        r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}",
        r"\$[56]\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}",
        r"\$argon2(?:id|i|d)\$v=\d+\$[a-z0-9=,]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+",
        r"pbkdf2[_:-]sha\d+[$:]\d+[$:][A-Za-z0-9+/=]+[$:][A-Za-z0-9+/=]+",
        // Stripe, GitHub, GitLab, Slack, Google, SendGrid, AWS, OpenAI, Anthropic, Shopify, npm, RubyGems,
        // DigitalOcean, Scalingo, Mailgun.
        r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}",
        r"whsec_[0-9A-Za-z]{24,}",
        r"gh[pousr]_[0-9A-Za-z]{36,}",
        r"github_pat_[0-9A-Za-z_]{40,}",
        r"glpat-[0-9A-Za-z_-]{20,}",
        r"xox[abposr]-[0-9A-Za-z-]{10,}",
        r"hooks\.slack\.com/services/[0-9A-Za-z/]{20,}",
        r"AIza[0-9A-Za-z_-]{35}",
        r"ya29\.[0-9A-Za-z_-]{20,}",
        r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}",
        r"(?:AKIA|ASIA)[0-9A-Z]{16}",
        r"sk-(?:ant-|proj-)?[0-9A-Za-z_-]{24,}",
        r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
        r"npm_[0-9A-Za-z]{36}",
        r"rubygems_[0-9a-f]{48}",
        r"do[opr]_v1_[0-9a-f]{64}",
        r"tk-us-[0-9A-Za-z_-]{48}",
        r"key-[0-9a-f]{32}",
    ];
    Regex::new(&format!("(?-u:{})", shapes.join("|"))).ok()
});

/// No shape of a secret is shorter: a Slack token has 15 characters at least.
const SHORTEST_SECRET: usize = 15;

/// Whether a text can hold a secret at all: so many bytes in a row that secrets are made of, or a PEM header.
fn may_hold_a_secret(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.$/+=:,".contains(byte);
    let mut at = SHORTEST_SECRET - 1;
    // A run that long covers one in so many places, so most words are not looked at.
    while at < text.len() {
        let back = text[..=at]
            .iter()
            .rev()
            .take_while(|byte| is_part(byte))
            .take(SHORTEST_SECRET);
        let back = back.count();
        let on = text[at + 1..]
            .iter()
            .take_while(|byte| is_part(byte))
            .take(SHORTEST_SECRET - 1);
        if back > 0 && back + on.count() >= SHORTEST_SECRET {
            return true;
        }
        at += SHORTEST_SECRET;
    }
    memchr(b'-', text).is_some_and(|dash| memmem::find(&text[dash..], b"-----BEGIN").is_some())
}

pub(super) fn secrets(text: &[u8], found: &mut Visitor<'_>) {
    if !may_hold_a_secret(text) {
        return;
    }
    let Some(shapes) = SECRETS.as_ref() else { return };
    for secret in shapes.find_iter(text) {
        let glued = secret.start() > 0 && is_word(text[secret.start() - 1]);
        let kind = match secret.as_bytes() {
            [b'e', b'y', ..] => PiiKind::Jwt,
            [b'-', ..] => PiiKind::PrivateKey,
            [b'$', ..] | [b'p', b'b', ..] => PiiKind::PasswordHash,
            _ if glued => continue,
            _ => PiiKind::ApiKey,
        };
        found(kind, secret.range());
    }
}

#[cfg(test)]
mod tests {
    use super::{may_hold_a_secret, SECRETS};

    #[test]
    fn the_expression_compiles() {
        assert!(SECRETS.is_some());
    }

    #[test]
    fn texts_of_short_words_are_passed_over() {
        let text = b"short words - and no secrets: nothing, more than, a.few";
        assert!(!may_hold_a_secret(text));
    }
}

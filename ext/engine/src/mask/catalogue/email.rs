//! `email`, where it keeps the domain or stands within another value.

use super::recipe::{Fitting, Pseudonym, Work};
use crate::mask::action::{Row, EMAIL_DIGITS};
use crate::mask::compile::Fitted;
use crate::mask::key::Function;

/// `<20 hex digits>@<domain>`, as the strategies write it.
#[derive(Debug)]
struct Email {
    function: Function,
    fold_case: bool,
    keep_domain: bool,
    domain: Box<[u8]>,
    limit: usize,
}

impl Pseudonym for Email {
    fn write(&self, value: &[u8], _: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let digest = if self.fold_case {
            super::fold_case(value, &mut work.first);
            self.function.digest(&work.first)
        } else {
            self.function.digest(value)
        };
        super::write_hex(&digest, EMAIL_DIGITS, out);
        out.push(b'@');
        let own = value
            .iter()
            .rposition(|byte| *byte == b'@')
            .map(|at| &value[at + 1..]);
        let own = own.filter(|domain| {
            self.keep_domain && is_domain(domain) && EMAIL_DIGITS + 1 + domain.len() <= self.limit
        });
        out.extend_from_slice(own.unwrap_or(&self.domain));
    }

    fn has_form(&self, value: &[u8]) -> bool {
        let Some((local, rest)) = value.split_at_checked(EMAIL_DIGITS) else {
            return false;
        };
        local.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && rest
                .strip_prefix(b"@")
                .is_some_and(|domain| domain == self.domain.as_ref() || self.keep_domain && is_domain(domain))
    }
}

fn is_domain(text: &[u8]) -> bool {
    text.contains(&b'.')
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

pub(super) fn email(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let domain = &fitting.pseudonyms.email_domain;
    let text = fitting.text_of(EMAIL_DIGITS + 1 + domain.len())?;
    let keep_domain = fitting.flag("keep_domain")?;
    let mask = Email {
        function: fitting.function("email"),
        fold_case: !fitting.column.unique.tells_case_apart,
        keep_domain,
        domain: domain.as_bytes().into(),
        limit: text.limit,
    };
    let domain = if keep_domain {
        "[A-Za-z0-9.-]+".to_owned()
    } else {
        domain.replace('.', "\\.")
    };
    let form = fitting.matches(&format!("^[0-9a-f]{{{EMAIL_DIGITS}}}@{domain}$"));
    Ok(fitting.fitted(mask, form))
}

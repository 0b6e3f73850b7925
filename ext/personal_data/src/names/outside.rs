//! What acts outside, by the names of tables and columns: with it, staging would act in production's name.

mod lexicon;

use super::phrases::NOT_AFTER;
use super::rules::finding;
use super::{ColumnName, NameFinding, TableContext};
use crate::sql_type::TypeClass;
use crate::words::words;
use crate::{PiiKind, Reason};
use lexicon::{
    ADDRESSES, CHARGED, HOOKS, IDS_THERE, INTEGRATIONS, NOT_CHARGED, PARTNERS, PAYMENTS, PAYMENT_SERVICES,
    PROTOCOLS, PUSHES, PUSHES_THERE, PUSHES_TO_DEVICES, SECRETS, SECRETS_THERE, SENT_TO, SERVICES, TOKENS,
    URLS,
};

/// What a column's name shows of what acts outside; `None` when nothing does.
pub fn outside(column: &ColumnName<'_>, context: &TableContext) -> Option<NameFinding> {
    let class = TypeClass::of(column.sql_type);
    let holds_text = matches!(class, TypeClass::Text | TypeClass::TextArray);
    let holds_secret = holds_text
        || matches!(
            class,
            TypeClass::Bytea | TypeClass::Uuid | TypeClass::Json | TypeClass::Hstore
        );
    if context.framework || !holds_secret {
        return None;
    }
    let words = words(column.column);
    let last = words.last()?;
    let name = Name {
        column: column.column,
        words: &words,
        whole: words.join(" "),
        table: &context.words,
        signs_in: context.signs_in,
    };
    if context.words == ["active", "storage", "blob"] && name.whole == "service name" {
        return finding(PiiKind::StorageService, 0.97, Reason::FileService);
    }
    // Words that otherwise end what says nothing are what these are called by.
    if matches!(class, TypeClass::Json | TypeClass::Hstore) && name.is_document_of_hooks() {
        return finding(PiiKind::Endpoint, 0.9, Reason::SentTo);
    }
    if class == TypeClass::Text && name.is_payment_in_text() {
        return finding(PiiKind::PaymentId, 0.9, Reason::PaymentServiceId);
    }
    if NOT_AFTER.contains(last) && !matches!(last.as_str(), "id" | "key") || last == "name" {
        return None;
    }
    if holds_text && name.is_endpoint() {
        return finding(PiiKind::Endpoint, 0.9, Reason::SentTo);
    }
    if name.is_push() {
        return finding(PiiKind::PushSubscription, 0.9, Reason::PushCredential);
    }
    if name.is_secret() {
        return finding(PiiKind::ClientSecret, 0.9, Reason::OpensService);
    }
    let payment = matches!(class, TypeClass::Text | TypeClass::Uuid) && name.is_payment();
    payment
        .then(|| finding(PiiKind::PaymentId, 0.9, Reason::PaymentServiceId))
        .flatten()
}

impl TableContext {
    /// Whether the table is about receivers of requests, so that an address in it is one under any column's name.
    pub fn is_of_hooks(&self) -> bool {
        let is_hook = |word: &String| HOOKS.contains(&word.as_str()) || word == "callback";
        !self.framework && self.words.iter().any(is_hook)
    }
}

struct Name<'a> {
    column: &'a str,
    words: &'a [String],
    /// The words with a space between.
    whole: String,
    table: &'a [String],
    /// The table holds accounts at other services.
    signs_in: bool,
}

impl Name<'_> {
    fn has(&self, list: &[&str]) -> bool {
        self.words.iter().any(|word| list.contains(&word.as_str()))
    }

    fn table_has(&self, list: &[&str]) -> bool {
        self.table.iter().any(|word| list.contains(&word.as_str()))
    }

    fn ends_in(&self, list: &[&str]) -> bool {
        self.words
            .last()
            .is_some_and(|word| list.contains(&word.as_str()))
    }

    fn says(&self, phrases: &[&[&str]]) -> bool {
        phrases.iter().any(|phrase| {
            let windows = self.words.windows(phrase.len());
            windows
                .into_iter()
                .any(|window| window.iter().zip(*phrase).all(|(word, other)| word == other))
        })
    }

    fn is_integration(&self) -> bool {
        self.table_has(INTEGRATIONS)
    }

    fn is_endpoint(&self) -> bool {
        if self.ends_in(&["id", "key", "token", "secret", "password"]) {
            return false;
        }
        let is_url = self.has(URLS);
        let sent_to =
            self.has(SENT_TO) && (is_url || matches!(self.whole.as_str(), "webhook" | "slack webhook"));
        // A site's own redirections are pages, not requests.
        let redirects = self.has(&["redirect"]) && (self.has(&["uri"]) || is_url && self.is_integration());
        let address = is_url || self.ends_in(ADDRESSES);
        let there = self.table_has(HOOKS) && address
            || is_url && (self.is_integration() || self.table_has(&["callback"]));
        let push = self.is_push_table() && self.whole == "endpoint";
        let notified = is_url && self.table_has(&["channel"]) && self.table_has(&["notification", "alert"]);
        sent_to || redirects || there || push || notified || self.is_hook()
    }

    /// `zapier_hook`, `event_subscribers.callback`: no word says that it is an address.
    fn is_hook(&self) -> bool {
        let is_qualified = self.words.len() > 1;
        let subscribes = self.table_has(&["subscriber", "subscription", "listener"]);
        self.ends_in(&["hook"]) && is_qualified || self.ends_in(&["callback"]) && (is_qualified || subscribes)
    }

    /// A document with the addresses that requests are sent to; what was sent is none.
    fn is_document_of_hooks(&self) -> bool {
        self.has(&["webhook"])
            && self.ends_in(&[
                "webhook",
                "setting",
                "config",
                "configuration",
                "option",
                "endpoint",
                "url",
                "target",
            ])
    }

    fn is_push_table(&self) -> bool {
        let pushes = self.table_has(&["push", "webpush", "fcm", "apns"]);
        pushes || self.table_has(&["device"]) && self.table_has(&["token", "registration"])
    }

    fn is_push(&self) -> bool {
        self.column.to_ascii_lowercase().starts_with("p256")
            || self.says(PUSHES)
            || self.is_push_table() && PUSHES_THERE.contains(&self.whole.as_str())
            || self.table_has(&["device"]) && PUSHES_TO_DEVICES.contains(&self.whole.as_str())
    }

    fn is_secret(&self) -> bool {
        let there = self.is_integration() || self.table_has(HOOKS);
        // The keys of a WebAuthn credential are public.
        let public = self.has(&["public"]) || self.table_has(&["webauthn", "passkey"]);
        let secret = self.says(SECRETS)
            || there && (SECRETS_THERE.contains(&self.whole.as_str()) || self.ends_in(&["token", "secret"]))
            || self.is_token()
            || self.opens_service();
        !public && secret
    }

    /// A plain token in a table that says whose it is.
    fn is_token(&self) -> bool {
        let whole = self.whole.as_str();
        let of_tokens = self.table.last().is_some_and(|word| word == "token") && TOKENS.contains(&whole);
        let signs_in = self.signs_in && matches!(whole, "token" | "secret" | "auth token" | "token secret");
        let of_partner = self.table_has(PARTNERS) && self.ends_in(&["token", "secret"]);
        of_tokens || signs_in || of_partner
    }

    /// A service's token, or the password of a mailbox or a server.
    fn opens_service(&self) -> bool {
        let service = self.has(SERVICES) && self.ends_in(&["token", "secret"]);
        let protocol = self.has(PROTOCOLS) || self.table_has(PROTOCOLS);
        service || protocol && self.ends_in(&["password", "pass", "passphrase", "pwd"])
    }

    fn is_payment(&self) -> bool {
        let numbered = self.ends_in(&["id", "token", "reference", "uid"]);
        let service = self.has(PAYMENT_SERVICES) || self.table_has(PAYMENT_SERVICES) && self.whole != "id";
        let about = self.has(NOT_CHARGED) || self.table_has(NOT_CHARGED);
        !about && (service && numbered || self.says(PAYMENTS))
    }

    /// An id of the app's own that refers to its table of mandates, say, is no text.
    fn is_payment_in_text(&self) -> bool {
        let charged = |word: &str| self.whole.ends_with(&format!(" {word}"));
        let of_service = self.has(PAYMENT_SERVICES) && CHARGED.iter().any(|word| charged(word));
        let pays = self
            .table
            .windows(2)
            .any(|pair| pair == ["payment", "method"] || pair == ["payment", "source"]);
        let found = of_service
            || self.says(&[&["mandate", "id"]])
            || pays && IDS_THERE.contains(&self.whole.as_str());
        found && !self.has(NOT_CHARGED)
    }
}

#[cfg(test)]
mod tests;

//! What acts outside, by the names of tables and columns: with it, staging would act in production's name.

use super::phrases::NOT_AFTER;
use super::{finding, ColumnName, NameFinding, TableContext};
use crate::sql_type::TypeClass;
use crate::words::words;
use crate::PiiKind;
use std::collections::HashSet;

/// Tables of queued work by what they are called; one that ends in `*` stands for all that begin so.
const QUEUES: &[(&str, &str)] = &[
    ("solid_queue_*", "Solid Queue's"),
    ("good_jobs", "GoodJob's"),
    ("good_job_batches", "GoodJob's"),
    ("good_job_executions", "GoodJob's"),
    ("good_job_processes", "GoodJob's"),
    ("delayed_job", "Delayed Job's"),
    ("delayed_jobs", "Delayed Job's"),
    ("delayed_job_groups", "Delayed Job's"),
    ("que_jobs", "Que's"),
    ("que_lockers", "Que's"),
    ("que_values", "Que's"),
    ("queue_classic_jobs", "queue_classic's"),
    ("queue_classic_later_jobs", "queue_classic's"),
    ("gouda_workloads", "Gouda's"),
    ("gouda_job_fuses", "Gouda's"),
    ("crono_jobs", "Crono's"),
    ("arask_jobs", "Arask's"),
    ("oban_jobs", "Oban's"),
    ("procrastinate_jobs", "Procrastinate's"),
    ("outboxer_*", "Outboxer's"),
    ("rpush_notifications", "Rpush's notifications"),
    (
        "action_mailbox_inbound_emails",
        "mail that Action Mailbox has yet to route",
    ),
];

/// Settings of queues, which no work is in.
const SETTINGS: &[&str] = &["good_job_settings"];

/// Schemas that a queue has for itself.
const QUEUE_SCHEMAS: &[&str] = &["pgboss", "graphile_worker", "skiplock", "pgmq"];

/// What is sent.
const SENT: &[&str] = &[
    "mail",
    "email",
    "sms",
    "message",
    "notification",
    "push",
    "webhook",
    "job",
    "courriel",
    "envoi",
];

/// Words for what has still to be sent.
const WAITING: &[&str] = &[
    "queued",
    "queue",
    "outgoing",
    "outbound",
    "unsent",
    "pending",
    "scheduled",
    "enqueued",
    "deferred",
    "sortant",
];

/// Words for how something is sent.
const CHANNELS: &[&str] = &["mail", "email", "sms", "push", "whatsapp", "courriel"];

/// Columns that say when something is to be sent.
const SEND_TIMES: &[&str] = &[
    "send_at",
    "send_after",
    "deliver_at",
    "deliver_after",
    "next_attempt_at",
    "scheduled_at",
    "scheduled_for",
];

/// Words of tables about a queue in which nothing waits.
const ABOUT_QUEUES: &[&str] = &[
    "setting",
    "config",
    "configuration",
    "rule",
    "template",
    "log",
    "history",
    "stat",
    "statistic",
    "metric",
    "permission",
];

/// Columns of what has still to be sent.
const SENDING: &[&str] = &[
    "scheduled_at",
    "send_at",
    "deliver_at",
    "delivered_at",
    "sent_at",
    "run_at",
    "attempts",
    "attempts_count",
    "retries",
    "retry_count",
    "locked_at",
    "locked_by",
    "next_attempt_at",
    "processed_at",
    "status",
    "state",
];

/// What tables of jobs are about.
const JOBS: &[&str] = &["job", "task", "queue", "workload", "execution", "tache"];

/// Columns that hold what a job does.
const JOB_PAYLOADS: &[&str] = &[
    "handler",
    "job_class",
    "job_data",
    "serialized_params",
    "serialized_job",
    "arguments",
    "args",
    "payload",
    "params",
    "job_arguments",
    "class_name",
];

/// Columns that hold when and by whom a job is run.
const JOB_STATES: &[&str] = &[
    "run_at",
    "locked_at",
    "locked_by",
    "queue",
    "queue_name",
    "perform_at",
    "available_at",
    "reserved_at",
    "attempts",
    "enqueued_at",
    "active_job_id",
    "scheduled_at",
    "priority",
];

/// Those among them that only what is run by a program has.
const RUN_BY: &[&str] = &[
    "locked_at",
    "locked_by",
    "run_at",
    "queue",
    "queue_name",
    "active_job_id",
];

/// What queued work a table holds, by its name and the names of its columns; None when it is no queue.
pub fn queue<'a>(schema: &str, table: &str, columns: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if SETTINGS.contains(&table) {
        return None;
    }
    if let Some((_, of)) = QUEUES.iter().find(|(name, _)| is_named(table, name)) {
        return Some(format!("queued work, {of}"));
    }
    if QUEUE_SCHEMAS.contains(&schema) {
        return Some(format!("queued work, in the schema {schema}"));
    }
    let columns: HashSet<&str> = columns.into_iter().collect();
    let known = |names: &[&str]| names.iter().filter(|name| columns.contains(*name)).count();
    let words = words(table);
    let is = |word: Option<&String>, names: &[&str]| word.is_some_and(|word| names.contains(&word.as_str()));
    if words.iter().any(|word| word == "outbox") {
        return Some("an outbox".into());
    }
    let (first, last) = (words.first(), words.last());
    let has_sent = words.iter().any(|word| SENT.contains(&word.as_str()));
    let is_queue = words.iter().any(|word| word == "queue") && !is(last, ABOUT_QUEUES);
    let to_send = words.ends_with(&["to".into(), "send".into()]);
    let sends = is(last, SENT) && is(first, WAITING) || has_sent && (is_queue || to_send);
    if words.len() > 1 && sends && known(SENDING) > 0 {
        return Some("its name says that it is still to be sent".into());
    }
    // What was sent and what will be are in one table, and staging's worker would send the latter. A history has no such
    // columns, and stays.
    let waits = known(SEND_TIMES) > 0 && known(&["status", "state"]) > 0;
    let by_channel = is(first, CHANNELS) && is(last, &["message", "notification", "delivery"]);
    if by_channel && waits {
        return Some("holds messages with the time when they are to be sent".into());
    }
    // Job boards and lists of what is to be done have titles, priorities and dates, too.
    let is_run = known(RUN_BY) > 0 && !columns.contains("title");
    let runs = is(last, JOBS) && known(JOB_PAYLOADS) > 0 && known(JOB_STATES) > 1 && is_run;
    runs.then(|| "has the columns of a job queue".into())
}

fn is_named(table: &str, name: &str) -> bool {
    match name.strip_suffix('*') {
        Some(start) => table.starts_with(start),
        None => table == name,
    }
}

/// Tables of what requests are sent to.
const HOOKS: &[&str] = &["webhook", "hook", "endpoint", "postback"];

/// Tables of what this app and others open one another with.
const INTEGRATIONS: &[&str] = &[
    "oauth",
    "doorkeeper",
    "api",
    "integration",
    "connector",
    "credential",
    "rpush",
    "omniauth",
];

/// Words of columns that hold an address of requests.
const ADDRESSES: &[&str] = &[
    "url",
    "uri",
    "endpoint",
    "href",
    "address",
    "target",
    "destination",
    "hostname",
    "link",
    "callback",
    "webhook",
    "hook",
];

/// Words of those among them that say so in any table.
const URLS: &[&str] = &["url", "uri", "endpoint"];

/// Words by which a URL is one that requests are sent to.
const SENT_TO: &[&str] = &[
    "webhook",
    "hook",
    "callback",
    "postback",
    "ipn",
    "notify",
    "notification",
];

/// Phrases for what opens another service, in any table.
const SECRETS: &[&[&str]] = &[
    &["refresh", "token"],
    &["access", "token"],
    &["oauth", "token"],
    &["bearer", "token"],
    &["api", "token"],
    &["webhook", "token"],
    &["token", "secret"],
    &["client", "secret"],
    &["api", "secret"],
    &["app", "secret"],
    &["consumer", "secret"],
    &["signing", "secret"],
    &["webhook", "secret"],
    &["hook", "secret"],
    &["shared", "secret"],
    &["api", "key"],
    &["apikey"],
    &["secret", "key"],
    &["access", "key"],
    &["signing", "key"],
    &["webhook", "key"],
    &["private", "key"],
    &["service", "account", "key"],
    &["smtp", "password"],
    &["ftp", "password"],
    &["sftp", "password"],
];

/// Columns that hold such a secret in a table of hooks or integrations.
const SECRETS_THERE: &[&str] = &[
    "secret",
    "token",
    "key",
    "password",
    "credential",
    "auth",
    "header",
    "certificate",
    "custom header",
    "auth header",
    "request header",
    "token digest",
    "key digest",
    "secret digest",
    "token hash",
    "key hash",
    "device code",
    "auth key",
    "apn key",
    "json key",
    "client certificate",
    "basic auth",
    "authorization",
];

/// What is opened with a password.
const PROTOCOLS: &[&str] = &[
    "smtp", "imap", "pop", "pop3", "ftp", "sftp", "ssh", "ldap", "caldav", "carddav", "webdav", "mqtt",
];

/// Services whose tokens and secrets open them.
const SERVICES: &[&str] = &[
    "twilio",
    "github",
    "gitlab",
    "bitbucket",
    "slack",
    "discord",
    "telegram",
    "facebook",
    "google",
    "microsoft",
    "linkedin",
    "twitter",
    "instagram",
    "shopify",
    "sendgrid",
    "mailgun",
    "mailchimp",
    "mailjet",
    "sendinblue",
    "brevo",
    "postmark",
    "hubspot",
    "salesforce",
    "pipedrive",
    "intercom",
    "zendesk",
    "zapier",
    "airtable",
    "notion",
    "jira",
    "trello",
    "dropbox",
    "aws",
    "azure",
    "openai",
    "vonage",
    "nexmo",
    "bot",
    "hmac",
];

/// Columns of a table of tokens.
const TOKENS: &[&str] = &[
    "token",
    "crypted token",
    "encrypted token",
    "hashed token",
    "token digest",
    "token hash",
    "secret",
];

/// Tables of what this app is connected to, where a plain token is for the other side.
const PARTNERS: &[&str] = &["partner", "vendor", "supplier", "provider", "connection"];

/// Phrases for what a device is sent pushes with.
const PUSHES: &[&[&str]] = &[
    &["device", "token"],
    &["push", "token"],
    &["fcm", "token"],
    &["gcm", "token"],
    &["apns", "token"],
    &["apn", "token"],
    &["onesignal", "id"],
    &["player", "id"],
    &["onesignal", "player", "id"],
    &["notification", "token"],
    &["endpoint", "arn"],
];

/// Columns of a table of push subscriptions.
const PUSHES_THERE: &[&str] = &[
    "auth",
    "auth key",
    "auth secret",
    "token",
    "key",
    "registration id",
    "device id",
];

/// Columns of a table of devices.
const PUSHES_TO_DEVICES: &[&str] = &["token", "registration id", "registration token", "arn"];

/// What a payment service's name stands before, where it is charged or paid with.
const CHARGED: &[&str] = &[
    "payment method",
    "card",
    "default card",
    "default source",
    "source",
    "sub",
    "subscription",
    "customer",
    "mandate",
    "account",
];

/// Columns of a table of ways to pay that are the service's.
const IDS_THERE: &[&str] = &["external id", "gateway id", "gateway token", "remote id", "token"];

/// Services that take payments.
const PAYMENT_SERVICES: &[&str] = &[
    "stripe",
    "braintree",
    "gocardless",
    "mangopay",
    "paypal",
    "adyen",
    "payplug",
    "lemonway",
    "paddle",
    "chargebee",
    "recurly",
    "mollie",
    "klarna",
    "worldpay",
    "stancer",
    "chargify",
    "authorizenet",
    "slimpay",
    "paymill",
];

/// What such a service knows that no one is charged with.
const NOT_CHARGED: &[&str] = &[
    "price",
    "plan",
    "product",
    "coupon",
    "tax",
    "event",
    "publishable",
    "webhook",
    "promotion",
];

/// Other phrases for ids at a payment service.
const PAYMENTS: &[&[&str]] = &[
    &["processor", "id"],
    &["payment", "token"],
    &["card", "token"],
    &["payment", "method", "token"],
    &["vault", "token"],
    &["gateway", "customer", "profile", "id"],
    &["gateway", "payment", "profile", "id"],
];

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
        return finding(PiiKind::StorageService, 0.97, "the service that stores files");
    }
    // Words that otherwise end what says nothing are what these are called by.
    if matches!(class, TypeClass::Json | TypeClass::Hstore) && name.is_document_of_hooks() {
        return finding(PiiKind::Endpoint, 0.9, "where requests are sent");
    }
    if class == TypeClass::Text && name.is_payment_in_text() {
        return finding(PiiKind::PaymentId, 0.9, "an id at a payment service");
    }
    if NOT_AFTER.contains(last) && !matches!(last.as_str(), "id" | "key") || last == "name" {
        return None;
    }
    if holds_text && name.is_endpoint() {
        return finding(PiiKind::Endpoint, 0.9, "where requests are sent");
    }
    if name.is_push() {
        return finding(PiiKind::PushSubscription, 0.9, "what push messages are sent with");
    }
    if name.is_secret() {
        return finding(PiiKind::ClientSecret, 0.9, "opens this or another service");
    }
    let payment = matches!(class, TypeClass::Text | TypeClass::Uuid) && name.is_payment();
    payment
        .then(|| finding(PiiKind::PaymentId, 0.9, "an id at a payment service"))
        .flatten()
}

impl TableContext {
    /// Whether the table is about what requests are sent to, so that an address in it is one, whatever its column is called.
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
mod tests {
    use super::*;

    fn kind(table: &str, column: &str) -> Option<PiiKind> {
        of_type(table, column, "character varying")
    }

    fn of_type(table: &str, column: &str, sql_type: &str) -> Option<PiiKind> {
        let context = TableContext::new(table, [column]);
        let name = ColumnName {
            table,
            column,
            sql_type,
        };
        outside(&name, &context).map(|found| found.kind)
    }

    #[test]
    fn queues_are_known_by_name_and_by_shape() {
        for table in [
            "solid_queue_jobs",
            "solid_queue_ready_executions",
            "solid_queue_recurring_tasks",
            "good_jobs",
            "good_job_batches",
            "delayed_jobs",
            "que_jobs",
            "queue_classic_jobs",
            "outbox_messages",
            "rpush_notifications",
            "action_mailbox_inbound_emails",
        ] {
            assert!(queue("public", table, []).is_some(), "{table}");
        }
        let columns = ["id", "handler", "queue", "run_at"];
        assert!(queue("public", "background_jobs", columns).is_some());
        assert!(queue("public", "sms_queue", ["id", "sent_at"]).is_some());
        assert!(queue("public", "scheduled_emails", ["id", "send_at"]).is_some());
        assert!(queue("pgboss", "job", []).is_some());
    }

    #[test]
    fn what_is_still_to_be_sent_is_a_queue() {
        for (table, columns) in [
            ("sms_messages", &["phone", "body", "status", "send_at"][..]),
            ("outbound_messages", &["recipient", "body", "status"]),
            ("mail_queue_items", &["id", "attempts"]),
            ("transactional_emails_to_send", &["id", "status"]),
            ("email_deliveries", &["id", "status", "deliver_at"]),
            ("que_values", &["key", "value"]),
            ("jobs", &["id", "queue", "payload", "attempts", "available_at"]),
        ] {
            assert!(
                queue("public", table, columns.iter().copied()).is_some(),
                "{table}"
            );
        }
    }

    #[test]
    fn what_only_sounds_like_a_queue_is_none() {
        for (table, columns) in [
            ("jobs", &["title", "params", "priority", "scheduled_at"][..]),
            ("tasks", &["title", "payload", "priority", "scheduled_at"]),
            ("tasks", &["title", "payload", "priority", "queue"]),
            ("tasks", &["name", "params", "priority", "scheduled_at"]),
            ("delayed_jobseekers", &["id", "email"]),
            ("delayed_job_offers", &["id", "email"]),
            ("gouda_cheeses", &["id", "name"]),
            ("good_job_awards", &["id", "name"]),
            ("email_deliveries", &["id", "status", "delivered_at"]),
            ("messages", &["id", "status", "send_at"]),
            ("email_queue_settings", &["id", "status"]),
            ("jobs", &["id", "title", "salary", "status"]),
            ("tasks", &["id", "title", "priority", "state"]),
            ("import_jobs", &["id", "params", "status"]),
            ("waiting_queues", &["id", "name", "status"]),
            ("messages", &["id", "body", "sent_at"]),
            ("ahoy_messages", &["id", "to", "sent_at"]),
            ("notifications", &["id", "params", "read_at"]),
            ("good_job_settings", &["id", "key", "value"]),
        ] {
            assert_eq!(queue("public", table, columns.iter().copied()), None, "{table}");
        }
    }

    #[test]
    fn endpoints_are_what_requests_are_sent_to() {
        for (table, column) in [
            ("webhook_endpoints", "url"),
            ("webhooks", "address"),
            ("hooks", "target_url"),
            ("shops", "webhook_url"),
            ("partners", "callback_url"),
            ("teams", "slack_webhook_url"),
            ("oauth_applications", "redirect_uri"),
            ("oauth_access_grants", "redirect_uri"),
            ("push_subscriptions", "endpoint"),
            ("integrations", "base_url"),
            ("organizations", "zapier_hook"),
            ("event_subscribers", "callback"),
            ("notification_channels", "url"),
        ] {
            assert_eq!(kind(table, column), Some(PiiKind::Endpoint), "{table}.{column}");
        }
        for (table, column) in [
            ("pages", "redirect_url"),
            ("products", "url"),
            ("users", "avatar_url"),
            ("webhooks", "name"),
            ("webhooks", "url_status"),
            ("webhooks", "webhook_id"),
            ("callback_requests", "address"),
            ("articles", "link"),
            ("articles", "hook"),
            ("bank_cards", "callback_count"),
            ("leads", "callback"),
        ] {
            assert_eq!(kind(table, column), None, "{table}.{column}");
        }
        for column in ["webhooks", "webhook_settings", "webhook"] {
            assert_eq!(
                of_type("organizations", column, "jsonb"),
                Some(PiiKind::Endpoint),
                "{column}"
            );
        }
        for column in ["webhook_payload", "webhook_response", "settings"] {
            assert_eq!(of_type("organizations", column, "jsonb"), None, "{column}");
        }
        assert_eq!(of_type("shops", "webhook_url", "boolean"), None);
    }

    #[test]
    fn secrets_of_clients_and_services_are_found() {
        for (table, column) in [
            ("oauth_applications", "secret"),
            ("oauth_access_tokens", "token"),
            ("oauth_access_tokens", "previous_refresh_token"),
            ("oauth_access_grants", "token"),
            ("identities", "refresh_token"),
            ("api_clients", "api_secret"),
            ("api_keys", "key"),
            ("webhook_endpoints", "secret"),
            ("accounts", "stripe_secret_key"),
            ("rpush_apps", "certificate"),
            ("refresh_tokens", "token"),
            ("refresh_tokens", "crypted_token"),
            ("partners", "auth_token"),
            ("teams", "bot_token"),
            ("accounts", "twilio_auth_token"),
            ("accounts", "hmac_secret"),
            ("users", "github_token"),
            ("webhook_subscriptions", "signing_token"),
            ("webhook_subscriptions", "verification_token"),
            ("smtp_settings", "password"),
            ("mailboxes", "imap_password"),
            ("mailboxes", "smtp_pass"),
        ] {
            assert_eq!(
                kind(table, column),
                Some(PiiKind::ClientSecret),
                "{table}.{column}"
            );
        }
        let identities = TableContext::new("identities", ["provider", "uid", "token", "secret"]);
        for column in ["token", "secret"] {
            let name = ColumnName {
                table: "identities",
                column,
                sql_type: "text",
            };
            let found = outside(&name, &identities).map(|found| found.kind);
            assert_eq!(found, Some(PiiKind::ClientSecret), "{column}");
        }
        assert_eq!(
            of_type("webhook_endpoints", "headers", "jsonb"),
            Some(PiiKind::ClientSecret)
        );
        for (table, column) in [
            ("users", "encrypted_password"),
            ("translations", "key"),
            ("oauth_access_tokens", "scopes"),
            ("webauthn_credentials", "public_key"),
            ("oauth_applications", "name"),
            ("identities", "token"),
            ("invitations", "token"),
            ("users", "confirmation_token"),
            ("users", "reset_password_token"),
            ("token_sales", "amount"),
            ("design_tokens", "value"),
        ] {
            assert_eq!(kind(table, column), None, "{table}.{column}");
        }
        assert_eq!(
            of_type("users", "access_token_expires_at", "timestamp without time zone"),
            None
        );
    }

    #[test]
    fn pushes_payments_and_files_are_found() {
        for (table, column, expected) in [
            ("web_push_subscriptions", "p256dh", PiiKind::PushSubscription),
            ("push_subscriptions", "auth", PiiKind::PushSubscription),
            ("devices", "push_token", PiiKind::PushSubscription),
            ("devices", "token", PiiKind::PushSubscription),
            ("devices", "notification_token", PiiKind::PushSubscription),
            ("devices", "registration_id", PiiKind::PushSubscription),
            ("users", "endpoint_arn", PiiKind::PushSubscription),
            ("customers", "stripe_payment_method", PiiKind::PaymentId),
            ("customers", "stripe_sub", PiiKind::PaymentId),
            ("customers", "stripe_default_card", PiiKind::PaymentId),
            ("customers", "mandate_id", PiiKind::PaymentId),
            ("payment_methods", "external_id", PiiKind::PaymentId),
            ("payment_methods", "gateway_id", PiiKind::PaymentId),
            ("users", "stripe_customer_id", PiiKind::PaymentId),
            ("pay_customers", "processor_id", PiiKind::PaymentId),
            ("subscriptions", "stripe_subscription_id", PiiKind::PaymentId),
            ("stripe_accounts", "account_id", PiiKind::PaymentId),
            ("active_storage_blobs", "service_name", PiiKind::StorageService),
        ] {
            assert_eq!(kind(table, column), Some(expected), "{table}.{column}");
        }
        for (table, column) in [
            ("plans", "stripe_price_id"),
            ("stripe_events", "stripe_id"),
            ("games", "player_name"),
            ("games", "registration_id"),
            ("orders", "external_id"),
            ("customers", "stripe_card_brand"),
            ("services", "service_name"),
        ] {
            assert_eq!(kind(table, column), None, "{table}.{column}");
        }
        assert_eq!(of_type("users", "stripe_customer_id", "bigint"), None);
        assert_eq!(of_type("payments", "mandate_id", "uuid"), None);
    }
}

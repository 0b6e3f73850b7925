//! The words of what acts outside: tables, columns, services.

/// Tables of what requests are sent to.
pub(super) const HOOKS: &[&str] = &["webhook", "hook", "endpoint", "postback"];

/// Tables of what this app and others open one another with.
pub(super) const INTEGRATIONS: &[&str] = &[
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
pub(super) const ADDRESSES: &[&str] = &[
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
pub(super) const URLS: &[&str] = &["url", "uri", "endpoint"];

/// Words by which a URL is one that requests are sent to.
pub(super) const SENT_TO: &[&str] = &[
    "webhook",
    "hook",
    "callback",
    "postback",
    "ipn",
    "notify",
    "notification",
];

/// Phrases for what opens another service, in any table.
pub(super) const SECRETS: &[&[&str]] = &[
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
pub(super) const SECRETS_THERE: &[&str] = &[
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
pub(super) const PROTOCOLS: &[&str] = &[
    "smtp", "imap", "pop", "pop3", "ftp", "sftp", "ssh", "ldap", "caldav", "carddav", "webdav", "mqtt",
];

/// Services whose tokens and secrets open them.
pub(super) const SERVICES: &[&str] = &[
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
pub(super) const TOKENS: &[&str] = &[
    "token",
    "crypted token",
    "encrypted token",
    "hashed token",
    "token digest",
    "token hash",
    "secret",
];

/// Tables of what this app is connected to, where a plain token is for the other side.
pub(super) const PARTNERS: &[&str] = &["partner", "vendor", "supplier", "provider", "connection"];

/// Phrases for what a device is sent pushes with.
pub(super) const PUSHES: &[&[&str]] = &[
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
pub(super) const PUSHES_THERE: &[&str] = &[
    "auth",
    "auth key",
    "auth secret",
    "token",
    "key",
    "registration id",
    "device id",
];

/// Columns of a table of devices.
pub(super) const PUSHES_TO_DEVICES: &[&str] = &["token", "registration id", "registration token", "arn"];

/// What a payment service's name stands before, where it is charged or paid with.
pub(super) const CHARGED: &[&str] = &[
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
pub(super) const IDS_THERE: &[&str] = &["external id", "gateway id", "gateway token", "remote id", "token"];

/// Services that take payments.
pub(super) const PAYMENT_SERVICES: &[&str] = &[
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
pub(super) const NOT_CHARGED: &[&str] = &[
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
pub(super) const PAYMENTS: &[&[&str]] = &[
    &["processor", "id"],
    &["payment", "token"],
    &["card", "token"],
    &["payment", "method", "token"],
    &["vault", "token"],
    &["gateway", "customer", "profile", "id"],
    &["gateway", "payment", "profile", "id"],
];

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
    assert_eq!(
        of_type("webhook_endpoints", "headers", "jsonb"),
        Some(PiiKind::ClientSecret)
    );
}

#[test]
fn a_token_beside_a_provider_is_a_clients_secret() {
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
}

#[test]
fn what_is_no_secret_of_a_client_is_not_taken_for_one() {
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

use super::*;

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

//! Tables of queued work, by what they and their columns are called: with their rows, staging would do production's work.

use crate::words::words;
use crate::Reason;
use std::collections::HashSet;

/// Tables of queued work by what they are called, each with whose it is; one that ends in `*` stands for all that begin so.
const QUEUES: &[(&str, &str)] = &[
    ("solid_queue_*", "Solid Queue"),
    ("good_jobs", "GoodJob"),
    ("good_job_batches", "GoodJob"),
    ("good_job_executions", "GoodJob"),
    ("good_job_processes", "GoodJob"),
    ("delayed_job", "Delayed Job"),
    ("delayed_jobs", "Delayed Job"),
    ("delayed_job_groups", "Delayed Job"),
    ("que_jobs", "Que"),
    ("que_lockers", "Que"),
    ("que_values", "Que"),
    ("queue_classic_jobs", "queue_classic"),
    ("queue_classic_later_jobs", "queue_classic"),
    ("gouda_workloads", "Gouda"),
    ("gouda_job_fuses", "Gouda"),
    ("crono_jobs", "Crono"),
    ("arask_jobs", "Arask"),
    ("oban_jobs", "Oban"),
    ("procrastinate_jobs", "Procrastinate"),
    ("outboxer_*", "Outboxer"),
];

/// Tables of queued work that hold something else than jobs.
const SENDINGS: &[(&str, Reason)] = &[
    ("rpush_notifications", Reason::QueuedPushes),
    ("action_mailbox_inbound_emails", Reason::InboundMail),
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

/// What shows that a table holds queued work, by its name and the names of its columns; None when it is no queue.
pub fn queue<'a>(schema: &str, table: &str, columns: impl IntoIterator<Item = &'a str>) -> Option<Reason> {
    if SETTINGS.contains(&table) {
        return None;
    }
    if let Some((_, product)) = QUEUES.iter().find(|(name, _)| is_named(table, name)) {
        return Some(Reason::QueueOf { product });
    }
    if let Some((_, reason)) = SENDINGS.iter().find(|(name, _)| *name == table) {
        return Some(reason.clone());
    }
    if QUEUE_SCHEMAS.contains(&schema) {
        let schema = schema.to_owned();
        return Some(Reason::QueueSchema { schema });
    }
    let columns: HashSet<&str> = columns.into_iter().collect();
    let known = |names: &[&str]| names.iter().filter(|name| columns.contains(*name)).count();
    let words = words(table);
    let is = |word: Option<&String>, names: &[&str]| word.is_some_and(|word| names.contains(&word.as_str()));
    if words.iter().any(|word| word == "outbox") {
        return Some(Reason::Outbox);
    }
    let (first, last) = (words.first(), words.last());
    let has_sent = words.iter().any(|word| SENT.contains(&word.as_str()));
    let is_queue = words.iter().any(|word| word == "queue") && !is(last, ABOUT_QUEUES);
    let to_send = words.ends_with(&["to".into(), "send".into()]);
    let sends = is(last, SENT) && is(first, WAITING) || has_sent && (is_queue || to_send);
    if words.len() > 1 && sends && known(SENDING) > 0 {
        return Some(Reason::NamedToBeSent);
    }
    // What was sent and what will be are in one table, and staging's worker would send the latter. A history has no such
    // columns, and stays.
    let waits = known(SEND_TIMES) > 0 && known(&["status", "state"]) > 0;
    let by_channel = is(first, CHANNELS) && is(last, &["message", "notification", "delivery"]);
    if by_channel && waits {
        return Some(Reason::TimedMessages);
    }
    // Job boards and lists of what is to be done have titles, priorities and dates, too.
    let is_run = known(RUN_BY) > 0 && !columns.contains("title");
    let runs = is(last, JOBS) && known(JOB_PAYLOADS) > 0 && known(JOB_STATES) > 1 && is_run;
    runs.then_some(Reason::JobColumns)
}

fn is_named(table: &str, name: &str) -> bool {
    match name.strip_suffix('*') {
        Some(start) => table.starts_with(start),
        None => table == name,
    }
}

#[cfg(test)]
mod tests;

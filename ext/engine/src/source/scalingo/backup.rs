//! Which backup: the newest finished one, or a fresh one that is asked for and waited for.

use super::super::http::quotable;
use super::super::patience::Patience;
use super::api::{Api, Call};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Sink};
use crate::failure::{ScalingoFailure, ScalingoRemedy};
use crate::settings;
use backon::BackoffBuilder;
use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;

/// How often in a row a backup that was asked for may be missing from the list: it may appear there late.
const MISSES: u32 = 5;

/// A backup, as Scalingo describes it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Record {
    /// Its id.
    pub id: String,
    /// Its name, which its file has too.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    size: serde_json::Value,
    #[serde(default)]
    status: Option<String>,
}

/// Where a backup stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Done,
    Failed,
    /// `scheduled`, `pending`, `running`, and any word to come.
    InProgress,
}

impl Record {
    /// When it was made.
    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.created_at.as_deref()?.trim().parse().ok()
    }

    /// Its size in bytes; None while it is being made.
    pub(super) fn size(&self) -> Option<u64> {
        self.size.as_u64()
    }

    fn standing(&self) -> Standing {
        match self.status.as_deref() {
            Some("done") => Standing::Done,
            Some("error") => Standing::Failed,
            _ => Standing::InProgress,
        }
    }

    fn status(&self) -> String {
        self.status
            .as_deref()
            .and_then(|status| quotable(status, &[]))
            .unwrap_or_else(|| "unknown".into())
    }
}

/// Whether a backup made at `created_at` is not older than `max_age` seconds; never when `max_age` is 0.
pub(super) fn is_within(created_at: Timestamp, max_age: u64, now: Timestamp) -> bool {
    let age = u64::try_from(now.duration_since(created_at).as_secs()).unwrap_or(0);
    max_age > 0 && age <= max_age
}

/// The backup to use: a finished one.
///
/// With `backup_max_age` None, the newest that is there. Else the newest if it is young enough; else one that is
/// being made and was begun recently enough, so that production does not work twice; else a fresh one.
pub(super) async fn choose(
    api: &mut Api,
    addon: &str,
    settings: &settings::Scalingo,
    patience: &Patience,
    events: &Sink,
) -> Result<Record> {
    let records = api.backups(addon).await?;
    let done = newest(&records, Standing::Done);
    let Some(max_age) = settings.backup_max_age else {
        return done.cloned().ok_or_else(|| none_finished(&settings.app));
    };
    let now = Timestamp::now();
    let young = |record: &&Record| {
        record
            .created_at()
            .is_some_and(|made| is_within(made, max_age, now))
    };
    if let Some(done) = done.filter(young) {
        return Ok(done.clone());
    }
    let mut fresh = Fresh {
        api,
        addon,
        app: &settings.app,
        poll: poll_interval(settings),
        patience,
        events,
    };
    if let Some(running) = newest(&records, Standing::InProgress).filter(young) {
        if let Some(record) = fresh.wait_for(running.clone()).await? {
            return Ok(record);
        }
    }
    let asked = fresh.ask(&records).await?;
    let id = asked.id.clone();
    fresh
        .wait_for(asked)
        .await?
        .ok_or_else(|| failed(&settings.app, &id))
}

/// The backup with this id, which was there before.
///
/// # Errors
/// [`Kind::BackupNotFound`] when it is gone.
pub(super) async fn find(api: &mut Api, addon: &str, app: &str, id: &str) -> Result<Record> {
    let records = api.backups(addon).await?;
    let found = records.into_iter().find(|record| record.id == id);
    found.ok_or_else(|| {
        let (app, id) = (app.to_owned(), named(id));
        Error::new(
            Kind::BackupNotFound,
            ScalingoFailure::GoneMeanwhile { app, id },
            ScalingoRemedy::TakeNewer,
        )
    })
}

fn newest(records: &[Record], standing: Standing) -> Option<&Record> {
    records
        .iter()
        .filter(|record| record.standing() == standing)
        .max_by_key(|record| record.created_at())
}

fn poll_interval(settings: &settings::Scalingo) -> Duration {
    // Not faster than a test needs, not slower than a heartbeat may be.
    Duration::try_from_secs_f64(settings.poll_interval)
        .unwrap_or(Duration::from_secs(5))
        .clamp(Duration::from_millis(1), Duration::from_secs(60))
}

/// A backup on its way.
struct Fresh<'a> {
    api: &'a mut Api,
    addon: &'a str,
    app: &'a str,
    poll: Duration,
    patience: &'a Patience,
    events: &'a Sink,
}

impl Fresh<'_> {
    /// Asks for a backup. `before` are the backups that were there.
    ///
    /// Asking twice would make two, so when it is not known whether the request arrived, the list is looked at for
    /// a new one before it is sent again.
    async fn ask(&mut self, before: &[Record]) -> Result<Record> {
        let mut delays = self.patience.delays(self.patience.api_attempts).build();
        let mut silences = 0;
        loop {
            let failure = match self.api.ask_for_backup(self.addon).await {
                Ok(record) => return Ok(record),
                Err(failure) => failure,
            };
            let conflict = failure.status() == Some(StatusCode::CONFLICT);
            if conflict || failure.may_have_worked() {
                if let Some(record) = self.new_one(before, conflict).await? {
                    return Ok(record);
                }
            }
            silences += usize::from(failure.is_silence());
            let delay = delays
                .next()
                .filter(|_| silences < self.patience.silences)
                .and_then(|own| self.patience.delay(failure.retry_after(), own));
            match delay {
                Some(delay) if failure.is_passing() => tokio::time::sleep(delay).await,
                _ => return Err(self.api.error(Call::NewBackup, failure)),
            }
        }
    }

    /// A backup that was not there `before`; or, when Scalingo says that one is `running`, that one, even if it
    /// is finished by now.
    async fn new_one(&mut self, before: &[Record], running: bool) -> Result<Option<Record>> {
        let records = self.api.backups(self.addon).await?;
        if let Some(record) = newest(&records, Standing::InProgress).filter(|_| running) {
            return Ok(Some(record.clone()));
        }
        let is_old = |record: &Record| {
            before
                .iter()
                .any(|known| known.id == record.id && !(running && known.standing() == Standing::InProgress))
        };
        let unseen: Vec<Record> = records.into_iter().filter(|record| !is_old(record)).collect();
        let found = newest(&unseen, Standing::InProgress).or_else(|| newest(&unseen, Standing::Done));
        Ok(found.cloned())
    }

    /// Waits until a backup is finished; None when it ends in an error.
    async fn wait_for(&mut self, mut record: Record) -> Result<Option<Record>> {
        let begun = Instant::now();
        let id = record.id.clone();
        let mut direct = true;
        let mut misses = 0;
        loop {
            match record.standing() {
                Standing::Done => return Ok(Some(record)),
                Standing::Failed => return Ok(None),
                Standing::InProgress => self.events.send(Event::BackupPending {
                    status: record.status(),
                }),
            }
            if begun.elapsed() >= self.patience.fresh_backup {
                return Err(self.endless(&record));
            }
            tokio::time::sleep(self.poll).await;
            let mut now = if direct {
                self.api.backup(self.addon, &id).await?
            } else {
                None
            };
            if now.is_none() {
                direct = false;
                now = self
                    .api
                    .backups(self.addon)
                    .await?
                    .into_iter()
                    .find(|record| record.id == id);
            }
            match now {
                Some(now) => (record, misses) = (now, 0),
                None if misses < MISSES => misses += 1,
                None => return Err(vanished(self.app, &id)),
            }
        }
    }

    fn endless(&self, record: &Record) -> Error {
        let still = ScalingoFailure::StillMaking {
            app: self.app.to_owned(),
            status: record.status(),
            count: self.patience.fresh_backup.as_secs() / 60,
        };
        Error::new(Kind::Api, still, ScalingoRemedy::TakeFinished)
    }
}

fn none_finished(app: &str) -> Error {
    let app = app.to_owned();
    Error::new(
        Kind::BackupNotFound,
        ScalingoFailure::NoneFinished { app },
        ScalingoRemedy::HaveOneMade,
    )
}

fn failed(app: &str, id: &str) -> Error {
    let (app, id) = (app.to_owned(), named(id));
    Error::new(
        Kind::Api,
        ScalingoFailure::NotMade { app, id },
        ScalingoRemedy::TakeFinished,
    )
}

fn vanished(app: &str, id: &str) -> Error {
    let (app, id) = (app.to_owned(), named(id));
    Error::new(
        Kind::BackupNotFound,
        ScalingoFailure::Disappeared { app, id },
        ScalingoRemedy::RunAgain,
    )
}

/// A backup's id, as far as it may be shown.
fn named(id: &str) -> String {
    quotable(id, &[]).unwrap_or_else(|| "?".into())
}

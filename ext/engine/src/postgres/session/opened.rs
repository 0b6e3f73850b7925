//! A session that is open: the task that moves its bytes, its watch, and its end.
//!
//! A [`Session`] ends when it is dropped, whatever it is doing, so a run that is dropped half-way leaves none behind: the
//! socket closes, and `client_connection_check_interval` makes the server notice even in the middle of a statement.

use super::ahead::Line;
use super::settings;
use super::watch::{Pulse, Watch};
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use futures_util::future::join_all;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::{Client, SimpleQueryMessage};

/// One session in the target. It ends when this is dropped.
pub(crate) struct Session {
    client: Client,
    driver: Driver,
    pid: i32,
    pulse: Arc<Pulse>,
    line: Line,
    is_far: bool,
    watch: Option<Watch>,
}

/// From such a round trip on the server is far away: not in the same data centre, where it takes less than a millisecond. Bytes
/// count there more than the server's work.
const FAR: Duration = Duration::from_millis(2);

/// How often a session asks for nothing at all before it believes that the server is far away, and not only busy.
const ASKED_AGAIN: usize = 3;

/// The task that moves a session's bytes. Aborting it closes the socket.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session {
    pub(super) fn new<S, T>(
        client: Client,
        mut connection: tokio_postgres::Connection<S, T>,
        line: Line,
    ) -> Self
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        // Notices are dropped unread: they can carry row data, and tokio-postgres would log them.
        let driver =
            async move { while let Some(Ok(_)) = poll_fn(|cx| connection.poll_message(cx)).await {} };
        Self {
            client,
            driver: Driver(tokio::spawn(driver)),
            pid: 0,
            pulse: Arc::new(Pulse::new()),
            line,
            is_far: false,
            watch: None,
        }
    }

    /// Sets it up by `sql`, whose last answer is the number of the server's process. `is_far`: as [`Session::is_far`] says,
    /// where that is known.
    pub(super) async fn set_up(mut self, sql: &str, is_far: Option<bool>) -> Result<Self> {
        let doing = &Attempt::SettingSessionUp;
        let answers = self
            .client
            .simple_query(sql)
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows(doing), &error))?;
        let pid = answers.iter().rev().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        self.pid = pid.and_then(|pid| pid.parse().ok()).unwrap_or(0);
        // Some operating systems under the server cannot do the first, and some databases have no PL/pgSQL for the second.
        let optional = [
            "SET client_connection_check_interval = '2s'".to_owned(),
            settings::less_logged_sql(),
        ];
        let asked = Instant::now();
        let sent = optional.iter().map(|sql| self.client.batch_execute(sql));
        for outcome in join_all(sent).await {
            if let Err(error) = outcome {
                if error.as_db_error().is_none() {
                    return Err(Error::from_server(Doing::WithoutRows(doing), &error));
                }
            }
        }
        self.is_far = match is_far {
            Some(is_far) => is_far,
            None => asked.elapsed() >= FAR && self.takes_long_to_answer().await?,
        };
        Ok(self)
    }

    /// Whether each of a few questions that ask for nothing is answered as late as a server answers that is far away.
    async fn takes_long_to_answer(&self) -> Result<bool> {
        for _ in 0..ASKED_AGAIN {
            let asked = Instant::now();
            self.client.batch_execute("").await.map_err(|error| {
                Error::from_server(Doing::WithoutRows(&Attempt::SettingSessionUp), &error)
            })?;
            if asked.elapsed() < FAR {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the server is far away.
    pub(crate) fn is_far(&self) -> bool {
        self.is_far
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// What breaks it off from elsewhere.
    pub(super) fn abort_handle(&self) -> AbortHandle {
        self.driver.0.abort_handle()
    }

    /// Has it watched from here on, until it ends.
    pub(super) fn keep(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// What it talks by; see [`talk`](super::talk).
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What its stream shares with it; see [`ahead`](super::ahead).
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// What is under way on it.
    pub(super) fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// Ends the session in good order, or after two seconds in any.
    pub(crate) async fn close(self) {
        let Self {
            client, mut driver, ..
        } = self;
        drop(client);
        let _ = tokio::time::timeout(Duration::from_secs(2), &mut driver.0).await;
    }
}

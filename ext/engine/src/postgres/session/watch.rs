//! Whether a session gets on. A server, a proxy or a network that stops moving bytes and keeps acknowledging what it gets
//! looks as alive as a server that builds an index for an hour. So where a session has not moved for `stall_timeout`,
//! another one is opened and asked what the first is doing: while the server says that it works, it is waited for.
//!
//! A session that stands still is cut: what waits for it fails as with any lost connection, and is done again where that
//! can be.

use super::connect::Connector;
use super::lock;
use super::processes::processes;
use crate::error::Result;
use crate::event::Sink;
use crate::failure::ServerProcess;
use crate::notice::{Notice, Stall};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::Row;

/// The least and the most that another session is waited for.
const ASKING: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// The longest that an answer takes from the server to here.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// How long a session may stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Without any progress, while the server does not say that it works.
    pub stall: Duration,
    /// While it waits for a lock that another's session holds.
    pub lock: Duration,
}

impl Limits {
    /// From the options `stall_timeout` and `lock_timeout`, in seconds.
    pub(crate) fn of(stall_timeout: f64, lock_timeout: f64) -> Self {
        let stall = Duration::try_from_secs_f64(stall_timeout).unwrap_or(Self::default().stall);
        let lock = Duration::try_from_secs_f64(lock_timeout).unwrap_or_default();
        Self {
            stall,
            // Where a lock_timeout is set the server ends the wait itself, and says so.
            lock: stall.saturating_add(lock),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let stall = Duration::from_secs(300);
        Self { stall, lock: stall }
    }
}

/// What is under way on a session.
#[derive(Debug)]
pub(super) struct Pulse(Mutex<Beat>);

#[derive(Debug)]
struct Beat {
    /// Requests that are not answered.
    waiting: usize,
    /// When the last of them was sent or answered, and which change that was.
    since: Instant,
    change: u64,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Beat {
            waiting: 0,
            since: Instant::now(),
            change: 0,
        }))
    }

    /// Does something on the session, which counts as waiting meanwhile.
    pub(super) async fn during<F: Future>(&self, work: F) -> F::Output {
        let _waits = Waits::begin(self);
        work.await
    }

    /// Since when requests have been waiting without any progress, and the number of the last change; None while nothing
    /// is waited for.
    fn still_since(&self) -> Option<(Instant, u64)> {
        let beat = lock(&self.0);
        (beat.waiting > 0).then_some((beat.since, beat.change))
    }

    fn change(&self, apply: impl FnOnce(usize) -> usize) {
        let mut beat = lock(&self.0);
        beat.waiting = apply(beat.waiting);
        beat.since = Instant::now();
        beat.change += 1;
    }
}

/// A request under way, answered when this is dropped.
struct Waits<'p>(&'p Pulse);

impl<'p> Waits<'p> {
    fn begin(pulse: &'p Pulse) -> Self {
        pulse.change(|waiting| waiting + 1);
        Self(pulse)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.change(|waiting| waiting.saturating_sub(1));
    }
}

/// The task that watches a session. It ends when this is dropped.
pub(super) struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watch {
    /// Watches the session with this process of the server's, and cuts it by `cut` when it stands still.
    pub(super) fn start(
        pulse: Arc<Pulse>,
        (pid, cut): (i32, AbortHandle),
        connector: Arc<Connector>,
        events: Sink,
    ) -> Self {
        Self(tokio::spawn(async move {
            let limits = connector.limits();
            let why = stands_still(&pulse, limits, || connector.ask_about(pid)).await;
            events.warn(Notice::StoodStill {
                seconds: limits.stall.as_secs_f64().to_string(),
                why,
            });
            cut.abort();
        }))
    }
}

/// What a server says of one of its processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doing {
    /// It works, or cannot be asked.
    Works,
    /// It waits for a lock that others hold.
    WaitsForLock(Vec<ServerProcess>),
    /// It is not what keeps the session waiting, for this reason.
    StandsStill(Stall),
}

/// Waits until a session stands still, and says why.
async fn stands_still<F: Future<Output = Doing>>(
    pulse: &Pulse,
    limits: Limits,
    ask: impl Fn() -> F,
) -> Stall {
    // Asked again so much later where the server works.
    let again = limits.stall / 5;
    loop {
        let Some((since, change)) = pulse.still_since() else {
            tokio::time::sleep(limits.stall).await;
            continue;
        };
        let still = since.elapsed();
        if still < limits.stall {
            tokio::time::sleep(limits.stall - still).await;
            continue;
        }
        let has_moved = || pulse.still_since().is_none_or(|(_, now)| now != change);
        match ask().await {
            _ if has_moved() => {}
            Doing::StandsStill(why) => {
                // It may have been asked in the moment between an answer's leaving and its arriving.
                tokio::time::sleep(again.min(ON_ITS_WAY)).await;
                if !has_moved() {
                    return why;
                }
            }
            Doing::WaitsForLock(holders) if since.elapsed() >= limits.lock => {
                return Stall::LockHeld { holders };
            }
            Doing::Works | Doing::WaitsForLock(_) => tokio::time::sleep(again).await,
        }
    }
}

/// The longest that another session is waited for.
pub(super) fn asking(limits: Limits) -> Duration {
    limits.stall.clamp(ASKING.0, ASKING.1)
}

/// Asks what a process of the server's does, `$1`, and who of other runs or apps keeps it waiting.
pub(super) const QUESTION: &str = "SELECT coalesce(a.state, '') AS state, coalesce(a.wait_event_type, '') AS waits, \
    held.pids, held.programs \
    FROM pg_stat_activity a CROSS JOIN LATERAL \
    (SELECT array_agg(b.pid) AS pids, array_agg(b.application_name) AS programs \
      FROM unnest(CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) ELSE '{}' END) AS blocking (pid) \
      JOIN pg_stat_activity b ON b.pid = blocking.pid \
      WHERE b.application_name <> current_setting('application_name')) AS held \
    WHERE a.pid = $1";

/// Reads the answer.
pub(super) fn doing(answer: Option<&Row>) -> Result<Doing, tokio_postgres::Error> {
    let Some(row) = answer else {
        return Ok(Doing::StandsStill(Stall::ProcessEnded));
    };
    let state: &str = row.try_get("state")?;
    let waits: &str = row.try_get("waits")?;
    let holders = processes(row)?;
    Ok(match (state, waits) {
        ("active", "Lock") if !holders.is_empty() => Doing::WaitsForLock(holders),
        ("active", "Client") => Doing::StandsStill(Stall::NothingArrives),
        ("active" | "disabled" | "", _) => Doing::Works,
        _ => Doing::StandsStill(Stall::AnswerLost),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const LIMITS: Limits = Limits {
        stall: Duration::from_millis(20),
        lock: Duration::from_millis(60),
    };

    /// Asks once for each of these answers, and for the last again and again.
    async fn verdict(pulse: &Pulse, answers: &[Doing]) -> (Stall, usize) {
        let asked = AtomicUsize::new(0);
        let why = stands_still(pulse, LIMITS, || {
            let at = asked.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            let answer = answers[at].clone();
            async move { answer }
        });
        (why.await, asked.load(Ordering::Relaxed))
    }

    fn still() -> Doing {
        Doing::StandsStill(Stall::ProcessEnded)
    }

    #[tokio::test]
    async fn a_session_that_the_server_works_for_is_waited_for() {
        let pulse = Pulse::new();
        let _waits = Waits::begin(&pulse);
        let works = [Doing::Works, Doing::Works, Doing::Works, still()];
        assert_eq!(verdict(&pulse, &works).await, (Stall::ProcessEnded, 4));
    }

    #[tokio::test]
    async fn a_lock_of_anothers_is_waited_for_a_while_longer() {
        let pulse = Pulse::new();
        let waits = Waits::begin(&pulse);
        let begun = Instant::now();
        let holders = vec![ServerProcess::Numbered { pid: 7 }];
        let (why, _) = verdict(&pulse, &[Doing::WaitsForLock(holders.clone())]).await;
        assert_eq!(why, Stall::LockHeld { holders });
        assert!(begun.elapsed() >= LIMITS.lock);
        drop(waits);
    }

    #[tokio::test]
    async fn a_session_that_waits_for_nothing_is_never_asked_about() {
        let pulse = Pulse::new();
        pulse.during(async {}).await;
        let answers = [still()];
        let asked = tokio::time::timeout(5 * LIMITS.stall, verdict(&pulse, &answers));
        assert!(asked.await.is_err());
    }

    #[tokio::test]
    async fn what_has_moved_while_it_was_asked_about_goes_on() {
        let pulse = Pulse::new();
        let _waits = Waits::begin(&pulse);
        let asked = AtomicUsize::new(0);
        let why = stands_still(&pulse, LIMITS, || {
            let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
            if first {
                pulse.change(|waiting| waiting);
            }
            let why = if first {
                Stall::ProcessEnded
            } else {
                Stall::AnswerLost
            };
            async move { Doing::StandsStill(why) }
        });
        assert_eq!(why.await, Stall::AnswerLost);
    }
}

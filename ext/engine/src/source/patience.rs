//! How long the source waits and how often it tries: in one place, so that tests can be quick.

use backon::ExponentialBuilder;
use std::time::Duration;

/// Delays, timeouts and numbers of attempts. The defaults are for Scalingo as documented: 60 requests a minute,
/// tokens that live an hour, backups of many gigabytes over a network that drops connections.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Patience {
    /// Until a connection is made.
    pub connect: Duration,
    /// Until an API request is answered in full.
    pub answer: Duration,
    /// How long a download may bring nothing before it counts as broken.
    pub stalled: Duration,
    /// In so long of waiting a download has to bring [`least`](Self::least) bytes, or all that are missing.
    pub slow: Duration,
    /// See [`slow`](Self::slow).
    pub least: u64,
    /// The fewest bytes that a try has to bring to count as one that got on.
    pub morsel: u64,
    /// How many times in all an API may accept a request and never answer it.
    pub silences: usize,
    /// Before the first retry; doubled for each further one.
    pub first_delay: Duration,
    /// The longest delay between two tries.
    pub longest_delay: Duration,
    /// The longest `Retry-After` that is waited for; beyond it the run fails and says how long it would be.
    pub longest_retry_after: Duration,
    /// Attempts of one API request. With the delays it outlives the minute of Scalingo's rate limit.
    pub api_attempts: usize,
    /// Attempts of a download in a row that bring less than [`morsel`](Self::morsel) new bytes.
    pub download_attempts: usize,
    /// Attempts in a row to which the server says no (4xx), although each has a fresh link.
    pub refusals: usize,
    /// How often a download may break in all.
    pub breaks: u32,
    /// How long a fresh backup may take.
    pub fresh_backup: Duration,
    /// How long Scalingo's JWT and addon tokens live.
    pub token_life: Duration,
    /// A token with less than this left is renewed before it is used.
    pub token_margin: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            answer: Duration::from_secs(60),
            stalled: Duration::from_secs(60),
            slow: Duration::from_secs(300),
            least: 64 * 1024,
            morsel: 1024,
            silences: 3,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(30),
            longest_retry_after: Duration::from_secs(300),
            api_attempts: 7,
            download_attempts: 8,
            refusals: 3,
            breaks: 1000,
            fresh_backup: Duration::from_secs(6 * 3600),
            token_life: Duration::from_secs(3600),
            token_margin: Duration::from_secs(300),
        }
    }
}

impl Patience {
    /// That of a run with this `stall_timeout`, in seconds.
    pub(super) fn with(stall_timeout: f64) -> Self {
        let own = Self::default();
        let stall = Duration::try_from_secs_f64(stall_timeout).unwrap_or(own.slow);
        Self {
            connect: own.connect.min(stall),
            answer: own.answer.min(stall),
            stalled: own.stalled.min(stall),
            slow: stall,
            ..own
        }
    }

    /// The delays between `attempts` tries.
    pub(super) fn delays(&self, attempts: usize) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_factor(2.0)
            .with_min_delay(self.first_delay)
            .with_max_delay(self.longest_delay)
            .with_max_times(attempts.saturating_sub(1))
    }

    /// The delay to keep when the server may have named one itself; None when its wish is too long to wait for.
    pub(super) fn delay(&self, retry_after: Option<Duration>, own: Duration) -> Option<Duration> {
        match retry_after {
            Some(wish) if wish > self.longest_retry_after => None,
            Some(wish) => Some(wish.max(own)),
            None => Some(own),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use backon::BackoffBuilder;

    #[test]
    fn retries_of_an_api_request_outlive_the_minute_of_the_rate_limit() {
        let patience = Patience::default();
        let total: Duration = patience.delays(patience.api_attempts).build().sum();
        assert!(total >= Duration::from_secs(60), "only {total:?}");
    }

    #[test]
    fn a_stall_timeout_shortens_what_is_waited_for_and_never_lengthens_it() {
        let waits = |seconds| {
            let Patience {
                answer,
                stalled,
                slow,
                ..
            } = Patience::with(seconds);
            [answer, stalled, slow].map(|wait| wait.as_secs())
        };
        assert_eq!(waits(5.0), [5, 5, 5]);
        assert_eq!(waits(300.0), [60, 60, 300]);
        assert_eq!(waits(3600.0), [60, 60, 3600]);
    }

    #[test]
    fn the_servers_wish_is_kept_unless_it_is_too_long() {
        let patience = Patience::default();
        let second = Duration::from_secs(1);
        assert_eq!(patience.delay(None, second), Some(second));
        assert_eq!(
            patience.delay(Some(Duration::from_secs(9)), second),
            Some(Duration::from_secs(9))
        );
        assert_eq!(patience.delay(Some(Duration::ZERO), second), Some(second));
        assert_eq!(patience.delay(Some(Duration::from_secs(86_400)), second), None);
    }
}

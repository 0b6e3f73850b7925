//! Why a try ended before the end of the file, and what is said of it.

use super::super::http::HttpFailure;
use super::super::patience::Patience;
use super::transfer::Download;
use super::Links;
use crate::error::{Error, Kind};
use std::time::Duration;

/// Why a try ended before the end of the file.
pub(super) enum Break {
    /// Another try may bring more.
    Passing {
        /// For the end of a sentence: "the connection was reset".
        why: String,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
        /// The server said no to the link.
        refused: bool,
    },
    /// There is no use.
    Final(Error),
}

impl Break {
    pub(super) fn passing(why: impl Into<String>) -> Self {
        Self::Passing {
            why: why.into(),
            retry_after: None,
            refused: false,
        }
    }
}

/// Whether bytes come as fast as they have to. What waits for the reader does not count.
#[derive(Default)]
pub(super) struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// Notes that these bytes came after so much waiting.
    pub(super) fn is_too_slow(&mut self, waited: Duration, bytes: u64, patience: &Patience) -> bool {
        self.waited += waited;
        self.bytes += bytes;
        if self.bytes >= patience.least {
            *self = Self::default();
        }
        self.waited >= patience.slow
    }
}

impl<L: Links> Download<'_, L> {
    pub(super) fn no_answer(&self, error: reqwest::Error) -> Break {
        match HttpFailure::transport(error) {
            HttpFailure::Transport {
                reason,
                passing: true,
                ..
            } => Break::passing(reason),
            HttpFailure::Transport { reason, .. } => self.hopeless(&reason),
            _ => Break::passing("the connection failed"),
        }
    }

    pub(super) fn trickles(&self) -> Break {
        Break::passing(format!(
            "fewer than {} KiB came in {} seconds",
            self.patience.least / 1024,
            self.patience.slow.as_secs_f32()
        ))
    }

    pub(super) fn stalled(&self) -> Break {
        Break::passing(format!(
            "nothing came for {} seconds",
            self.patience.stalled.as_secs_f32()
        ))
    }

    pub(super) fn changed(&self) -> Break {
        Break::Final(Error::new(
            Kind::Download,
            format!(
                "The file of {} changed while it was being downloaded.",
                self.subject
            ),
            "Run it again: its two parts do not fit together.",
        ))
    }

    /// What is wrong will be so the next time.
    pub(super) fn hopeless(&self, why: &str) -> Break {
        Break::Final(Error::new(
            Kind::Download,
            format!("{} cannot be downloaded: {why}.", capitalized(&self.subject)),
            "Another try would end in the same way. Check a proxy between this machine and the platform (HTTPS_PROXY), and \
             ask the platform's support.",
        ))
    }

    pub(super) fn failed(&self, why: &str) -> Error {
        let of = self
            .known
            .total
            .map_or_else(|| "an unknown number of".to_owned(), |total| total.to_string());
        let times = match self.breaks {
            0 | 1 => "once".to_owned(),
            breaks => format!("{breaks} times, the last time"),
        };
        Error::new(
            Kind::Download,
            format!(
                "The download of {} broke off {times} because {why}; {} of {of} bytes had arrived.",
                self.subject, self.offset
            ),
            "Run it again; if it happens again, check this machine's network and the platform's status page.",
        )
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

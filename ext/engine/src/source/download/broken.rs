//! Why a try ended before the end of the file, and what is said of it.

use super::super::http::HttpFailure;
use super::super::patience::Patience;
use super::transfer::Download;
use super::Links;
use crate::error::{Error, Kind};
use crate::failure::{DownloadFailure, DownloadRemedy, Hitch};
use std::time::Duration;

/// Why a try ended before the end of the file.
pub(super) enum Break {
    /// Another try may bring more.
    Passing {
        /// What happened.
        why: Hitch,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
        /// The server said no to the link.
        refused: bool,
    },
    /// There is no use.
    Final(Error),
}

impl Break {
    pub(super) fn passing(why: Hitch) -> Self {
        Self::Passing {
            why,
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
            HttpFailure::Transport { reason, .. } => self.hopeless(reason),
            _ => Break::passing(Hitch::ConnectionFailed),
        }
    }

    pub(super) fn trickles(&self) -> Break {
        Break::passing(Hitch::TooSlow {
            kibibytes: self.patience.least / 1024,
            seconds: self.patience.slow.as_secs_f32().to_string(),
        })
    }

    pub(super) fn stalled(&self) -> Break {
        Break::passing(Hitch::NothingCameFor {
            seconds: self.patience.stalled.as_secs_f32().to_string(),
        })
    }

    pub(super) fn changed(&self) -> Break {
        let subject = self.subject.clone();
        Break::Final(Error::new(
            Kind::Download,
            DownloadFailure::FileChanged { subject },
            DownloadRemedy::PartsDoNotFit,
        ))
    }

    /// What is wrong will be so the next time.
    pub(super) fn hopeless(&self, why: Hitch) -> Break {
        let subject = self.subject.clone();
        Break::Final(Error::new(
            Kind::Download,
            DownloadFailure::Impossible { subject, why },
            DownloadRemedy::CheckProxy,
        ))
    }

    pub(super) fn failed(&self, why: Hitch) -> Error {
        let (subject, arrived, count) = (self.subject.clone(), self.offset, self.breaks.max(1));
        let what = match self.known.total {
            Some(total) => DownloadFailure::BrokeOff {
                subject,
                count,
                why,
                arrived,
                total,
            },
            None => DownloadFailure::BrokeOffUnsized {
                subject,
                count,
                why,
                arrived,
            },
        };
        Error::new(Kind::Download, what, DownloadRemedy::CheckNetwork)
    }
}

//! A download that does not arrive.

use super::{BackupSubject, ScalingoFailure};
use phrases::phrases;

phrases! {
    /// What kept bytes from coming. It fits behind "because" and behind a colon.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Hitch {
        /// There was no answer in time.
        NoAnswer "no_answer",
        /// Nothing came.
        NothingCame "nothing_came",
        /// Nothing came for so long.
        NothingCameFor "nothing_came_for" { seconds: String },
        /// Fewer than so many KiB came in so long.
        TooSlow "too_slow" { kibibytes: u64, seconds: String },
        /// The headers of an answer have no end.
        EndlessHeaders "endless_headers",
        /// The connection failed.
        ConnectionFailed "connection_failed",
        /// The connection failed, in words of a library.
        TransportFailed "transport_failed" { message: String },
        /// The connection was closed before the end.
        ClosedEarly "closed_early",
        /// The server answered with this status.
        Answered "answered" { status: u16 },
        /// It answered with a status that an expired link has, too.
        AnsweredAsExpired "answered_as_expired" { status: u16 },
        /// Its answer could not be read.
        AnswerUnreadable "answer_unreadable",
        /// It sent another part than it was asked for.
        OtherPart "other_part",
        /// It would not go on from where it was.
        RefusedToGoOn "refused_to_go_on",
        /// It redirects without saying where to.
        RedirectsNowhere "redirects_nowhere",
        /// It redirects to something that is not a URL.
        RedirectsToNoUrl "redirects_to_no_url",
        /// It redirects from https to http.
        RedirectsToHttp "redirects_to_http",
        /// It redirects to something that is neither http nor https.
        RedirectsElsewhere "redirects_elsewhere",
        /// It redirects too often.
        RedirectsTooOften "redirects_too_often",
        /// Its redirects lead in a circle.
        RedirectsInCircle "redirects_in_circle",
        /// There was no link.
        NoLink "no_link",
        /// There was no link, because of a failure of the API's.
        NoLinkBecause "no_link_because" { failure: Box<ScalingoFailure> },
    }
}

phrases! {
    /// What went wrong with a download.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum DownloadFailure {
        /// HTTPS cannot be set up.
        NoHttps "no_https" { why: Hitch },
        /// The file changed meanwhile.
        FileChanged "file_changed" { subject: BackupSubject },
        /// It cannot be downloaded, now or later.
        Impossible "impossible" { subject: BackupSubject, why: Hitch },
        /// It broke off, after so many tries.
        BrokeOff "broke_off" { subject: BackupSubject, count: u32, why: Hitch, arrived: u64, total: u64 },
        /// The same, where the file's length is not known.
        BrokeOffUnsized "broke_off_unsized" { subject: BackupSubject, count: u32, why: Hitch, arrived: u64 },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum DownloadRemedy {
        /// Install certificates.
        InstallCertificates "install_certificates",
        /// Run again, since the parts do not fit.
        PartsDoNotFit "parts_do_not_fit",
        /// Check the proxy.
        CheckProxy "check_proxy",
        /// Run again, and check the network.
        CheckNetwork "check_network",
    }
}

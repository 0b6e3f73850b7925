//! What is known of the file, so that its parts are of the same one.

use reqwest::header::{HeaderMap, HeaderValue, ETAG, LAST_MODIFIED};

/// What answers have said of the file so far.
#[derive(Default)]
pub(super) struct Known {
    /// Its length.
    pub(super) total: Option<u64>,
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

impl Known {
    /// Whether an answer is about the file that the `delivered` bytes are from. What it says of that is noted.
    pub(super) fn agrees(&mut self, delivered: u64, total: Option<u64>, headers: &HeaderMap) -> bool {
        let etag = headers.get(ETAG);
        let modified = headers.get(LAST_MODIFIED);
        if delivered == 0 {
            (self.total, self.etag, self.modified) = (total, etag.cloned(), modified.cloned());
            return true;
        }
        let same_tag = self.etag.is_some() && self.etag.as_ref() == etag;
        if differ(self.total, total)
            || total.is_some_and(|total| total < delivered)
            || differ(self.etag.as_ref(), etag)
            || (!same_tag && differ(self.modified.as_ref(), modified))
        {
            return false;
        }
        self.total = self.total.or(total);
        self.etag = self.etag.take().or_else(|| etag.cloned());
        self.modified = self.modified.take().or_else(|| modified.cloned());
        true
    }

    /// What makes a server send its 206 only if the file is still the same: a strong ETag or else the date.
    pub(super) fn validator(&self) -> Option<HeaderValue> {
        let strong = self
            .etag
            .as_ref()
            .filter(|etag| !etag.as_bytes().starts_with(b"W/"));
        strong.or(self.modified.as_ref()).cloned()
    }
}

/// Whether both are known, and are not the same.
fn differ<T: PartialEq>(then: Option<T>, now: Option<T>) -> bool {
    matches!((then, now), (Some(then), Some(now)) if then != now)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(etag: &str, modified: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, etag.parse().unwrap());
        headers.insert(LAST_MODIFIED, modified.parse().unwrap());
        headers
    }

    #[test]
    fn another_length_or_tag_is_another_file_and_another_date_only_without_the_same_tag() {
        let agrees = |total, etag: &str, modified: &str| {
            let mut known = Known::default();
            assert!(known.agrees(0, Some(100), &headers("\"a\"", "Mon")));
            known.agrees(10, total, &headers(etag, modified))
        };
        assert!(agrees(Some(100), "\"a\"", "Mon"));
        assert!(agrees(None, "\"a\"", "Tue"));
        assert!(!agrees(Some(101), "\"a\"", "Mon"));
        assert!(!agrees(Some(100), "\"b\"", "Mon"));
    }

    #[test]
    fn a_weak_tag_does_not_validate_a_range_and_the_date_does_instead() {
        let validator = |etag: &str| {
            let mut known = Known::default();
            known.agrees(0, None, &headers(etag, "Mon"));
            known.validator().unwrap()
        };
        assert_eq!(validator("\"a\""), "\"a\"");
        assert_eq!(validator("W/\"a\""), "Mon");
    }
}

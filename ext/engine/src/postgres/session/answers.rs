//! What a server says to COPYs that were sent ahead, read from its bytes.

/// How far the answers are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There are more to come.
    More,
    /// All are there.
    All,
    /// This is not what a server answers to a COPY.
    Nonsense,
}

/// The length of a message that is believed. The longest that comes is an error's, with its statement.
const LONGEST: usize = 16 * 1024 * 1024;

/// The answers to so many COPYs.
pub(super) struct Answers {
    expected: usize,
    rows: Vec<Option<u64>>,
    /// Of the COPY that is being answered.
    stored: Option<u64>,
    /// The beginning of a message.
    rest: Vec<u8>,
}

impl Answers {
    pub(super) fn to(expected: usize) -> Self {
        Self {
            expected,
            rows: Vec::with_capacity(expected),
            stored: None,
            rest: Vec::new(),
        }
    }

    /// Rows that each has stored; None: it was refused.
    pub(super) fn into_rows(self) -> Vec<Option<u64>> {
        self.rows
    }

    /// Reads some bytes, cut anywhere.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Progress {
        self.rest.extend_from_slice(bytes);
        let mut at = 0;
        while let Some([kind, length @ ..]) = self.rest.get(at..at + 5) {
            let length = <[u8; 4]>::try_from(length).map_or(0, u32::from_be_bytes) as usize;
            if !(4..=LONGEST).contains(&length) {
                return Progress::Nonsense;
            }
            let Some(body) = self.rest.get(at + 5..at + 1 + length) else {
                break;
            };
            match kind {
                // CopyInResponse; what a server may say at any time: a notice, a setting, a notification.
                b'G' | b'N' | b'S' | b'A' => {}
                b'C' => self.stored = copied(body),
                b'E' => self.stored = None,
                b'Z' => self.rows.push(self.stored.take()),
                _ => return Progress::Nonsense,
            }
            at += 1 + length;
            if self.rows.len() > self.expected {
                return Progress::Nonsense;
            }
        }
        self.rest.drain(..at);
        match (self.rows.len() == self.expected, self.rest.is_empty()) {
            (true, true) => Progress::All,
            // Bytes of what comes next would be lost.
            (true, false) => Progress::Nonsense,
            (false, _) => Progress::More,
        }
    }
}

/// The rows of `COPY 50`.
fn copied(body: &[u8]) -> Option<u64> {
    let tag = std::str::from_utf8(body).ok()?.trim_end_matches('\0');
    tag.strip_prefix("COPY ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = (4 + body.len()) as u32;
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    fn copy(tag: &[u8]) -> Vec<u8> {
        [message(b'G', b"\0\0\0"), message(b'C', tag), message(b'Z', b"I")].concat()
    }

    #[test]
    fn each_answer_is_known_however_the_bytes_are_cut() {
        let refused = [message(b'E', b"SERROR\0C42P01\0\0"), message(b'Z', b"I")].concat();
        let all = [
            copy(b"COPY 50\0"),
            refused,
            message(b'N', b"\0"),
            copy(b"COPY 0\0"),
        ]
        .concat();
        for size in [1, 3, 7, all.len()] {
            let mut answers = Answers::to(3);
            let read: Vec<Progress> = all.chunks(size).map(|some| answers.read(some)).collect();
            assert_eq!(read.last(), Some(&Progress::All));
            assert!(read[..read.len() - 1].iter().all(|one| *one == Progress::More));
            assert_eq!(answers.into_rows(), [Some(50), None, Some(0)]);
        }
    }

    #[test]
    fn a_copy_that_fails_at_its_end_has_stored_nothing() {
        let mut answers = Answers::to(1);
        let all = [message(b'G', b""), message(b'E', b"\0"), message(b'Z', b"I")].concat();
        assert_eq!(answers.read(&all), Progress::All);
        assert_eq!(answers.into_rows(), [None]);
    }

    #[test]
    fn what_no_server_answers_is_not_taken_for_an_answer() {
        assert_eq!(Answers::to(1).read(&message(b'T', b"")), Progress::Nonsense);
        assert_eq!(Answers::to(1).read(b"G\0\0\0\0"), Progress::Nonsense);
        assert_eq!(Answers::to(1).read(b"G\xff\xff\xff\xff"), Progress::Nonsense);
        let two = copy(b"COPY 1\0").repeat(2);
        assert_eq!(Answers::to(1).read(&two), Progress::Nonsense);
        assert_eq!(
            Answers::to(1).read(&[copy(b"COPY 1\0"), vec![b'N']].concat()),
            Progress::Nonsense
        );
    }
}

//! What comes back from the server: values of one size, in binary.

/// Reads the values of a binary COPY of one column whose values have `N` bytes each, however it is cut.
#[derive(Default)]
pub(super) struct Tuples<const N: usize> {
    rest: Vec<u8>,
    has_begun: bool,
}

/// The signature, the flags and the length of the extension, which is empty.
const HEAD: usize = 19;

/// What stands before a value: the number of fields, and its length.
const LENGTH: usize = 2 + 4;

impl<const N: usize> Tuples<N> {
    /// Takes the next bytes of the stream.
    pub(super) fn read(&mut self, bytes: &[u8], mut each: impl FnMut([u8; N])) {
        self.rest.extend_from_slice(bytes);
        let mut at = 0;
        if !self.has_begun {
            if self.rest.len() < HEAD {
                return;
            }
            self.has_begun = true;
            at = HEAD;
        }
        while let Some(tuple) = self.rest.get(at..at + LENGTH + N) {
            if let Some(value) = tuple.last_chunk() {
                each(*value);
            }
            at += LENGTH + N;
        }
        self.rest.drain(..at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pg_dump_archive::copy::binary::{Form, Layout, HEADER, TRAILER};
    use pg_dump_archive::copy::Splitter;

    #[test]
    fn numbers_are_read_however_the_stream_is_cut() {
        let mut stream = HEADER.to_vec();
        let encoded = Layout::new(vec![Form::Int8]).is_some_and(|layout| {
            layout.encode(b"1\n-2\n1099511627776\n", &mut Splitter::new(), &mut stream)
        });
        assert!(encoded);
        stream.extend_from_slice(TRAILER);
        for size in 1..stream.len() {
            let (mut tuples, mut found) = (Tuples::<8>::default(), Vec::new());
            for part in stream.chunks(size) {
                tuples.read(part, |number| found.push(i64::from_be_bytes(number)));
            }
            assert_eq!(found, [1, -2, 1 << 40]);
        }
    }
}

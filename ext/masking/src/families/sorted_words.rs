//! Sorted words that are searched for every value that is checked.

use std::borrow::Cow;
use std::ops::Deref;

/// The words of a list, sorted.
#[derive(Debug, Clone)]
pub(crate) struct SortedWords {
    words: Vec<Cow<'static, str>>,
    /// The first eight bytes of each, as numbers: nearly every comparison is one of these, which are side by side.
    heads: Vec<u64>,
}

impl SortedWords {
    /// Of these words, in whatever order they are.
    pub(crate) fn new(mut words: Vec<Cow<'static, str>>) -> Self {
        words.sort_unstable();
        let heads = words.iter().map(|word| head(word.as_bytes())).collect();
        Self { words, heads }
    }

    /// The last word that does not come behind `text`.
    pub(super) fn last_up_to(&self, text: &[u8]) -> Option<&str> {
        let head = head(text);
        // Words that share their head with the text are few, and they alone are compared whole.
        let first = self.heads.partition_point(|other| *other < head);
        let alike = self.heads.get(first..)?.iter();
        let alike = alike.take_while(|other| **other == head).count();
        let words = self.words.get(first..first + alike)?;
        let behind = first + words.partition_point(|word| word.as_bytes() <= text);
        self.words.get(behind.checked_sub(1)?).map(|word| &**word)
    }
}

impl Deref for SortedWords {
    type Target = [Cow<'static, str>];

    fn deref(&self) -> &Self::Target {
        &self.words
    }
}

/// The first eight bytes, in an order that agrees with that of the texts; zeros stand for those that there are not.
fn head(text: &[u8]) -> u64 {
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(text) {
        *to = *from;
    }
    u64::from_be_bytes(eight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_last_word_up_to_a_text_is_the_one_that_a_look_at_each_finds(
            words in proptest::collection::vec("[ab\0é]{0,10}", 0..40),
            text in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), Just(0), Just(0xc3)], 0..11),
        ) {
            let list = SortedWords::new(words.iter().cloned().map(Cow::Owned).collect());
            let expected = words.iter().filter(|word| word.as_bytes() <= text.as_slice()).max();
            prop_assert_eq!(list.last_up_to(&text), expected.map(String::as_str));
        }
    }
}

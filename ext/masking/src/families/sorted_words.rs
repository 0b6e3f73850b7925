//! Sorted words that are searched for every value that is checked.

use super::gender::Gender;
use std::borrow::Cow;
use std::ops::Deref;

/// The words of a list, sorted.
#[derive(Debug, Clone)]
pub(crate) struct SortedWords {
    words: Vec<Cow<'static, str>>,
    /// The first eight bytes of each, as numbers: nearly every comparison is one of these, which are side by side.
    heads: Vec<u64>,
    /// For each word the place of the one that stands for it where a woman, and where a man is meant; nothing: any does.
    forms: [Vec<u8>; 2],
}

impl SortedWords {
    /// Of these words, in whatever order they are.
    pub(crate) fn new(mut words: Vec<Cow<'static, str>>) -> Self {
        words.sort_unstable();
        let heads = words.iter().map(|word| head(word.as_bytes())).collect();
        let forms = Default::default();
        Self { words, heads, forms }
    }

    /// The same, of first names: those of women and of men; the others are of either. At most 256 words.
    pub(super) fn gendered(self, women: &[Cow<'static, str>], men: &[Cow<'static, str>]) -> Self {
        let forms = |others: &[Cow<'static, str>]| {
            let fitting: Vec<u8> = (0..)
                .zip(&self.words)
                .filter(|(_, word)| !others.contains(word))
                .map(|(place, _)| place)
                .collect();
            // With less than two a name could only become itself.
            if fitting.len() < 2 {
                return Vec::new();
            }
            let form = |(place, _): (usize, _)| {
                let own = u8::try_from(place).ok().filter(|own| fitting.contains(own));
                own.or_else(|| fitting.get(place % fitting.len()).copied())
                    .unwrap_or(0)
            };
            self.words.iter().enumerate().map(form).collect()
        };
        let forms = [forms(men), forms(women)];
        Self { forms, ..self }
    }

    /// Whether it has words of either gender.
    pub(super) fn has_forms(&self) -> bool {
        self.forms.iter().any(|forms| !forms.is_empty())
    }

    /// The place of the word that stands for the one at `place` where this gender is meant.
    pub(super) fn going_with(&self, place: usize, gender: Option<Gender>) -> usize {
        let forms = match gender {
            None => return place,
            Some(Gender::Female) => &self.forms[0],
            Some(Gender::Male) => &self.forms[1],
        };
        forms.get(place).map_or(place, |form| usize::from(*form))
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

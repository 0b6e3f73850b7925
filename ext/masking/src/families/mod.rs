//! How masks write that have much in common.

pub(super) mod behind;
pub(super) mod check_digits;
pub(super) mod constant;
pub(super) mod days;
pub(super) mod distinct;
pub(super) mod document;
pub(super) mod gender;
pub(super) mod json_syntax;
pub(super) mod leaves;
pub(super) mod numbered;
mod parts;
pub(super) mod password_hash;
pub(super) mod shape;
mod sorted_words;
pub(super) mod word_lists;
pub(super) mod words;
mod words_form;

//! Keys whose two halves run apart: a foreign key is declared and then checked, a unique key's index built and then taken.

mod constraint;
pub(in crate::postgres) mod foreign;
pub(in crate::postgres) mod unique;

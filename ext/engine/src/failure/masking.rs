//! A row that cannot be masked, and a mask that does not fit its column.

use masking::Misfit;
use phrases::phrases;

phrases! {
    /// Why not. A `column` has its table before it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum MaskFailure {
        /// What a distinct pseudonym is made from does not fit into the unique index.
        TooLongForIndex "too_long_for_index" { column: String },
        /// No pseudonym was found that the CHECK takes.
        CheckNotMet "check_not_met" { column: String, check: String },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum MaskRemedy {
        /// Widen the column, or exclude the table.
        WidenColumn "widen_column",
        /// Take a mask that writes what the CHECK takes.
        TakeMaskForCheck "take_mask_for_check",
    }
}

phrases! {
    /// A mask that does not fit its column, which has its table before it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum MaskFault {
        /// One that no rule gives.
        Unfit "unfit" { column: String, misfit: Misfit },
        /// A rule's.
        OfRule "unfit_of_rule" { rule: String, column: String, misfit: Misfit },
    }
}

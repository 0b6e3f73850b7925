//! What a mask makes of a column, as data.

use phrases::phrases;

phrases! {
    /// What a column's values become, for a report.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Becomes {
        /// What the mask of this name writes.
        Mask "mask_named" { mask: &'static str },
        /// E-mail addresses.
        Email "mask_email",
        /// The MD5 of the row's new address.
        EmailMd5 "mask_email_md5",
        /// NULL.
        Null "mask_null",
        /// This value.
        Constant "mask_constant" { value: String },
        /// This value, which says nothing.
        Neutral "mask_neutral" { value: String },
        /// This word and an id.
        Numbered "mask_numbered" { prefix: String },
        /// A telephone number with an id in it.
        NumberedPhone "mask_numbered_phone",
        /// A keyed value that no two rows share.
        Distinct "mask_distinct",
        /// One of the column's own values.
        OwnValue "mask_own_value",
        /// One of a few pseudonyms that the app has encrypted.
        Prepared "mask_prepared",
        /// This, encrypted as the app does it.
        Encrypted "mask_encrypted" { mask: Box<Becomes> },
        /// This where a condition says so.
        Conditional "mask_conditional" { mask: Box<Becomes> },
        /// What a rule in SQL writes, by what the caller calls that rule.
        BySql "mask_by_sql" { rule: String },
    }
}

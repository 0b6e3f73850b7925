//! What is reported of a column that looks personal: in the report, in the dry run, by `scan` and by `suggest`.

use personal_data::{rounded, FoundBy, PiiKind, Reason, RuleEntry, Status, Suggestion};
use phrases::phrases;
use serde::Serialize;

/// A column that looks personal, and what stands between it and staging.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// `schema.table`; of partitions their root, of inherited columns the table that they come from.
    pub table: String,
    /// The column.
    pub column: String,
    /// What it holds, such as `email`: [`PiiKind::as_str`].
    pub kind: &'static str,
    /// The heading that the report puts it under, such as `contact`.
    pub heading: &'static str,
    /// How sure that is, from 0.5 to 1, in hundredths.
    pub confidence: f64,
    /// What showed it.
    pub found_by: FoundBy,
    /// Why: by its name, by its values, or both.
    pub reason: Vec<Reason>,
    /// Values of the sample that are not NULL; 0 where only the name was looked at.
    pub values: u64,
    /// In how many of them it was seen.
    pub count: u64,
    /// In what share of them, from 0 to 1, in thousandths.
    pub share: f64,
    /// What stands between it and staging.
    pub status: Status,
    /// The rule that covers it, why it is ignored, or why it could not be masked by itself.
    pub because: Option<Box<Because>>,
    /// The mask that was found to fit; where a rule covers the column, or none fits: None.
    pub mask: Option<Suggestion>,
    /// The entry of a rule that covers it; with [`Finding::mask`].
    pub rule: Option<RuleEntry>,
}

phrases! {
    /// Why a column stands as it does between production and staging: what covers it, lets it be, or keeps a mask from it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Because {
        /// A rule covers it, by what the caller calls that rule.
        Rule "rule" { rule: String },
        /// The caller lets it be, for this reason of its own.
        LetBe "let_be" { reason: String },
        /// A rule in SQL is about its table.
        RuleInSql "rule_in_sql",
        /// Its table is excluded.
        Excluded "excluded",
        /// Its table is queued work, whose rows stay out.
        Quiesced "quiesced",
        /// What acts outside is let be.
        NotQuiesced "not_quiesced",
        /// It names a service that stores files, and this environment's is not known.
        ServiceUnknown "service_unknown",
        /// It is generated from this column, which is covered.
        ComputedFrom "computed_from" { column: String },
        /// It is generated from others, which are not covered.
        Generated "generated",
        /// No mask of the catalogue fits it.
        NoMaskFits "no_mask_fits",
        /// It was found after the first rows.
        FoundTooLate "found_too_late",
        /// Its mask does not go together with those of its table.
        MasksClash "masks_clash",
        /// Its values are ciphertext that no model declares, and it cannot be NULL.
        UndeclaredCiphertext "undeclared_ciphertext",
        /// The app encrypts it, it cannot be NULL, and there is no key to encrypt a pseudonym with.
        NoKeyToEncrypt "no_key_to_encrypt",
        /// The app encrypts it, it cannot be NULL, and no encrypted pseudonym fits it.
        NoCiphertextFits "no_ciphertext_fits",
        /// It is part of this foreign key.
        InForeignKey "in_foreign_key" { key: String },
        /// This foreign key joins it to a column that is masked otherwise.
        OtherSideDiffers "other_side_differs" { key: String, column: String },
        /// It is part of the partition key of this table.
        InPartitionKey "in_partition_key" { table: String },
        /// This CHECK of it is not understood.
        CheckAsksMore "check_asks_more" { check: String },
        /// A unique index sees only this part of its values.
        UniquePart "unique_part" { part: String },
    }
}

phrases! {
    /// What acts outside and could not be quieted.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Unquieted {
        /// A column, for why no mask is put on it, if that is known. The entry lets it be.
        ActsOutside "acts_outside" { column: String, reason: Reason, because: Vec<Because>, entry: String },
    }
}

impl Finding {
    /// A finding about a column of which only its name is known.
    pub fn by_name(
        table: String,
        column: String,
        kind: PiiKind,
        confidence: f32,
        reasons: impl IntoIterator<Item = Reason>,
    ) -> Self {
        Self {
            table,
            column,
            kind: kind.as_str(),
            heading: kind.heading().as_str(),
            confidence: rounded(confidence, 100.0),
            found_by: FoundBy::Name,
            reason: reasons.into_iter().collect(),
            values: 0,
            count: 0,
            share: 0.0,
            status: Status::Uncovered,
            because: None,
            mask: None,
            rule: None,
        }
    }

    /// Notes the mask that fits. `table`: as rules name it.
    pub fn suggest(&mut self, mask: Suggestion, table: String) {
        self.rule = Some(RuleEntry {
            table,
            column: self.column.clone(),
            mask: mask.clone(),
        });
        self.mask = Some(mask);
    }
}

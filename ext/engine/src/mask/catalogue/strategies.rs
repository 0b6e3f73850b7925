//! The documented strategies: which columns each masks where a table has them.

use super::Mask;

/// A documented strategy: the columns that it masks where a table has them.
#[derive(Debug, PartialEq)]
pub struct Strategy {
    /// Its name in `config.anonymization_tables`.
    pub name: &'static str,
    /// Column names and what they become.
    pub columns: &'static [(&'static str, Mask)],
}

const LAST_DIGITS: Mask = Mask::Constant("0000");

/// The documented strategies.
pub const STRATEGIES: &[Strategy] = &[
    Strategy {
        name: "user_anonymization",
        columns: &[
            ("email", Mask::Email),
            ("email_md5", Mask::EmailMd5),
            ("first_name", Mask::Constant("Demo")),
            ("last_name", Mask::LastName),
            ("full_name", Mask::FullName),
            ("credit_card_last_4", LAST_DIGITS),
            ("iban_last4", LAST_DIGITS),
            ("stripe_customer_id", Mask::Null),
            ("address_line1", Mask::Constant("8 rue du sentier")),
            ("address_line2", Mask::Null),
            ("city", Mask::Constant("Paris")),
            ("postal_code", Mask::Constant("75002")),
            ("birth_date", Mask::Null),
            ("birth_place", Mask::Null),
            ("google_token", Mask::Null),
            ("facebook_token", Mask::Null),
            ("apple_id", Mask::Null),
            ("billing_extra", Mask::Null),
            ("zendesk_user_id", Mask::Null),
        ],
    },
    Strategy {
        name: "phone_anonymization",
        columns: &[
            ("number", Mask::Phone),
            ("phone", Mask::Phone),
            ("phone_number", Mask::Phone),
        ],
    },
    Strategy {
        name: "payment_anonymization",
        columns: &[
            ("card_last4", LAST_DIGITS),
            ("card_last_4", LAST_DIGITS),
            ("credit_card_last_4", LAST_DIGITS),
            ("iban_last4", LAST_DIGITS),
        ],
    },
    Strategy {
        name: "email_anonymization",
        columns: &[("email", Mask::Email)],
    },
    Strategy {
        name: "address_anonymization",
        columns: &[
            ("address_line1", Mask::Constant("123 Demo Street")),
            ("address_line2", Mask::Null),
            ("city", Mask::Constant("Demo City")),
            ("postal_code", Mask::Constant("00000")),
        ],
    },
];

/// The documented strategy of this name.
pub fn strategy(name: &str) -> Option<&'static Strategy> {
    STRATEGIES.iter().find(|strategy| strategy.name == name)
}

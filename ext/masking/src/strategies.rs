//! The documented strategies: which columns each masks where a table has them.

use super::catalogue::{constant, neutral, numbered_name, numbered_phone, EMAIL, EMAIL_MD5};
use super::entry::{CatalogueEntry, Mask, Options};

/// A documented strategy: the columns that it masks where a table has them.
#[derive(Debug, PartialEq)]
pub struct Strategy {
    /// Its name in a rule.
    pub name: &'static str,
    columns: &'static [(&'static str, Given)],
}

/// A mask of the catalogue, and an option of it.
#[derive(Debug, PartialEq)]
struct Given {
    entry: &'static CatalogueEntry,
    option: Option<(&'static str, &'static str)>,
}

const fn plain(entry: &'static CatalogueEntry) -> Given {
    Given { entry, option: None }
}

const fn always(value: &'static str) -> Given {
    Given {
        entry: &constant::MASK,
        option: Some(("value", value)),
    }
}

const fn numbered(prefix: &'static str) -> Given {
    Given {
        entry: &numbered_name::MASK,
        option: Some(("prefix", prefix)),
    }
}

const ADDRESS: Given = plain(&EMAIL);
const PHONE: Given = plain(&numbered_phone::MASK);
const NOTHING: Given = plain(&neutral::MASK);

/// The documented strategies.
pub static STRATEGIES: &[Strategy] = &[
    Strategy {
        name: "user_anonymization",
        columns: &[
            ("email", ADDRESS),
            ("email_md5", plain(&EMAIL_MD5)),
            ("first_name", always("Demo")),
            ("last_name", numbered("User")),
            ("full_name", numbered("Demo User")),
            ("credit_card_last_4", always("0000")),
            ("iban_last4", always("0000")),
            ("stripe_customer_id", NOTHING),
            ("address_line1", always("8 rue du sentier")),
            ("address_line2", NOTHING),
            ("city", always("Paris")),
            ("postal_code", always("75002")),
            ("birth_date", NOTHING),
            ("birth_place", NOTHING),
            ("google_token", NOTHING),
            ("facebook_token", NOTHING),
            ("apple_id", NOTHING),
            ("billing_extra", NOTHING),
            ("zendesk_user_id", NOTHING),
        ],
    },
    Strategy {
        name: "phone_anonymization",
        columns: &[("number", PHONE), ("phone", PHONE), ("phone_number", PHONE)],
    },
    Strategy {
        name: "payment_anonymization",
        columns: &[
            ("card_last4", always("0000")),
            ("card_last_4", always("0000")),
            ("credit_card_last_4", always("0000")),
            ("iban_last4", always("0000")),
        ],
    },
    Strategy {
        name: "email_anonymization",
        columns: &[("email", ADDRESS)],
    },
    Strategy {
        name: "address_anonymization",
        columns: &[
            ("address_line1", always("123 Demo Street")),
            ("address_line2", NOTHING),
            ("city", always("Demo City")),
            ("postal_code", always("00000")),
        ],
    },
];

/// The documented strategy of this name.
pub fn strategy(name: &str) -> Option<&'static Strategy> {
    STRATEGIES.iter().find(|strategy| strategy.name == name)
}

impl Strategy {
    /// ColumnFacts names and what they become.
    pub fn masks(&self) -> impl Iterator<Item = (&'static str, Mask)> {
        self.columns.iter().map(|(column, given)| {
            let option = given.option.iter();
            let options: Options = option
                .map(|(name, value)| ((*name).to_owned(), (*value).into()))
                .collect();
            (*column, Mask::new(given.entry, options))
        })
    }

    /// What a column of this name becomes.
    pub fn mask_of(&self, column: &str) -> Option<Mask> {
        self.masks()
            .find(|(name, _)| *name == column)
            .map(|(_, mask)| mask)
    }
}

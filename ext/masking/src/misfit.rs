//! What is wrong with a mask as a rule names it, and what of a mask and its column does not fit, as data.

use phrases::phrases;

phrases! {
    /// An option that a mask does not take.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum StrayOption {
        /// None is like it.
        Stray "stray_option" { option: String },
        /// One is like it.
        Meant "stray_option_meant" { option: String, meant: &'static str },
    }
}

phrases! {
    /// Why there is no mask as a rule names it: the end of a sentence, and what was meant.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum InvalidMask {
        /// The name is spoken for, and the mask is not built.
        NotBuilt "mask_not_built" { name: String },
        /// There is no such mask; these there are.
        Unknown "mask_unknown" { name: String, known: Vec<&'static str> },
        /// The same, and one is like it.
        UnknownMeant "mask_meant" { name: String, meant: &'static str, known: Vec<&'static str> },
        /// The mask takes no option.
        NoOption "mask_takes_no_option" { mask: &'static str, options: Vec<StrayOption> },
        /// The mask takes these options.
        OtherOptions "mask_takes_options" { mask: &'static str, options: Vec<StrayOption>, known: Vec<&'static str> },
        /// Where a mask is expected stands something else.
        Form "mask_no_form",
    }
}

phrases! {
    /// The columns that a mask is for.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ForTypes {
        /// Text.
        Text "for_text",
        /// Numbers.
        Numbers "for_numbers",
        /// Arrays.
        Arrays "for_arrays",
        /// Hstore.
        Hstore "for_hstore",
        /// Macaddr and text.
        MacAndText "for_macaddr_and_text",
        /// Text and integers.
        TextAndIntegers "for_text_and_integers",
        /// Text and bigint.
        TextAndBigint "for_text_and_bigint",
        /// Json, jsonb and text without a limit.
        Documents "for_documents",
        /// Inet, cidr and text.
        Networks "for_networks",
        /// Uuid and text.
        UuidAndText "for_uuid_and_text",
        /// Text, and numbers of enough digits.
        TextAndDigits "for_text_and_digits",
        /// Timestamps.
        Timestamps "for_timestamps",
        /// Dates and timestamps.
        Dates "for_dates",
    }
}

phrases! {
    /// What a column cannot hold.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Held {
        /// A name.
        Name "held_name",
        /// An MD5.
        Md5 "held_md5",
        /// A SHA-256 in hex.
        Sha256 "held_sha256",
        /// A telephone number.
        Phone "held_phone",
        /// An e-mail address.
        Email "held_email",
        /// This value.
        Value "held_value" { value: String },
    }
}

phrases! {
    /// What an option has to be.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Expected {
        /// True or false.
        Flag "expected_flag",
        /// A whole number in a range.
        Number "expected_number" { least: u64, most: u64 },
        /// A string that is not empty.
        Text "expected_text",
        /// One of these.
        OneOf "expected_one_of" { known: Vec<&'static str> },
        /// A map to masks.
        Masks "expected_masks",
        /// The elements' mask.
        ElementMask "expected_element_mask",
        /// Given, where neither `scrub` nor `leaves` is.
        OrScrub "expected_or_scrub",
        /// Given: a string, a number, true or false.
        Value "expected_value",
        /// Given: a template.
        Template "expected_template",
        /// A template in which each brace is closed.
        Braces "expected_braces",
        /// A list of values that the column can hold.
        Values "expected_values",
        /// A country.
        Country "expected_country",
        /// A country, or a list of countries.
        Countries "expected_countries",
        /// A country that is known.
        KnownCountry "expected_known_country",
        /// A column of the table.
        Column "expected_column",
        /// A password that bcrypt takes.
        Password "expected_password",
    }
}

phrases! {
    /// What to do about a mask that repeats itself under a unique index.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Distinct {
        /// No mask keeps such values distinct.
        None "distinct_by_none",
        /// This one does.
        One "distinct_by" { mask: &'static str },
        /// These do, of which the last stands by itself.
        Several "distinct_by_several" { masks: Vec<String>, last: &'static str },
    }
}

phrases! {
    /// What of a mask and its column does not fit, and what to do: the end of sentences that begin with the column. A `mask` is
    /// its name, a `column_type` that of the column, a `length` in characters.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Misfit {
        /// The mask is for columns of other types.
        OtherType "mask_for_others" { column_type: String, mask: &'static str, types: ForTypes },
        /// The column cannot hold what the mask writes.
        CannotHold "mask_cannot_hold" { column_type: String, value: Held },
        /// The column is NOT NULL, and the mask writes NULL.
        NotNull "mask_not_null",
        /// The column is NOT NULL, and for its type no neutral value is known.
        NoNeutral "mask_no_neutral" { column_type: String },
        /// A unique index takes two NULLs for the same.
        NullsAlike "mask_nulls_alike" { advice: Distinct },
        /// Under a unique index the mask repeats itself.
        Repeats "mask_repeats" { mask: &'static str, advice: Distinct },
        /// Under a unique index the type is too small.
        TooSmall "mask_too_small" { column_type: String },
        /// What the mask writes is longer than the column.
        Room "mask_too_long" { column_type: String, mask: &'static str, length: usize },
        /// Addresses at the domain of all pseudonyms are too long, and would not be if it had at most so many characters.
        EmailDomain "mask_email_domain" { column_type: String, length: usize, most: usize },
        /// No password for staging is known.
        StagingPassword "mask_no_staging_password",
        /// The CHECK of this name takes nothing that the mask writes.
        Check "mask_check_refuses" { check: String },
        /// An option is missing, or its value is not one that it takes.
        Option "mask_wrong_option" { mask: &'static str, option: String, expected: Expected },
        /// The column's type does not take the value of `static`.
        StaticValue "mask_static_value" { column_type: String },
        /// A path cannot be read.
        Path "mask_path_unread" { path: String },
        /// Options exclude one another.
        Exclusive "mask_options_exclusive" { mask: &'static str, options: Vec<&'static str> },
        /// A template names a column that the table does not have.
        TemplateColumn "mask_template_column" { other: String, table: String },
        /// A template names a template.
        TemplateOfTemplate "mask_template_of_template" { other: String },
        /// Under a unique index a template does not name the primary key.
        TemplateWithoutKey "mask_template_without_key",
        /// Under a unique index a template needs more room.
        TemplateRoom "mask_template_room" { column_type: String, length: usize },
        /// The column's name does not say what `fake` is to write; these it can.
        FakeOfWhat "mask_fake_of_what" { known: Vec<&'static str> },
        /// In a language no number is reserved for it.
        FakeReserved "mask_fake_reserved" { sort: &'static str, locale: &'static str },
        /// Under a unique index there are too few numbers.
        FakeTooFew "mask_fake_too_few" { sort: &'static str },
        /// What `fake` writes is longer than the column.
        FakeRoom "mask_fake_too_long" { column_type: String, sort: &'static str, length: usize },
        /// The app encrypts the column, and what the mask writes cannot be encrypted.
        NotEncrypted "mask_not_encrypted" { mask: &'static str },
        /// The app encrypts the column, and the mask keeps the form of a value.
        KeepsForm "mask_keeps_form" { mask: &'static str },
        /// The app encrypts the column in a way of its own, under a unique index.
        PreparedUnique "mask_prepared_unique",
        /// The mask within this one is none.
        Inner "mask_inner" { mask: &'static str, invalid: InvalidMask },
        /// Places in the column's documents, each with what is wrong with its mask.
        Places "mask_places" { places: Vec<Misplaced> },
        /// The table's data have no such column.
        Column "mask_no_column",
    }
}

phrases! {
    /// What is wrong with the mask for a place in a column's documents.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Misplaced {
        /// This.
        At "mask_at_place" { place: String, column: String, misfit: Misfit },
    }
}

impl Misfit {
    /// Every kind of it and of what it holds, with its fields.
    pub fn kinds() -> impl Iterator<Item = phrases::Kind> {
        let kinds = [
            Self::KINDS,
            Misplaced::KINDS,
            Distinct::KINDS,
            Expected::KINDS,
            Held::KINDS,
            ForTypes::KINDS,
            InvalidMask::KINDS,
            StrayOption::KINDS,
        ];
        kinds.into_iter().flatten().copied()
    }
}

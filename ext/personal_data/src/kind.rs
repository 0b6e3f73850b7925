//! What a finding is about: the kinds of personal data and of what acts outside, and the headings they stand under.

/// The headings of the report, under which a caller's own patterns stand too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Heading {
    /// Papers and numbers that a state or another service knows a person by.
    Identity,
    /// Ways to reach a person.
    Contact,
    /// Names, birth, traits, and what was written about a person.
    Personal,
    /// Accounts, cards and pay.
    Financial,
    /// What opens an account.
    Auth,
    /// Health.
    Medical,
    /// The body as a key.
    Biometric,
    /// What acts outside: queued work, endpoints, other services' secrets. Not about a person.
    Outside,
}

impl Heading {
    /// The documented name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Heading::Identity => "identity",
            Heading::Contact => "contact",
            Heading::Personal => "personal",
            Heading::Financial => "financial",
            Heading::Auth => "auth",
            Heading::Medical => "medical",
            Heading::Biometric => "biometric",
            Heading::Outside => "outside",
        }
    }
}

impl Heading {
    /// The heading of personal data of a documented name; `None` for any other.
    pub fn from_name(name: &str) -> Option<Heading> {
        use Heading::*;
        [Identity, Contact, Personal, Financial, Auth, Medical, Biometric]
            .into_iter()
            .find(|heading| heading.as_str() == name)
    }

    /// The kind that a column of this heading is taken for when nothing more is known of it.
    pub(crate) fn usual_kind(self) -> PiiKind {
        match self {
            Heading::Identity => PiiKind::NationalId,
            Heading::Contact => PiiKind::StreetAddress,
            Heading::Personal => PiiKind::FreeText,
            Heading::Financial => PiiKind::BankAccount,
            Heading::Auth => PiiKind::Secret,
            Heading::Medical => PiiKind::Health,
            Heading::Biometric => PiiKind::Biometric,
            Heading::Outside => PiiKind::ClientSecret,
        }
    }
}

/// Writes the enum and its three tables from one list, so that no kind lacks a heading, a name or a mask.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal $heading:ident $mask:literal;)*) => {
        /// A kind of personal data, or of what acts outside.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum PiiKind { $($(#[$doc])* $kind,)* }

        impl PiiKind {
            /// Every kind, in the order of the report.
            pub const ALL: &'static [PiiKind] = &[$(PiiKind::$kind,)*];

            /// The heading that the report puts this kind under.
            pub fn heading(self) -> Heading {
                match self { $(PiiKind::$kind => Heading::$heading,)* }
            }

            /// The kind's name in reports and settings, in snake_case.
            pub fn as_str(self) -> &'static str {
                match self { $(PiiKind::$kind => $name,)* }
            }

            /// The mask of the catalogue that suits a column of this kind.
            pub fn suggested_mask(self) -> &'static str {
                match self { $(PiiKind::$kind => $mask,)* }
            }
        }
    };
}

kinds! {
    /// A number a state knows a person by, other than the two below: NINO, DNI, INE, RPPS and the like.
    NationalId "national_id" Identity "redact";
    /// A French social-security number (numéro d'inscription au répertoire).
    Nir "nir" Identity "nir";
    /// A US social-security number.
    Ssn "ssn" Identity "ssn";
    /// A passport, identity card, driving licence or residence permit, its number or its picture.
    IdentityDocument "identity_document" Identity "redact";
    /// A person's tax number.
    TaxId "tax_id" Identity "redact";
    /// A French company number; a person's own where that person trades alone.
    Siren "siren" Identity "siren";
    /// A French establishment number; as SIREN.
    Siret "siret" Identity "siret";
    /// The number under which another service knows a person.
    ExternalId "external_id" Identity "null";
    /// A vehicle's registration or serial number.
    LicensePlate "license_plate" Identity "redact";
    /// An e-mail address.
    Email "email" Contact "email";
    /// A telephone or fax number.
    Phone "phone" Contact "phone";
    /// A street address or a line of one.
    StreetAddress "street_address" Contact "street";
    /// The postal code of a person's address.
    PostalCode "postal_code" Contact "postal_code";
    /// The town of a person's address.
    City "city" Contact "city";
    /// A page or account of a person elsewhere.
    SocialProfile "social_profile" Contact "null";
    /// A person's whole name.
    Name "name" Personal "name";
    /// A given name.
    FirstName "first_name" Personal "first_name";
    /// A family name.
    LastName "last_name" Personal "last_name";
    /// A name a person chose for themselves: login, handle, nickname.
    Username "username" Personal "username";
    /// A day of birth.
    BirthDate "birth_date" Personal "birth_date";
    /// The name of a file that a person gave it: `passport_ada_lovelace.pdf`.
    FileName "file_name" Personal "filename";
    /// A place of birth.
    BirthPlace "birth_place" Personal "city";
    /// An age in years.
    Age "age" Personal "null";
    /// Sex, gender, or the form of address that shows it.
    Gender "gender" Personal "null";
    /// A nationality or citizenship.
    Nationality "nationality" Personal "null";
    /// Marriage, children, household.
    MaritalStatus "marital_status" Personal "null";
    /// Origin, religion, politics, union membership, orientation (GDPR, article 9).
    SensitiveTrait "sensitive_trait" Personal "null";
    /// A picture of a person.
    Photo "photo" Personal "null";
    /// Marks, assessments, school records.
    Education "education" Personal "null";
    /// Where a person is or was.
    Geolocation "geolocation" Personal "null";
    /// An IP address.
    IpAddress "ip_address" Personal "ip";
    /// A network card's address.
    MacAddress "mac_address" Personal "mac";
    /// The number of a person's device.
    DeviceId "device_id" Personal "token";
    /// Text in which people write about people.
    FreeText "free_text" Personal "scrub";
    /// A copy of a record or of a request: versions, audits, jobs, sessions, logs.
    Payload "payload" Personal "scrub";
    /// An IBAN.
    Iban "iban" Financial "iban";
    /// A bank's code beside an account.
    Bic "bic" Financial "bic";
    /// A payment card's number.
    Card "card" Financial "credit_card";
    /// A part of a card's or an account's number, or its check digits.
    CardPart "card_part" Financial "last4";
    /// An account number of another form than IBAN.
    BankAccount "bank_account" Financial "redact";
    /// Pay, pension, benefits.
    Income "income" Financial "null";
    /// A password in clear, or inside a URL.
    Password "password" Auth "unknown_password";
    /// A password's hash.
    PasswordHash "password_hash" Auth "unknown_password";
    /// A token that stands for a login.
    Token "token" Auth "token";
    /// Another secret: salts, one-time-password seeds, recovery codes, answers, encrypted attributes.
    Secret "secret" Auth "token";
    /// A private key.
    PrivateKey "private_key" Auth "null";
    /// A key to another service.
    ApiKey "api_key" Auth "token";
    /// A JSON web token.
    Jwt "jwt" Auth "token";
    /// Diagnoses, treatments, measurements, disabilities.
    Health "health" Medical "redact";
    /// A health insurance or its number.
    HealthInsurance "health_insurance" Medical "redact";
    /// Fingerprints, faces, voices, signatures.
    Biometric "biometric" Biometric "null";
    /// Work that is queued: jobs, mails and messages to be sent; in a column, the number of such work.
    QueuedWork "queued_work" Outside "null";
    /// Where requests are sent: webhooks, callbacks, redirections.
    Endpoint "endpoint" Outside "url";
    /// What opens another service, or this one to another.
    ClientSecret "client_secret" Outside "token";
    /// A browser or a device that is sent pushes.
    PushSubscription "push_subscription" Outside "token";
    /// The id of a customer, a subscription or a mandate at a payment service.
    PaymentId "payment_id" Outside "token";
    /// The service that files lie in.
    StorageService "storage_service" Outside "null";
}

impl PiiKind {
    /// How many kinds there are.
    pub const COUNT: usize = PiiKind::ALL.len();

    /// This kind's place in [`PiiKind::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What was seen of one kind in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContentFinding {
    /// What was seen.
    pub kind: PiiKind,
    /// How sure it is that the column holds it, from 0 to 1.
    pub confidence: f32,
    /// In how many values it was seen.
    pub count: u64,
    /// In what share of the values that are not NULL, from 0 to 1.
    pub share: f32,
    /// Whether most of them stood inside longer text rather than being the whole value.
    pub inside_text: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_its_place() {
        let names: std::collections::HashSet<_> = PiiKind::ALL.iter().map(|k| k.as_str()).collect();
        assert_eq!(names.len(), PiiKind::COUNT);
        assert!(PiiKind::ALL
            .iter()
            .enumerate()
            .all(|(place, kind)| kind.index() == place));
    }
}

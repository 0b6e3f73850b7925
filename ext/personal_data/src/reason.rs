//! Why a column looks personal, or acts outside, as data.

use crate::PiiKind;
use phrases::{phrases, AsField, Field};
use serde::{Serialize, Serializer};

phrases! {
    /// What shows that a column is personal or acts outside.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Reason {
        /// A phrase of the lexicon is in its name.
        Named "named" { name: String },
        /// The app's code declares that it is encrypted.
        DeclaredEncrypted "declared_encrypted",
        /// Its name says that it is encrypted.
        Encrypted "encrypted_attribute",
        /// Its name is that of a password's hash.
        HashOfPassword "hash_of_password",
        /// Its name is that of another secret's hash.
        HashOfSecret "hash_of_secret",
        /// Its name is that of a hash of something personal.
        HashOfPersonalValue "hash_of_personal_value",
        /// The caller's own patterns match its name.
        MatchedByPattern "matched_by_pattern",
        /// It is listed among what stays out of logs.
        FilteredFromLogs "filtered_from_logs",
        /// `address` or `number`: its table's name says of what.
        TableSaysOfWhat "table_says_of_what",
        /// It names a row of a table of persons.
        NameOfRow "name_of_row",
        /// It is called `name`, with a word for a person.
        NameOfPerson "name_of_person",
        /// It is in a table of care.
        InTableOfCare "in_table_of_care",
        /// It is a mark in a table that refers to a person.
        MarkOfPerson "mark_of_person",
        /// It holds copies of records or of requests.
        CopyOfRecord "copy_of_record",
        /// It is of the type inet.
        TypeInet "type_inet",
        /// It is of the type macaddr.
        TypeMacaddr "type_macaddr",
        /// It is of a type for places, in a table of persons.
        PlaceOfPerson "place_of_person",
        /// It is of a type for places.
        Place "place",
        /// The learned model takes it for personal; what spoke most for that.
        Learned "learned" { clues: Vec<Clue> },
        /// The learned model takes it for personal, and nothing that spoke for it has a name.
        LikeOthers "like_others",
        /// So many percent of its values are of this kind.
        ValuesAs "values_as" { personal: PiiKind, percent: u8 },
        /// So many percent of its values have this kind inside of longer text.
        ValuesInside "values_inside" { personal: PiiKind, percent: u8 },
        /// Its name is that of the service that stores files.
        FileService "file_service",
        /// Requests are sent to what it holds.
        SentTo "sent_to",
        /// It is in a table of receivers of requests, and so many percent of its values are addresses.
        SentToByValues "sent_to_by_values" { percent: u8 },
        /// It holds ids at a payment service.
        PaymentServiceId "payment_service_id",
        /// Push messages are sent with it.
        PushCredential "push_credential",
        /// It opens this or another service.
        OpensService "opens_service",
        /// It refers to queued work whose rows stay out.
        RefersToQueue "refers_to_queue",
        /// The table is a queue of this product's.
        QueueOf "queue_of" { product: &'static str },
        /// The table is in a schema that a queue has for itself.
        QueueSchema "queue_schema" { schema: String },
        /// The table holds the notifications of Rpush.
        QueuedPushes "queued_pushes",
        /// The table holds mail that Action Mailbox has yet to route.
        InboundMail "inbound_mail",
        /// The table is an outbox.
        Outbox "outbox",
        /// The table's name says that what is in it is still to be sent.
        NamedToBeSent "named_to_be_sent",
        /// The table holds messages with the time when they are to be sent.
        TimedMessages "timed_messages",
        /// The table has the columns of a job queue.
        JobColumns "job_columns",
    }
}

phrases! {
    /// What spoke for a column in the learned model. A `term` is a class of words, what a table is about, or a kind of personal
    /// data; see [`terms`](crate::terms). Of clues that weigh the same, the first here comes first.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Clue {
        /// This word is in its name.
        Word "word" { word: String },
        /// A word for this is in its name.
        WordFor "word_for" { term: String },
        /// A column of this kind is beside it.
        Beside "beside" { term: String },
        /// Personal columns are beside it.
        BesidePersonal "beside_personal",
        /// Columns named for this are beside it.
        BesideWordsFor "beside_words_for" { term: String },
        /// This word is in its table's name.
        InTable "in_table" { word: String },
        /// Its table is about this.
        InTableAbout "in_table_about" { term: String },
        /// A word for this is in its table's name.
        InTableNamedFor "in_table_named_for" { term: String },
        /// Its table's rows are these.
        InTableOf "in_table_of" { term: String },
        /// Its table refers to one of this name.
        RefersToNamed "refers_to_named" { word: String },
        /// Its table refers to a person.
        RefersToPerson "refers_to_person",
        /// Its table refers to one that is named for this.
        RefersTo "refers_to" { term: String },
        /// A fact is in its name.
        WithFact "with_fact",
        /// A person is in its name.
        WithPerson "with_person",
        /// A thing is in its name.
        WithThing "with_thing",
        /// A writing is in its name.
        WithWriting "with_writing",
    }
}

/// A share as whole percent.
pub fn percent(share: f32) -> u8 {
    (share * 100.0).round_ties_even() as u8
}

impl AsField for PiiKind {
    fn as_field(&self) -> Field<'_> {
        Field::Text(self.as_str())
    }
}

impl Serialize for PiiKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

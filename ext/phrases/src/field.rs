//! A phrase's fields, as values of a few types.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Field<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// Several values.
    List(Vec<Field<'a>>),
    /// Another phrase, or what has fields as well.
    Record(Record<'a>),
    /// What is data already.
    Data(&'a Map<String, Value>),
}

/// Fields by their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record<'a>(Vec<(&'static str, Field<'a>)>);

impl<'a> Record<'a> {
    /// The beginning of a phrase of this kind.
    #[must_use]
    pub fn of(kind: &'static str) -> Self {
        Self(vec![("kind", Field::Text(kind))])
    }

    /// It with one more field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &'a dyn AsField) -> Self {
        self.0.push((name, value.as_field()));
        self
    }
}

/// What can be the value of a field.
pub trait AsField {
    /// It as such a value.
    fn as_field(&self) -> Field<'_>;
}

impl AsField for String {
    fn as_field(&self) -> Field<'_> {
        Field::Text(self)
    }
}

impl AsField for &'static str {
    fn as_field(&self) -> Field<'_> {
        Field::Text(self)
    }
}

impl<T: AsField> AsField for Vec<T> {
    fn as_field(&self) -> Field<'_> {
        Field::List(self.iter().map(AsField::as_field).collect())
    }
}

impl<T: AsField> AsField for Box<T> {
    fn as_field(&self) -> Field<'_> {
        (**self).as_field()
    }
}

impl AsField for Map<String, Value> {
    fn as_field(&self) -> Field<'_> {
        Field::Data(self)
    }
}

macro_rules! numbers {
    ($($type:ty),+) => {
        $(
            impl AsField for $type {
                fn as_field(&self) -> Field<'_> {
                    Field::Number(*self as u64)
                }
            }
        )+
    };
}

numbers!(u8, u16, u32, u64, usize);

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("Phrase", self.0.len())?;
        for (name, value) in &self.0 {
            record.serialize_field(name, value)?;
        }
        record.end()
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::List(values) => serializer.collect_seq(values),
            Self::Record(record) => record.serialize(serializer),
            Self::Data(data) => data.serialize(serializer),
        }
    }
}

//! What a program says, as data: a kind and its fields. The reader puts it into words, in any language.
//!
//! [`phrases!`] writes an enum whose variants are such kinds, and lists them, so that a test of the words can see that no
//! kind lacks any.
//!
//! ```
//! phrases::phrases! {
//!     /// Why a shop is closed.
//!     #[derive(Debug, Clone, PartialEq)]
//!     pub enum Closed {
//!         /// It is a holiday.
//!         Holiday "holiday" { name: String },
//!         /// The shop is full.
//!         Full "full",
//!         /// It is closed for several reasons.
//!         Several "several" { why: Vec<Closed> },
//!     }
//! }
//!
//! let why = Closed::Several { why: vec![Closed::Full, Closed::Holiday { name: "May Day".into() }] };
//! assert_eq!(why.kind(), "several");
//! assert_eq!(serde_json::json!(why), serde_json::json!({
//!     "kind": "several",
//!     "why": [{ "kind": "full" }, { "kind": "holiday", "name": "May Day" }],
//! }));
//! assert_eq!(Closed::KINDS[1], phrases::Kind { kind: "full", fields: &[] });
//! ```

mod field;

pub use field::{AsField, Field, Record};

use serde::Serialize;
use std::any::Any;

/// A kind of phrase, as it is serialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// Its name, the value under `kind`.
    pub kind: &'static str,
    /// The names of its fields.
    pub fields: &'static [&'static str],
}

/// A phrase of any enum.
pub trait AsPhrase: Any + Send + Sync {
    /// The name of its kind.
    fn kind(&self) -> &'static str;

    /// Its kind, under `kind`, and its fields.
    fn record(&self) -> Record<'_>;
}

/// Writes an enum of phrases from one list: each variant with its documentation, the name of its kind, and its fields. The
/// enum gets `KINDS`, which lists them, `kind()`, [`AsPhrase`] and serde's `Serialize`.
///
/// It is serialised by way of its [`Record`], so that there is one serialiser for all enums and not one for each: these were
/// half a megabyte of a library.
#[macro_export]
macro_rules! phrases {
    (
        $(#[$about:meta])*
        $visible:vis enum $name:ident {
            $(
                $(#[$doc:meta])+
                $variant:ident $kind:literal $({ $($field:ident: $type:ty),+ $(,)? })?
            ),+ $(,)?
        }
    ) => {
        $(#[$about])*
        // A variant's documentation, which has to be there, speaks of its fields.
        #[allow(missing_docs)]
        $visible enum $name {
            $($(#[$doc])+ $variant $({ $($field: $type),+ })?,)+
        }

        impl $name {
            /// Every kind, with its fields.
            pub const KINDS: &'static [$crate::Kind] = &[
                $($crate::Kind { kind: $kind, fields: &[$($(stringify!($field)),+)?] },)+
            ];

            /// The name of this one's kind.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $kind,)+
                }
            }
        }

        impl $crate::AsPhrase for $name {
            fn kind(&self) -> &'static str {
                $name::kind(self)
            }

            fn record(&self) -> $crate::Record<'_> {
                let record = $crate::Record::of($name::kind(self));
                match self {
                    $(Self::$variant $({ $($field),+ })? => {
                        record$($(.with(stringify!($field), $field))+)?
                    })+
                }
            }
        }

        impl $crate::AsField for $name {
            fn as_field(&self) -> $crate::Field<'_> {
                $crate::Field::Record($crate::AsPhrase::record(self))
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::serde::Serialize::serialize(&$crate::AsPhrase::record(self), serializer)
            }
        }
    };
}

#[doc(hidden)]
pub use serde;

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
//!     }
//! }
//!
//! let why = Closed::Holiday { name: "May Day".into() };
//! assert_eq!(why.kind(), "holiday");
//! assert_eq!(serde_json::json!(why), serde_json::json!({ "kind": "holiday", "name": "May Day" }));
//! assert_eq!(Closed::KINDS[1], phrases::Kind { kind: "full", fields: &[] });
//! ```

use serde::Serialize;

/// A kind of phrase, as it is serialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// Its name, the value under `kind`.
    pub kind: &'static str,
    /// The names of its fields.
    pub fields: &'static [&'static str],
}

/// Writes an enum of phrases from one list: each variant with its documentation, the name of its kind, and its fields. The
/// enum gets `KINDS`, which lists them, `kind()`, and serde's `Serialize`.
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
        #[derive(serde::Serialize)]
        #[serde(tag = "kind")]
        // A variant's documentation, which has to be there, speaks of its fields.
        #[allow(missing_docs)]
        $visible enum $name {
            $($(#[$doc])+ #[serde(rename = $kind)] $variant $({ $($field: $type),+ })?,)+
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
    };
}

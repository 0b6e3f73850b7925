//! What a column can hold, as far as masking has to know, and the neutral value of each type.
//!
//! The plan resolves a column's type from the archive (domains to their base, enums to their labels); this
//! module knows what can be written into it.

/// A column's type, domains resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `text`, `character varying(n)`, `character(n)`, `citext`, `name`.
    Text {
        /// The most characters it holds; None: any number.
        limit: Option<usize>,
        /// `character(n)`: padded with blanks, which do not count.
        padded: bool,
        /// `citext`: its comparisons ignore case.
        ignores_case: bool,
    },
    /// `smallint`, `integer`, `bigint`: bytes, 2, 4 or 8.
    Integer(u8),
    /// `numeric(precision, scale)`: the digits before the decimal point, None for any number.
    Numeric {
        /// Digits before the decimal point.
        digits: Option<usize>,
    },
    /// `real`.
    Real,
    /// `double precision`.
    Double,
    /// `boolean`.
    Boolean,
    /// `date`.
    Date,
    /// `timestamp` without time zone.
    Timestamp,
    /// `timestamp with time zone`.
    TimestampTz,
    /// `time` without time zone.
    Time,
    /// `time with time zone`.
    TimeTz,
    /// `interval`.
    Interval,
    /// `uuid`.
    Uuid,
    /// `json`.
    Json,
    /// `jsonb`.
    Jsonb,
    /// An array of such elements.
    Array(Box<Type>),
    /// The extension's `hstore`.
    Hstore,
    /// `bytea`.
    Bytea,
    /// `inet`.
    Inet,
    /// `cidr`.
    Cidr,
    /// `macaddr`.
    MacAddr,
    /// `macaddr8`.
    MacAddr8,
    /// A range of anything, also a user's.
    Range,
    /// A multirange of anything.
    MultiRange,
    /// `bit(n)`.
    Bit(usize),
    /// `bit varying(n)`.
    VarBit,
    /// `xml`.
    Xml,
    /// `money`.
    Money,
    /// `tsvector`.
    TsVector,
    /// `point`.
    Point,
    /// `oid`.
    Oid,
    /// An enum, with its labels in order.
    Enum(Vec<String>),
    /// Anything else, by name.
    Other(String),
}

impl Type {
    /// A text type without a limit.
    pub const TEXT: Type = Type::Text {
        limit: None,
        padded: false,
        ignores_case: false,
    };

    /// The type's name, for messages.
    pub fn describe(&self) -> String {
        match self {
            Type::Text {
                limit: Some(limit),
                padded: true,
                ..
            } => format!("character({limit})"),
            Type::Text {
                limit: Some(limit), ..
            } => format!("character varying({limit})"),
            Type::Text {
                ignores_case: true, ..
            } => "citext".into(),
            Type::Text { .. } => "text".into(),
            Type::Integer(2) => "smallint".into(),
            Type::Integer(4) => "integer".into(),
            Type::Integer(_) => "bigint".into(),
            Type::Numeric { .. } => "numeric".into(),
            Type::Real => "real".into(),
            Type::Double => "double precision".into(),
            Type::TimestampTz => "timestamp with time zone".into(),
            Type::TimeTz => "time with time zone".into(),
            Type::Array(of) => format!("an array of {}", of.describe()),
            Type::Range => "a range".into(),
            Type::MultiRange => "a multirange".into(),
            Type::Bit(length) => format!("bit({length})"),
            Type::VarBit => "bit varying".into(),
            Type::Enum(_) => "an enum".into(),
            Type::Other(name) => name.clone(),
            other => format!("{other:?}").to_lowercase(),
        }
    }

    /// A type of PostgreSQL's own or of the two extensions known here, from its name without schema and the
    /// numbers in parentheses after it. None when it is not one of them.
    ///
    /// Names are those of `format_type` (PostgreSQL's documentation, "Data Types").
    pub fn from_name(name: &str, modifiers: &[usize]) -> Option<Type> {
        let first = modifiers.first().copied();
        let text = |limit| Type::Text {
            limit,
            padded: false,
            ignores_case: false,
        };
        Some(match name {
            "text" => Type::TEXT,
            "character varying" | "varchar" => text(first),
            "character" | "char" | "bpchar" => Type::Text {
                limit: first.or((name != "bpchar").then_some(1)),
                padded: true,
                ignores_case: false,
            },
            "citext" => Type::Text {
                limit: None,
                padded: false,
                ignores_case: true,
            },
            "name" => text(Some(63)),
            "smallint" | "int2" => Type::Integer(2),
            "integer" | "int" | "int4" => Type::Integer(4),
            "bigint" | "int8" => Type::Integer(8),
            "numeric" | "decimal" => Type::Numeric {
                digits: first
                    .map(|precision| precision.saturating_sub(modifiers.get(1).copied().unwrap_or(0))),
            },
            "real" | "float4" => Type::Real,
            "double precision" | "float8" => Type::Double,
            "boolean" | "bool" => Type::Boolean,
            "date" => Type::Date,
            "timestamp without time zone" | "timestamp" => Type::Timestamp,
            "timestamp with time zone" | "timestamptz" => Type::TimestampTz,
            "time without time zone" | "time" => Type::Time,
            "time with time zone" | "timetz" => Type::TimeTz,
            "uuid" => Type::Uuid,
            "json" => Type::Json,
            "jsonb" => Type::Jsonb,
            "hstore" => Type::Hstore,
            "bytea" => Type::Bytea,
            "inet" => Type::Inet,
            "cidr" => Type::Cidr,
            "macaddr" => Type::MacAddr,
            "macaddr8" => Type::MacAddr8,
            "int4range" | "int8range" | "numrange" | "tsrange" | "tstzrange" | "daterange" => Type::Range,
            "int4multirange" | "int8multirange" | "nummultirange" | "tsmultirange" | "tstzmultirange"
            | "datemultirange" => Type::MultiRange,
            "bit" => Type::Bit(first.unwrap_or(1)),
            "bit varying" | "varbit" => Type::VarBit,
            "xml" => Type::Xml,
            "money" => Type::Money,
            "tsvector" => Type::TsVector,
            "point" => Type::Point,
            "oid" => Type::Oid,
            _ if name == "interval" || name.starts_with("interval ") => Type::Interval,
            _ => return None,
        })
    }

    /// The value that says nothing: what a NOT NULL column gets where a mask would write NULL.
    ///
    /// None for a type that is not known well enough.
    pub fn neutral(&self) -> Option<Neutral> {
        let cast = |value: &str, sql: &str| {
            Some(Neutral {
                value: value.into(),
                test: Test::Equals(sql.into()),
            })
        };
        let text = |value: &str| {
            Some(Neutral {
                value: value.into(),
                test: Test::Text(value.into()),
            })
        };
        match self {
            // The bare text of character(n) is compared, and that is without its padding.
            Type::Text { .. } | Type::Hstore | Type::VarBit | Type::Xml | Type::TsVector => text(""),
            Type::Integer(_) | Type::Numeric { .. } | Type::Real | Type::Double | Type::Oid => cast("0", "0"),
            Type::Money => cast("0", "'0'::pg_catalog.money"),
            Type::Boolean => cast("f", "false"),
            Type::Date => cast("1970-01-01", "'1970-01-01'::pg_catalog.date"),
            Type::Timestamp => cast(
                "1970-01-01 00:00:00",
                "'1970-01-01 00:00:00'::pg_catalog.timestamp",
            ),
            Type::TimestampTz => cast(
                "1970-01-01 00:00:00+00",
                "'1970-01-01 00:00:00+00'::pg_catalog.timestamptz",
            ),
            Type::Time => cast("00:00:00", "'00:00:00'::pg_catalog.time"),
            Type::TimeTz => cast("00:00:00+00", "'00:00:00+00'::pg_catalog.timetz"),
            Type::Interval => cast("00:00:00", "'00:00:00'::pg_catalog.interval"),
            Type::Uuid => text("00000000-0000-0000-0000-000000000000"),
            Type::Json | Type::Jsonb | Type::Array(_) => text("{}"),
            Type::Bytea => cast("", "''::pg_catalog.bytea"),
            Type::Inet => cast("0.0.0.0", "'0.0.0.0'::pg_catalog.inet"),
            Type::Cidr => cast("0.0.0.0/32", "'0.0.0.0/32'::pg_catalog.cidr"),
            Type::MacAddr => text("00:00:00:00:00:00"),
            Type::MacAddr8 => text("00:00:00:00:00:00:00:00"),
            Type::Range => text("empty"),
            Type::MultiRange => text("{}"),
            Type::Bit(length) => text(&"0".repeat(*length)),
            Type::Point => text("(0,0)"),
            Type::Enum(labels) => labels.first().and_then(|label| text(label)),
            Type::Other(_) => None,
        }
    }
}

/// A neutral value and how SQL recognises it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neutral {
    /// As COPY takes it, not yet escaped.
    pub value: String,
    /// How SQL recognises it.
    pub test: Test,
}

/// How SQL recognises one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// The column, cast to text, equals this text.
    Text(String),
    /// The column equals this SQL expression.
    Equals(String),
}

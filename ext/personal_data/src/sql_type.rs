//! What a column's type allows its values to be. A boolean is no telephone number, even if it is called one.

use super::PiiKind;

/// Classes of SQL types, as far as personal data distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TypeClass {
    /// Text of any length; also what is not known: domains, enums, extensions' types.
    Text,
    Json,
    Xml,
    Hstore,
    /// An array of text or of what is not known.
    TextArray,
    Bytea,
    Integer,
    /// Numbers with a fraction, and arrays of numbers.
    Decimal,
    Boolean,
    Date,
    Timestamp,
    Uuid,
    Inet,
    Mac,
    /// Points and PostGIS' types.
    Geo,
    /// Times of day, intervals, ranges, text search, bits: nothing personal by itself.
    Other,
}

impl TypeClass {
    /// The class of a type as pg_dump writes it (`character varying(255)`, `public.citext`, `text[]`).
    pub(crate) fn of(sql_type: &str) -> TypeClass {
        let lower = sql_type.trim().to_ascii_lowercase();
        let array = lower.ends_with(']') || lower.ends_with(" array");
        let base = lower.split(['(', '[']).next().unwrap_or_default().trim();
        let base = base.rsplit('.').next().unwrap_or(base).trim_matches('"');
        let class = match base {
            "json" | "jsonb" => TypeClass::Json,
            "xml" => TypeClass::Xml,
            "hstore" => TypeClass::Hstore,
            "bytea" => TypeClass::Bytea,
            "smallint" | "integer" | "bigint" | "int" | "int2" | "int4" | "int8" | "serial" | "bigserial" => {
                TypeClass::Integer
            }
            "numeric" | "decimal" | "real" | "double precision" | "double" | "float" | "float4"
            | "float8" | "money" => TypeClass::Decimal,
            "boolean" | "bool" => TypeClass::Boolean,
            "date" => TypeClass::Date,
            "uuid" => TypeClass::Uuid,
            "inet" | "cidr" => TypeClass::Inet,
            "macaddr" | "macaddr8" => TypeClass::Mac,
            "point" | "geometry" | "geography" => TypeClass::Geo,
            _ if base.starts_with("timestamp") => TypeClass::Timestamp,
            _ if base.starts_with("time") || base.starts_with("interval") || base.starts_with("bit") => {
                TypeClass::Other
            }
            "tsvector" | "tsquery" | "oid" | "xid" | "pg_lsn" | "ltree" | "vector" | "line" | "lseg"
            | "box" | "path" | "polygon" | "circle" => TypeClass::Other,
            _ if base.ends_with("range") => TypeClass::Other,
            _ => TypeClass::Text,
        };
        match (class, array) {
            (TypeClass::Text, true) => TypeClass::TextArray,
            (TypeClass::Integer | TypeClass::Decimal, true) => TypeClass::Decimal,
            _ => class,
        }
    }

    /// Whether values are looked at as text.
    pub(crate) fn is_text(self) -> bool {
        use TypeClass::*;
        matches!(self, Text | Json | Xml | Hstore | TextArray)
    }

    /// Whether a column of this class can hold a kind.
    pub(crate) fn can_hold(self, kind: PiiKind) -> bool {
        use PiiKind::*;
        match self {
            TypeClass::Text | TypeClass::Json | TypeClass::Xml | TypeClass::Hstore | TypeClass::TextArray => {
                true
            }
            TypeClass::Bytea => !matches!(kind, BirthDate | Age | Geolocation | PostalCode | City),
            TypeClass::Boolean => matches!(kind, Health | SensitiveTrait),
            TypeClass::Date | TypeClass::Timestamp => kind == BirthDate,
            TypeClass::Uuid => matches!(kind, Token | DeviceId | ExternalId | Secret | ApiKey),
            TypeClass::Inet => kind == IpAddress,
            TypeClass::Mac => kind == MacAddress,
            TypeClass::Geo => kind == Geolocation,
            TypeClass::Decimal => matches!(
                kind,
                Income | Geolocation | Health | Education | Biometric | Phone | Age
            ),
            TypeClass::Integer => matches!(
                kind,
                Phone
                    | Card
                    | CardPart
                    | Income
                    | Age
                    | Education
                    | Health
                    | NationalId
                    | Nir
                    | Ssn
                    | TaxId
                    | Siren
                    | Siret
                    | BankAccount
                    | PostalCode
                    | ExternalId
                    | Secret
                    | MaritalStatus
                    | IpAddress
                    | Gender
                    | HealthInsurance
                    | DeviceId
                    | BirthDate
                    | SensitiveTrait
            ),
            TypeClass::Other => false,
        }
    }
}

/// The length that a type bounds its text to: 255 of `character varying(255)`.
pub(crate) fn bound(sql_type: &str) -> Option<u32> {
    let (_, rest) = sql_type.split_once('(')?;
    rest.split(')').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_reported_as_pg_dump_writes_them() {
        for (sql_type, class) in [
            ("character varying(255)", TypeClass::Text),
            ("public.citext", TypeClass::Text),
            ("public.mood", TypeClass::Text),
            ("text[]", TypeClass::TextArray),
            ("double precision[]", TypeClass::Decimal),
            ("timestamp(6) without time zone", TypeClass::Timestamp),
            ("public.geometry(Point,4326)", TypeClass::Geo),
            ("time without time zone", TypeClass::Other),
            ("tstzrange", TypeClass::Other),
            ("bigint", TypeClass::Integer),
        ] {
            assert_eq!(TypeClass::of(sql_type), class, "{sql_type}");
        }
        assert_eq!(bound("character varying(255)"), Some(255));
    }
}

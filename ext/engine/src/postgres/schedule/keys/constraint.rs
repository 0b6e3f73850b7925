//! How pg_dump writes a constraint that is added behind the rows.

use crate::plan::sql::Cursor;
use crate::plan::TableName;

/// Reads `ALTER TABLE [ONLY] schema.table ADD CONSTRAINT name`: the table and the name, unquoted. None where it says
/// something else, and in archives so old that they do not name the schema.
pub(in crate::postgres) fn added(cursor: &mut Cursor<'_, '_>) -> Option<(TableName, String)> {
    if !cursor.accept("ALTER TABLE") {
        return None;
    }
    let _ = cursor.accept("ONLY");
    let table = cursor.qualified("").filter(|table| !table.schema.is_empty())?;
    if !cursor.accept("ADD CONSTRAINT") {
        return None;
    }
    Some((table, cursor.identifier()?))
}

//! Rows of `keep_tables` over the reset: put aside in the gem's own schema, which the reset leaves alone, and written back
//! into the table as the backup defines it. In the reset's transaction; where that is done in steps, what was put aside
//! outlives a failure, and the next run begins with it.

use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, KeptDifference, OptionFault, OptionRemedy, TargetFailure};
use crate::plan::keep::{ColumnThere, Keep, KeptTable, KindThere};
use crate::plan::{quote_identifier, quote_literal, Plan};
use crate::postgres::session::connect::Session;
use crate::postgres::session::get;

/// Rows that were put aside.
pub(super) struct Aside<'p> {
    table: &'p KeptTable,
    /// Where they are.
    place: String,
    /// Which columns.
    columns: Vec<String>,
}

fn doing(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithRows(&Attempt::KeepingRows), &error)
}

/// What keeps tables from staying as they are, and those that are not there.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn look(session: &Session, keep: &Keep) -> Result<(Vec<Error>, Vec<String>)> {
    let (mut differing, mut absent) = (Vec::new(), Vec::new());
    for table in &keep.tables {
        if is_aside(session, &place(table)).await? {
            continue;
        }
        match differences(session, table).await? {
            None => absent.push(table.table.to_string()),
            Some(differences) if differences.is_empty() => {}
            Some(differences) => differing.push(another(table, differences)),
        }
    }
    Ok((differing, absent))
}

/// Why a table's rows cannot stay as they are; None where the target has nothing of its name.
async fn differences(session: &Session, table: &KeptTable) -> Result<Option<Vec<KeptDifference>>> {
    let Some(kind) = kind_there(session, table).await? else {
        return Ok(None);
    };
    let here = columns_there(session, table).await?;
    Ok(Some(match kind.difference() {
        Some(difference) => vec![difference],
        None => table.differences(&here),
    }))
}

/// What comes before a list of what the server has against a configuration.
pub(crate) fn refused_in(count: usize) -> TargetFailure {
    TargetFailure::ConfigurationRefused { count }
}

/// What is said of a table that cannot stay.
fn another(table: &KeptTable, differences: Vec<KeptDifference>) -> Error {
    let what = OptionFault::KeepsAnother {
        table: table.table.to_string(),
        differences,
    };
    Error::new(Kind::Plan, what, OptionRemedy::MigrateTarget)
}

/// Puts rows aside, and the values of their sequences.
pub(super) async fn put_aside<'p>(session: &Session, plan: &'p Plan) -> Result<Vec<Aside<'p>>> {
    let mut asides = Vec::new();
    for table in &plan.keep.tables {
        let place = place(table);
        let written = table.columns.iter().filter(|column| !column.generated);
        let columns: Vec<String> = if is_aside(session, &place).await? {
            columns_of(session, &place).await?
        } else {
            // Looked at once more, right before its rows go.
            let differences = differences(session, table).await?.unwrap_or_default();
            if !differences.is_empty() {
                return Err(another(table, differences));
            }
            let there = columns_there(session, table).await?;
            let kept = written.filter(|column| there.iter().any(|here| here.name == column.name));
            kept.map(|column| column.name.clone()).collect()
        };
        if columns.is_empty() {
            continue;
        }
        if !is_aside(session, &place).await? {
            // As texts they depend on no type that the reset drops.
            let texts: Vec<String> = columns
                .iter()
                .map(|name| format!("{0}::text AS {0}", quote_identifier(name)))
                .collect();
            let sql = format!(
                "CREATE TABLE {place} AS SELECT {} FROM ONLY {}",
                texts.join(", "),
                table.table.sql()
            );
            session.batch_execute(&sql).await.map_err(doing)?;
            note_sequences(session, table, &columns, &place).await?;
        }
        asides.push(Aside {
            table,
            place,
            columns,
        });
    }
    Ok(asides)
}

/// Writes them back.
pub(super) async fn bring_back(session: &Session, asides: &[Aside<'_>]) -> Result<()> {
    for Aside {
        table,
        place,
        columns,
    } in asides
    {
        let names: Vec<String> = columns.iter().map(|name| quote_identifier(name)).collect();
        let types = columns_there(session, table).await?;
        let values: Vec<String> = columns
            .iter()
            .map(|name| {
                let kind = types.iter().find(|column| column.name == *name);
                let kind = kind.map_or("text", |column| column.kind.as_str());
                format!("{}::{kind}", quote_identifier(name))
            })
            .collect();
        let sql = format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {place}",
            table.table.sql(),
            names.join(", "),
            values.join(", ")
        );
        session.batch_execute(&sql).await.map_err(doing)?;
        let sql = "SELECT pg_catalog.obj_description(pg_catalog.to_regclass($1)) AS sequences";
        let row = session.query_one(sql, &[place]).await.map_err(doing)?;
        let sequences: Option<String> = get(&row, "sequences")?;
        let sets: Vec<&str> = sequences.iter().flat_map(|text| text.lines()).collect();
        session
            .batch_execute(&format!("{}; DROP TABLE {place}", sets.join("; ")))
            .await
            .map_err(doing)?;
    }
    Ok(())
}

/// Where a table's rows are put aside.
fn place(table: &KeptTable) -> String {
    use std::hash::{Hash, Hasher};
    // It has to be the same in the next run of the same gem only.
    let mut hasher = std::hash::DefaultHasher::new();
    table.table.to_string().hash(&mut hasher);
    format!("scalingo_staging_sync.kept_{:016x}", hasher.finish())
}

async fn is_aside(session: &Session, place: &str) -> Result<bool> {
    let sql = "SELECT pg_catalog.to_regclass($1) IS NOT NULL AS aside";
    let row = session.query_one(sql, &[&place]).await.map_err(doing)?;
    get(&row, "aside")
}

/// What the target has under a table's name.
async fn kind_there(session: &Session, table: &KeptTable) -> Result<Option<KindThere>> {
    let sql = "SELECT relkind::text AS kind, relispartition AS partition, \
                 (SELECT inhparent::pg_catalog.regclass::text FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid \
                  ORDER BY inhseqno LIMIT 1) AS parent, \
                 EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = c.oid) AS has_children \
               FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)";
    let row = session
        .query_opt(sql, &[&table.table.sql()])
        .await
        .map_err(doing)?;
    let kind = row.map(|row| {
        Ok(KindThere {
            kind: get(&row, "kind")?,
            is_partition: get(&row, "partition")?,
            parent: get(&row, "parent")?,
            has_children: get(&row, "has_children")?,
        })
    });
    kind.transpose()
}

async fn columns_there(session: &Session, table: &KeptTable) -> Result<Vec<ColumnThere>> {
    let sql = "SELECT attname::text AS name, pg_catalog.format_type(atttypid, atttypmod) AS kind, attnotnull AS not_null \
               FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped \
               ORDER BY attnum";
    let rows = session.query(sql, &[&table.table.sql()]).await.map_err(doing)?;
    let columns = rows.iter().map(|row| {
        Ok(ColumnThere {
            name: get(row, "name")?,
            kind: get(row, "kind")?,
            not_null: get(row, "not_null")?,
        })
    });
    columns.collect()
}

async fn columns_of(session: &Session, place: &str) -> Result<Vec<String>> {
    let sql = "SELECT attname::text AS name FROM pg_catalog.pg_attribute \
               WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
    let rows = session.query(sql, &[&place]).await.map_err(doing)?;
    rows.iter().map(|row| get(row, "name")).collect()
}

/// Notes with what was put aside how far its sequences are: one statement a line.
async fn note_sequences(session: &Session, table: &KeptTable, columns: &[String], place: &str) -> Result<()> {
    let mut notes = Vec::new();
    for column in columns {
        let sql = "SELECT pg_catalog.pg_get_serial_sequence($1, $2) AS sequence";
        let row = session
            .query_one(sql, &[&table.table.sql(), column])
            .await
            .map_err(doing)?;
        let Some(sequence): Option<String> = get(&row, "sequence")? else {
            continue;
        };
        let sql = format!("SELECT last_value, is_called FROM {sequence}");
        let row = session.query_one(&sql, &[]).await.map_err(doing)?;
        let (last, called): (i64, bool) = (get(&row, "last_value")?, get(&row, "is_called")?);
        notes.push(format!(
            "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence({}, {}), {last}, {called})",
            quote_literal(&table.table.sql()),
            quote_literal(column)
        ));
    }
    let sql = format!("COMMENT ON TABLE {place} IS {}", quote_literal(&notes.join("\n")));
    session.batch_execute(&sql).await.map_err(doing)
}

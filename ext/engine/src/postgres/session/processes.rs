//! Processes of the server that are in the way, as a message names them: without the text of their queries, which can hold
//! data.

use crate::failure::{ProcessFact, ServerProcess};
use tokio_postgres::{Error, Row};

/// A fact of a value.
type Fact = fn(String) -> ProcessFact;

/// Whom a process works for, what its program calls itself, and since when, as columns of a row in which each is an array
/// with an element for each of `pids`.
const FACTS: [(&str, Fact); 4] = [
    ("roles", |role| ProcessFact::Role { role }),
    ("programs", |program| ProcessFact::Program { program }),
    ("connected", |time| ProcessFact::Since { time }),
    ("busy", |time| ProcessFact::BusySince { time }),
];

/// The processes of a row: `pids`, and beside it any of `roles`, `programs`, `connected` and `busy`, which are arrays of
/// texts. None where an array is NULL, as an aggregate over no row is.
///
/// # Errors
/// A column is of another type.
pub(in crate::postgres) fn processes(row: &Row) -> Result<Vec<ServerProcess>, Error> {
    let pids: Option<Vec<i32>> = row.try_get("pids")?;
    let pids = pids.unwrap_or_default();
    let mut facts: Vec<Vec<ProcessFact>> = vec![Vec::new(); pids.len()];
    for (column, fact) in FACTS {
        if row.columns().iter().all(|known| known.name() != column) {
            continue;
        }
        let values: Option<Vec<Option<String>>> = row.try_get(column)?;
        for (facts, value) in facts.iter_mut().zip(values.unwrap_or_default()) {
            facts.extend(value.filter(|value| !value.is_empty()).map(fact));
        }
    }
    let processes = pids.into_iter().zip(facts);
    Ok(processes
        .map(|(pid, facts)| named(pid.unsigned_abs(), facts))
        .collect())
}

fn named(pid: u32, facts: Vec<ProcessFact>) -> ServerProcess {
    match facts.is_empty() {
        true => ServerProcess::Numbered { pid },
        false => ServerProcess::Known { pid, facts },
    }
}

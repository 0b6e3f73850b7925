//! Whether the steps can all run: none waits for itself, by way of others or not. Known before anything is touched.

use super::{Step, TaskId};
use crate::error::{Error, Kind};
use crate::failure::{Contradiction, PlanFailure, PlanRemedy};
use std::collections::{HashMap, HashSet};

/// Goes through the steps as the load does, those that come last after all others.
///
/// # Errors
/// [`Kind::Archive`], naming a step that waits for what waits for it.
pub(super) fn check(steps: &[Step]) -> Result<(), Error> {
    let mut undone: HashMap<TaskId, usize> = HashMap::new();
    for step in steps {
        *undone.entry(step.id).or_default() += 1;
    }
    for comes_last in [false, true] {
        let now = steps.iter().filter(|step| step.last == comes_last);
        if let Some(stuck) = first_stuck(now.collect(), &mut undone) {
            let what = PlanFailure::Contradicts {
                object: format!("{} {}", stuck.kind, stuck.name.escape_debug()),
                contradiction: Contradiction::WaitsForItself,
            };
            return Err(Error::new(Kind::Archive, what, PlanRemedy::NewBackup));
        }
    }
    Ok(())
}

/// Does the steps, and gives the first that never could be.
fn first_stuck<'s>(steps: Vec<&'s Step>, undone: &mut HashMap<TaskId, usize>) -> Option<&'s Step> {
    let mut waiting: Vec<usize> = Vec::with_capacity(steps.len());
    let mut waiters: HashMap<TaskId, Vec<usize>> = HashMap::new();
    let mut ready = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let awaited: HashSet<TaskId> = step.waits_for.iter().copied().collect();
        let awaited = awaited.into_iter();
        let awaited = awaited.filter(|id| *id != step.id && undone.contains_key(id));
        let mut count = 0;
        for id in awaited {
            waiters.entry(id).or_default().push(at);
            count += 1;
        }
        waiting.push(count);
        if count == 0 {
            ready.push(at);
        }
    }
    while let Some(at) = ready.pop() {
        let id = steps[at].id;
        let left = undone.get_mut(&id)?;
        *left -= 1;
        if *left > 0 {
            continue;
        }
        undone.remove(&id);
        for waiter in waiters.remove(&id).unwrap_or_default() {
            waiting[waiter] -= 1;
            if waiting[waiter] == 0 {
                ready.push(waiter);
            }
        }
    }
    waiting.iter().position(|count| *count > 0).map(|at| steps[at])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pg_dump_archive::{DumpId, EntryKind};

    fn step(id: i32, waits_for: &[i32]) -> Step {
        let ids = waits_for.iter().map(|id| TaskId::Entry(DumpId(*id)));
        Step {
            id: TaskId::Entry(DumpId(id)),
            name: format!("step {id}"),
            waits_for: ids.collect(),
            ..Step::bare(EntryKind::Index, "SELECT 1")
        }
    }

    #[test]
    fn steps_that_wait_in_one_direction_pass_in_any_order_of_the_archive() {
        check(&[step(3, &[2]), step(1, &[]), step(2, &[1, 99])]).unwrap();
    }

    #[test]
    fn steps_in_a_ring_are_named() {
        let error = check(&[step(1, &[]), step(2, &[4]), step(3, &[2]), step(4, &[3])]).unwrap_err();
        assert_eq!(error.kind, Kind::Archive);
        assert!(
            error.what.contains("INDEX step 2") && error.what.contains("waits_for_itself"),
            "{error}"
        );
    }

    #[test]
    fn a_step_that_waits_for_one_that_comes_last_never_runs() {
        let last = Step {
            last: true,
            ..step(1, &[])
        };
        assert!(check(&[last.clone(), step(2, &[1])]).is_err());
        check(&[
            last,
            Step {
                last: true,
                ..step(2, &[1])
            },
        ])
        .unwrap();
    }

    #[test]
    fn a_step_that_waits_for_itself_alone_runs() {
        check(&[step(1, &[1])]).unwrap();
    }
}

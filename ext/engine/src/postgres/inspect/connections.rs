//! How many connections a run needs, and how many the target's role may have as its catalogue has it.

use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, SessionFailure, SessionRemedy};
use crate::notice::Notice;
use crate::plan::Plan;
use crate::postgres::session::connect::Session;
use crate::postgres::session::get;
use crate::settings::TargetSettings;

/// How many sessions a load works with beside the one that holds the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) struct Wanted {
    /// As many at once as there may be.
    pub(in crate::postgres) parallel: usize,
    /// Those that have work of their own for as long as rows come: rules in SQL, the choice of a part.
    pub(in crate::postgres) own: usize,
}

impl Wanted {
    /// For a plan.
    pub(in crate::postgres) fn of(plan: &Plan, parallel: usize) -> Self {
        let lasting = plan.sql_rules.groups.iter().filter(|group| group.lasting);
        Self {
            parallel: parallel.max(1),
            own: lasting.count() + usize::from(plan.part.is_some()),
        }
    }

    /// All of them.
    pub(in crate::postgres) fn all(self) -> usize {
        self.parallel + self.own
    }

    /// The fewest that will do.
    pub(in crate::postgres) fn least(self) -> usize {
        1 + self.own
    }

    /// How many work at once when so few are available.
    pub(in crate::postgres) fn parallel_of(self, opened: usize) -> usize {
        opened.saturating_sub(self.own).clamp(1, self.parallel)
    }
}

/// The warning when fewer are available.
pub(in crate::postgres) fn fewer(parallel: usize) -> Notice {
    Notice::FewerConnections { parallel }
}

/// What stands in the way of a run.
#[derive(Debug)]
pub(in crate::postgres) enum Shortage {
    /// It goes on with fewer.
    Slower(Notice),
    /// It cannot begin.
    TooFew(Error),
}

/// Whether the role may open as many as a run needs: its own limit and the database's, less the sessions that others have of
/// them and that a run does not end. None for a superuser, whom no limit binds.
///
/// # Errors
/// When the server refuses to say.
pub(in crate::postgres) async fn shortage(
    session: &Session,
    settings: &TargetSettings,
    plan: &Plan,
) -> Result<Option<Shortage>> {
    let sql = "SELECT least( \
                 CASE WHEN r.rolconnlimit >= 0 THEN r.rolconnlimit - (SELECT count(*) FROM pg_stat_activity a \
                   WHERE a.usename = r.rolname AND NOT (a.datname = d.datname AND ($1 OR a.pid = pg_backend_pid()))) END, \
                 CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit - (SELECT count(*) FROM pg_stat_activity a \
                   WHERE a.datname = d.datname AND a.backend_type = 'client backend' \
                     AND NOT (a.usename = r.rolname AND ($1 OR a.pid = pg_backend_pid()))) END) AS free, r.rolsuper AS super \
               FROM pg_roles r, pg_database d WHERE r.rolname = session_user AND d.datname = current_database()";
    let row = session.query_one(sql, &[&settings.terminate_connections]).await;
    let row =
        row.map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::AskingForConnections), &error))?;
    let (free, is_superuser): (Option<i64>, bool) = (get(&row, "free")?, get(&row, "super")?);
    let Some(free) = free.filter(|_| !is_superuser) else {
        return Ok(None);
    };
    // One holds the target.
    let free = usize::try_from(free).unwrap_or(0);
    let beside = free.saturating_sub(1);
    let wanted = Wanted::of(plan, settings.parallel_connections);
    Ok(if beside < wanted.least() {
        Some(Shortage::TooFew(Error::new(
            Kind::TargetConnection,
            SessionFailure::TooFewConnections {
                count: free,
                needed: 1 + wanted.least(),
            },
            SessionRemedy::RaiseLimit,
        )))
    } else if beside < wanted.all() {
        Some(Shortage::Slower(fewer(wanted.parallel_of(beside))))
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_with_work_of_their_own_are_not_shared() {
        let wanted = Wanted { parallel: 3, own: 2 };
        assert_eq!((wanted.all(), wanted.least()), (5, 3));
        assert_eq!([3, 4, 5].map(|opened| wanted.parallel_of(opened)), [1, 2, 3]);
    }
}

//! Why a row comes, or does not: every reason is held against the definition.

use super::part_support::Row;
use super::random::{narrowed, random};
use super::*;
use staging_sync_engine::part::{every_reason, Reason, What};
use std::collections::BTreeSet;

/// So many reasons are given of a row.
const MOST: usize = 12;

/// What the definition knows of a world.
struct Truth<'a> {
    world: &'a World,
    /// The rows that each table's own rule keeps.
    own: BTreeSet<Row>,
    /// What is left after the first step.
    down: BTreeSet<Row>,
    last: BTreeSet<Row>,
}

impl<'a> Truth<'a> {
    fn of(world: &'a World, kept: &Kept) -> Self {
        let rows = kept.rows.iter();
        Self {
            world,
            own: (0..world.tables.len()).flat_map(|at| world.own(at)).collect(),
            down: world.downwards(&world.counterparts()),
            last: rows
                .flat_map(|((at, block), rows)| rows.iter().map(|row| (*at, *block, *row)))
                .collect(),
        }
    }

    /// Whether what is said of a row without another is true, and is the reason.
    fn holds(&self, row: Row, what: What) -> bool {
        let rule = &self.world.tables[row.0].rule;
        let (comes, went_down) = (self.last.contains(&row), !self.down.contains(&row));
        let is_whole = *rule == PartRule::All;
        match what {
            What::Whole => comes && is_whole,
            What::Kept => comes && !went_down && matches!(rule, PartRule::Own { .. }),
            What::Follows => comes && !went_down && *rule == PartRule::Follows,
            What::Needed => comes && went_down && !is_whole,
            What::Referred => comes && !went_down && *rule == PartRule::Referenced,
            What::NotKept => !comes && !self.own.contains(&row),
            What::Missing | What::Unchosen | What::BroughtBack => {
                !comes && went_down && self.own.contains(&row)
            }
            What::Unreferred => !comes && !went_down && *rule == PartRule::Referenced,
            What::Unknown | What::WithoutRows | What::Stays => false,
        }
    }

    /// The rows that a reason of a row can lead to.
    fn led_to(&self, row: Row, reason: &Reason) -> BTreeSet<Row> {
        let counterparts = self.world.counterparts();
        let named = |link: usize| reason.reference == Some(self.world.name_of(link));
        let is_binding = |link: usize| !self.world.links[link].nullify;
        let of_reason = counterparts.iter().filter(|(link, ..)| named(*link));
        let led_to = of_reason.filter_map(|(link, from, to)| match reason.what {
            What::Missing | What::Unchosen if *from == row => {
                let is_excluded = self.world.tables[to.0].is_excluded;
                let is_gone = !self.last.contains(to) && !self.down.contains(to);
                let is_it = is_excluded == (reason.what == What::Unchosen);
                (is_it && is_gone && is_binding(*link)).then_some(*to)
            }
            What::BroughtBack if *from == row => {
                (is_binding(*link) && self.last.contains(to) && !self.down.contains(to)).then_some(*to)
            }
            What::Needed if *to == row => (is_binding(*link) && self.last.contains(from)).then_some(*from),
            What::Referred if *to == row => self.last.contains(from).then_some(*from),
            _ => None,
        });
        led_to.collect()
    }

    /// Holds all that is said of a row against the definition.
    fn assert(&self, row: Row, reasons: &[Reason]) {
        let mut rows = BTreeSet::from([row]);
        for (at, reason) in reasons.iter().enumerate() {
            rows.retain(|row| {
                let name = format!("{}.{}", self.world.schema, self.world.tables[row.0].name);
                name == reason.table && self.holds(*row, reason.what)
            });
            assert!(!rows.is_empty(), "{row:?} {at} {reasons:#?}\n{:#?}", self.world);
            let leads = matches!(
                reason.what,
                What::Missing | What::Unchosen | What::BroughtBack | What::Needed | What::Referred
            );
            let is_last = at + 1 == reasons.len();
            assert_eq!(leads, !is_last || reasons.len() == MOST && leads, "{reasons:#?}");
            if leads {
                rows = rows.iter().flat_map(|row| self.led_to(*row, reason)).collect();
                assert!(!rows.is_empty(), "{row:?} {at} {reasons:#?}\n{:#?}", self.world);
            }
        }
        assert!(!reasons.is_empty());
    }
}

/// The reasons of all rows, each of which has to be true.
async fn all_reasons(world: &World, database: &Database, target: &Target) -> Vec<(Row, Vec<Reason>)> {
    create(world, database).await;
    let truth = Truth::of(world, &world.by_definition());
    let part = world.part();
    let found = every_reason(target, &part, world.looked(&Default::default()));
    let found = found.await.unwrap_or_else(|error| panic!("{error}\n{world:#?}"));
    let mut all = Vec::new();
    for (at, table) in world.tables.iter().enumerate() {
        for block in 0..table.blocks.len() {
            let of_block = found.iter().filter(|((of, _), _)| *of == load(at, block));
            for ((_, row), reasons) in of_block {
                let row = (at, block, *row as usize);
                truth.assert(row, reasons);
                all.push((row, reasons.clone()));
            }
        }
    }
    all
}

async fn all_reasons_alone(world: &World) -> Vec<(Row, Vec<Reason>)> {
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    let all = all_reasons(world, &database, &target).await;
    target.close().await.unwrap();
    all
}

/// What is said of a row, and the table and the values that each leads by.
fn said(all: &[(Row, Vec<Reason>)], row: Row) -> Vec<(What, &str)> {
    let (_, reasons) = all.iter().find(|(of, _)| *of == row).unwrap();
    let of = reasons
        .iter()
        .map(|one| (one.what, one.key.as_deref().unwrap_or("")));
    of.collect()
}

/// An organisation by its id, people who follow theirs, and notes that all come.
fn orgs() -> World {
    World::new("w")
        .table("orgs", "id bigint", &["id"], &["1", "2", "3"])
        .cap(1, &["id"], false)
        .table(
            "people",
            "id bigint, org_id bigint",
            &["id"],
            &["1\t1", "2\t3", "3\t2"],
        )
        .table("notes", "id bigint, org_id bigint", &["id"], &["1\t2", "2\t1"])
        .rule(PartRule::All)
        .link("people.org_id", "orgs.id")
        .link("notes.org_id", "orgs.id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_counterpart_came_back_for_others_is_said_to_be_brought_by_none() {
    let all = all_reasons_alone(&orgs()).await;
    let brought_back = [(What::BroughtBack, "2"), (What::Needed, "2"), (What::Whole, "")];
    assert_eq!(said(&all, (1, 0, 2)), brought_back);
    assert_eq!(said(&all, (1, 0, 1)), [(What::Missing, "3"), (What::NotKept, "")]);
    assert_eq!(said(&all, (1, 0, 0)), [(What::Follows, "")]);
    assert_eq!(said(&all, (0, 0, 1)), [(What::Needed, "2"), (What::Whole, "")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_circle_of_rows_is_its_own_reason() {
    // Rows 1 and 2 refer to one another; 1 refers to a team that goes.
    let gone = World::new("w")
        .table("teams", "id bigint, v integer", &["id"], &["1\t9"])
        .less("v", 5)
        .table(
            "nodes",
            "id bigint, next bigint, team bigint",
            &["id"],
            &["1\t2\t1", "2\t1\t\\N", "3\t\\N\t\\N"],
        )
        .link("nodes.next", "nodes.id")
        .link("nodes.team", "teams.id");
    let all = all_reasons_alone(&gone).await;
    let by_team = [(What::Missing, "1"), (What::NotKept, "")];
    assert_eq!(said(&all, (1, 0, 0)), by_team);
    assert_eq!(
        said(&all, (1, 0, 1)),
        [&[(What::Missing, "1")], &by_team[..]].concat()
    );
    // The same, needed by a row that comes in any case.
    let needed = World::new("w")
        .table(
            "nodes",
            "id bigint, next bigint",
            &["id"],
            &["1\t2", "2\t1", "3\t\\N"],
        )
        .cap(0, &["id"], false)
        .table("picks", "node bigint", &[], &["2"])
        .rule(PartRule::All)
        .link("nodes.next", "nodes.id")
        .link("picks.node", "nodes.id");
    let all = all_reasons_alone(&needed).await;
    let for_pick = [(What::Needed, "2"), (What::Whole, "")];
    assert_eq!(said(&all, (0, 0, 1)), for_pick);
    assert_eq!(
        said(&all, (0, 0, 0)),
        [&[(What::Needed, "1")], &for_pick[..]].concat()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rows_that_wait_to_be_referred_to_each_is_said_to_miss_a_referrer_and_no_other_row() {
    let world = World::new("w")
        .table("towns", "id bigint", &["id"], &["1", "2"])
        .rule(PartRule::Referenced)
        .table("people", "id bigint, town_id bigint", &["id"], &["1\t1", "2\t2"])
        .rule(PartRule::Referenced)
        .table("visits", "person_id bigint", &[], &["2"])
        .link("people.town_id", "towns.id")
        .link("visits.person_id", "people.id");
    let all = all_reasons_alone(&world).await;
    assert_eq!(said(&all, (1, 0, 0)), [(What::Unreferred, "")]);
    assert_eq!(said(&all, (0, 0, 0)), [(What::Unreferred, "")]);
    let by_visit = [(What::Referred, "2"), (What::Follows, "")];
    assert_eq!(said(&all, (1, 0, 1)), by_visit);
    assert_eq!(
        said(&all, (0, 0, 1)),
        [&[(What::Referred, "2")], &by_visit[..]].concat()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_in_a_hundred_random_schemas_is_true_and_there_is_each() {
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    let mut given = Vec::new();
    for world in (0..50).map(random).chain((0..50).map(narrowed)) {
        let all = all_reasons(&world, &database, &target).await;
        let reasons = all.iter().flat_map(|(_, reasons)| reasons);
        given.extend(reasons.map(|reason| reason.what));
        let drop = format!("DROP SCHEMA {} CASCADE", world.schema);
        database.admin.batch_execute(&drop).await.unwrap();
    }
    target.close().await.unwrap();
    let whole = [
        What::Whole,
        What::Kept,
        What::Follows,
        What::NotKept,
        What::Unreferred,
    ];
    let by_others = [
        What::Needed,
        What::Referred,
        What::Missing,
        What::Unchosen,
        What::BroughtBack,
    ];
    for what in whole.into_iter().chain(by_others) {
        assert!(given.contains(&what), "{what:?}");
    }
}

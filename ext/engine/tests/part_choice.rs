//! The rows that a part of production consists of, held against the definition: named cases, and five hundred random
//! schemas.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod part_support;
mod target_support;

use futures_util::SinkExt;
use part_support::{target, Kept, World};
use staging_sync_engine::error::Kind;
use staging_sync_engine::plan::part::PartRule;
use staging_sync_engine::postgres::Target;
use std::pin::pin;
use target_support::Database;
use tokio_postgres::Client;

/// The choice, which must be as the definition has it, and of which every foreign key must be valid.
async fn kept(world: &World, database: &Database, target: &Target) -> Kept {
    let admin = &database.admin;
    admin.batch_execute(&world.create_sql()).await.unwrap();
    let grant = format!(
        "GRANT ALL ON SCHEMA {0} TO {1}; GRANT ALL ON ALL TABLES IN SCHEMA {0} TO {1}",
        world.schema, database.role
    );
    admin.batch_execute(&grant).await.unwrap();
    let chosen = world.chosen(target).await;
    let chosen = chosen.unwrap_or_else(|error| panic!("{error}\n{world:#?}"));
    let kept = world.as_kept(&chosen);
    let expected = world.by_definition();
    assert_eq!(kept, expected, "{world:#?}");
    for (at, table) in world.tables.iter().enumerate() {
        for block in 0..table.blocks.len() {
            let name = format!("{}.{}", world.schema, table.name);
            copy(admin, &name, world.sifted(&chosen, at, block)).await;
        }
    }
    let keys = admin.batch_execute(&world.foreign_keys_sql()).await;
    keys.unwrap_or_else(|error| panic!("{:?}\n{world:#?}", error.as_db_error()));
    kept
}

async fn copy(client: &Client, table: &str, rows: String) {
    let sink = client.copy_in(&format!("COPY {table} FROM STDIN")).await.unwrap();
    let mut sink = pin!(sink);
    sink.send(bytes::Bytes::from(rows)).await.unwrap();
    sink.finish().await.unwrap();
}

/// A world by itself, in a database of its own.
async fn alone(world: &World) -> Kept {
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    let kept = kept(world, &database, &target).await;
    target.close().await.unwrap();
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_takes_along_what_refers_to_its_rows_and_no_other() {
    let world = World::new("w")
        .table(
            "accounts",
            "id bigint, v integer",
            &["id"],
            &["1\t1", "2\t9", "3\t\\N"],
        )
        .less("v", 5)
        .table(
            "orders",
            "id bigint, account_id bigint",
            &["id"],
            &["1\t1", "2\t2", "3\t\\N"],
        )
        .table("lines", "order_id bigint", &[], &["1", "2", "3"])
        .link("orders.account_id", "accounts.id")
        .link("lines.order_id", "orders.id");
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "accounts", "id"), ["1"]);
    assert_eq!(world.values(&kept, "orders", "id"), ["1", "3"]);
    assert_eq!(world.values(&kept, "lines", "order_id"), ["1", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_lead_to_a_unique_column_that_is_not_the_primary_key() {
    let world = World::new("w")
        .table(
            "users",
            "id bigint, email text, v integer",
            &["id", "email"],
            &["1\ta@b\t1", "2\tc\\td\t9"],
        )
        .less("v", 5)
        .table(
            "logins",
            "id bigint, email text",
            &["id"],
            &["1\ta@b", "2\tc\\td"],
        )
        .link("logins.email", "users.email");
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "logins", "id"), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_composite_key_is_followed_in_whatever_order_it_is_written_and_where_none_of_it_is_null() {
    let world = World::new("w")
        .table(
            "shops",
            "country text, number bigint, v integer",
            &["country number"],
            &["fr\t1\t1", "fr\t2\t9", "de\t1\t9"],
        )
        .less("v", 5)
        .table(
            "sales",
            "id bigint, shop bigint, land text",
            &["id"],
            &["1\t1\tfr", "2\t2\tfr", "3\t1\tde", "4\t1\t\\N"],
        )
        .link("sales.shop land", "shops.number country");
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "sales", "id"), ["1", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_circles_that_share_a_table_are_one_question() {
    let world = World::new("w")
        .table(
            "a",
            "id bigint, b bigint, v integer",
            &["id"],
            &["1\t1\t1", "2\t2\t9", "3\t3\t1"],
        )
        .less("v", 5)
        .table(
            "b",
            "id bigint, a bigint, c bigint",
            &["id"],
            &["1\t1\t1", "2\t2\t2", "3\t3\t2"],
        )
        .table("c", "id bigint, b bigint", &["id"], &["1\t1", "2\t2", "3\t\\N"])
        .link("a.b", "b.id")
        .link("b.a", "a.id")
        .link("b.c", "c.id")
        .link("c.b", "b.id");
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "a", "id"), ["1"]);
    assert_eq!(world.values(&kept, "b", "id"), ["1"]);
    assert_eq!(world.values(&kept, "c", "id"), ["1", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_through_a_nullable_key_drops_its_rows_or_cuts_the_key() {
    let circle = || {
        World::new("w")
            .table(
                "users",
                "id bigint, team_id bigint, v integer",
                &["id"],
                &["1\t1\t1", "2\t1\t9", "3\t2\t1"],
            )
            .less("v", 5)
            .table("teams", "id bigint, owner_id bigint", &["id"], &["1\t2", "2\t3"])
            .link("users.team_id", "teams.id")
            .link("teams.owner_id", "users.id")
    };
    let world = circle();
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "users", "id"), ["3"]);
    assert_eq!(world.values(&kept, "teams", "id"), ["2"]);

    let world = circle().nullify();
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "users", "id"), ["1", "3"]);
    assert_eq!(world.values(&kept, "teams", "id"), ["1", "2"]);
    assert_eq!(kept.nulls[&(1, 1, 0)], [0].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_ten_thousand_rows_goes_or_stays_as_a_whole() {
    let rows: Vec<String> = (1..=10_000)
        .map(|id| match id {
            1 => "1\t\\N\t9".to_owned(),
            5_000 => format!("5000\t\\N\t{id}"),
            _ => format!("{id}\t{}\t{id}", id - 1),
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let columns = "id bigint, parent_id bigint, v bigint";
    let downwards = World::new("w").table("nodes", columns, &["id"], &rows);
    let mut downwards = downwards.link("nodes.parent_id", "nodes.id");
    // All but the first are kept by the rule, and all of its chain go with it.
    downwards.tables[0].rule = PartRule::Own {
        condition: Some("v <> 9".into()),
        cap: None,
    };
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    database.as_role(&downwards.create_sql()).await;
    let kept = downwards.as_kept(&downwards.chosen(&target).await.unwrap());
    // Row 9 is not kept by its rule either, but its chain was gone before.
    assert_eq!(kept.rows[&(0, 0)], (4_999..10_000).collect());

    let mut upwards = World::new("w")
        .table("nodes", columns, &["id"], &rows)
        .cap(1, &["id"], false)
        .table("picks", "node_id bigint", &[], &["4999"])
        .rule(PartRule::All)
        .link("nodes.parent_id", "nodes.id")
        .link("picks.node_id", "nodes.id");
    let kept = upwards.as_kept(&upwards.chosen(&target).await.unwrap());
    assert_eq!(kept.rows[&(0, 0)], (0..4_999).collect());

    upwards.tables[0].rule = PartRule::Referenced;
    let kept = upwards.as_kept(&upwards.chosen(&target).await.unwrap());
    assert_eq!(kept.rows[&(0, 0)], (0..4_999).collect());
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_polymorphic_reference_leads_where_its_type_says_under_each_of_its_names() {
    let world = World::new("w")
        .table("posts", "id bigint, v integer", &["id"], &["1\t1", "2\t9"])
        .less("v", 5)
        .table("people", "id bigint, v integer", &["id"], &["1\t9", "2\t1"])
        .less("v", 5)
        .table(
            "comments",
            "id bigint, of_type text, of_id bigint",
            &["id"],
            &[
                "1\tPost\t1",
                "2\tPost\t2",
                "3\tAdmin\t1",
                "4\tUser\t2",
                "5\tGone\t1",
                "6\t\\N\t1",
                "7\tPost\t99",
            ],
        )
        .link("comments.of_id", "posts.id")
        .only("of_type", &["Post"])
        .link("comments.of_id", "people.id")
        .only("of_type", &["User", "Admin"]);
    let kept = alone(&world).await;
    // What the backup never held, or no table stands for, takes nothing away.
    assert_eq!(world.values(&kept, "comments", "id"), ["1", "4", "5", "6", "7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_a_primary_key_is_capped_by_its_rows_places() {
    let world = World::new("w")
        .table("logs", "v integer", &[], &["1", "3", "3", "\\N", "3"])
        .cap(2, &["v"], true);
    let kept = alone(&world).await;
    assert_eq!(kept.rows[&(0, 0)], [2, 4].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn keeping_nothing_is_an_error_unless_it_is_permitted() {
    let world = World::new("w")
        .table("users", "id bigint, v integer", &["id"], &["1\t9"])
        .less("v", 5);
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    database.as_role(&world.create_sql()).await;
    let error = world.chosen(&target).await.unwrap_err();
    assert_eq!(error.kind, Kind::Plan);
    assert!(error.to_string().contains("allow_empty"), "{error}");
    let permitted = World {
        allow_empty: true,
        ..world
    };
    let kept = permitted.as_kept(&permitted.chosen(&target).await.unwrap());
    assert!(kept.rows[&(0, 0)].is_empty());
    target.close().await.unwrap();
}

/// Users of whom the newest is kept, and cars that refer to others.
fn cars(rule: PartRule) -> World {
    World::new("w")
        .table(
            "users",
            "id bigint, sponsor_id bigint",
            &["id"],
            &["1\t\\N", "2\t1", "3\t\\N", "4\t\\N"],
        )
        .cap(1, &["id"], true)
        .table(
            "cars",
            "id bigint, user_id bigint",
            &["id"],
            &["1\t2", "2\t4", "3\t\\N"],
        )
        .rule(rule)
        .link("users.sponsor_id", "users.id")
        .link("cars.user_id", "users.id")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlimited_child_keeps_its_parents_beyond_their_cap() {
    let world = cars(PartRule::All);
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "users", "id"), ["1", "2", "4"]);
    assert_eq!(world.values(&kept, "cars", "id"), ["1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_without_a_rule_goes_with_its_parent() {
    let world = cars(PartRule::Follows);
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "users", "id"), ["4"]);
    assert_eq!(world.values(&kept, "cars", "id"), ["2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_reads_values_as_its_table_would() {
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    database
        .as_role(
            "CREATE SCHEMA w; CREATE TYPE public.mood AS ENUM ('low', 'high'); CREATE DOMAIN public.short AS varchar(5); \
             CREATE FUNCTION public.twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1'; \
             CREATE TABLE w.t (id integer PRIMARY KEY, facts jsonb, moods public.mood[], at timestamptz, name public.short)",
        )
        .await;
    let row = "1\t{\"plan\": \"p\\\\tro\"}\t{low,high}\t2024-05-01 12:00:00+00\tab";
    for (condition, stays) in [
        ("facts->>'plan' = E'p\\tro'", true),
        ("'high' = ANY (moods) AND moods[1] < 'high'", true),
        ("at >= '2024-05-01' AND at < now() -- the first of May", true),
        ("t.name LIKE 'a%' AND twice(id) = 2", true),
        ("name IS NULL", false),
        ("NULL", false),
    ] {
        let mut world = World::new("w").table(
            "t",
            "id integer, facts jsonb, moods mood[], at timestamptz, name short",
            &["id"],
            &[row],
        );
        world.tables[0].rule = PartRule::Own {
            condition: Some(condition.to_owned()),
            cap: None,
        };
        world.allow_empty = true;
        let kept = world.as_kept(&world.chosen(&target).await.unwrap());
        assert_eq!(kept.rows[&(0, 0)].len(), usize::from(stays), "{condition}");
    }
    let mut world = World::new("w").table("t", "id integer, name short", &["id"], &["1\tsecret"]);
    world.tables[0].rule = PartRule::Own {
        condition: Some("name::int > 1".into()),
        cap: None,
    };
    let error = world.chosen(&target).await.unwrap_err().to_string();
    assert!(error.contains("w.t") && !error.contains("secret"), "{error}");
    target.close().await.unwrap();
}

/// A source of numbers that are the same for the same seed ("SplitMix64", Steele and others, 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `n`.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// In so many of a hundred cases.
    fn in_hundred(&mut self, n: usize) -> bool {
        self.below(100) < n
    }
}

/// The types of a key's column and of one that refers to it, and the value that stands for a number in both.
const KINDS: [(&str, &str); 6] = [
    ("bigint", "integer"),
    ("uuid", "uuid"),
    ("text", "varchar(40)"),
    ("numeric(8,1)", "numeric(9,3)"),
    ("date", "date"),
    ("smallint", "bigint"),
];

fn value(kind: &str, number: usize) -> String {
    match kind {
        "uuid" => format!("00000000-0000-4000-8000-{number:012}"),
        "text" | "varchar(40)" => format!("it's\\t\\\\{number}é"),
        "numeric(8,1)" => format!("{number}.0"),
        "numeric(9,3)" => format!("{number}.000"),
        "date" => format!("2024-01-{:02}", number + 1),
        _ => number.to_string(),
    }
}

/// A random schema, its rows and rules.
fn random(seed: u64) -> World {
    let mut dice = Dice(seed);
    let mut world = World::new(&format!("w{seed}"));
    world.allow_empty = true;
    let count = 2 + dice.below(5);
    let kinds: Vec<(&str, &str)> = (0..count).map(|_| KINDS[dice.below(KINDS.len())]).collect();
    for (at, (kind, _)) in kinds.iter().enumerate() {
        let has_key = !dice.in_hundred(10);
        let rows: Vec<String> = (0..dice.below(11))
            .map(|row| {
                let v = if dice.in_hundred(10) {
                    "\\N".to_owned()
                } else {
                    dice.below(10).to_string()
                };
                let alias = if dice.in_hundred(10) {
                    "\\N".to_owned()
                } else {
                    value("text", row)
                };
                format!(
                    "{}\t{v}\t{alias}\t{}\t{}",
                    value(kind, row),
                    row % 3,
                    value("text", row / 3)
                )
            })
            .collect();
        let middle = if dice.in_hundred(25) {
            dice.below(rows.len() + 1)
        } else {
            rows.len()
        };
        let blocks: Vec<Vec<&str>> = [&rows[..middle], &rows[middle..]]
            .iter()
            .map(|rows| rows.iter().map(String::as_str).collect())
            .collect();
        let columns = format!("id {kind}, v integer, alias text, a integer, b text");
        let keys: &[&str] = if has_key { &["id", "alias", "a b"] } else { &[] };
        world = world.table(&format!("t{at}"), &columns, keys, &blocks[0]);
        if middle < rows.len() {
            world = world.block(&blocks[1]);
        }
        world = match dice.below(10) {
            0 | 1 => world.rule(PartRule::All),
            2 | 3 => world.rule(PartRule::Referenced),
            4 => world.less("v", 3 + dice.below(6) as i64),
            5 => {
                let (most, descending) = (dice.below(8) as u64, dice.in_hundred(50));
                world.cap(most, &["v"], descending)
            }
            6 => {
                let (less, most) = (dice.below(10) as i64, dice.below(6) as u64);
                world.less("v", less).cap(most, &["a", "v"], true)
            }
            _ => world,
        };
    }
    for _ in 0..dice.below(2 * count + 1) {
        world = linked(world, &kinds, &mut dice);
    }
    world
}

/// Adds a random reference, with its columns and their values.
fn linked(mut world: World, kinds: &[(&str, &str)], dice: &mut Dice) -> World {
    let (from, to) = (dice.below(kinds.len()), dice.below(kinds.len()));
    if world.tables[to].keys.is_empty() {
        return world;
    }
    let number = world.tables[from].columns.len();
    if dice.in_hundred(20) {
        return polymorphic(world, from, dice, number);
    }
    let (names, other): (Vec<(&str, &str)>, &str) = match dice.below(4) {
        0 => (vec![("alias", "varchar(40)")], "alias"),
        1 => (vec![("b", "text"), ("a", "bigint")], "b a"),
        _ => (vec![("id", kinds[to].1)], "id"),
    };
    let is_soft = dice.in_hundred(25);
    let is_nullable = dice.in_hundred(70);
    let targets: Vec<Vec<Option<String>>> = world.tables[to].blocks.concat();
    let columns: Vec<String> = names
        .iter()
        .map(|(name, _)| format!("r{number}_{name}"))
        .collect();
    for (name, (_, kind)) in columns.iter().zip(&names) {
        world.tables[from]
            .columns
            .push((name.clone(), (*kind).to_owned()));
    }
    let places: Vec<usize> = names
        .iter()
        .map(|(name, _)| world.tables[to].column(name))
        .collect();
    let id = kinds[to].0;
    for row in world.tables[from].blocks.iter_mut().flatten() {
        let is_null = is_nullable && dice.in_hundred(30) || targets.is_empty() && !is_soft;
        let dangles = is_soft && (targets.is_empty() || dice.in_hundred(20));
        let target = if is_null || dangles {
            None
        } else {
            targets.get(dice.below(targets.len()))
        };
        for (place, (name, kind)) in places.iter().zip(&names) {
            let field = match target {
                Some(target) if *name == "id" => {
                    let number = (0..20).find(|number| target[*place] == Some(value(id, *number)));
                    number.map(|number| value(kind, number))
                }
                Some(target) => target[*place].clone(),
                None if dangles && !is_null => Some(value(kind, 20)),
                None => None,
            };
            row.push(field);
        }
    }
    let [from, to] = [from, to].map(|at| world.tables[at].name.clone());
    world = world.link(&format!("{from}.{}", columns.join(" ")), &format!("{to}.{other}"));
    let (from, to) = (world.at(&from), world.at(&to));
    if is_soft {
        world = world.soft();
    }
    if dice.in_hundred(30) {
        world = world.nullify();
    }
    if dice.in_hundred(15) {
        let link = world.links.last_mut().unwrap();
        link.enforced = false;
        match dice.in_hundred(50) {
            true => link.from_block = Some(dice.below(world.tables[from].blocks.len())),
            false => link.to_block = Some(dice.below(world.tables[to].blocks.len())),
        }
    }
    world
}

/// Adds a reference to several tables, by a type and an id that is text wherever the tables' keys are.
fn polymorphic(mut world: World, from: usize, dice: &mut Dice, number: usize) -> World {
    let to: Vec<usize> = (0..world.tables.len())
        .filter(|at| !world.tables[*at].keys.is_empty() && dice.in_hundred(50))
        .collect();
    let (kind, id) = (format!("r{number}_type"), format!("r{number}_id"));
    let ids: Vec<Vec<String>> = to
        .iter()
        .map(|at| {
            let alias = world.tables[*at].column("alias");
            world.tables[*at]
                .blocks
                .iter()
                .flatten()
                .filter_map(|row| row[alias].clone())
                .collect()
        })
        .collect();
    let of = &mut world.tables[from];
    of.columns
        .extend([(kind.clone(), "text".to_owned()), (id.clone(), "text".to_owned())]);
    for row in of.blocks.iter_mut().flatten() {
        let which = dice.below(to.len() + 2);
        let name = match which {
            0 => None,
            1 => Some("Unknown".to_owned()),
            at => Some(format!(
                "T{}{}",
                to[at - 2],
                if dice.in_hundred(50) { "" } else { "::Sub" }
            )),
        };
        let ids = which
            .checked_sub(2)
            .and_then(|at| ids.get(at))
            .filter(|ids| !ids.is_empty());
        let value = match ids {
            Some(ids) if !dice.in_hundred(20) => Some(ids[dice.below(ids.len())].clone()),
            _ if dice.in_hundred(50) => Some(value("text", 20)),
            _ => None,
        };
        row.extend([name, value]);
    }
    let nullify = dice.in_hundred(30);
    let from = of.name.clone();
    for at in to {
        let name = world.tables[at].name.clone();
        world = world
            .link(&format!("{from}.{id}"), &format!("{name}.alias"))
            .only(&kind, &[&format!("T{at}"), &format!("T{at}::Sub")]);
        if nullify {
            world = world.nullify();
        }
    }
    world
}

async fn random_schemas(seeds: impl Iterator<Item = u64>) {
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    for seed in seeds {
        let world = random(seed);
        kept(&world, &database, &target).await;
        let drop = format!("DROP SCHEMA {} CASCADE", world.schema);
        database.admin.batch_execute(&drop).await.unwrap();
    }
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_random_schemas_are_cut_as_the_definition_has_it() {
    random_schemas(0..500).await;
}

//! The rows that a part of production consists of, held against the definition: named cases, and five hundred random
//! schemas.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod left_out;
#[path = "../part_support/mod.rs"]
mod part_support;
mod random;
#[path = "../target_support/mod.rs"]
mod target_support;
mod why;

use futures_util::SinkExt;
use part_support::{load, target, Kept, World};
use staging_sync_engine::error::Kind;
use staging_sync_engine::part::Chosen;
use staging_sync_engine::plan::part::PartRule;
use staging_sync_engine::postgres::Target;
use std::pin::pin;
use target_support::Database;
use tokio_postgres::Client;

/// Makes a world's tables, which the target's role may use.
async fn create(world: &World, database: &Database) {
    let admin = &database.admin;
    admin.batch_execute(&world.create_sql()).await.unwrap();
    let grant = format!(
        "GRANT ALL ON SCHEMA {0} TO {1}; GRANT ALL ON ALL TABLES IN SCHEMA {0} TO {1}",
        world.schema, database.role
    );
    admin.batch_execute(&grant).await.unwrap();
}

/// The choice, which must be as the definition has it, and of which every foreign key must be valid.
async fn kept(world: &World, database: &Database, target: &Target) -> Kept {
    create(world, database).await;
    let admin = &database.admin;
    let chosen = world.chosen(target).await;
    let chosen = chosen.unwrap_or_else(|error| panic!("{error}\n{world:#?}"));
    let kept = world.as_kept(&chosen);
    let expected = world.by_definition();
    assert_eq!(kept, expected, "{world:#?}");
    let by_keys = world.chosen_by_keys(target, u64::MAX).await.unwrap().0.unwrap();
    for (at, table) in world.tables.iter().enumerate() {
        for block in 0..table.blocks.len() {
            assert_eq!(
                world.sifted(&by_keys, at, block),
                world.sifted(&chosen, at, block),
                "{world:#?}"
            );
            let (one, other) = (by_keys.of(load(at, block)), chosen.of(load(at, block)));
            let counts = |chosen: &Chosen| (chosen.total(), chosen.kept());
            assert_eq!(one.map(counts), other.map(counts));
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
async fn rows_on_which_none_depend_tell_by_themselves_unless_it_takes_too_many_keys() {
    let rows: Vec<String> = (0..400_i64)
        .map(|id| format!("{}\t{}", id << 33, id % 10))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let world = World::new("w")
        .table("users", "id bigint, v integer", &["id"], &rows)
        .less("v", 5)
        .table(
            "visits",
            "user_id bigint",
            &[],
            &["0", "8589934592", "51539607552", "\\N", "7"],
        )
        .link("visits.user_id", "users.id")
        .soft();
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    database.as_role(&world.create_sql()).await;
    let (chosen, passed_over) = world.chosen_by_keys(&target, 1 << 20).await.unwrap();
    assert_eq!(passed_over, [load(1, 0)].into());
    let stays = world.sifted(&chosen.unwrap(), 1, 0);
    assert_eq!(stays, "0\n8589934592\n\\N\n7\n");
    assert!(world.chosen_by_keys(&target, 1 << 10).await.unwrap().0.is_none());
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
    assert!(error.is("subset_keeps_nothing"), "{error}");
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

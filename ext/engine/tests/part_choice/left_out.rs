//! Tables whose rows stay out: their rules choose rows of those that refer to them, downwards, and nothing else.

use super::*;

/// Organisations of which two are chosen and none comes, users of theirs, and orders of users.
fn shop() -> World {
    World::new("w")
        .table(
            "orgs",
            "id bigint, v integer",
            &["id"],
            &["1\t1", "2\t9", "3\t2", "4\t9"],
        )
        .less("v", 5)
        .excluded()
        .table(
            "users",
            "id bigint, org_id bigint",
            &["id"],
            &["1\t1", "2\t2", "3\t3", "4\t\\N"],
        )
        .link("users.org_id", "orgs.id")
        .table(
            "orders",
            "id bigint, user_id bigint",
            &["id"],
            &["1\t1", "2\t2", "3\t\\N", "4\t3"],
        )
        .link("orders.user_id", "users.id")
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_with_those_that_the_rule_of_a_left_out_table_chooses() {
    let mut world = shop();
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "orgs", "id"), [""; 0]);
    assert_eq!(world.values(&kept, "users", "id"), ["1", "3", "4"]);
    assert_eq!(world.values(&kept, "orders", "id"), ["1", "3", "4"]);
    // The same through a table that is left out, too.
    world.tables[1].is_excluded = true;
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "users", "id"), [""; 0]);
    assert_eq!(world.values(&kept, "orders", "id"), ["1", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_left_out_row_brings_none_of_others_and_none_brings_it() {
    let world = shop()
        .table("regions", "id bigint", &["id"], &["1", "2", "3"])
        .rule(PartRule::Referenced)
        .table("visits", "org_id bigint, region_id bigint", &[], &["2\t3"])
        .rule(PartRule::All)
        .link("visits.org_id", "orgs.id")
        .link("visits.region_id", "regions.id")
        .table("offices", "region_id bigint", &[], &["1"])
        .rule(PartRule::All)
        .excluded()
        .link("offices.region_id", "regions.id");
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "visits", "org_id"), ["2"]);
    assert_eq!(world.values(&kept, "regions", "id"), ["3"]);
    assert_eq!(world.values(&kept, "users", "id"), ["1", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_becomes_null_where_the_left_out_row_went_and_stays_where_it_did_not() {
    let mut world = shop();
    world.links[0].nullify = true;
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "users", "id"), ["1", "2", "3", "4"]);
    let null = kept.nulls.values().flatten().copied().collect::<Vec<_>>();
    assert_eq!(null, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_comes_back_for_others_keeps_what_it_refers_to_of_rows_that_stay_out() {
    let world = shop()
        .table("notes", "user_id bigint", &[], &["2"])
        .rule(PartRule::All)
        .link("notes.user_id", "users.id");
    let kept = alone(&world).await;
    assert_eq!(world.values(&kept, "users", "id"), ["1", "2", "3", "4"]);
    assert_eq!(world.values(&kept, "orders", "id"), ["1", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_left_out_rule_that_keeps_no_row_empties_a_part_and_is_named() {
    let mut world = shop();
    world.tables[0].less_than = Some((1, 0));
    world.tables[0].rule = PartRule::Own {
        condition: Some("v < 0".into()),
        cap: None,
    };
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    let error = world.chosen(&target).await.unwrap_err();
    assert!(error.to_string().contains("w.orgs"), "{error}");
    target.close().await.unwrap();
}

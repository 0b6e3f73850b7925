use super::tables::SMALL;
use super::*;
use pg_dump_archive::DumpId;

fn table(name: &str) -> TableName {
    TableName::new("public", name)
}

fn task(id: i32) -> TaskId {
    TaskId::Entry(DumpId(id))
}

fn step(id: i32, waits_for: &[i32], locks: &[&str], shared: &[&str]) -> Step {
    Step {
        id: task(id),
        name: format!("step {id}"),
        waits_for: waits_for.iter().copied().map(task).collect(),
        locks: locks.iter().map(|name| table(name)).collect(),
        shared: shared.iter().map(|name| table(name)).collect(),
        ..Step::bare(EntryKind::Index, "")
    }
}

#[test]
fn a_step_waits_for_every_load_that_it_names() {
    let steps = [step(10, &[1, 2], &["a"], &[])];
    let mut graph = Graph::new(&steps, [task(1), task(2)]);
    assert_eq!(graph.start_if(false, |_| true), None);
    graph.data_done(task(1));
    assert_eq!(graph.start_if(false, |_| true), None);
    graph.data_done(task(2));
    assert_eq!(graph.start_if(false, |_| true), Some(0));
    assert_eq!(graph.start_if(false, |_| true), None);
}

#[test]
fn share_locks_go_together_and_exclusive_ones_alone() {
    let steps = [
        step(10, &[], &[], &["a"]),
        step(11, &[], &[], &["a"]),
        step(12, &[], &["a"], &[]),
        step(13, &[], &["a", "b"], &[]),
    ];
    let mut graph = Graph::new(&steps, []);
    assert_eq!(
        (
            graph.start_if(false, |_| true),
            graph.start_if(false, |_| true),
            graph.start_if(false, |_| true)
        ),
        (Some(0), Some(1), None)
    );
    graph.step_done(0);
    assert_eq!(graph.start_if(false, |_| true), None);
    graph.step_done(1);
    assert_eq!(
        (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
        (Some(2), None)
    );
    graph.step_done(2);
    assert_eq!(graph.start_if(false, |_| true), Some(3));
}

#[test]
fn a_large_key_that_nothing_waits_for_is_built_beside_others_and_then_has_its_table_to_itself() {
    let mut steps = [
        step(10, &[1], &["orders"], &[]),
        step(11, &[1], &[], &["orders"]),
        step(12, &[1], &["users"], &[]),
        step(13, &[1, 12], &[], &["users"]),
    ];
    for (index, table) in [(0, "orders"), (2, "users")] {
        steps[index].kind = EntryKind::Constraint.into();
        steps[index].sql = format!("ALTER TABLE ONLY public.{table} ADD CONSTRAINT k PRIMARY KEY (id);");
    }
    let (orders, users) = (table("orders"), table("users"));
    let mut graph = Graph::new(&steps, [task(1)]);
    for table in [&orders, &users] {
        graph.size(table, LARGE, 0);
    }
    graph.data_done(task(1));
    assert_eq!([0, 2].map(|index| graph.builds_beside(index)), [true, false]);
    let started = [(); 4].map(|()| graph.start_if(false, |_| true));
    assert_eq!(started, [Some(2), Some(0), Some(1), None]);
    graph.built(0);
    assert_eq!(
        graph.start_if(false, |_| true),
        None,
        "the index is still being built"
    );
    graph.step_done(1);
    assert_eq!(graph.start_if(false, |_| true), Some(0));
    assert!(!graph.may_read(&orders) && !graph.is_settled(&orders));
    graph.step_done(0);
    assert!(graph.is_settled(&orders));
}

#[test]
fn a_small_key_is_added_at_once() {
    let mut steps = [step(10, &[], &["orders"], &[])];
    steps[0].kind = EntryKind::Constraint.into();
    steps[0].sql = "ALTER TABLE ONLY public.orders ADD CONSTRAINT k PRIMARY KEY (id);".into();
    assert!(!Graph::new(&steps, []).builds_beside(0));
}

#[test]
fn a_step_that_is_relaxed_keeps_one_table_and_shares_the_others() {
    let steps = [
        step(10, &[], &["orders", "users"], &[]),
        step(11, &[], &["payments", "users"], &[]),
        step(12, &[], &[], &["orders"]),
    ];
    let mut graph = Graph::new(&steps, []);
    assert_eq!(
        (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
        (Some(0), None)
    );
    graph.relax(0, &table("orders"));
    assert!(graph.may_read(&table("users")) && !graph.may_read(&table("orders")));
    // What wants users to itself still waits, and so does what shares orders.
    assert_eq!(graph.start_if(false, |_| true), None);
    graph.step_done(0);
    assert_eq!(
        (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
        (Some(1), Some(2))
    );
}

#[test]
fn a_table_that_is_read_is_not_locked_exclusively() {
    let steps = [step(10, &[], &["a"], &[]), step(11, &[], &[], &["a"])];
    let a = table("a");
    let mut graph = Graph::new(&steps, []);
    graph.share(&a);
    assert_eq!(
        (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
        (Some(1), None)
    );
    graph.step_done(1);
    graph.unshare(&a);
    assert_eq!(graph.start_if(false, |_| true), Some(0));
}

#[test]
fn the_largest_table_goes_first() {
    let steps = [step(10, &[1], &[], &["small"]), step(11, &[2], &[], &["large"])];
    let (small, large) = (table("small"), table("large"));
    let mut graph = Graph::new(&steps, [task(1), task(2)]);
    graph.size(&small, 10_000, 10);
    graph.size(&large, 1_000_000, 1_000);
    graph.data_done(task(1));
    graph.data_done(task(2));
    assert_eq!(
        (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
        (Some(1), Some(0))
    );
}

#[test]
fn only_what_is_known_to_be_small_starts_together_with_others() {
    let mut steps = [
        step(10, &[], &[], &["large"]),
        step(11, &[], &[], &["root"]),
        step(12, &[], &["small", "large"], &[]),
        step(13, &[], &[], &[]),
        step(14, &[], &[], &["small"]),
        step(15, &[], &["small"], &[]),
        step(16, &[], &["small"], &[]),
    ];
    steps[5].kind = EntryKind::MaterializedViewData.into();
    let (small, large) = (table("small"), table("large"));
    let mut graph = Graph::new(&steps, []);
    graph.size(&small, SMALL, 1_000);
    graph.size(&large, SMALL + 1, 1_000);
    assert_eq!(graph.ready(), 7);
    assert_eq!(graph.start_small_if(false, |step| step.id == task(16)), Some(6));
    graph.step_done(6);
    assert_eq!(graph.start_small_if(false, |_| true), Some(4));
    graph.step_done(4);
    assert_eq!(graph.start_small_if(false, |_| true), None);
    assert!(graph.is_small(&small) && !graph.is_small(&large) && !graph.is_small(&table("root")));
}

#[test]
fn what_is_dear_and_what_much_waits_for_goes_first() {
    let mut steps = [
        step(10, &[1], &[], &["a"]),
        step(11, &[1], &[], &["a"]),
        step(12, &[1], &[], &["a"]),
        step(13, &[12], &[], &["a"]),
    ];
    for (step, weight) in steps.iter_mut().zip([2, 8, 1, 9]) {
        step.weight = weight;
    }
    let a = table("a");
    let mut graph = Graph::new(&steps, [task(1)]);
    graph.size(&a, 64, 100);
    graph.data_done(task(1));
    let order = [(); 3].map(|()| graph.start_if(false, |_| true));
    assert_eq!(order, [Some(2), Some(1), Some(0)]);
}

/// A key of users, two indexes of it, and a foreign key from orders.
fn foreign_key_behind_a_key() -> [Step; 4] {
    let mut steps = [
        step(10, &[1], &[], &["users"]),
        step(11, &[1], &[], &["users"]),
        step(12, &[2], &[], &["orders"]),
        step(13, &[1, 2, 10], &["orders", "users"], &[]),
    ];
    steps[0].weight = 2;
    steps[3].kind = EntryKind::ForeignKey.into();
    steps
}

#[test]
fn a_large_foreign_key_gets_its_tables_as_soon_as_the_key_that_it_refers_to_is_built() {
    let steps = foreign_key_behind_a_key();
    let (users, orders) = (table("users"), table("orders"));
    let mut graph = Graph::new(&steps, [task(1), task(2)]);
    graph.size(&orders, LARGE, 1_000);
    graph.data_done(task(2));
    graph.size(&users, LARGE, 1_000);
    graph.data_done(task(1));
    assert_eq!(graph.start_if(true, |_| true), Some(0));
    assert_eq!(graph.start_if(true, |_| true), None, "the key comes first");
    assert!(!graph.may_read(&users));
    graph.step_done(0);
    assert_eq!(graph.start_if(true, |_| true), Some(3));
    graph.relax(3, &orders);
    assert_eq!(graph.start_if(true, |_| true), Some(1), "users are shared again");
}

#[test]
fn every_large_foreign_key_to_a_table_is_declared_before_its_further_indexes_are_built() {
    let [key, mut index, _, first] = foreign_key_behind_a_key();
    index.weight = 100;
    let second = Step {
        id: task(14),
        locks: vec![table("payments"), table("users")],
        ..first.clone()
    };
    let steps = [key, index, first, second];
    let (users, orders) = (table("users"), table("orders"));
    let mut graph = Graph::new(&steps, [task(1), task(2)]);
    graph.size(&users, LARGE, 1_000);
    graph.size(&orders, LARGE, 1_000);
    graph.data_done(task(1));
    graph.data_done(task(2));
    let start = |graph: &mut Graph<'_>| graph.start_if(false, |step| step.id != task(11));
    assert_eq!(start(&mut graph), Some(0));
    graph.step_done(0);
    assert_eq!(graph.start_if(false, |_| true), Some(2));
    graph.relax(2, &orders);
    assert_eq!(graph.start_if(false, |_| true), Some(3));
    graph.relax(3, &table("payments"));
    assert_eq!(graph.start_if(false, |_| true), Some(1));
}

#[test]
fn while_an_index_is_built_on_one_table_of_a_foreign_key_the_other_is_free_for_all() {
    let steps = foreign_key_behind_a_key();
    let (users, orders) = (table("users"), table("orders"));
    let mut graph = Graph::new(&steps, [task(1), task(2)]);
    graph.size(&users, LARGE, 0);
    graph.size(&orders, LARGE, 0);
    graph.data_done(task(2));
    assert_eq!(graph.start_if(true, |_| true), Some(2), "an index on orders");
    graph.data_done(task(1));
    assert_eq!(graph.start_if(true, |_| true), Some(0), "the key of users");
    graph.step_done(0);
    assert_eq!(graph.start_if(true, |_| true), Some(1), "an index on users");
    graph.step_done(2);
    assert_eq!(
        graph.start_if(true, |_| true),
        None,
        "orders is kept for the foreign key"
    );
    graph.step_done(1);
    assert_eq!(graph.start_if(true, |_| true), Some(3));
}

#[test]
fn nothing_idles_for_a_foreign_key_and_a_small_one_holds_nothing_up() {
    let steps = foreign_key_behind_a_key();
    let (users, orders) = (table("users"), table("orders"));
    for (bytes, busy) in [(LARGE, false), (64, true)] {
        let mut graph = Graph::new(&steps, [task(1), task(2)]);
        graph.size(&users, bytes, 1_000);
        graph.size(&orders, bytes, 1_000);
        graph.data_done(task(1));
        graph.data_done(task(2));
        assert_eq!(graph.start_if(busy, |_| true), Some(0));
        assert!(graph.start_if(busy, |_| true).is_some());
    }
}

#[test]
fn a_table_is_settled_when_its_steps_are_done_except_the_last_ones() {
    let mut steps = [step(10, &[], &[], &["a"]), step(11, &[], &[], &["a"])];
    steps[1].last = true;
    let (a, b) = (table("a"), table("b"));
    let mut graph = Graph::new(&steps, []);
    assert!(!graph.is_settled(&a) && graph.is_settled(&b));
    assert_eq!(graph.start_if(false, |_| true), Some(0));
    graph.step_done(0);
    assert!(graph.is_settled(&a));
    graph.occupy(&a);
    assert!(!graph.is_settled(&a) && !graph.may_read(&a));
    assert_eq!(graph.start_if(false, |_| true), None);
    graph.vacate(&a);
    assert_eq!(graph.start_if(false, |_| true), Some(1));
}

#[test]
fn last_steps_wait_for_all_that_are_not_last_and_then_for_one_another() {
    let mut steps = [
        step(10, &[11], &[], &[]),
        step(11, &[], &[], &[]),
        step(12, &[1], &[], &[]),
    ];
    steps[0].last = true;
    steps[1].last = true;
    let mut graph = Graph::new(&steps, [task(1)]);
    assert_eq!(graph.start_if(false, |_| true), None);
    graph.data_done(task(1));
    assert_eq!(
        (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
        (Some(2), None)
    );
    graph.step_done(2);
    assert_eq!(
        (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
        (Some(1), None)
    );
    graph.step_done(1);
    assert_eq!(graph.start_if(false, |_| true), Some(0));
    graph.step_done(0);
    assert_eq!(graph.left(), 0);
}

#[test]
fn steps_that_wait_for_one_another_are_named() {
    let steps = [step(10, &[11], &[], &[]), step(11, &[10], &[], &[])];
    let mut graph = Graph::new(&steps, []);
    assert_eq!(graph.start_if(false, |_| true), None);
    assert_eq!(graph.stuck().map(|step| step.id), Some(task(10)));
}

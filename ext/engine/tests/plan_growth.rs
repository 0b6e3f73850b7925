//! What planning costs grows with the tables, and no faster: ten times the tables may not take a hundred times the memory
//! and the allocations. They are counted, so that no other process matters; seconds are what `bench/plan` is for.

#![allow(clippy::unwrap_used, clippy::panic)]

mod plan_support;

use plan_support::{many_partitions, planned, settings, Toc};

fn costs_grow_with_the_tables(toc: impl Fn(usize) -> Toc, rule: (&str, &str)) {
    let settings = settings(&[rule], &[]);
    let cost = |tables: usize| {
        let toc = toc(tables);
        allocation_counter::measure(|| {
            let plan = planned(&toc.entries, &settings).unwrap();
            let masked = plan.loads.values().filter(|load| load.mask.is_some());
            assert_eq!(masked.count(), tables);
        })
    };
    let (few, many) = (cost(300), cost(3000));
    // A table that grows doubles, so that the next power of two may be just passed, or just not.
    assert!(
        many.count_total < 15 * few.count_total && many.bytes_total < 20 * few.bytes_total,
        "300 tables: {few:?}, 3,000: {many:?}"
    );
}

fn many_tables(count: usize) -> Toc {
    let mut toc = Toc::default();
    for number in 0..count {
        let name = format!("table_{number}");
        let table = toc.table(
            &name,
            "id bigint NOT NULL,\nemail text,\nuser_id bigint,\nnote text DEFAULT 'x'::text",
        );
        toc.key((&name, table.0), &format!("{name}_pkey"), "PRIMARY KEY (id)");
        toc.key(
            (&name, table.0),
            &format!("{name}_email"),
            &format!("CREATE UNIQUE INDEX {name}_email ON public.{name} USING btree (email);\n"),
        );
        if number > 0 {
            toc.key(
                (&name, table.0),
                &format!("{name}_fk"),
                "FOREIGN KEY (user_id) REFERENCES public.table_0(id)",
            );
        }
    }
    toc
}

#[test]
fn ten_times_the_tables_cost_ten_times_as_much() {
    costs_grow_with_the_tables(many_tables, ("*", "email_anonymization"));
}

#[test]
fn ten_times_the_partitions_cost_ten_times_as_much() {
    costs_grow_with_the_tables(many_partitions, ("events", "email_anonymization"));
}

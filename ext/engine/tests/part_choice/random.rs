//! Five hundred random schemas, each cut as the definition says, and half as many of which rows of some tables stay out.

use super::*;

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
pub(super) fn random(seed: u64) -> World {
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

/// The same of which the rows of about every third table stay out.
pub(super) fn narrowed(seed: u64) -> World {
    let mut world = random(seed);
    let mut dice = Dice(!seed);
    for table in &mut world.tables {
        table.is_excluded = dice.in_hundred(35);
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

async fn all_are_as_defined(worlds: impl Iterator<Item = World>) {
    let database = Database::of_owner().await;
    let target = target(&database.settings()).await;
    for world in worlds {
        kept(&world, &database, &target).await;
        let drop = format!("DROP SCHEMA {} CASCADE", world.schema);
        database.admin.batch_execute(&drop).await.unwrap();
    }
    target.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_random_schemas_are_cut_as_the_definition_has_it() {
    all_are_as_defined((0..500).map(random)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_which_rows_of_some_tables_stay_out_are_cut_as_the_definition_has_it() {
    all_are_as_defined((0..250).map(narrowed)).await;
}

#[test]
fn tables_that_are_said_to_decide_nothing_change_no_choice_and_some_are_said_to_decide() {
    let (mut idle, mut decide) = (0, 0);
    for seed in 0..2000 {
        let world = narrowed(seed);
        let (mut without, deciding) = (world.clone(), world.deciding());
        for (at, table) in without.tables.iter_mut().enumerate() {
            if table.is_excluded && !deciding.contains(&at) {
                table.rule = PartRule::All;
                idle += 1;
            }
        }
        decide += deciding.len();
        assert_eq!(world.by_definition(), without.by_definition(), "{world:#?}");
    }
    assert!(idle > 300 && decide > 300, "{idle} {decide}");
}

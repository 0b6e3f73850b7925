//! Which table comes before which: components of tables that refer to one another in a circle, in order.

/// A component: tables of which each leads to each other, or one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    /// Its tables.
    pub(super) members: Vec<usize>,
    /// A way leads from it back to itself.
    pub(super) is_cyclic: bool,
}

/// The components of `count` tables, what is referred to before what refers to it. `edges`: from, to.
pub(super) fn components(count: usize, edges: &[(usize, usize)]) -> Vec<Component> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    for &(from, to) in edges {
        if let Some(next) = next.get_mut(from) {
            next.push(to);
        }
    }
    let mut search = Search {
        next: &next,
        index: vec![None; count],
        low: vec![0; count],
        on_stack: vec![false; count],
        stack: Vec::new(),
        found: Vec::new(),
    };
    for table in 0..count {
        if search.index[table].is_none() {
            search.from(table);
        }
    }
    search.found
}

/// The tables that can be reached from `starts`, which do not count by themselves.
pub(super) fn reached(count: usize, edges: &[(usize, usize)], starts: &[usize]) -> Vec<bool> {
    let mut reached = vec![false; count];
    let mut queue: Vec<usize> = starts.to_vec();
    while let Some(table) = queue.pop() {
        for &(_, to) in edges.iter().filter(|(from, _)| *from == table) {
            if !std::mem::replace(&mut reached[to], true) {
                queue.push(to);
            }
        }
    }
    reached
}

/// Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972), without recursion.
struct Search<'a> {
    next: &'a [Vec<usize>],
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    found: Vec<Component>,
}

impl Search<'_> {
    fn from(&mut self, start: usize) {
        // A table and how many of its ways have been gone.
        let mut path = vec![(start, 0)];
        let mut count = self.index.iter().flatten().count();
        while let Some((table, gone)) = path.last_mut() {
            let table = *table;
            if *gone == 0 {
                self.index[table] = Some(count);
                self.low[table] = count;
                count += 1;
                self.stack.push(table);
                self.on_stack[table] = true;
            }
            let way = self.next[table].get(*gone).copied();
            *gone += 1;
            match way {
                Some(to) => match self.index[to] {
                    None => path.push((to, 0)),
                    Some(index) if self.on_stack[to] => self.low[table] = self.low[table].min(index),
                    Some(_) => {}
                },
                None => {
                    path.pop();
                    if let Some((before, _)) = path.last() {
                        self.low[*before] = self.low[*before].min(self.low[table]);
                    }
                    if Some(self.low[table]) == self.index[table] {
                        self.close(table);
                    }
                }
            }
        }
    }

    /// What is on the stack from `root` on is a component.
    fn close(&mut self, root: usize) {
        let at = self.stack.iter().rposition(|table| *table == root).unwrap_or(0);
        let members = self.stack.split_off(at);
        for member in &members {
            self.on_stack[*member] = false;
        }
        self.found.push(Component {
            is_cyclic: members.len() > 1 || self.next[root].contains(&root),
            members,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(count: usize, edges: &[(usize, usize)]) -> Vec<(Vec<usize>, bool)> {
        let sorted = |component: Component| {
            let mut members = component.members;
            members.sort_unstable();
            (members, component.is_cyclic)
        };
        components(count, edges).into_iter().map(sorted).collect()
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        assert_eq!(
            found(3, &[(0, 1), (1, 2)]),
            [(vec![2], false), (vec![1], false), (vec![0], false)]
        );
    }

    #[test]
    fn a_circle_is_one_component_and_so_are_two_that_share_a_table() {
        assert_eq!(found(2, &[(0, 1), (1, 0)]), [(vec![0, 1], true)]);
        assert_eq!(
            found(4, &[(0, 1), (1, 0), (1, 2), (2, 1), (3, 0)]),
            [(vec![0, 1, 2], true), (vec![3], false)]
        );
        assert_eq!(found(1, &[(0, 0)]), [(vec![0], true)]);
    }

    #[test]
    fn reached_is_what_ways_lead_to() {
        assert_eq!(
            reached(4, &[(0, 1), (1, 2), (3, 0)], &[0]),
            [false, true, true, false]
        );
    }
}

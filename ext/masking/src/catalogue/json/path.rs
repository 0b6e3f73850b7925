//! Paths into a document: how one is written, and how far a walk has followed it.

/// A step of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(Box<[u8]>),
    Item(usize),
    /// `.*` and `[*]`.
    Any,
    /// `..`: what follows may be at any depth.
    Deep,
}

/// Reads `$.a['b'][0][*]..c`, at most 60 steps.
pub(super) fn parse(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = if let Some(quoted) = inner.strip_prefix('\'') {
                let (key, after) = quoted.split_once("']")?;
                (Step::Key(key.as_bytes().into()), after)
            } else {
                let (index, after) = inner.split_once(']')?;
                let step = if index == "*" {
                    Step::Any
                } else {
                    Step::Item(index.parse().ok()?)
                };
                (step, after)
            };
            steps.push(step);
            rest = after;
            continue;
        }
        let mut name = rest.strip_prefix('.')?;
        if let Some(deeper) = name.strip_prefix('.') {
            steps.push(Step::Deep);
            name = deeper;
            if name.starts_with('[') {
                rest = name;
                continue;
            }
        }
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let key = &name[..end];
        if key.is_empty() {
            return None;
        }
        steps.push(if key == "*" {
            Step::Any
        } else {
            Step::Key(key.as_bytes().into())
        });
        rest = &name[end..];
    }
    (!steps.is_empty() && steps.len() <= 60 && steps.last() != Some(&Step::Deep)).then_some(steps)
}

/// Where a value lies in its container.
pub(super) enum Place<'a> {
    Key(&'a [u8]),
    Item(usize),
}

impl Step {
    fn leads_to(&self, place: &Place<'_>) -> bool {
        match (self, place) {
            (Step::Any, _) => true,
            (Step::Key(known), Place::Key(key)) => **known == **key,
            (Step::Item(known), Place::Item(index)) => known == index,
            _ => false,
        }
    }
}

/// The steps of a path that have been taken, a bit for each number of them: with `..` there may be several.
pub(super) type Taken = u64;

/// Before the first step.
pub(super) const START: Taken = 1;

/// Whether all steps have been taken.
pub(super) fn is_complete(steps: &[Step], taken: Taken) -> bool {
    taken >> steps.len() & 1 == 1
}

/// The steps that have been taken one level further down.
pub(super) fn further(steps: &[Step], taken: Taken, place: &Place<'_>) -> Taken {
    let mut next = 0;
    for (number, step) in steps
        .iter()
        .enumerate()
        .filter(|(number, _)| taken >> number & 1 == 1)
    {
        if *step == Step::Deep {
            next |= 1 << number;
            if steps.get(number + 1).is_some_and(|step| step.leads_to(place)) {
                next |= 1 << (number + 2);
            }
        } else if step.leads_to(place) {
            next |= 1 << (number + 1);
        }
    }
    next
}

//! What tests have in common: chains of transformations and lists of targets.

use crate::{
    ruleset::{Rule, Test},
    transform::Transform,
    variable::Source,
};

/// How many distinct ones a rule set has.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    pub(crate) chains: usize,
    pub(crate) target_lists: usize,
    pub(crate) groups: usize,
}

impl Shares {
    /// Numbers the chains, target lists and groups of all tests.
    pub(crate) fn new(rules: &mut [Rule]) -> Self {
        let mut chains: Vec<Vec<Transform>> = Vec::new();
        let mut lists: Vec<(usize, usize)> = Vec::new();
        let mut groups: Vec<(usize, usize)> = Vec::new();
        let places: Vec<(usize, usize)> = rules
            .iter()
            .enumerate()
            .flat_map(|(r, rule)| (0..rule.links.len()).map(move |link| (r, link)))
            .collect();
        for (rule, link) in places {
            let Some(test) = test_at(rules, rule, link) else {
                continue;
            };
            let chain = number(
                &mut chains,
                |known| *known == test.transforms,
                || test.transforms.clone(),
            );
            let list = is_lasting(test).then(|| {
                let same = |known: &(usize, usize)| {
                    test_at(rules, known.0, known.1).is_some_and(|known| same_targets(known, test))
                };
                number(&mut lists, same, || (rule, link))
            });
            let group = list.filter(|_| test.slot.is_some()).map(|list| {
                number(
                    &mut groups,
                    |known| *known == (list, chain),
                    || (list, chain),
                )
            });
            let test = rules.get_mut(rule).and_then(|r| r.links.get_mut(link));
            if let Some(test) = test.and_then(|link| link.test.as_mut()) {
                test.chain = chain;
                test.target_list = list;
                test.group = group;
            }
        }
        Self {
            chains: chains.len(),
            target_lists: lists.len(),
            groups: groups.len(),
        }
    }
}

fn test_at(rules: &[Rule], rule: usize, link: usize) -> Option<&Test> {
    rules.get(rule)?.links.get(link)?.test.as_ref()
}

fn number<T>(known: &mut Vec<T>, same: impl FnMut(&T) -> bool, make: impl FnOnce() -> T) -> usize {
    known.iter().position(same).unwrap_or_else(|| {
        known.push(make());
        known.len() - 1
    })
}

/// Whether the targets only name what stays the same while a phase runs.
fn is_lasting(test: &Test) -> bool {
    test.targets.iter().all(|target| {
        !target.count
            && matches!(
                target.variable.source(),
                Source::Values(_) | Source::Names(_)
            )
    })
}

fn same_targets(one: &Test, other: &Test) -> bool {
    one.targets.len() == other.targets.len()
        && one.exclusions.len() == other.exclusions.len()
        && one.targets.iter().zip(&other.targets).all(|(a, b)| {
            a.variable == b.variable && a.count == b.count && a.selector.is_same(&b.selector)
        })
        && one
            .exclusions
            .iter()
            .zip(&other.exclusions)
            .all(|(a, b)| a.variable == b.variable && a.selector.is_same(&b.selector))
}

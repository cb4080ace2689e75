//! What was blocked, and what was not.

use std::{collections::BTreeMap, fmt};

use crate::suite::Case;

/// Counts for each case, and whether its payloads are attacks.
#[derive(Default)]
pub(crate) struct Tally {
    cases: BTreeMap<(bool, String), Count>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    right: usize,
    all: usize,
}

impl Tally {
    /// Counts a request; `found` names the rules that blocked it.
    pub(crate) fn count(&mut self, case: &Case, what: &str, found: Option<&str>, verbose: bool) {
        let right = found.is_some() == case.attacks;
        let count = self
            .cases
            .entry((case.attacks, case.name.clone()))
            .or_default();
        count.all += 1;
        count.right += usize::from(right);
        if verbose && !right {
            match found {
                Some(ids) => println!("blocked: {}: {what}: {ids}", case.name),
                None => println!("missed: {}: {what}", case.name),
            }
        }
    }

    fn sum(&self, attacks: bool) -> Count {
        let counts = self.cases.iter().filter(|((a, _), _)| *a == attacks);
        counts.fold(Count::default(), |sum, (_, count)| Count {
            right: sum.right + count.right,
            all: sum.all + count.all,
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((_, name), count) in &self.cases {
            writeln!(f, "{name:<32} {count}")?;
        }
        for (attacks, name) in [(true, "attacks blocked"), (false, "texts let through")] {
            let sum = self.sum(attacks);
            if sum.all > 0 {
                writeln!(f, "{name:<32} {sum}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { right, all } = self;
        let share = *right as f64 * 100.0 / *all as f64;
        write!(f, "{right:>6} of {all:<6} {share:6.2} %")
    }
}

//! Runs the rules of a phase.

use std::borrow::Cow;

use super::{Candidate, Decision, Transaction, tx::TxValue};
use crate::{
    operator::{Hit, Operator, leading_integer},
    ruleset::{AllowScope, Disruptive, Link, Phase, Rule, RuleEngine, Test},
    template::{TxNames, TxSlot},
};

/// An operator's argument with its macros expanded.
enum Argument<'a> {
    None,
    Text(Cow<'a, [u8]>),
    Number(i64),
}

impl<'w> Transaction<'w> {
    /// Runs one phase. A transaction that was refused before stays refused.
    pub(super) fn run(&mut self, phase: Phase) -> Decision {
        if !self.decision.is_pass() && phase != Phase::Logging {
            return self.decision.clone();
        }
        let rules = self.rules;
        let list = rules
            .phases
            .get(phase as usize)
            .map_or(&[][..], Vec::as_slice);
        let mut at = 0;
        while let Some(rule) = list.get(at).and_then(|&index| rules.rules.get(index)) {
            if self.engine == RuleEngine::Off || self.allowed.is_some_and(|until| phase <= until) {
                break;
            }
            at += 1;
            if self.is_removed(rule.id) {
                continue;
            }
            if self.rule(rule) {
                if !self.decision.is_pass() {
                    break;
                }
                if let Disruptive::Allow(scope) = rule.disruptive {
                    self.allow(scope, phase);
                }
                at += rule.skip;
                at = rule.skip_to.unwrap_or(at).max(at);
            }
        }
        // `allow:phase` ends here.
        if self.allowed == Some(phase) {
            self.allowed = None;
        }
        self.decision.clone()
    }

    fn allow(&mut self, scope: AllowScope, phase: Phase) {
        let until = match scope {
            AllowScope::Phase => phase,
            AllowScope::Request => phase.max(Phase::RequestBody),
            AllowScope::Transaction => Phase::ResponseBody,
        };
        self.allowed = Some(until);
    }

    fn is_removed(&self, id: u64) -> bool {
        self.removed
            .iter()
            .any(|&(low, high)| (low..=high).contains(&id))
    }

    /// Runs a rule with its chain; says whether all of it matched.
    fn rule(&mut self, rule: &'w Rule) -> bool {
        let last = rule.links.len().saturating_sub(1);
        self.matched.clear();
        for (i, link) in rule.links.iter().enumerate() {
            if !self.link(rule, link, i == last) {
                return false;
            }
            if !self.decision.is_pass() {
                break;
            }
        }
        true
    }

    /// Runs one rule of a chain on every value its targets name.
    fn link(&mut self, rule: &'w Rule, link: &'w Link, last: bool) -> bool {
        let Some(test) = &link.test else {
            self.perform(rule, link);
            if last {
                self.conclude(rule, link, None, &Hit::default());
            }
            return true;
        };
        let argument = self.argument(rule, test);
        let run = Run {
            rule,
            link,
            test,
            argument: &argument,
            last,
        };
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        for target in &test.targets {
            self.collect(test, target, &mut candidates);
        }
        let mut seen = false;
        for candidate in &candidates {
            if !self.decision.is_pass() {
                break;
            }
            let mut found = *candidate;
            if test.multi_match {
                seen |= self.inspect(&run, found);
            }
            for transform in &test.transforms {
                let value = self.pool.transform(found.value, *transform);
                if value != found.value {
                    found.value = value;
                    if test.multi_match {
                        seen |= self.inspect(&run, found);
                    }
                }
            }
            if !test.multi_match {
                seen |= self.inspect(&run, found);
            }
        }
        self.candidates = candidates;
        seen
    }

    /// Expands the operator's argument once for all values of a link.
    fn argument(&self, rule: &Rule, test: &'w Test) -> Argument<'w> {
        match &test.operator {
            Operator::Text(_, template) => match template.literal() {
                Some(text) => Argument::Text(Cow::Borrowed(text)),
                None => {
                    let mut text = Vec::new();
                    self.expand(template, rule, false, &mut text);
                    Argument::Text(Cow::Owned(text))
                }
            },
            Operator::Number(_, template) => Argument::Number(self.expand_integer(template, rule)),
            Operator::Always
            | Operator::Never
            | Operator::Rx(_)
            | Operator::Phrases(_)
            | Operator::Address(_) => Argument::None,
        }
    }

    /// Asks the operator about one value and, where it matches, carries out the link's actions.
    fn inspect(&mut self, run: &Run<'w, '_>, found: Candidate) -> bool {
        let hit = ask(run, self.pool.get(found.value));
        if hit.is_some() == run.test.negated {
            return false;
        }
        let hit = hit.unwrap_or_default();
        self.matched.push(found);
        if run.link.capture {
            self.capture(found, &hit);
        }
        self.perform(run.rule, run.link);
        if run.last {
            self.conclude(run.rule, run.link, Some(found), &hit);
        }
        true
    }

    /// Fills `TX:0` to `TX:9` from a match, emptying those it has no group for.
    fn capture(&mut self, found: Candidate, hit: &Hit) {
        for group in 0..TxNames::GROUPS {
            let range = hit.groups.get(group).cloned().flatten();
            let value = range.map(|range| {
                let bytes = self
                    .pool
                    .get(found.value)
                    .get(range)
                    .unwrap_or_default()
                    .to_vec();
                TxValue::Bytes(self.pool.add(&bytes))
            });
            self.tx.set(TxSlot(group), value);
        }
    }
}

/// One link of a chain at work.
struct Run<'w, 'a> {
    rule: &'w Rule,
    link: &'w Link,
    test: &'w Test,
    argument: &'a Argument<'w>,
    last: bool,
}

fn ask(run: &Run<'_, '_>, value: &[u8]) -> Option<Hit> {
    let whole = |holds: bool| {
        holds.then(|| Hit {
            range: None,
            groups: vec![Some(0..value.len())],
        })
    };
    match (&run.test.operator, run.argument) {
        (Operator::Always, _) => whole(true),
        (Operator::Never, _) => None,
        (Operator::Rx(rx), _) if run.link.capture => {
            let groups = rx.captures(value, TxNames::GROUPS)?;
            Some(Hit {
                range: groups.first().cloned().flatten(),
                groups,
            })
        }
        (Operator::Rx(rx), _) => rx.find(value).map(|range| Hit {
            range: Some(range),
            groups: Vec::new(),
        }),
        (Operator::Phrases(phrases), _) => phrases.find(value).map(|range| Hit {
            range: Some(range.clone()),
            groups: vec![Some(range)],
        }),
        (Operator::Address(set), _) => whole(set.contains(value)),
        (Operator::Text(relation, _), Argument::Text(text)) => whole(relation.holds(value, text)),
        (Operator::Number(comparison, _), Argument::Number(number)) => {
            whole(comparison.holds(leading_integer(value), *number))
        }
        // An argument is always of its operator's kind.
        (Operator::Text(..) | Operator::Number(..), _) => None,
    }
}

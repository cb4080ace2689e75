//! Runs the rules of a phase.

use std::{borrow::Cow, sync::Arc};

use super::{Candidate, Decision, Transaction, explain::Seen, tx::TxValue};
use crate::{
    decode::Steps,
    injection,
    operator::{
        Finding, Hit, Operator, Rx, Search, Spans, has_bad_escape, leading_integer, passes_luhn,
    },
    prefilter,
    ruleset::{AllowScope, Disruptive, Link, Phase, Rule, RuleEngine, Test},
    template::{TxNames, TxSlot},
};

/// An operator's argument with its macros expanded.
enum Argument<'a> {
    None,
    Text(Cow<'a, [u8]>),
    Number(i64),
    /// `None` where the expanded pattern does not compile.
    Pattern(Option<Arc<Rx>>),
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
            if self.removed.contains(rule.index) {
                continue;
            }
            if let Some(shadow) = self.shadow_of(rule) {
                self.watch(rule, shadow);
                continue;
            }
            if self.rule(rule) {
                if !self.decision.is_pass() {
                    break;
                }
                if let Disruptive::Allow(scope) = rule.disruptive {
                    self.allow(scope, phase);
                }
                // There is no way back: a mark that lies behind ends the phase.
                at = match rule.skip_to {
                    Some(to) if to < at => list.len(),
                    Some(to) => to,
                    None => at + rule.skip,
                };
            }
        }
        // `allow:phase` ends here.
        if self.allowed == Some(phase) {
            self.allowed = None;
        }
        self.decision.clone()
    }

    /// Lets through what `scope` says, unless the engine only watches.
    fn allow(&mut self, scope: AllowScope, phase: Phase) {
        if self.engine != RuleEngine::On {
            return;
        }
        let until = match scope {
            AllowScope::Phase => phase,
            AllowScope::Request => phase.max(Phase::RequestBody),
            AllowScope::Transaction => Phase::ResponseBody,
        };
        self.allowed = Some(until);
    }

    /// Runs a rule with its chain; says whether all of it matched.
    pub(super) fn rule(&mut self, rule: &'w Rule) -> bool {
        let last = rule.links.len().saturating_sub(1);
        self.at = Some(rule);
        self.hidden_here.clear();
        let hidden = self
            .hidden
            .iter()
            .filter(|(rules, _)| rules.contains(rule.index));
        self.hidden_here
            .extend(hidden.map(|(_, exclusions)| *exclusions));
        self.matched.clear();
        self.seen.clear();
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
        if !self.may_match(test) {
            return false;
        }
        let argument = self.argument(rule, test);
        let first = rule
            .links
            .first()
            .is_some_and(|first| std::ptr::eq(first, link));
        let run = Run {
            rule,
            link,
            test,
            argument: &argument,
            last,
        };
        match test.target_list {
            Some(list) => {
                self.fill_list(test, list);
                let (generation, candidates) = self
                    .lists
                    .get_mut(list)
                    .map(std::mem::take)
                    .unwrap_or_default();
                let seen = self.inspect_all(&run, &candidates, first);
                if let Some(place) = self.lists.get_mut(list) {
                    *place = (generation, candidates);
                }
                seen
            }
            None => {
                let mut candidates = std::mem::take(&mut self.candidates);
                candidates.clear();
                for target in &test.targets {
                    self.collect(test, target, first, &mut candidates);
                }
                let seen = self.inspect_all(&run, &candidates, first);
                self.candidates = candidates;
                seen
            }
        }
    }

    /// Works out the values of a shared list of targets, unless that was done since a store
    /// changed last.
    fn fill_list(&mut self, test: &'w Test, list: usize) {
        let held = self
            .lists
            .get_mut(list)
            .map(std::mem::take)
            .unwrap_or_default();
        let (mut generation, mut candidates) = held;
        if generation != self.generation {
            candidates.clear();
            for target in &test.targets {
                self.collect(test, target, false, &mut candidates);
            }
            generation = self.generation;
        }
        if let Some(place) = self.lists.get_mut(list) {
            *place = (generation, candidates);
        }
    }

    /// Whether the test may match any of the values its targets name.
    fn may_match(&mut self, test: &'w Test) -> bool {
        let rules = self.rules;
        let (Some(slot), Some(group), Some(list)) = (test.slot, test.group, test.target_list)
        else {
            return true;
        };
        if !rules.prefilter_on {
            return true;
        }
        let known = |unions: &[(u64, Vec<u64>)], generation: u64| {
            let union = unions.get(group).filter(|(of, _)| *of == generation);
            union.map(|(_, bits)| prefilter::is_set(bits, slot))
        };
        if let Some(may) = known(&self.unions, self.generation) {
            return may;
        }
        self.fill_list(test, list);
        let (generation, candidates) = self
            .lists
            .get_mut(list)
            .map(std::mem::take)
            .unwrap_or_default();
        let mut union = self
            .unions
            .get_mut(group)
            .map(std::mem::take)
            .unwrap_or_default()
            .1;
        union.clear();
        union.resize(rules.prefilter.words(), 0);
        for candidate in &candidates {
            let map = rules.unicode_map.as_ref();
            let value = self
                .pool
                .chain(candidate.value, test.chain, &test.transforms, map);
            let bits = self.pool.scan(value, &rules.prefilter);
            union
                .iter_mut()
                .zip(bits)
                .for_each(|(word, bits)| *word |= bits);
        }
        let may = prefilter::is_set(&union, slot);
        if let Some(place) = self.unions.get_mut(group) {
            *place = (generation, union);
        }
        if let Some(place) = self.lists.get_mut(list) {
            *place = (generation, candidates);
        }
        may
    }

    /// Runs a link on each value; says whether any matched.
    fn inspect_all(&mut self, run: &Run<'w, '_>, candidates: &[Candidate], first: bool) -> bool {
        let rules = self.rules;
        let map = rules.unicode_map.as_ref();
        let shared = run.test.target_list.is_some();
        let hidden = first && shared && !self.hidden_here.is_empty();
        let mut seen = false;
        for candidate in candidates {
            if !self.decision.is_pass() {
                break;
            }
            if shared && !run.test.looks_deeper && candidate.steps != Steps::default() {
                continue;
            }
            if hidden && self.is_hidden(candidate) {
                continue;
            }
            let mut found = *candidate;
            if !run.test.multi_match {
                found.value =
                    self.pool
                        .chain(found.value, run.test.chain, &run.test.transforms, map);
                let left_out = rules.prefilter_on
                    && run.test.slot.is_some_and(|slot| {
                        !prefilter::is_set(self.pool.scan(found.value, &rules.prefilter), slot)
                    });
                seen |=
                    !left_out && self.inspect(run, *candidate, found, run.test.transforms.len());
                continue;
            }
            seen |= self.inspect(run, *candidate, found, 0);
            for (i, transform) in run.test.transforms.iter().enumerate() {
                let value = self.pool.transform(found.value, *transform, map);
                if value != found.value {
                    found.value = value;
                    seen |= self.inspect(run, *candidate, found, i + 1);
                }
            }
        }
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
            Operator::RxTemplate(template) => {
                let mut pattern = Vec::new();
                self.expand(template, rule, false, &mut pattern);
                Argument::Pattern(self.rules.patterns.get(&pattern))
            }
            Operator::Always
            | Operator::Never
            | Operator::Rx(_)
            | Operator::RxGlobal(_)
            | Operator::Phrases(_)
            | Operator::Address(_)
            | Operator::OutsideRange(_)
            | Operator::BadEscape
            | Operator::NotUtf8
            | Operator::InjectedSql(_)
            | Operator::InjectedScript
            | Operator::CardNumber(_) => Argument::None,
        }
    }

    /// Asks the operator about one value and, where it matches, carries out the link's actions.
    /// The value is what the first `applied` transformations made of `raw`.
    fn inspect(
        &mut self,
        run: &Run<'w, '_>,
        raw: Candidate,
        found: Candidate,
        applied: usize,
    ) -> bool {
        let hit = match ask(run, self.pool.get(found.value)) {
            Search::Found(hit) if !run.test.negated => hit,
            Search::Nothing if run.test.negated => Hit::default(),
            Search::Found(_) | Search::Nothing => return false,
            // What takes too long to tell is taken for what the rule looks for.
            Search::GaveUp => Hit::default(),
        };
        self.matched.push(found);
        self.seen.push(Seen {
            link: run.link,
            raw,
            applied,
            range: hit.range.clone(),
        });
        if self.in_shadow.is_some() {
            self.keep_tx();
        }
        if run.link.capture {
            self.capture(found, &hit);
        }
        self.perform(run.rule, run.link);
        if run.last {
            self.conclude(run.rule, run.link, Some(found), &hit);
        }
        true
    }

    /// Fills `TX:0` and on from a match.
    fn capture(&mut self, found: Candidate, hit: &Hit) {
        for (group, range) in hit.groups.iter().enumerate() {
            let value = range.clone().map(|range| {
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
        if let Some(Finding::Sql(fingerprint)) = hit.finding {
            let value = TxValue::Bytes(self.pool.add(fingerprint.as_bytes()));
            self.tx.set(TxSlot(0), Some(value));
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

fn ask(run: &Run<'_, '_>, value: &[u8]) -> Search<Hit> {
    let whole = |holds: bool| {
        if holds {
            Search::Found(Hit::default())
        } else {
            Search::Nothing
        }
    };
    match (&run.test.operator, run.argument) {
        (Operator::Always, _) => whole(true),
        (Operator::Never, _) => Search::Nothing,
        (Operator::Rx(rx), _) => match_pattern(rx, run.link.capture, value),
        (Operator::RxGlobal(rx), _) => found_groups(rx.last_captures(value, TxNames::GROUPS)),
        (Operator::RxTemplate(_), Argument::Pattern(Some(rx))) => {
            match_pattern(rx, run.link.capture, value)
        }
        (Operator::RxTemplate(_), _) => Search::GaveUp,
        (Operator::Phrases(phrases), _) => part(phrases.find(value)),
        (Operator::Address(set), _) => whole(set.contains(value)),
        (Operator::OutsideRange(range), _) => whole(range.is_violated(value)),
        (Operator::BadEscape, _) => whole(has_bad_escape(value)),
        (Operator::NotUtf8, _) => whole(std::str::from_utf8(value).is_err()),
        (Operator::InjectedSql(sqli), _) => match sqli.detect(value) {
            Some(fingerprint) => Search::Found(Hit {
                finding: Some(Finding::Sql(fingerprint)),
                ..Hit::default()
            }),
            None => Search::Nothing,
        },
        (Operator::InjectedScript, _) if injection::is_script(value) => Search::Found(Hit {
            groups: vec![Some(0..value.len())],
            finding: Some(Finding::Script),
            ..Hit::default()
        }),
        (Operator::InjectedScript, _) => Search::Nothing,
        (Operator::CardNumber(rx), _) => part(
            rx.find_all(value)
                .into_iter()
                .find(|range| passes_luhn(value.get(range.clone()).unwrap_or_default())),
        ),
        (Operator::Text(relation, _), Argument::Text(text)) => whole(relation.holds(value, text)),
        (Operator::Number(comparison, _), Argument::Number(number)) => {
            whole(comparison.holds(leading_integer(value), *number))
        }
        // An argument is always of its operator's kind.
        (Operator::Text(..) | Operator::Number(..), _) => Search::Nothing,
    }
}

fn part(range: Option<std::ops::Range<usize>>) -> Search<Hit> {
    match range {
        Some(range) => Search::Found(Hit {
            range: Some(range.clone()),
            groups: vec![Some(range)],
            finding: None,
        }),
        None => Search::Nothing,
    }
}

fn match_pattern(rx: &Rx, capture: bool, value: &[u8]) -> Search<Hit> {
    if capture {
        found_groups(rx.captures(value, TxNames::GROUPS))
    } else {
        match rx.find(value) {
            Search::Found(range) => Search::Found(Hit {
                range: Some(range),
                groups: Vec::new(),
                finding: None,
            }),
            Search::Nothing => Search::Nothing,
            Search::GaveUp => Search::GaveUp,
        }
    }
}

fn found_groups(found: Search<Spans>) -> Search<Hit> {
    match found {
        Search::Found(mut groups) => {
            // A group that took no part is empty before one that did, and absent after.
            let last = groups.iter().rposition(Option::is_some).unwrap_or_default();
            let none = groups.iter_mut().take(last).filter(|group| group.is_none());
            none.for_each(|group| *group = Some(0..0));
            groups.resize(TxNames::GROUPS, None);
            Search::Found(Hit {
                range: groups.first().cloned().flatten(),
                groups,
                finding: None,
            })
        }
        Search::Nothing => Search::Nothing,
        Search::GaveUp => Search::GaveUp,
    }
}

//! The values that a target names.

use super::{Candidate, Transaction, expand::RULE_PARTS, pool::Data, tx::TxValue};
use crate::{
    ruleset::{Exclusion, Target, Test},
    variable::{Persistent, Selector, Source, Store, Variable},
};

impl Transaction<'_> {
    /// Puts every value that `target` names into `out`, or the number of them. What a `ctl` action
    /// hid from the rule is left out of the `first` rule of a chain, as in ModSecurity.
    pub(super) fn collect(
        &mut self,
        test: &Test,
        target: &Target,
        first: bool,
        out: &mut Vec<Candidate>,
    ) {
        let start = out.len();
        let (variable, selector) = (target.variable, &target.selector);
        match variable.source() {
            Source::Values(stores) => {
                self.collect_stores(stores, variable, selector, false, out);
                // Lists that tests share are for all of them.
                if !target.count && (test.looks_deeper || test.target_list.is_some()) {
                    self.collect_inner(stores, variable, selector, out);
                }
            }
            Source::Names(stores) => self.collect_stores(stores, variable, selector, true, out),
            Source::Computed(computed) => {
                let mut text = Vec::new();
                if self.write_computed(computed, &mut text) {
                    let value = self.pool.add(&text);
                    out.push(Candidate::new(variable, Data::EMPTY, value));
                }
            }
            Source::Matched { names } => self.collect_matched(test, target, names, out),
            Source::Flag(flag) => {
                let value = self
                    .pool
                    .add(if self.is_raised(flag) { b"1" } else { b"0" });
                out.push(Candidate::new(variable, Data::EMPTY, value));
            }
            Source::Persistent(persistent) => self.collect_persistent(target, persistent, out),
            Source::Tx => self.collect_tx(target, out),
            Source::Rule => self.collect_rule(target, out),
        }
        let hidden = first && !self.hidden_here.is_empty();
        // As in ModSecurity, `&ARGS|!ARGS:a` counts all of them.
        if !target.count && (hidden || !test.exclusions.is_empty()) {
            let mut kept = start;
            for at in start..out.len() {
                if let Some(candidate) = out.get(at).copied()
                    && !self.is_excluded(&candidate, &test.exclusions)
                    && !(hidden
                        && self
                            .hidden_here
                            .iter()
                            .any(|e| self.is_excluded(&candidate, e)))
                    && let Some(place) = out.get_mut(kept)
                {
                    *place = candidate;
                    kept += 1;
                }
            }
            out.truncate(kept);
        }
        if target.count {
            let value = self.pool.add((out.len() - start).to_string().as_bytes());
            out.truncate(start);
            let name = match selector {
                Selector::Name(name) => self.pool.add(name),
                Selector::All | Selector::Pattern(_) => Data::EMPTY,
            };
            out.push(Candidate {
                count: true,
                ..Candidate::new(variable, name, value)
            });
        }
    }

    /// Whether a `ctl` action hid the value from the rule at hand.
    pub(super) fn is_hidden(&self, candidate: &Candidate) -> bool {
        self.hidden_here
            .iter()
            .any(|exclusions| self.is_excluded(candidate, exclusions))
    }

    fn is_excluded(&self, candidate: &Candidate, exclusions: &[Exclusion]) -> bool {
        let name = self.pool.get(candidate.name);
        exclusions
            .iter()
            .any(|e| e.variable == candidate.variable && e.selector.admits(name))
    }

    fn collect_stores(
        &self,
        stores: &[Store],
        variable: Variable,
        selector: &Selector,
        names: bool,
        out: &mut Vec<Candidate>,
    ) {
        for item in stores.iter().flat_map(|store| self.items(*store)) {
            if selector.admits(self.pool.get(item.name)) {
                let value = if names { item.name } else { item.value };
                out.push(Candidate::new(variable, item.name, value));
            }
        }
    }

    /// What decoders found inside the values that `collect_stores` collects.
    fn collect_inner(
        &self,
        stores: &[Store],
        variable: Variable,
        selector: &Selector,
        out: &mut Vec<Candidate>,
    ) {
        let inner = stores
            .iter()
            .filter_map(|store| self.inner.get(*store as usize))
            .flatten()
            .filter(|item| selector.admits(self.pool.get(item.name)));
        out.extend(inner.map(|item| Candidate {
            steps: item.steps,
            secret: item.secret,
            ..Candidate::new(variable, item.name, item.value)
        }));
    }

    fn collect_rule(&mut self, target: &Target, out: &mut Vec<Candidate>) {
        let Some(rule) = self.at else { return };
        for part in RULE_PARTS {
            let mut value = Vec::new();
            if target.selector.admits(part.as_bytes())
                && self.write_rule(part.as_bytes(), rule, &mut value)
            {
                let (name, value) = (self.pool.add(part.as_bytes()), self.pool.add(&value));
                out.push(Candidate::new(target.variable, name, value));
            }
        }
    }

    /// The values that matched so far keep the names they came by.
    fn collect_matched(
        &mut self,
        test: &Test,
        target: &Target,
        names: bool,
        out: &mut Vec<Candidate>,
    ) {
        for found in self.matched.clone() {
            let mut text = Vec::new();
            self.write_name(&found, &mut text);
            let excluded = test
                .exclusions
                .iter()
                .any(|e| e.variable == target.variable && e.selector.admits(&text));
            if target.selector.admits(&text) && !excluded {
                let value = if names {
                    self.pool.add(&text)
                } else {
                    found.value
                };
                out.push(Candidate { value, ..found });
            }
        }
    }

    fn collect_persistent(
        &mut self,
        target: &Target,
        persistent: Persistent,
        out: &mut Vec<Candidate>,
    ) {
        let Some(key) = self.keys.get(persistent as usize).and_then(Option::as_ref) else {
            return;
        };
        let pool = &mut self.pool;
        self.rules.collections.each(key, self.now.0, |name, value| {
            if target.selector.admits(name) {
                let (name, value) = (pool.add(name), pool.add(value));
                out.push(Candidate::new(target.variable, name, value));
            }
        });
    }

    fn collect_tx(&mut self, target: &Target, out: &mut Vec<Candidate>) {
        let variable = target.variable;
        let rules = self.rules;
        if let Some(slot) = target.slot {
            if let Some(value) = self.tx.get(slot) {
                let name = rules.tx.names().get(slot.0).map_or(&[][..], |name| name);
                let name = self.pool.add(name);
                let value = self.tx_data(value);
                out.push(Candidate::new(variable, name, value));
            }
            return;
        }
        let found: Vec<(Vec<u8>, TxValue)> = self
            .tx
            .iter(&rules.tx)
            .filter(|(name, _)| target.selector.admits(name))
            .map(|(name, value)| (name.to_vec(), value))
            .collect();
        for (name, value) in found {
            let name = self.pool.add(&name);
            let value = self.tx_data(value);
            out.push(Candidate::new(variable, name, value));
        }
    }

    fn tx_data(&mut self, value: TxValue) -> Data {
        match value {
            TxValue::Integer(number) => self.pool.add(number.to_string().as_bytes()),
            TxValue::Bytes(data) => data,
        }
    }

    /// Writes a candidate's full name: `ARGS:q`, `&ARGS`, `REQUEST_URI`.
    pub(super) fn write_name(&self, candidate: &Candidate, out: &mut Vec<u8>) {
        if candidate.count {
            out.push(b'&');
        }
        out.extend_from_slice(candidate.variable.name().as_bytes());
        let name = self.pool.get(candidate.name);
        if !name.is_empty() {
            out.push(b':');
            out.extend_from_slice(name);
        }
    }
}

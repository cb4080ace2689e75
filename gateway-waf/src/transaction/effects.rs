//! Carries out the actions that happen on every match of a link.

use super::{Transaction, tx::TxValue};
use crate::{
    operator::leading_integer,
    persist::Key,
    ruleset::{Change, Control, Effect, Link, Rule, RuleEngine, SetVar, VarName},
    template::Template,
    variable::{Persistent, Store},
};

impl<'w> Transaction<'w> {
    /// Carries out everything but the disruptive action.
    pub(super) fn perform(&mut self, rule: &'w Rule, link: &'w Link) {
        if self.in_shadow.is_some() {
            return self.perform_in_shadow(rule, link);
        }
        for effect in &link.effects {
            self.effect(rule, effect);
        }
        for control in &link.controls {
            self.control(control);
        }
    }

    fn expanded(&self, template: &Template, rule: &Rule) -> Vec<u8> {
        let mut text = Vec::new();
        self.expand(template, rule, false, &mut text);
        text
    }

    pub(super) fn effect(&mut self, rule: &Rule, effect: &'w Effect) {
        match effect {
            Effect::Set(set_var) => self.set_var(rule, set_var),
            Effect::Open(persistent, key) => {
                let key = self.expanded(key, rule);
                self.open(*persistent, key);
            }
            Effect::Identify(persistent, key) => {
                let key = self.expanded(key, rule);
                match persistent {
                    Persistent::Session => self.put(Store::SessionId, &key),
                    Persistent::User => self.put(Store::UserId, &key),
                    Persistent::Global | Persistent::Ip | Persistent::Resource => {}
                }
                self.open(*persistent, key);
            }
            Effect::Expire(persistent, name, seconds) => {
                let name = self.expanded(name, rule);
                let seconds = u64::try_from(self.expand_integer(seconds, rule)).unwrap_or(0);
                if let Some(key) = self.key(*persistent) {
                    self.rules
                        .collections
                        .expire(key, &name, self.now.0, seconds);
                }
            }
            Effect::Deprecate {
                persistent,
                name,
                amount,
                seconds,
            } => {
                let name = self.expanded(name, rule);
                let amount = self.expand_integer(amount, rule);
                let seconds = u64::try_from(self.expand_integer(seconds, rule)).unwrap_or(0);
                if let Some(key) = self.key(*persistent) {
                    self.rules
                        .collections
                        .deprecate(key, &name, self.now.0, amount, seconds);
                }
            }
            Effect::Environment(name, value) => {
                let (name, value) = (self.expanded(name, rule), self.expanded(value, rule));
                self.replace(Store::Environment, &name, &value);
            }
            Effect::Mask(kind, name) => self.masks.push((*kind, name)),
            Effect::MaskMatched => {
                if let Some(found) = self.matched.last() {
                    self.masked_items.push((found.variable, found.name));
                }
            }
        }
    }

    fn open(&mut self, persistent: Persistent, key: Vec<u8>) {
        let key: Key = (persistent, key.into());
        self.rules
            .collections
            .open(&key, self.now.0, self.rules.settings.collection_timeout);
        if let Some(slot) = self.keys.get_mut(persistent as usize) {
            *slot = Some(key);
        }
    }

    /// The key under which a collection was opened in this transaction.
    pub(super) fn key(&self, persistent: Persistent) -> Option<&Key> {
        self.keys.get(persistent as usize).and_then(Option::as_ref)
    }

    fn set_var(&mut self, rule: &Rule, set_var: &SetVar) {
        match &set_var.name {
            VarName::Slot(slot) => {
                let value = self.changed(rule, &set_var.change, self.tx.get(*slot));
                self.tx.set(*slot, value);
            }
            VarName::Tx(name) => {
                let name = self.expanded(name, rule);
                let held = self.tx.get_named(&self.rules.tx, &name);
                let value = self.changed(rule, &set_var.change, held);
                self.tx.set_named(&self.rules.tx, &name, value);
            }
            VarName::Persistent(persistent, name) => {
                let name = self.expanded(name, rule);
                self.set_persistent(rule, *persistent, &name, &set_var.change);
            }
        }
    }

    /// What a change makes of a transaction variable; a counter never falls below 0.
    fn changed(&mut self, rule: &Rule, change: &Change, held: Option<TxValue>) -> Option<TxValue> {
        let held = || self.tx_integer(held);
        match change {
            Change::Unset => None,
            Change::Set(template) => Some(self.new_value(rule, template)),
            Change::Add(amount) => Some(TxValue::Integer(
                held()
                    .saturating_add(self.expand_integer(amount, rule))
                    .max(0),
            )),
            Change::Subtract(amount) => Some(TxValue::Integer(
                held()
                    .saturating_sub(self.expand_integer(amount, rule))
                    .max(0),
            )),
        }
    }

    fn new_value(&mut self, rule: &Rule, template: &Template) -> TxValue {
        let text = self.expanded(template, rule);
        // Only what reads back as the same text may be kept as a number.
        let number = std::str::from_utf8(&text)
            .ok()
            .and_then(|t| t.parse::<i64>().ok());
        match number.filter(|number| number.to_string().as_bytes() == text) {
            Some(number) => TxValue::Integer(number),
            None => TxValue::Bytes(self.pool.add(&text)),
        }
    }

    /// Counters of a collection change under its lock: two transactions lose no step.
    fn set_persistent(&self, rule: &Rule, persistent: Persistent, name: &[u8], change: &Change) {
        let Some(key) = self.key(persistent) else {
            return;
        };
        let step = match change {
            Change::Unset | Change::Set(_) => 0,
            Change::Add(amount) => self.expand_integer(amount, rule),
            Change::Subtract(amount) => self.expand_integer(amount, rule).saturating_neg(),
        };
        let text = match change {
            Change::Set(template) => self.expanded(template, rule),
            Change::Unset | Change::Add(_) | Change::Subtract(_) => Vec::new(),
        };
        self.rules
            .collections
            .change(key, name, self.now.0, |held| match change {
                Change::Unset => None,
                Change::Set(_) => Some(text),
                Change::Add(_) | Change::Subtract(_) => {
                    let held = leading_integer(held.unwrap_or_default());
                    Some(held.saturating_add(step).max(0).to_string().into_bytes())
                }
            });
    }

    fn control(&mut self, control: &'w Control) {
        match control {
            Control::RuleEngine(RuleEngine::On) if self.only_watch => {}
            Control::RuleEngine(engine) => self.engine = *engine,
            Control::RequestBodyAccess(access) => self.body.access = *access,
            Control::RequestBodyLimit(bytes) => self.body.limit = *bytes,
            Control::RequestBodyProcessor(processor) => {
                self.body.processor = Some(*processor);
                self.announce_processor();
            }
            Control::ForceRequestBodyVariable(force) => self.body.force_variable = *force,
            Control::AuditEngine(engine) => self.audit = *engine,
            Control::AuditLogParts(parts) => self.audit_parts = Some(parts),
            Control::ResponseBodyAccess(access) => self.response_access = *access,
            Control::ResponseBodyLimit(bytes) => self.response_limit = *bytes,
            Control::Remove(selection) => self.removed.extend(&selection.rules),
            Control::RemoveTarget(selection, exclusions) => {
                self.hidden.push((&selection.rules, exclusions));
            }
        }
    }
}

//! Carries out the actions of a rule that matched.

use super::{Candidate, Decision, Effect, RuleMatch, Transaction, request::bounded, tx::TxValue};
use crate::{
    operator::Hit,
    ruleset::{Change, Control, Disruptive, Link, Rule, RuleEngine, SetVar, TxName},
    template::{Template, TxSlot},
};

/// How many matches of one rule are recorded; the rest only have their effect.
const RECORDED_PER_RULE: usize = 8;
/// How much of a variable's name a record holds, in bytes.
const SHOWN_NAME: usize = 128;

impl Transaction<'_> {
    /// The actions that happen on every match of a link.
    pub(super) fn perform(&mut self, rule: &Rule, link: &Link) {
        for set_var in &link.set_vars {
            self.set_var(rule, set_var);
        }
        for control in &link.controls {
            self.control(control);
        }
    }

    fn set_var(&mut self, rule: &Rule, set_var: &SetVar) {
        let mut computed = Vec::new();
        let slot = match &set_var.name {
            TxName::Slot(slot) => Some(*slot),
            TxName::Template(template) => {
                self.expand(template, rule, false, &mut computed);
                None
            }
        };
        let value = match &set_var.change {
            Change::Unset => None,
            Change::Set(template) => Some(self.new_value(rule, template)),
            Change::Add(template) | Change::Subtract(template) => {
                let held = match slot {
                    Some(slot) => self.tx.get(slot),
                    None => self.tx.get_named(&self.rules.tx, &computed),
                };
                let held = self.tx_integer(held);
                let amount = self.expand_integer(template, rule);
                Some(TxValue::Integer(match &set_var.change {
                    Change::Subtract(_) => held.saturating_sub(amount),
                    Change::Add(_) | Change::Set(_) | Change::Unset => held.saturating_add(amount),
                }))
            }
        };
        self.assign(slot, &computed, value);
    }

    fn assign(&mut self, slot: Option<TxSlot>, name: &[u8], value: Option<TxValue>) {
        match slot {
            Some(slot) => self.tx.set(slot, value),
            None => self.tx.set_named(&self.rules.tx, name, value),
        }
    }

    fn new_value(&mut self, rule: &Rule, template: &Template) -> TxValue {
        let mut text = Vec::new();
        self.expand(template, rule, false, &mut text);
        // Only what reads back as the same text may be kept as a number.
        let number = std::str::from_utf8(&text)
            .ok()
            .and_then(|t| t.parse::<i64>().ok());
        match number.filter(|number| number.to_string().as_bytes() == text) {
            Some(number) => TxValue::Integer(number),
            None => TxValue::Bytes(self.pool.add(&text)),
        }
    }

    fn control(&mut self, control: &Control) {
        match control {
            Control::RuleEngine(engine) => self.engine = *engine,
            Control::RequestBodyAccess(access) => self.body.access = *access,
            Control::RequestBodyProcessor(processor) => self.set_body_processor(*processor),
            Control::ForceRequestBodyVariable(force) => self.body.force_variable = *force,
            Control::RemoveById(low, high) => self.removed.push((*low, *high)),
        }
    }

    /// A whole rule has matched: decide, and record it.
    pub(super) fn conclude(
        &mut self,
        rule: &Rule,
        link: &Link,
        found: Option<Candidate>,
        hit: &Hit,
    ) {
        let (decision, effect) = self.judge(rule);
        if self.engine == RuleEngine::On {
            self.decision = decision;
        }
        let interrupts = !matches!(effect, Effect::Warning | Effect::Allowed);
        if rule.log || rule.audit_log || interrupts {
            let recorded = self
                .matches
                .iter()
                .rev()
                .take_while(|m| m.rule_id == rule.id)
                .count();
            if recorded < RECORDED_PER_RULE || interrupts {
                let effect = if interrupts && self.engine != RuleEngine::On {
                    Effect::Warning
                } else {
                    effect
                };
                let record = self.record(rule, link, found, hit, effect);
                self.matches.push(record);
            }
        }
    }

    fn judge(&self, rule: &Rule) -> (Decision, Effect) {
        let rule_id = rule.id;
        match &rule.disruptive {
            Disruptive::Pass => (Decision::Pass, Effect::Warning),
            Disruptive::Allow(_) => (Decision::Pass, Effect::Allowed),
            Disruptive::Deny { status } => (
                Decision::Deny {
                    status: *status,
                    rule_id,
                },
                Effect::Denied(*status),
            ),
            Disruptive::Drop => (Decision::Drop { rule_id }, Effect::Dropped),
            Disruptive::Redirect { status, location } => {
                let location = self.redirect_location(location, rule);
                let status = *status;
                (
                    Decision::Redirect {
                        status,
                        location,
                        rule_id,
                    },
                    Effect::Redirected(status),
                )
            }
        }
    }

    /// The expanded location as a header may carry it: what a client sent cannot add a line.
    fn redirect_location(&self, location: &Template, rule: &Rule) -> String {
        let mut text = Vec::new();
        self.expand(location, rule, false, &mut text);
        let text = String::from_utf8_lossy(&text);
        text.chars().filter(|c| !c.is_control()).collect()
    }

    fn record(
        &mut self,
        rule: &Rule,
        link: &Link,
        found: Option<Candidate>,
        hit: &Hit,
        effect: Effect,
    ) -> RuleMatch {
        let meta = &rule.meta;
        let text = |template: &Template| {
            let mut out = Vec::new();
            self.expand(template, rule, true, &mut out);
            bounded(&out, RuleMatch::MAX_LOGDATA).to_vec()
        };
        let lossy = |template: &Template| String::from_utf8_lossy(&text(template)).into_owned();
        let mut variable = Vec::new();
        let mut matched = Vec::new();
        if let Some(found) = found {
            self.write_name(&found, &mut variable);
            if self.last_match_is_secret() {
                matched.extend_from_slice(super::expand::MASK);
            } else {
                let value = self.pool.get(found.value);
                let part = match &hit.range {
                    Some(range) => value.get(range.clone()).unwrap_or_default(),
                    None => value,
                };
                matched.extend_from_slice(bounded(part, RuleMatch::MAX_MATCHED));
            }
        }
        let msg = meta.message.as_ref().map(lossy).unwrap_or_default();
        let tags = meta.tags.iter().map(lossy).collect();
        let logdata = meta.logdata.as_ref().map(text);
        RuleMatch {
            rule_id: rule.id,
            phase: rule.phase as u8 + 1,
            msg,
            severity: meta.severity,
            tags,
            revision: meta.revision.clone(),
            version: meta.version.clone(),
            maturity: meta.maturity,
            accuracy: meta.accuracy,
            file: std::sync::Arc::clone(&rule.file),
            line: rule.line,
            operator: operator_text(link),
            variable: String::from_utf8_lossy(bounded(&variable, SHOWN_NAME)).into_owned(),
            matched,
            logdata,
            effect,
            log: rule.log,
            audit_log: rule.audit_log,
            request: self.summary(),
        }
    }
}

fn operator_text(link: &Link) -> String {
    link.test.as_ref().map_or_else(String::new, |test| {
        let not = if test.negated { "!" } else { "" };
        format!("{not}@{} {}", test.operator_name, test.operator_text)
    })
}

//! Rules in shadow: evaluated like others, recorded, and without any effect.
//!
//! A chain may rely on what its first rules capture or set, so a rule in shadow does change `TX`
//! while it runs; afterwards `TX` is as it was. Collections, the environment and `ctl` are not
//! touched at all, and what would be skipped is not.

use super::{Candidate, Effect as Outcome, Shadow, Transaction};
use crate::{
    operator::Hit,
    ruleset::{Effect, Link, Rule},
};

impl<'w> Transaction<'w> {
    /// Where a rule is in shadow, if it is for this request.
    pub(super) fn shadow_of(&self, rule: &Rule) -> Option<Shadow> {
        if self.rules.shadow.contains(rule.index) {
            return Some(Shadow::Everywhere);
        }
        let here = self.shadow_here?.contains(rule.index);
        here.then_some(Shadow::Route)
    }

    /// Runs a rule in shadow.
    pub(super) fn watch(&mut self, rule: &'w Rule, shadow: Shadow) {
        self.in_shadow = Some(shadow);
        self.rule(rule);
        self.in_shadow = None;
        self.matched.clear();
        if let Some(tx) = self.before_shadow.take() {
            self.tx = tx;
        }
    }

    /// Keeps `TX` as it is, once for each rule in shadow that finds anything.
    pub(super) fn keep_tx(&mut self) {
        if self.before_shadow.is_none() {
            self.before_shadow = Some(self.tx.clone());
        }
    }

    /// Carries out what is taken back afterwards, and what hides secrets.
    pub(super) fn perform_in_shadow(&mut self, rule: &'w Rule, link: &'w Link) {
        self.keep_tx();
        for effect in &link.effects {
            match effect {
                Effect::Set(set_var) if set_var.name.is_transient() => self.effect(rule, effect),
                Effect::Mask(..) | Effect::MaskMatched => self.effect(rule, effect),
                Effect::Set(_)
                | Effect::Open(..)
                | Effect::Identify(..)
                | Effect::Expire(..)
                | Effect::Deprecate { .. }
                | Effect::Environment(..) => {}
            }
        }
    }

    /// Records the match; the verdict and the severity stay.
    pub(super) fn conclude_in_shadow(
        &mut self,
        rule: &'w Rule,
        link: &Link,
        found: Option<Candidate>,
        hit: &Hit,
    ) {
        let (_, effect) = self.judge(rule);
        let interrupts = !matches!(effect, Outcome::Warning | Outcome::Allowed);
        if (rule.log || rule.audit_log || interrupts) && self.has_room(rule) {
            let record = self.record(rule, link, found, hit, effect);
            self.trace(rule);
            self.matches.push(record);
        }
    }
}

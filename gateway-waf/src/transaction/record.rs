//! What a rule that matched as a whole decides, and the record of it.

use super::{Candidate, Decision, Effect, RuleMatch, Transaction, request::bounded};
use crate::{
    operator::Hit,
    ruleset::{Disruptive, Link, Rule, RuleEngine},
    template::Template,
};

/// How many matches of one rule are recorded; the rest only have their effect.
const RECORDED_PER_RULE: usize = 8;
/// How much of a variable's name a record holds, in bytes.
pub(super) const SHOWN_NAME: usize = 128;

impl<'w> Transaction<'w> {
    /// A whole rule has matched: decide, and record it.
    pub(super) fn conclude(
        &mut self,
        rule: &'w Rule,
        link: &Link,
        found: Option<Candidate>,
        hit: &Hit,
    ) {
        if self.in_shadow.is_some() {
            return self.conclude_in_shadow(rule, link, found, hit);
        }
        self.highest = match (self.highest, rule.meta.severity) {
            (Some(held), Some(new)) => Some(held.min(new)),
            (held, new) => held.or(new),
        };
        let (decision, effect) = self.judge(rule);
        if self.engine == RuleEngine::On {
            self.decision = decision;
        }
        let interrupts = !matches!(effect, Effect::Warning | Effect::Allowed);
        let wanted = rule.log || rule.audit_log;
        if interrupts || (wanted && self.has_room(rule)) {
            let effect = match self.engine {
                RuleEngine::On => effect,
                RuleEngine::Off | RuleEngine::DetectionOnly => Effect::Warning,
            };
            let record = self.record(rule, link, found, hit, effect);
            self.trace(rule);
            self.matches.push(record);
        }
    }

    /// Whether another match of the rule is recorded.
    pub(super) fn has_room(&self, rule: &Rule) -> bool {
        let newest = self.matches.iter().rev();
        newest.take_while(|m| m.rule_id == rule.id).count() < RECORDED_PER_RULE
    }

    pub(super) fn judge(&self, rule: &Rule) -> (Decision, Effect) {
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

    pub(super) fn record(
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
            decoded: found.map_or_else(String::new, |found| found.steps.to_string()),
            finding: hit.finding.map(|finding| finding.to_string()),
            matched,
            logdata,
            effect,
            shadow: self.in_shadow,
            log: rule.log,
            audit_log: rule.audit_log,
            request: self.summary(),
        }
    }
}

pub(super) fn operator_text(link: &Link) -> String {
    link.test.as_ref().map_or_else(String::new, |test| {
        let not = if test.negated { "!" } else { "" };
        format!("{not}@{} {}", test.operator_name, test.operator_text)
    })
}

//! Which tests look at what decoders find inside values.
//!
//! Those that look for something in a value which should not be there. A test that says what a
//! value must be like (negated, or of its bytes, its length, its number) means the value as it
//! came: text in Base64 satisfies it, and what it decodes to would not. Nor does a rule look
//! deeper that opens a door when it matches, or that only takes notes for others to act on: what
//! a client hides in a value may accuse it, and never excuse it.

use crate::{
    operator::Operator,
    ruleset::{Control, Disruptive, Rule, Test},
    transform::Transform,
};

/// Marks the tests of a rule.
pub(super) fn mark(rule: &mut Rule) {
    if !accuses(rule) {
        return;
    }
    let tests = rule.links.iter_mut().filter_map(|link| link.test.as_mut());
    for test in tests {
        test.looks_deeper = searches(test);
    }
}

/// Whether a match of the rule can only speak against the request.
fn accuses(rule: &Rule) -> bool {
    let told = match rule.disruptive {
        Disruptive::Pass => rule.log,
        Disruptive::Deny { .. } | Disruptive::Drop | Disruptive::Redirect { .. } => true,
        Disruptive::Allow(_) => false,
    };
    let goes_on = rule.skip == 0 && rule.skip_to.is_none();
    let mut controls = rule.links.iter().flat_map(|link| &link.controls);
    told && goes_on && controls.all(is_for_the_log)
}

/// Whether a change of course changes nothing but what is recorded.
fn is_for_the_log(control: &Control) -> bool {
    match control {
        Control::AuditEngine(_) | Control::AuditLogParts(_) => true,
        Control::RuleEngine(_)
        | Control::RequestBodyAccess(_)
        | Control::RequestBodyLimit(_)
        | Control::RequestBodyProcessor(_)
        | Control::ForceRequestBodyVariable(_)
        | Control::ResponseBodyAccess(_)
        | Control::ResponseBodyLimit(_)
        | Control::Remove(_)
        | Control::RemoveTarget(..) => false,
    }
}

/// Whether the test looks for something within a value.
fn searches(test: &Test) -> bool {
    let within = match test.operator {
        Operator::Rx(_)
        | Operator::RxGlobal(_)
        | Operator::RxTemplate(_)
        | Operator::Phrases(_)
        | Operator::Text(..)
        | Operator::InjectedSql(_)
        | Operator::InjectedScript
        | Operator::CardNumber(_) => true,
        Operator::Always
        | Operator::Never
        | Operator::Number(..)
        | Operator::Address(_)
        | Operator::OutsideRange(_)
        | Operator::BadEscape
        | Operator::NotUtf8 => false,
    };
    within && !test.negated && !test.transforms.contains(&Transform::Length)
}

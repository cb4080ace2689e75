//! Directives that take out or change rules loaded before them.

use super::{
    action::RuleActions,
    builder::{Builder, Context},
    choice::Choice,
    test,
};
use crate::{
    ruleset::{Exclusion, Target},
    seclang::{
        action,
        ast::{RuleAst, TargetMode},
        directive::Tune,
        lexer::Word,
        span::{Complaint, Position},
        target,
    },
    variable::{self, Selector},
};

/// Carries out one directive.
pub(super) fn apply(
    builder: &mut Builder,
    tune: Tune,
    at: Position,
    args: &[Word],
    context: &mut Context<'_>,
) -> Result<(), Complaint> {
    match tune {
        Tune::RemoveById => {
            let ids: Vec<String> = args.iter().map(text).collect();
            let choice = Choice::ids(&ids.join(" ")).map_err(|e| Complaint::new(at, e))?;
            remove(builder, &choice, at, context);
        }
        Tune::RemoveByMsg | Tune::RemoveByTag => {
            let [pattern] = args else {
                return Err(Complaint::new(at, "expected one pattern"));
            };
            let choice = choose(tune, pattern)?;
            remove(builder, &choice, at, context);
        }
        Tune::UpdateTargetById | Tune::UpdateTargetByMsg | Tune::UpdateTargetByTag => {
            let (choice, targets, replaced) = match args {
                [choice, targets] => (choice, targets, None),
                [choice, targets, replaced] => (choice, targets, Some(replaced)),
                _ => return Err(Complaint::new(at, "expected the rules and their targets")),
            };
            let choice = choose(tune, choice)?;
            update_targets(builder, &choice, at, targets, replaced, context);
        }
        Tune::UpdateActionById => {
            let [id, list] = args else {
                return Err(Complaint::new(at, "expected a rule id and actions"));
            };
            update_actions(builder, id, list, at, context)?;
        }
    }
    Ok(())
}

fn text(word: &Word) -> String {
    String::from_utf8_lossy(&word.text).into_owned()
}

fn choose(tune: Tune, word: &Word) -> Result<Choice, Complaint> {
    let pattern = text(word);
    let choice = match tune {
        Tune::RemoveByMsg | Tune::UpdateTargetByMsg => Choice::message(&pattern),
        Tune::RemoveByTag | Tune::UpdateTargetByTag => Choice::tag(&pattern),
        Tune::RemoveById | Tune::UpdateActionById | Tune::UpdateTargetById => Choice::ids(&pattern),
    };
    choice.map_err(|message| Complaint::new(word.start(), message))
}

fn remove(builder: &mut Builder, choice: &Choice, at: Position, context: &mut Context<'_>) {
    let mut found = false;
    for (index, rule) in builder.rules.iter().enumerate() {
        if choice.admits(rule) {
            found = true;
            builder.removed.insert(index);
        }
    }
    if !found {
        context.note(at, NONE_FOUND);
    }
}

const NONE_FOUND: &str = "the directive has no effect: no rule loaded before it is meant";

fn update_targets(
    builder: &mut Builder,
    choice: &Choice,
    at: Position,
    targets: &Word,
    replaced: Option<&Word>,
    context: &mut Context<'_>,
) {
    let mut complaints = Vec::new();
    let added = target::parse(targets, &mut complaints);
    let replaced = replaced
        .map(|word| target::parse(word, &mut complaints))
        .unwrap_or_default();
    context.complaints.append(&mut complaints);
    let mut found = false;
    for rule in builder.rules.iter_mut().filter(|rule| choice.admits(rule)) {
        found = true;
        let Some(test) = rule.links.first_mut().and_then(|link| link.test.as_mut()) else {
            continue;
        };
        for target in &replaced {
            if let Some((variable, selector)) = test::resolve_target(target, context) {
                test.targets
                    .retain(|t| !(t.variable == variable && t.selector.is_same(&selector)));
            }
        }
        for target in &added {
            let Some((variable, selector)) = test::resolve_target(target, context) else {
                continue;
            };
            if target.mode == TargetMode::Exclude {
                test.exclusions.push(Exclusion { variable, selector });
            } else {
                let slot = match &selector {
                    Selector::Name(name) if variable == variable::TX => Some(builder.tx.slot(name)),
                    Selector::Name(_) | Selector::All | Selector::Pattern(_) => None,
                };
                let count = target.mode == TargetMode::Count;
                test.targets.push(Target {
                    variable,
                    selector,
                    count,
                    slot,
                });
            }
        }
    }
    if !found {
        context.note(at, NONE_FOUND);
    }
}

/// `id` or `id:n`, the n-th rule of a chain counted from 0.
fn update_actions(
    builder: &mut Builder,
    id: &Word,
    list: &Word,
    at: Position,
    context: &mut Context<'_>,
) -> Result<(), Complaint> {
    let target = text(id);
    let (number, link) = target.split_once(':').unwrap_or((&target, "0"));
    let (Ok(number), Ok(link)) = (number.parse::<u64>(), link.parse::<usize>()) else {
        return Err(Complaint::new(
            id.start(),
            "expected a rule id such as 1 or 1:2",
        ));
    };
    let mut complaints = Vec::new();
    let actions = action::parse(list, &mut complaints);
    context.complaints.append(&mut complaints);
    for action in &actions {
        if ["id", "phase", "chain"]
            .iter()
            .any(|n| action.name.value.eq_ignore_ascii_case(n))
        {
            let message = format!("{} cannot be changed", action.name.value);
            return Err(Complaint::new(action.name.at, message));
        }
    }
    let before = context.complaints.len();
    let ast = RuleAst {
        at,
        test: None,
        actions,
    };
    let update = RuleActions::update(&ast, link > 0, context, &mut builder.tx);
    if context.complaints.len() > before {
        return Ok(());
    }
    match builder.rules.iter_mut().find(|rule| rule.id == number) {
        Some(rule) if link < rule.links.len() => {
            let defaults = builder
                .defaults
                .get(rule.phase as usize)
                .cloned()
                .unwrap_or_default();
            update.amend(rule, link, &defaults);
        }
        Some(_) => return Err(Complaint::new(id.start(), "the chain has no such rule")),
        None => context.note(at, NONE_FOUND),
    }
    Ok(())
}

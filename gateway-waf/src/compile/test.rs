//! The test of a `SecRule`: targets, operator, transformations.

use super::{
    action::{Defaults, RuleActions},
    builder::Context,
};
use crate::{
    nearest,
    operator::{self, IpSet, Name, Operator, Phrases, Rx},
    ruleset::{Exclusion, Target, Test},
    seclang::ast::{self, OperatorAst, TargetAst, TargetMode},
    template::{Template, TxNames},
    variable::{self, Found, Selector, Variable},
};

/// How much of the operator's argument a log line shows, in bytes.
const SHOWN_ARGUMENT: usize = 200;

/// Compiles a test; complaints go to the context.
pub(super) fn compile(
    test: &ast::Test,
    actions: &RuleActions,
    defaults: &Defaults,
    context: &mut Context<'_>,
    tx: &mut TxNames,
) -> Option<Test> {
    let mut targets = Vec::new();
    let mut exclusions = Vec::new();
    for target in &test.targets {
        if let Some((variable, selector)) = resolve_target(target, context) {
            match target.mode {
                TargetMode::Exclude => exclusions.push(Exclusion { variable, selector }),
                TargetMode::Inspect | TargetMode::Count => {
                    let slot = match &selector {
                        Selector::Name(name) if variable == Variable::Tx => Some(tx.slot(name)),
                        Selector::Name(_) | Selector::All | Selector::Pattern(_) => None,
                    };
                    let count = target.mode == TargetMode::Count;
                    targets.push(Target {
                        variable,
                        selector,
                        count,
                        slot,
                    });
                }
            }
        }
    }
    if test.targets.iter().all(|t| t.mode == TargetMode::Exclude)
        && let Some(target) = test.targets.first()
    {
        context.complain(
            target.name.at,
            "the rule excludes targets but names none to inspect",
        );
    }
    let operator = match compile_operator(&test.operator, context.read, tx) {
        Ok(operator) => operator,
        Err(message) => {
            let in_argument = operator::find(&test.operator.name.value)
                .is_some_and(|name| !matches!(name, Name::Refused(_)));
            let at = if in_argument {
                test.operator.argument.at
            } else {
                test.operator.name.at
            };
            let message = match &actions.id {
                Some(id) => format!("rule {}: {message}", id.value),
                None => message,
            };
            context.complain(at, message);
            return None;
        }
    };
    let argument = &test.operator.argument.value;
    let shown = argument.get(..SHOWN_ARGUMENT).unwrap_or(argument);
    Some(Test {
        targets,
        exclusions,
        transforms: actions.transforms.resolve(&defaults.transforms),
        multi_match: actions.multi_match,
        negated: test.operator.negated,
        operator,
        operator_name: test.operator.name.value.clone(),
        operator_text: String::from_utf8_lossy(shown).into_owned(),
    })
}

/// Resolves a target's variable and selector; complaints go to the context.
pub(super) fn resolve_target(
    target: &TargetAst,
    context: &mut Context<'_>,
) -> Option<(Variable, Selector)> {
    let name = &target.name.value;
    let (variable, collection) = match variable::find(name) {
        Some(Found::Variable(variable, collection)) => (variable, collection),
        Some(Found::Refused) => {
            let message =
                format!("the variable {name} is SecLang that this engine does not carry out yet");
            context.complain(target.name.at, message);
            return None;
        }
        None => {
            let hint = nearest::hint(name, variable::names());
            context.complain(target.name.at, format!("unknown variable {name}{hint}"));
            return None;
        }
    };
    let Some(selector) = &target.selector else {
        return Some((variable, Selector::All));
    };
    if !collection {
        let message = format!("{name} is a single value, so nothing can follow it after a colon");
        context.complain(selector.at, message);
        return None;
    }
    match Selector::new(&selector.value) {
        Ok(selector) => Some((variable, selector)),
        Err(message) => {
            context.complain(selector.at, message);
            None
        }
    }
}

fn compile_operator(
    ast: &OperatorAst,
    read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
    tx: &mut TxNames,
) -> Result<Operator, String> {
    let name = &ast.name.value;
    let argument = ast.argument.value.as_slice();
    let Some(known) = operator::find(name) else {
        let hint = nearest::hint(name, operator::names());
        return Err(format!("unknown operator @{name}{hint}"));
    };
    match known {
        Name::Always => Ok(Operator::Always),
        Name::Never => Ok(Operator::Never),
        Name::Rx if has_macro(argument) => {
            Err("macros in a pattern are not supported: the pattern is compiled once".to_owned())
        }
        Name::Rx => Ok(Operator::Rx(Rx::new(argument, false)?)),
        Name::Pm => Ok(Operator::Phrases(Phrases::from_words(argument)?)),
        Name::PmFromFile => {
            let names = String::from_utf8_lossy(argument);
            let files = names
                .split_whitespace()
                .map(read)
                .collect::<Result<Vec<Vec<u8>>, String>>()?;
            if files.is_empty() {
                return Err(format!("@{name} needs the name of a file"));
            }
            Ok(Operator::Phrases(Phrases::from_lines(&files)?))
        }
        Name::Text(relation) => Ok(Operator::Text(relation, Template::new(argument, tx)?)),
        Name::Number(comparison) => {
            let template = Template::new(argument, tx)?;
            let literal = template.literal().map(<[u8]>::trim_ascii);
            if literal.is_some_and(|text| !is_integer(text)) {
                return Err(format!("@{name} needs a whole number"));
            }
            Ok(Operator::Number(comparison, template))
        }
        Name::IpMatch => Ok(Operator::Address(IpSet::new(&String::from_utf8_lossy(
            argument,
        ))?)),
        Name::Refused(why) => Err(format!("@{name} {why}")),
    }
}

fn has_macro(argument: &[u8]) -> bool {
    argument
        .windows(2)
        .enumerate()
        .any(|(i, w)| w == b"%{" && argument.get(i..).is_some_and(|rest| rest.contains(&b'}')))
}

fn is_integer(text: &[u8]) -> bool {
    let digits = text
        .strip_prefix(b"-")
        .or_else(|| text.strip_prefix(b"+"))
        .unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

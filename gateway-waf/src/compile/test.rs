//! The test of a `SecRule`: targets, operator, transformations.

use super::{
    action::{Defaults, RuleActions},
    builder::Context,
};
use crate::{
    injection::Sqli,
    nearest,
    operator::{self, ByteRange, IpSet, Name, Operator, Phrases, Rx},
    ruleset::{Exclusion, Target, Test},
    seclang::{
        ast::{self, OperatorAst, TargetAst, TargetMode},
        span::Complaint,
    },
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
            let never_filled = [
                (variable::GEO, "rules look up no countries"),
                (
                    variable::FILES_TMPNAMES,
                    "uploads are never written to disk",
                ),
            ];
            let why = never_filled.iter().find(|(known, _)| *known == variable);
            if let Some((_, why)) = why
                && target.mode != TargetMode::Exclude
            {
                let message = format!("{} is never filled: {why}", variable.name());
                context.note(target.name.at, message);
            }
            match target.mode {
                TargetMode::Exclude => exclusions.push(Exclusion { variable, selector }),
                TargetMode::Inspect | TargetMode::Count => {
                    let slot = match &selector {
                        Selector::Name(name) if variable == variable::TX => Some(tx.slot(name)),
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
    if let Some(Name::Inert(why)) = operator::find(&test.operator.name.value) {
        let message = format!("@{} never matches: {why}", test.operator.name.value);
        context.note(test.operator.name.at, message);
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
        chain: 0,
        target_list: None,
        group: None,
        slot: None,
        multi_match: actions.multi_match,
        negated: test.operator.negated,
        looks_deeper: false,
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
    match target_of(target) {
        Ok(found) => Some(found),
        Err(complaint) => {
            context.complaints.push(complaint);
            None
        }
    }
}

/// Resolves a target's variable and selector.
pub(super) fn target_of(target: &TargetAst) -> Result<(Variable, Selector), Complaint> {
    let name = &target.name.value;
    let refuse = |message: String| Err(Complaint::new(target.name.at, message));
    if name.eq_ignore_ascii_case("XML") {
        return xml_target(target).map(|variable| (variable, Selector::All));
    }
    let variable = match variable::find(name) {
        Some(Found::Variable(variable)) => variable,
        Some(Found::Refused) => {
            return refuse(format!(
                "the variable {name} is SecLang that this engine does not carry out yet"
            ));
        }
        None => {
            let hint = nearest::hint(name, variable::names());
            return refuse(format!("unknown variable {name}{hint}"));
        }
    };
    let Some(selector) = &target.selector else {
        return Ok((variable, Selector::All));
    };
    if !variable.is_collection() {
        let message = format!("{name} is a single value, so nothing can follow it after a colon");
        return Err(Complaint::new(selector.at, message));
    }
    match Selector::new(&selector.value) {
        Ok(selector) => Ok((variable, selector)),
        Err(message) => Err(Complaint::new(selector.at, message)),
    }
}

/// The two paths into a document that rule sets use.
fn xml_target(target: &TargetAst) -> Result<Variable, Complaint> {
    match target
        .selector
        .as_ref()
        .map(|selector| selector.value.as_slice())
    {
        Some(b"/*") => Ok(variable::XML_TEXT),
        Some(b"//@*") => Ok(variable::XML_ATTRIBUTES),
        _ => Err(Complaint::new(
            target.name.at,
            "XML takes the paths /* and //@* only",
        )),
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
        Name::Rx if has_macro(argument) => Ok(Operator::RxTemplate(Template::new(argument, tx)?)),
        Name::Rx => Ok(Operator::Rx(Rx::with_lookaround(argument, false)?)),
        Name::RxGlobal => Ok(Operator::RxGlobal(Rx::new(argument, false)?)),
        Name::Pm => Ok(Operator::Phrases(Phrases::from_words(argument)?)),
        Name::PmFromFile => {
            let files = files(&String::from_utf8_lossy(argument), read)?;
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
        Name::IpMatchFromFile => {
            let files = files(&String::from_utf8_lossy(argument), read)?;
            let text: Vec<String> = files
                .iter()
                .map(|file| without_comments(&String::from_utf8_lossy(file)))
                .collect();
            Ok(Operator::Address(IpSet::new(&text.join("\n"))?))
        }
        Name::ByteRange => Ok(Operator::OutsideRange(ByteRange::new(
            &String::from_utf8_lossy(argument),
        )?)),
        Name::UrlEncoding => Ok(Operator::BadEscape),
        Name::Utf8Encoding => Ok(Operator::NotUtf8),
        Name::InjectedSql => Ok(Operator::InjectedSql(Sqli::new())),
        Name::InjectedScript => Ok(Operator::InjectedScript),
        Name::CardNumber => Ok(Operator::CardNumber(Rx::new(argument, false)?)),
        Name::Inert(_) => Ok(Operator::Never),
        Name::Refused(why) => Err(format!("@{name} {why}")),
    }
}

/// Reads the files whose names `names` lists.
fn files(
    names: &str,
    read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Vec<Vec<u8>>, String> {
    let files = names
        .split_whitespace()
        .map(read)
        .collect::<Result<Vec<Vec<u8>>, String>>()?;
    if files.is_empty() {
        Err("expected the name of a file".to_owned())
    } else {
        Ok(files)
    }
}

fn without_comments(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
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

//! Lines of words to statements.

use super::{
    action,
    ast::{RuleAst, Statement, Test},
    directive::{self, Kind},
    lexer::{self, Line, Word},
    operator,
    span::{Complaint, Spanned},
    target,
};
use crate::nearest;

/// Parses a whole file; every line is read, whatever was wrong with those before it.
pub(crate) fn parse(input: &[u8]) -> (Vec<Statement>, Vec<Complaint>) {
    let (lines, mut complaints) = lexer::lines(input);
    let mut statements = Vec::with_capacity(lines.len());
    for line in &lines {
        match statement(line, &mut complaints) {
            Ok(statement) => statements.push(statement),
            Err(complaint) => complaints.push(complaint),
        }
    }
    complaints.sort_by_key(|c| c.at);
    (statements, complaints)
}

fn statement(line: &Line, complaints: &mut Vec<Complaint>) -> Result<Statement, Complaint> {
    let Some((head, args)) = line.words.split_first() else {
        return Err(Complaint::new(
            super::span::Position { line: 1, column: 1 },
            "empty line",
        ));
    };
    let name = String::from_utf8_lossy(&head.text).into_owned();
    let Some(kind) = directive::find(&name) else {
        return Err(unknown(head, &name));
    };
    match kind {
        Kind::Rule => rule(head, &name, args, complaints),
        Kind::Action => {
            let [list] = exactly(head, &name, args)?;
            let actions = action::parse(list, complaints);
            Ok(Statement::Rule(RuleAst {
                at: head.start(),
                test: None,
                actions,
            }))
        }
        Kind::DefaultAction => {
            let [list] = exactly(head, &name, args)?;
            let actions = action::parse(list, complaints);
            Ok(Statement::DefaultAction {
                at: head.start(),
                actions,
            })
        }
        Kind::Marker => {
            let [marker] = exactly(head, &name, args)?;
            Ok(Statement::Marker(text(marker)?))
        }
        Kind::Include | Kind::IncludeOptional => {
            let [pattern] = exactly(head, &name, args)?;
            let optional = kind == Kind::IncludeOptional;
            Ok(Statement::Include {
                pattern: text(pattern)?,
                optional,
            })
        }
        Kind::Setting(setting) => Ok(Statement::Setting {
            setting,
            at: head.start(),
            args: args.to_vec(),
        }),
        Kind::Tune(tune) => Ok(Statement::Tune {
            tune,
            at: head.start(),
            args: args.to_vec(),
        }),
        Kind::Refused(why) => Err(Complaint::new(head.start(), format!("{name} {why}"))),
    }
}

fn rule(
    head: &Word,
    name: &str,
    args: &[Word],
    complaints: &mut Vec<Complaint>,
) -> Result<Statement, Complaint> {
    let (targets, test, actions) = match args {
        [targets, test] => (targets, test, None),
        [targets, test, actions] => (targets, test, Some(actions)),
        _ => return Err(arity(head, name, "2 or 3 words", args.len())),
    };
    let targets = target::parse(targets, complaints);
    let operator = operator::parse(test)?;
    let actions = actions
        .map(|a| action::parse(a, complaints))
        .unwrap_or_default();
    Ok(Statement::Rule(RuleAst {
        at: head.start(),
        test: Some(Test { targets, operator }),
        actions,
    }))
}

fn exactly<'a, const N: usize>(
    head: &Word,
    name: &str,
    args: &'a [Word],
) -> Result<&'a [Word; N], Complaint> {
    args.try_into().map_err(|_| {
        let words = if N == 1 {
            "1 word".to_owned()
        } else {
            format!("{N} words")
        };
        arity(head, name, &words, args.len())
    })
}

fn arity(head: &Word, name: &str, wanted: &str, got: usize) -> Complaint {
    Complaint::new(head.start(), format!("{name} takes {wanted}, found {got}"))
}

fn text(word: &Word) -> Result<Spanned<String>, Complaint> {
    match String::from_utf8(word.text.clone()) {
        Ok(value) => Ok(Spanned::new(value, word.start())),
        Err(_) => Err(Complaint::new(word.start(), "the word is not UTF-8")),
    }
}

fn unknown(head: &Word, name: &str) -> Complaint {
    let message = if name.starts_with('<') {
        "sections of a web server's configuration are not SecLang; \
         name the rule files that stand in it instead"
            .to_owned()
    } else {
        let hint = nearest::hint(name, directive::names());
        format!("unknown directive {}{hint}", name.escape_debug())
    };
    Complaint::new(head.start(), message)
}

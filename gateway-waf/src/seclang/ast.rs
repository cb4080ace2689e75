//! Typed statements of a rule file, names not yet resolved.

use super::{
    directive::{Setting, Tune},
    lexer::Word,
    span::{Position, Spanned},
};

/// One directive.
#[derive(Clone, Debug)]
pub(crate) enum Statement {
    Rule(RuleAst),
    DefaultAction {
        at: Position,
        actions: Vec<ActionAst>,
    },
    Marker(Spanned<String>),
    Include {
        pattern: Spanned<String>,
        optional: bool,
    },
    Setting {
        setting: Setting,
        at: Position,
        args: Vec<Word>,
    },
    Tune {
        tune: Tune,
        at: Position,
        args: Vec<Word>,
    },
}

impl Statement {
    /// Where the statement starts.
    pub(crate) fn at(&self) -> Position {
        match self {
            Self::Rule(rule) => rule.at,
            Self::DefaultAction { at, .. } | Self::Setting { at, .. } | Self::Tune { at, .. } => {
                *at
            }
            Self::Marker(name) => name.at,
            Self::Include { pattern, .. } => pattern.at,
        }
    }
}

/// `SecRule`, or `SecAction` when `test` is absent.
#[derive(Clone, Debug)]
pub(crate) struct RuleAst {
    pub(crate) at: Position,
    pub(crate) test: Option<Test>,
    pub(crate) actions: Vec<ActionAst>,
}

/// What a `SecRule` looks at and what it asks.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) targets: Vec<TargetAst>,
    pub(crate) operator: OperatorAst,
}

/// One `|`-separated target: `&NAME:selector`, `!NAME:selector`, `NAME`.
#[derive(Clone, Debug)]
pub(crate) struct TargetAst {
    pub(crate) mode: TargetMode,
    pub(crate) name: Spanned<String>,
    pub(crate) selector: Option<Spanned<Vec<u8>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetMode {
    Inspect,
    Count,
    Exclude,
}

/// `!@name argument`; `@rx` when no name is written.
#[derive(Clone, Debug)]
pub(crate) struct OperatorAst {
    pub(crate) negated: bool,
    pub(crate) name: Spanned<String>,
    pub(crate) argument: Spanned<Vec<u8>>,
}

/// One action with the text after its colon, quotes resolved.
#[derive(Clone, Debug)]
pub(crate) struct ActionAst {
    pub(crate) name: Spanned<String>,
    pub(crate) value: Option<Spanned<String>>,
}

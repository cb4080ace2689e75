//! Operators: the questions a rule can ask of a value.

mod ip;
mod number;
mod pm;
mod rx;
mod text;

use std::ops::Range;

pub(crate) use ip::IpSet;
pub(crate) use number::{Comparison, leading_integer};
pub(crate) use pm::Phrases;
pub(crate) use rx::Rx;
pub(crate) use text::Relation;

use crate::template::Template;

/// A compiled operator with its argument.
#[derive(Debug)]
pub(crate) enum Operator {
    /// `@unconditionalMatch`.
    Always,
    /// `@noMatch`.
    Never,
    Rx(Rx),
    /// `@pm`, `@pmFromFile`.
    Phrases(Phrases),
    /// `@streq`, `@contains`, …: a relation between two byte strings.
    Text(Relation, Template),
    /// `@eq`, `@lt`, …: a comparison of two integers.
    Number(Comparison, Template),
    /// `@ipMatch`.
    Address(IpSet),
}

/// What an operator found: the bytes that matched, and the groups of a pattern.
#[derive(Debug, Default)]
pub(crate) struct Hit {
    /// The part of the value that matched; `None` when the whole value did.
    pub(crate) range: Option<Range<usize>>,
    /// What `TX:0` to `TX:9` receive under `capture`.
    pub(crate) groups: Vec<Option<Range<usize>>>,
}

/// An operator's name, and what its argument means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Always,
    Never,
    Rx,
    Pm,
    PmFromFile,
    Text(Relation),
    Number(Comparison),
    IpMatch,
    Refused(&'static str),
}

/// Finds an operator by name, any case.
pub(crate) fn find(name: &str) -> Option<Name> {
    NAMES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|&(_, name)| name)
}

/// Every known operator name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|&(name, _)| name)
}

const LATER: &str = "is SecLang that this engine does not carry out yet";
const SCRIPT: &str = "runs a program inside the filter, which this engine never does";

const NAMES: &[(&str, Name)] = &[
    ("beginsWith", Name::Text(Relation::BeginsWith)),
    ("contains", Name::Text(Relation::Contains)),
    ("containsWord", Name::Text(Relation::ContainsWord)),
    ("detectSQLi", Name::Refused(LATER)),
    ("detectXSS", Name::Refused(LATER)),
    ("endsWith", Name::Text(Relation::EndsWith)),
    ("eq", Name::Number(Comparison::Equal)),
    ("fuzzyHash", Name::Refused(LATER)),
    ("ge", Name::Number(Comparison::GreaterOrEqual)),
    ("geoLookup", Name::Refused(LATER)),
    ("gsbLookup", Name::Refused(LATER)),
    ("gt", Name::Number(Comparison::Greater)),
    ("inspectFile", Name::Refused(SCRIPT)),
    ("ipMatch", Name::IpMatch),
    ("ipMatchF", Name::Refused(LATER)),
    ("ipMatchFromFile", Name::Refused(LATER)),
    ("le", Name::Number(Comparison::LessOrEqual)),
    ("lt", Name::Number(Comparison::Less)),
    ("noMatch", Name::Never),
    ("pm", Name::Pm),
    ("pmf", Name::PmFromFile),
    ("pmFromFile", Name::PmFromFile),
    ("rbl", Name::Refused(LATER)),
    ("rsub", Name::Refused(LATER)),
    ("rx", Name::Rx),
    ("rxGlobal", Name::Refused(LATER)),
    ("streq", Name::Text(Relation::Equals)),
    ("strmatch", Name::Text(Relation::Contains)),
    ("unconditionalMatch", Name::Always),
    ("validateByteRange", Name::Refused(LATER)),
    ("validateDTD", Name::Refused(LATER)),
    ("validateHash", Name::Refused(LATER)),
    ("validateSchema", Name::Refused(LATER)),
    ("validateUrlEncoding", Name::Refused(LATER)),
    ("validateUtf8Encoding", Name::Refused(LATER)),
    ("verifyCC", Name::Refused(LATER)),
    ("verifyCPF", Name::Refused(LATER)),
    ("verifySSN", Name::Refused(LATER)),
    ("within", Name::Text(Relation::Within)),
];

#[cfg(test)]
mod tests;

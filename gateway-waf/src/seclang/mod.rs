//! The SecLang grammar: bytes of a rule file to typed statements that know where they stand.
//!
//! Nothing here knows what a rule means; `compile` resolves names and builds the engine's form.

pub(crate) mod action;
pub(crate) mod ast;
pub(crate) mod directive;
pub(crate) mod lexer;
pub(crate) mod operator;
pub(crate) mod parser;
pub(crate) mod span;
pub(crate) mod target;

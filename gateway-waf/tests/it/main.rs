//! The engine from the outside: rule files in, requests in, verdicts and matches out.

#![allow(clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod common;
mod default_rules;
mod language;
mod load;
mod properties;

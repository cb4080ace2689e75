//! The agent: puts the parts together, keeps them together, and takes them apart.
//!
//! What it holds on to outlives it where it should: the program stays on the interfaces, the
//! lists stay in their maps, bans still expire. Starting again takes all of it over.

mod cookies;
mod filter;
mod hooks;
mod immune;
mod interfaces;
mod kept;
mod limits;
mod logs;
mod metrics;
mod patches;
mod reconciler;
mod reload;
mod rules;
mod snapshot;
mod start;
mod trial;
mod watch;

pub use rules::{
    RuleFault, RuleFiles, Rules, check_rules, default_files, expand, load_files, load_rules, order,
    rule_files,
};
pub use start::{Options, run};

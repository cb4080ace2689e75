//! What is fuzzed: each target takes bytes of anybody's making and panics when something does not
//! hold.
//!
//! `fuzz/` has a program for each of them, and `fuzz/corpus` inputs that are worth keeping, which
//! the test `fuzz` runs again.

mod agent;
mod grammar;
mod import;
mod packets;
pub mod seeds;
mod waf;

/// Something that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its program and of its folder of inputs.
    pub name: &'static str,
    /// Runs it on one input.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 14] = [
    target("frames", packets::frames),
    target("lists", packets::lists),
    target("limiter", packets::limiter),
    target("grammar", grammar::grammar),
    target("paths", grammar::paths),
    target("import", import::import),
    target("config", agent::config),
    target("capture", agent::capture),
    target("head", agent::head),
    target("token", agent::token),
    target("rules", waf::rules),
    target("bodies", waf::bodies),
    target("transformations", waf::transformations),
    target("requests", waf::requests),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// The target of this name.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn named(name: &str) -> Target {
    *TARGETS
        .iter()
        .find(|target| target.name == name)
        .unwrap_or_else(|| panic!("no fuzz target {name}"))
}

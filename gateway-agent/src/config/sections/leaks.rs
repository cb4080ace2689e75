//! What responses must not tell.

use crate::config::raw;
use crate::config::sections::setting;
use crate::config::tree::At;
use crate::config::values::{FailMode, LeakAction};
use crate::validation::MediaRange;

/// What responses must not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaks {
    /// Numbers of payment cards.
    pub cards: LeakAction,
    /// Private keys and credentials.
    pub keys: LeakAction,
    /// Stack traces.
    pub stack_traces: LeakAction,
    /// Error messages of databases.
    pub sql_errors: LeakAction,
    /// The media types that are looked into.
    pub types: Vec<MediaRange>,
    /// What happens to a response that cannot be read.
    pub fail: FailMode,
}

/// Those that programs write for people and programs, images and code left out.
const TYPES: [&str; 5] = [
    "text/*",
    "application/json",
    "application/*+json",
    "application/xml",
    "application/*+xml",
];

impl Default for Leaks {
    /// Nothing is looked for: what is found changes what an application said, and responses have
    /// to come uncompressed for it. Whoever wants that says so.
    fn default() -> Self {
        Self {
            cards: LeakAction::Off,
            keys: LeakAction::Off,
            stack_traces: LeakAction::Off,
            sql_errors: LeakAction::Off,
            types: TYPES.iter().filter_map(|text| text.parse().ok()).collect(),
            fail: FailMode::Closed,
        }
    }
}

impl Leaks {
    /// What is written, over what holds otherwise.
    pub(super) fn check(raw: raw::Leaks, base: Self) -> Self {
        let types = raw.content_type.and_then(At::take);
        let types = types.map(|listed| listed.0.into_iter().filter_map(At::take).collect());
        Self {
            cards: setting(raw.cards, base.cards),
            keys: setting(raw.keys, base.keys),
            stack_traces: setting(raw.stack_traces, base.stack_traces),
            sql_errors: setting(raw.sql_errors, base.sql_errors),
            types: types.unwrap_or(base.types),
            fail: setting(raw.fail, base.fail),
        }
    }
}

//! Reading one YAML file, within bounds.

use std::collections::HashMap;

use serde_saphyr::{
    DuplicateKeyPolicy, Error, Location, MessageFormatter, NonFiniteFloatPolicy, Options, Spanned,
    UserMessageFormatter, alias_limits, budget, options,
};

use super::node::Parsed;
use super::words::quoted;
use super::{Node, Value};
use crate::config::report::{Place, Report};

/// The largest file that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 4 << 20;
/// How deep lists and maps may stand in one another.
const MAX_DEPTH: usize = 32;
/// How many values one file may hold, those that aliases repeat included.
const MAX_VALUES: usize = 200_000;
/// How many values aliases may repeat.
const MAX_REPEATED: usize = 20_000;

/// Reads the file numbered `file`. What is wrong with it goes to `report`: the first fault that
/// the YAML reader sees, and every key that is given twice.
pub(crate) fn read(file: u32, text: &[u8], report: &Report) -> Option<Node> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        report.fault(Place::whole(file), message);
        return None;
    }
    match serde_saphyr::from_slice_with_options::<Spanned<Parsed>>(text, bounded()) {
        Ok(parsed) => {
            let mut node = Node::in_file(file, parsed);
            refuse_twins(&mut node, report);
            Some(node)
        }
        Err(error) => {
            let at = error.location();
            let place = at.map_or(Place::whole(file), |at| place(file, at));
            report.fault(place, words(&error));
            None
        }
    }
}

/// The place of the YAML reader's location.
pub(super) fn place(file: u32, at: Location) -> Place {
    let cut = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Place {
        file,
        line: cut(at.line()),
        column: cut(at.column()),
    }
}

fn bounded() -> Options {
    options! {
        budget: budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_VALUES,
            max_events: 2 * MAX_VALUES,
            max_aliases: 1000,
            max_anchors: 1000,
            max_merge_keys: 1000,
            max_recorded_anchor_events: MAX_VALUES,
            max_recorded_anchor_bytes: MAX_BYTES,
            max_total_scalar_bytes: MAX_BYTES,
        },
        alias_limits: alias_limits! {
            max_total_replayed_events: MAX_REPEATED,
            max_replay_stack_depth: 8,
        },
        // Seen here, so that both places can be told.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // `mode: off` is a word.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the reader's own words do for the rest"
)]
fn words(error: &Error) -> String {
    let message = match error {
        Error::AliasError { error, .. } => return words(error),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => format!(
            "the file goes beyond what is read: {MAX_DEPTH} levels, {MAX_VALUES} values, \
             {MAX_REPEATED} of them repeated by aliases"
        ),
        Error::NullIntoString { .. } => "found no text for a key, expected a name".into(),
        Error::UnknownAnchor { .. } => "the alias names an anchor that is not above it".into(),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "the alias stands inside the value that it repeats".into()
        }
        Error::MultipleDocuments { .. } => {
            "a second document starts here, expected one document in a file".into()
        }
        Error::InvalidUtf8Input => "the file is not UTF-8 text".into(),
        other => UserMessageFormatter.format_message(other).into_owned(),
    };
    message.chars().flat_map(visible).collect()
}

/// The character, or its escape when a terminal would act on it.
fn visible(c: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = if c.is_control() {
        (None, Some(c.escape_debug()))
    } else {
        (Some(c), None)
    };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

/// Refuses keys that a map has twice, and leaves the first of them.
fn refuse_twins(node: &mut Node, report: &Report) {
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| refuse_twins(item, report)),
        Value::Map(entries) => {
            let mut seen = HashMap::new();
            entries.retain(|(key, _)| {
                let first = *seen.entry(key.text.clone()).or_insert(key.place);
                if first != key.place {
                    let found = quoted(&key.text);
                    let first = report.locate(first);
                    let message = format!("found the key {found} again, the first is at {first}");
                    report.fault(key.place, message);
                }
                first == key.place
            });
            for (_, value) in entries {
                refuse_twins(value, report);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Signed(_)
        | Value::Float(_)
        | Value::Text(_) => {}
    }
}

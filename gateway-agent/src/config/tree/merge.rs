//! Laying one file's tree over another's.

use std::collections::HashMap;

use super::node::{Key, Node, Value};
use super::words;
use crate::config::report::Report;

/// Adds `more` to `base`: maps are merged key by key, lists are appended, and a key without a
/// value gives way. Anything else that both files give is a conflict, also when they agree: a
/// setting has one place.
pub(crate) fn merge(base: &mut Node, more: Node, report: &Report) {
    match (&mut base.value, more.value) {
        (_, Value::Null) => {}
        (value @ Value::Null, other) => {
            *value = other;
            base.place = more.place;
        }
        (Value::List(items), Value::List(others)) => items.extend(others),
        (Value::Map(entries), Value::Map(others)) => merge_maps(entries, others, report),
        (_, other) => {
            let more = Node {
                place: more.place,
                value: other,
            };
            let message = format!(
                "found {}, but {} is given already at {}; only maps and lists are merged",
                words::found(&more),
                words::found(base),
                report.locate(base.place)
            );
            report.fault(more.place, message);
        }
    }
}

fn merge_maps(entries: &mut Vec<(Key, Node)>, others: Vec<(Key, Node)>, report: &Report) {
    let mut known: HashMap<String, usize> = entries
        .iter()
        .enumerate()
        .map(|(i, (key, _))| (key.text.clone(), i))
        .collect();
    for (key, value) in others {
        match known.get(&key.text).and_then(|i| entries.get_mut(*i)) {
            Some((_, node)) => merge(node, value, report),
            None => {
                known.insert(key.text.clone(), entries.len());
                entries.push((key, value));
            }
        }
    }
}

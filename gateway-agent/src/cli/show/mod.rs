//! Answers in the form people read, and the one programs read.

mod entries;
mod table;
mod time;

use std::io::{self, Write};

use serde::Serialize;

pub(super) use entries::{BAN_COLUMNS, ENTRY_COLUMNS, ban_row, entry_row, plain};
pub(super) use table::{Column, Table};
pub(super) use time::{date, left, span};

/// Writes an answer as one JSON document, indented.
pub(super) fn json(out: &mut dyn Write, answer: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, answer)?;
    writeln!(out)
}

/// Writes what else one should know, a line each.
pub(super) fn notes(err: &mut dyn Write, notes: &[String]) -> io::Result<()> {
    notes
        .iter()
        .try_for_each(|note| writeln!(err, "note: {note}"))
}

/// `count` of a thing, with its name in the right number.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

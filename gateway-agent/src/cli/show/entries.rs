//! List entries and bans as rows.

use super::table::Column;
use super::time::left;
use crate::control::api::EntryView;
use crate::store::Mode;

/// The columns of a list.
pub(in crate::cli) const ENTRY_COLUMNS: &[Column] = &[
    Column::words("PREFIX"),
    Column::words("ORIGIN"),
    Column::words("MODE"),
    Column::words("TIME"),
    Column::number("RULE"),
    Column::words("REASON"),
];

/// The columns of the bans.
pub(in crate::cli) const BAN_COLUMNS: &[Column] = &[
    Column::words("CLIENT"),
    Column::words("TIME"),
    Column::words("OFFENCE"),
    Column::number("STRIKE"),
    Column::words("MODE"),
    Column::number("RULE"),
    Column::words("REQUEST"),
    Column::words("REASON"),
];

/// An entry as a row of [`ENTRY_COLUMNS`].
pub(in crate::cli) fn entry_row(entry: &EntryView) -> Vec<String> {
    vec![
        entry.prefix.to_string(),
        entry.origin.to_string(),
        entry.mode.to_string(),
        left(entry.left_ms),
        entry.rule.to_string(),
        plain(&entry.reason),
    ]
}

/// A ban as a row of [`BAN_COLUMNS`].
pub(in crate::cli) fn ban_row(entry: &EntryView) -> Vec<String> {
    let ban = entry.ban.as_ref();
    let unknown = || "-".to_owned();
    vec![
        entry.prefix.to_string(),
        left(entry.left_ms),
        ban.map_or_else(unknown, |b| format!("{} x{}", b.offence, b.count)),
        ban.map_or_else(unknown, |b| b.strike.to_string()),
        match entry.mode {
            Mode::Enforce => "enforce",
            Mode::Shadow => "shadow",
        }
        .to_owned(),
        entry.rule.to_string(),
        ban.and_then(|b| b.request.as_deref())
            .map_or_else(unknown, plain),
        plain(&entry.reason),
    ]
}

/// Text of outside origin, fit for a terminal: a ban's reason may quote the offender.
pub(in crate::cli) fn plain(text: &str) -> String {
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.to_owned()
    }
}

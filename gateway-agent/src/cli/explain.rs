//! `gateway explain`.

use std::io::{self, Write};

use super::args::{ExplainArgs, Global, Subject};
use super::error::CliError;
use super::host::Host;
use super::paths::paths;
use super::show::{self, counted, date, left, plain, span};
use super::{DONE, reach, waf};
use crate::clock;
use crate::control::api::{ChangeView, EntryView, Explanation, HitsView, WouldDrop};
use crate::store::{ListName, Mode, Origin, UnixMillis};

pub(super) fn explain(
    global: &Global,
    args: &ExplainArgs,
    host: &dyn Host,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let address = match &args.subject {
        Subject::Address(address) => *address,
        Subject::Request(request) => return waf::explain(global, request, args.shape, out),
    };
    let explanation = reach::look(&paths(global)?, host)?.explain(address)?;
    if args.shape.json {
        show::json(out, &explanation)?;
    } else {
        print(out, &explanation, UnixMillis(clock::unix_millis()))?;
    }
    Ok(DONE)
}

pub(super) fn print(
    out: &mut dyn Write,
    explanation: &Explanation,
    now: UnixMillis,
) -> io::Result<()> {
    let fate = match explanation.action.as_str() {
        "drop" => "dropped",
        "answer" => "answered",
        _ => "let in",
    };
    writeln!(
        out,
        "Packets from {} are {fate} ({}).",
        explanation.address, explanation.verdict
    )?;
    writeln!(out, "{}", explanation.meaning)?;
    if let Some(entry) = &explanation.decided_by {
        writeln!(out)?;
        decision(out, entry, now)?;
    }
    if let Some(limit) = &explanation.limit {
        writeln!(out, "\nThe limit is {}.", plain(limit))?;
    }
    if let Some(zone) = explanation.zone {
        writeln!(out, "\nIt lies in the trusted network {zone}.")?;
    }
    if let Some(country) = &explanation.country {
        writeln!(
            out,
            "\nIt lies in {}, a network of {}, whose sources are held to countries.limit.",
            country.prefix,
            plain(&country.code)
        )?;
    }
    if let Some(until) = explanation.known_until_unix_ms {
        let left = left(Some(until.0.saturating_sub(now.0)));
        writeln!(
            out,
            "\nIt is known as a good client until {} ({left}).",
            date(until)
        )?;
    }
    if explanation.attack {
        writeln!(
            out,
            "\nAttack mode is on: untrusted sources that are not known get less (gateway attack)."
        )?;
    }
    if !explanation.others.is_empty() {
        writeln!(out, "\nAlso on it, but not what decides:")?;
        for entry in &explanation.others {
            writeln!(out, "  {}", brief(entry))?;
        }
    }
    if !explanation.history.is_empty() {
        writeln!(out, "\nWhat was changed lately:")?;
        for change in &explanation.history {
            writeln!(out, "  {}", changed(change))?;
        }
    }
    if !explanation.notes.is_empty() {
        writeln!(out)?;
        show::notes(out, &explanation.notes)?;
    }
    Ok(())
}

/// The entry that decided, a line for each thing one may ask about it.
pub(super) fn decision(out: &mut dyn Write, entry: &EntryView, now: UnixMillis) -> io::Result<()> {
    let mut line = |name: &str, words: &str| writeln!(out, "  {name:<8} {words}");
    let mode = match entry.mode {
        Mode::Enforce => "",
        Mode::Shadow => ", in shadow mode",
    };
    line(
        "rule",
        &format!(
            "{}: {} is on {}{mode}",
            entry.rule,
            entry.prefix,
            entry.list.words()
        ),
    )?;
    line("origin", origin(entry))?;
    if let Some(import) = &entry.import {
        let name = match entry.origin {
            Origin::Feed => "feed",
            Origin::Operator | Origin::Ban | Origin::Config => "import",
        };
        let tag = plain(&import.tag);
        // The networks of a country stand on no line.
        match import.line {
            0 => line(name, &tag)?,
            number => line(name, &format!("{tag} line {number}"))?,
        }
    }
    if let Some(ban) = &entry.ban {
        line(
            "offence",
            &format!(
                "{}, {} within its window; strike {}",
                ban.offence,
                times(ban.count),
                ban.strike
            ),
        )?;
        if let Some(request) = &ban.request {
            line("request", &plain(request))?;
        }
    }
    if !entry.reason.is_empty() {
        line("reason", &plain(&entry.reason))?;
    }
    if let Some(created) = entry.created_unix_ms {
        let by = entry.created_by.as_deref().unwrap_or("nobody known");
        let ago = span(now.0.saturating_sub(created.0));
        line("since", &format!("{} ({ago} ago), by {by}", date(created)))?;
    }
    match entry.expires_unix_ms {
        Some(until) => line(
            "until",
            &format!("{} ({})", date(until), left(entry.left_ms)),
        )?,
        None => line("until", "for good")?,
    }
    if let Some(WouldDrop { packets, bytes }) = entry.would_drop {
        let packets = counted(packets, "packet", "packets");
        line(
            "hits",
            &format!("{packets} would have been dropped ({bytes} bytes)"),
        )?;
    }
    if let Some(hits) = entry.hits {
        line("hits", &dropped(hits, now))?;
    }
    line("to end", &remedy(entry))
}

/// What an entry in force has dropped; the program counts by rule only as much as a flood allows.
fn dropped(hits: HitsView, now: UnixMillis) -> String {
    let HitsView {
        at_least,
        since_unix_ms,
        within,
    } = hits;
    match since_unix_ms {
        None => "none counted".to_owned(),
        Some(since) => {
            let packets = counted(at_least, "packet", "packets");
            let within = within
                .map(|block| format!(" from {block}"))
                .unwrap_or_default();
            let ago = span(now.0.saturating_sub(since.0));
            format!(
                "at least {packets} dropped{within}, counted since {} ({ago} ago)",
                date(since)
            )
        }
    }
}

fn origin(entry: &EntryView) -> &'static str {
    match entry.origin {
        Origin::Operator => "an operator put it there",
        Origin::Feed => "a feed put it there",
        Origin::Ban => "the agent put it there: a ban for what the client did",
        Origin::Config => "the configuration names it",
    }
}

/// What would end an entry before its time.
fn remedy(entry: &EntryView) -> String {
    let prefix = entry.prefix;
    match (entry.origin, entry.list) {
        (Origin::Operator, list) => format!("gateway {list} del {prefix}"),
        (Origin::Ban, _) => format!("gateway bans lift {prefix}"),
        (Origin::Feed, ListName::Deny) => format!("gateway allow add {prefix}"),
        (Origin::Feed, ListName::Allow) => "leave it out of the feed".to_owned(),
        (Origin::Config, _) => "take it out of the configuration, then gateway reload".to_owned(),
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    }
}

fn brief(entry: &EntryView) -> String {
    let reason = match entry.reason.as_str() {
        "" => String::new(),
        reason => format!(": {}", plain(reason)),
    };
    let mode = match entry.mode {
        Mode::Enforce => "",
        Mode::Shadow => ", shadow",
    };
    format!(
        "{} {} (rule {}, {}{mode}, {}){reason}",
        entry.list,
        entry.prefix,
        entry.rule,
        entry.origin,
        left(entry.left_ms)
    )
}

fn changed(change: &ChangeView) -> String {
    let mut words = format!("{}  {}", date(change.at_unix_ms), change.action);
    if let Some(list) = change.list {
        words.push_str(&format!(" {list}"));
    }
    if let Some(prefix) = change.prefix {
        words.push_str(&format!(" {prefix}"));
    }
    words.push_str(&format!(", by {}", plain(&change.actor)));
    if !change.note.is_empty() {
        words.push_str(&format!(": {}", plain(&change.note)));
    }
    words
}

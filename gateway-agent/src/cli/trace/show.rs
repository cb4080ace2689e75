//! Packets and sums, for people and for programs.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

use super::capture::UnixNanos;
use super::packet::{Outcome, Traced, fate};
use super::tally::Tally;
use crate::cli::show::{Column, Table, counted, date, plain};
use crate::control::api::EntryView;
use crate::store::UnixMillis;

const PACKETS: &[Column] = &[
    Column::number("PACKET"),
    Column::words("TIME (UTC)"),
    Column::words("FROM"),
    Column::words("TO"),
    Column::words("PROTOCOL"),
    Column::words("ACTION"),
    Column::words("VERDICT"),
    Column::number("RULE"),
    Column::words("WHY"),
];

const VERDICTS: &[Column] = &[
    Column::words("VERDICT"),
    Column::words("ACTION"),
    Column::number("PACKETS"),
];

const SOURCES: &[Column] = &[
    Column::words("SOURCE"),
    Column::number("PACKETS"),
    Column::number("DROPPED"),
];

/// Rows that are gathered before they are printed, so that columns fit them.
const GATHERED: usize = 256;

/// Packets in the form that was asked for.
pub(super) enum Shown {
    Rows(Table, Vec<Vec<String>>),
    Json,
}

impl Shown {
    pub(super) fn new(json: bool) -> Self {
        if json {
            Self::Json
        } else {
            Self::Rows(Table::new(PACKETS), Vec::new())
        }
    }

    pub(super) fn packet(&mut self, out: &mut dyn Write, traced: &Traced) -> io::Result<()> {
        match self {
            Self::Json => line(out, &Packet::of(traced)),
            Self::Rows(table, rows) => {
                rows.push(row(traced));
                if rows.len() < GATHERED {
                    return Ok(());
                }
                table.print(out, rows)?;
                rows.clear();
                out.flush()
            }
        }
    }

    pub(super) fn sums(self, out: &mut dyn Write, tally: &Tally) -> io::Result<()> {
        match self {
            Self::Json => sums_as_json(out, tally),
            Self::Rows(mut table, rows) => {
                if !rows.is_empty() {
                    table.print(out, &rows)?;
                }
                if table.is_begun() {
                    writeln!(out)?;
                }
                sums(out, tally)
            }
        }
    }
}

/// One object on one line.
fn line(out: &mut dyn Write, answer: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, answer)?;
    writeln!(out)
}

/// A packet as `--json` prints it.
#[derive(Serialize)]
struct Packet<'a> {
    number: u64,
    at_unix_ms: Option<u64>,
    length: u32,
    captured: usize,
    source: Option<String>,
    source_port: Option<u16>,
    destination: Option<String>,
    destination_port: Option<u16>,
    protocol: String,
    verdict: Option<&'static str>,
    action: Option<&'static str>,
    decided_by: Option<&'a EntryView>,
    untold: Option<super::packet::Untold>,
}

impl<'a> Packet<'a> {
    fn of(traced: &'a Traced) -> Self {
        let verdict = traced.outcome.verdict();
        let look = &traced.look;
        Self {
            number: traced.number,
            at_unix_ms: traced.record.at.map(UnixNanos::millis),
            length: traced.record.length,
            captured: traced.captured,
            source: look.source.host(),
            source_port: look.source.port(),
            destination: look.destination.host(),
            destination_port: look.destination.port(),
            protocol: look.protocol.to_string(),
            verdict: verdict.map(gateway_common::Verdict::name),
            action: verdict.map(fate),
            decided_by: traced.outcome.decided_by(),
            untold: match traced.outcome {
                Outcome::Told(..) => None,
                Outcome::Untold(why) => Some(why),
            },
        }
    }
}

fn row(traced: &Traced) -> Vec<String> {
    let none = || "-".to_owned();
    let [action, verdict, rule, why] = match &traced.outcome {
        Outcome::Told(verdict, entry) => [
            fate(*verdict).to_owned(),
            verdict.name().to_owned(),
            entry
                .as_ref()
                .map_or_else(none, |entry| entry.rule.to_string()),
            entry
                .as_ref()
                .map_or_else(String::new, |entry| brief(entry)),
        ],
        Outcome::Untold(untold) => [none(), none(), none(), untold.words().to_owned()],
    };
    vec![
        traced.number.to_string(),
        traced.record.at.map_or_else(none, time),
        traced.look.source.to_string(),
        traced.look.destination.to_string(),
        traced.look.protocol.to_string(),
        action,
        verdict,
        rule,
        why,
    ]
}

/// A date and a time of day, to the microsecond.
fn time(at: UnixNanos) -> String {
    let date = date(UnixMillis(at.millis()));
    let seconds = date.trim_end_matches(" UTC");
    format!("{seconds}.{:06}", at.micros_of_second())
}

/// An entry, its origin and its reason.
fn brief(entry: &EntryView) -> String {
    let words = format!("{} {} ({})", entry.list, entry.prefix, entry.origin);
    match (entry.reason.as_str(), &entry.ban) {
        ("", None) => words,
        ("", Some(ban)) => format!("{words}: {}", ban.offence),
        (reason, _) => format!("{words}: {}", plain(reason)),
    }
}

fn sums(out: &mut dyn Write, tally: &Tally) -> io::Result<()> {
    let mut told = format!("{} dropped, {} let in", tally.dropped, tally.passed);
    if tally.answered > 0 {
        told.push_str(&format!(", {} answered", tally.answered));
    }
    let packets = counted(tally.packets, "packet", "packets");
    let untold: u64 = tally.untold().map(|(_, count)| count).sum();
    match untold {
        0 => writeln!(out, "{packets}: {told}")?,
        _ => writeln!(out, "{packets}: {told}, {untold} without an answer")?,
    }
    if tally.packets == 0 {
        return Ok(());
    }
    let verdicts = tally.verdicts().map(|(verdict, count)| {
        vec![
            verdict.name().to_owned(),
            fate(verdict).to_owned(),
            count.to_string(),
        ]
    });
    let untold = tally.untold().map(|(why, count)| {
        vec![
            format!("({})", why.words()),
            "-".to_owned(),
            count.to_string(),
        ]
    });
    writeln!(out)?;
    let rows: Vec<_> = verdicts.chain(untold).collect();
    Table::new(VERDICTS).print(out, &rows)?;
    let sources = tally.top();
    if !sources.is_empty() {
        writeln!(out)?;
        let row = |(end, of): &(super::look::End, super::tally::OfSource)| {
            vec![
                end.to_string(),
                of.packets.to_string(),
                of.dropped.to_string(),
            ]
        };
        let rows: Vec<_> = sources.iter().map(row).collect();
        Table::new(SOURCES).print(out, &rows)?;
    }
    if tally.of_others > 0 {
        writeln!(
            out,
            "{} of further sources, which were not counted one by one",
            counted(tally.of_others, "packet", "packets")
        )?;
    }
    Ok(())
}

fn sums_as_json(out: &mut dyn Write, tally: &Tally) -> io::Result<()> {
    let verdicts: Vec<_> = tally
        .verdicts()
        .map(|(verdict, count)| {
            json!({"verdict": verdict.name(), "action": fate(verdict), "packets": count})
        })
        .collect();
    let untold: Vec<_> = tally
        .untold()
        .map(|(why, count)| json!({"untold": why, "packets": count}))
        .collect();
    let sources: Vec<_> = tally
        .top()
        .into_iter()
        .map(
            |(end, of)| json!({"source": end.host(), "packets": of.packets, "dropped": of.dropped}),
        )
        .collect();
    let sums = json!({
        "packets": tally.packets,
        "dropped": tally.dropped,
        "passed": tally.passed,
        "answered": tally.answered,
        "verdicts": verdicts,
        "untold": untold,
        "sources": sources,
        "of_further_sources": tally.of_others,
    });
    line(out, &json!({ "summary": sums }))
}

/// Tells all about the one packet that was described.
pub(super) fn described(out: &mut dyn Write, traced: &Traced, now: UnixMillis) -> io::Result<()> {
    let look = &traced.look;
    let Some(verdict) = traced.outcome.verdict() else {
        return Ok(());
    };
    let fate = verdict.action().fate();
    writeln!(
        out,
        "A packet from {} to {} ({}, {} bytes) is {fate} ({}).",
        look.source,
        look.destination,
        look.protocol,
        traced.record.length,
        verdict.name()
    )?;
    writeln!(out, "{}", verdict.describe())?;
    if let Some(entry) = traced.outcome.decided_by() {
        writeln!(out)?;
        crate::cli::explain::decision(out, entry, now)?;
    }
    Ok(())
}

/// The one packet that was described, as an object.
pub(super) fn described_as_json(out: &mut dyn Write, traced: &Traced) -> io::Result<()> {
    line(out, &Packet::of(traced))
}

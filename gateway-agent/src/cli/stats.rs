//! `gateway stats`: the filter's counters, straight from its maps. No agent is asked, so a hung
//! one is in nobody's way.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::DONE;
use super::args::{Global, StatsArgs};
use super::error::CliError;
use super::host::Host;
use super::paths::paths;
use super::show::{self, Column, Table, date};
use crate::control::api::{BusyRule, InterfaceStats, Stats, Totals};
use crate::control::now::Now;
use crate::control::{Fault, Lists, busiest_of, stats_of};

const COLUMNS: &[Column] = &[
    Column::words("VERDICT"),
    Column::words("ACTION"),
    Column::number("PACKETS"),
    Column::number("BYTES"),
];

const WATCH_COLUMNS: &[Column] = &[
    Column::words("VERDICT"),
    Column::words("ACTION"),
    Column::number("PACKETS"),
    Column::number("BYTES"),
    Column::number("PACKETS/S"),
];

const TOP_COLUMNS: &[Column] = &[
    Column::words("DROPPED BY"),
    Column::number("AT LEAST"),
    Column::words("COUNTED SINCE"),
];

/// Rules that are shown of those that have dropped most.
const TOP: usize = 10;

/// Moves a terminal's cursor to the top and wipes what is below (ECMA-48: CUP, ED).
const WIPE: &str = "\x1b[H\x1b[J";

pub(super) fn stats(
    global: &Global,
    args: &StatsArgs,
    host: &dyn Host,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let lists = host.open(&paths(global)?.pins).map_err(Fault::from)?;
    let read = || read(&*lists, args.top);
    match args.watch {
        None if args.shape.json => show::json(out, &read()?)?,
        None => print(out, &read()?, None)?,
        Some(every) => watch(args, every.as_duration(), host, out, read)?,
    }
    Ok(DONE)
}

fn read(lists: &dyn Lists, top: bool) -> Result<Stats, CliError> {
    let counters = lists.counters().map_err(Fault::from)?;
    let mut stats = stats_of(&counters);
    if top {
        let hits = lists.all_hits().map_err(Fault::from)?;
        stats.busiest = Some(busiest_of(hits, TOP, Now::read()));
    }
    Ok(stats)
}

/// Shows the counters again and again: on a terminal in one place, else one below the other. In
/// JSON each is one line.
fn watch(
    args: &StatsArgs,
    every: Duration,
    host: &dyn Host,
    out: &mut dyn Write,
    read: impl Fn() -> Result<Stats, CliError>,
) -> Result<(), CliError> {
    let mut before: Option<(Stats, Instant)> = None;
    loop {
        let (now, at) = (read()?, Instant::now());
        if args.shape.json {
            serde_json::to_writer(&mut *out, &now).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            if host.is_terminal() {
                out.write_all(WIPE.as_bytes())?;
            } else if before.is_some() {
                writeln!(out)?;
            }
            let since = before.as_ref().map(|(stats, then)| (stats, at - *then));
            print(out, &now, since)?;
        }
        out.flush()?;
        before = Some((now, at));
        if !host.pause(every) {
            return Ok(());
        }
    }
}

pub(super) fn print(
    out: &mut dyn Write,
    stats: &Stats,
    since: Option<(&Stats, Duration)>,
) -> io::Result<()> {
    if stats.interfaces.is_empty() {
        return writeln!(out, "the filter is loaded, but on no interface");
    }
    for (i, interface) in stats.interfaces.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        print_interface(out, interface, since)?;
    }
    if stats.interfaces.len() > 1 {
        writeln!(out)?;
        print_total(out, "in all", &stats.total)?;
    }
    match &stats.busiest {
        Some(busiest) => print_busiest(out, busiest),
        None => Ok(()),
    }
}

fn print_busiest(out: &mut dyn Write, busiest: &[BusyRule]) -> io::Result<()> {
    writeln!(out)?;
    if busiest.is_empty() {
        return writeln!(out, "no rule in force has dropped a packet");
    }
    let row = |busy: &BusyRule| {
        let what = match (busy.rule, busy.block) {
            (Some(rule), _) => format!("rule {rule}"),
            (None, Some(block)) => format!("block {block}"),
            (None, None) => "-".to_owned(),
        };
        let since = busy.since_unix_ms.map_or_else(|| "-".to_owned(), date);
        vec![what, busy.at_least.to_string(), since]
    };
    let rows: Vec<_> = busiest.iter().map(row).collect();
    Table::new(TOP_COLUMNS).print(out, &rows)
}

/// One interface: verdicts that fell, and what became of the packets in all.
fn print_interface(
    out: &mut dyn Write,
    interface: &InterfaceStats,
    since: Option<(&Stats, Duration)>,
) -> io::Result<()> {
    writeln!(out, "{} ({})", interface.name, interface.mode)?;
    let before: HashMap<&str, u64> = since
        .into_iter()
        .flat_map(|(stats, _)| &stats.interfaces)
        .filter(|before| before.name == interface.name)
        .flat_map(|before| &before.verdicts)
        .map(|before| (before.verdict.as_str(), before.packets))
        .collect();
    let mut rows = Vec::new();
    for count in interface.verdicts.iter().filter(|v| v.packets > 0) {
        let mut row = vec![
            count.verdict.clone(),
            count.action.clone(),
            count.packets.to_string(),
            bytes(count.bytes),
        ];
        if let Some((_, span)) = since {
            let before = before.get(count.verdict.as_str()).copied().unwrap_or(0);
            row.push(rate(count.packets.saturating_sub(before), span));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return writeln!(out, "no packet yet");
    }
    let columns = if since.is_some() {
        WATCH_COLUMNS
    } else {
        COLUMNS
    };
    Table::new(columns).print(out, &rows)?;
    print_total(out, &interface.name, &interface.total)
}

fn print_total(out: &mut dyn Write, what: &str, total: &Totals) -> io::Result<()> {
    write!(
        out,
        "{what}: {} dropped ({}), {} passed ({})",
        show::counted(total.dropped_packets, "packet", "packets"),
        bytes(total.dropped_bytes),
        total.passed_packets,
        bytes(total.passed_bytes),
    )?;
    if total.answered_packets > 0 {
        write!(
            out,
            "; {} answered ({})",
            total.answered_packets,
            bytes(total.answered_bytes)
        )?;
    }
    if total.events_lost > 0 {
        write!(out, "; {} sampled events lost", total.events_lost)?;
    }
    writeln!(out)
}

/// A number of bytes in the largest unit that leaves a whole part.
fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    match UNITS.iter().find(|(_, size)| count >= *size) {
        Some((unit, size)) => {
            let tenths = count / (size / 10);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{count} B"),
    }
}

fn rate(packets: u64, span: Duration) -> String {
    let micros = span.as_micros().max(1);
    let rate = u128::from(packets) * 1_000_000 / micros;
    rate.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_decimal() {
        for (count, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_999, "1.9 kB"),
            (123_456_789, "123.4 MB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(bytes(count), words);
        }
    }

    #[test]
    fn rates_are_per_second() {
        assert_eq!(rate(10, Duration::from_millis(500)), "20");
        assert_eq!(rate(10, Duration::ZERO), "10000000");
    }
}

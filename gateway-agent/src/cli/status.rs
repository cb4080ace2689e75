//! `gateway status`.

use std::io::{self, Write};

use super::args::{Global, Shape};
use super::error::CliError;
use super::host::Host;
use super::paths::paths;
use super::show::{self, counted, plain, span};
use super::{DONE, reach};
use crate::clock;
use crate::control::api::{AgentStatus, FilterStatus, ListsStatus, Status, WafStatus};

pub(super) fn status(
    global: &Global,
    shape: &Shape,
    host: &dyn Host,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let status = reach::look(&paths(global)?, host)?.status()?;
    if shape.json {
        show::json(out, &status)?;
    } else {
        print(out, &status, clock::unix_millis())?;
    }
    Ok(DONE)
}

pub(super) fn print(out: &mut dyn Write, status: &Status, now: u64) -> io::Result<()> {
    match &status.agent {
        Some(agent) => {
            let AgentStatus {
                pid,
                started_unix_ms,
                config,
                generation,
                configured_unix_ms,
                listeners,
                upstreams,
                waf,
                limits,
            } = agent;
            let since = |at: u64| span(now.saturating_sub(at));
            let version = &status.version;
            line(
                out,
                "agent",
                &format!("{version}, process {pid}, up {}", since(started_unix_ms.0)),
            )?;
            line(
                out,
                "config",
                &format!(
                    "{config}, generation {generation}, in force for {}",
                    since(configured_unix_ms.0)
                ),
            )?;
            filter(out, &status.filter)?;
            lists(out, &status.lists)?;
            if let Some(waf) = waf {
                rules(out, waf, now)?;
            }
            rows(out, "limits", limits, |l| format!("{} {}", l.name, l.value))?;
            rows(out, "listeners", listeners, String::clone)?;
            rows(out, "upstreams", upstreams, |u| {
                format!("{} at {}", u.name, u.targets.join(", "))
            })
        }
        None => {
            line(out, "agent", "none runs; `gateway run` starts it")?;
            filter(out, &status.filter)?;
            lists(out, &status.lists)
        }
    }
}

fn filter(out: &mut dyn Write, filter: &FilterStatus) -> io::Result<()> {
    if !filter.loaded {
        let why = filter.why.as_deref().unwrap_or("it is not loaded");
        return line(out, "filter", &format!("off: {why}"));
    }
    if filter.interfaces.is_empty() {
        return line(out, "filter", "loaded, but on no interface");
    }
    rows(out, "filter", &filter.interfaces, |i| {
        format!("{} ({})", i.name, i.mode)
    })
}

fn rules(out: &mut dyn Write, waf: &WafStatus, now: u64) -> io::Result<()> {
    let WafStatus {
        rules,
        shadow,
        conf_d,
        loaded_unix_ms,
        fault,
    } = waf;
    let watching = match shadow {
        0 => String::new(),
        shadow => format!(", {shadow} of them in shadow"),
    };
    let since = span(now.saturating_sub(loaded_unix_ms.0));
    let rules = counted(*rules, "rule", "rules");
    line(
        out,
        "waf",
        &format!("{rules}{watching}, in force for {since}"),
    )?;
    for fault in fault.iter().flat_map(|fault| fault.lines()) {
        line(
            out,
            "",
            &format!("not in force, from {conf_d}: {}", plain(fault)),
        )?;
    }
    Ok(())
}

fn lists(out: &mut dyn Write, lists: &ListsStatus) -> io::Result<()> {
    let ListsStatus { deny, bans, allow } = *lists;
    line(
        out,
        "lists",
        &format!(
            "{} denied, {} of them {}; {} safelisted",
            counted(deny, "prefix", "prefixes"),
            bans,
            if bans == 1 { "a ban" } else { "bans" },
            counted(allow, "prefix", "prefixes"),
        ),
    )
}

/// A heading with a value for each item, the first on its own line.
fn rows<T>(
    out: &mut dyn Write,
    heading: &str,
    items: &[T],
    words: impl Fn(&T) -> String,
) -> io::Result<()> {
    for (i, item) in items.iter().enumerate() {
        line(out, if i == 0 { heading } else { "" }, &words(item))?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, heading: &str, words: &str) -> io::Result<()> {
    writeln!(out, "{heading:<10} {words}")
}

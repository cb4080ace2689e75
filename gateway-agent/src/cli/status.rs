//! `gateway status`.

use std::io::{self, Write};

use super::args::{Global, Shape};
use super::error::CliError;
use super::host::Host;
use super::paths::paths;
use super::show::{self, counted, plain, span};
use super::{DONE, reach};
use crate::clock;
use crate::control::api::{
    AgentStatus, FeedState, FeedStatus, FilterStatus, LimitStatus, ListsStatus, ReconcileStatus,
    Status, SynCookieStatus, WafStatus, WouldDrop,
};
use crate::store::Mode;

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
                trial,
                taken_back,
                listeners,
                upstreams,
                waf,
                limits,
                syn_cookies,
                feeds,
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
            if let Some(trial) = trial {
                let left = span(trial.until_unix_ms.0.saturating_sub(now));
                let words = "on trial: taken back in";
                line(
                    out,
                    "",
                    &format!("{words} {left} unless you type: gateway confirm"),
                )?;
            }
            if *taken_back {
                line(
                    out,
                    "",
                    "the files hold another one, which was tried and not confirmed; \
                     `gateway reload` takes it up",
                )?;
            }
            filter(out, &status.filter)?;
            lists(out, &status.lists)?;
            attack(out, status, now)?;
            if let Some(reconciled) = &status.reconciled {
                kernel(out, reconciled, now)?;
            }
            if let Some(waf) = waf {
                rules(out, waf, now)?;
            }
            rows(out, "limits", limits, limit)?;
            if let Some(cookies) = syn_cookies {
                line(out, "cookies", &in_words(cookies))?;
            }
            rows(out, "feeds", feeds, feed)?;
            rows(out, "listeners", listeners, String::clone)?;
            rows(out, "upstreams", upstreams, |u| {
                format!("{} at {}", u.name, u.targets.join(", "))
            })
        }
        None => {
            line(out, "agent", "none runs; `gateway run` starts it")?;
            filter(out, &status.filter)?;
            lists(out, &status.lists)?;
            attack(out, status, now)
        }
    }
}

fn attack(out: &mut dyn Write, status: &Status, now: u64) -> io::Result<()> {
    match &status.attack {
        Some(attack) => line(out, "attack", &super::attack::words(attack, now)),
        None => Ok(()),
    }
}

fn in_words(cookies: &SynCookieStatus) -> String {
    let SynCookieStatus {
        mode,
        threshold,
        ready,
        endpoints,
        why,
    } = cookies;
    if let Some(why) = why {
        return format!("off: {why}");
    }
    let threshold = threshold.as_deref().unwrap_or("any");
    let places = counted(
        u64::try_from(*endpoints).unwrap_or(u64::MAX),
        "address and port",
        "addresses and ports",
    );
    match mode.as_str() {
        "enforce" if !ready => {
            format!("SYNs above {threshold} will be answered in a flood, at {places}")
        }
        "enforce" => format!("SYNs above {threshold} are answered, at {places}"),
        "shadow" => format!("SYNs above {threshold} are counted (shadow), at {places}"),
        _ => "off".to_owned(),
    }
}

/// A limit, and what it would have dropped if it only watches.
fn limit(limit: &LimitStatus) -> String {
    let LimitStatus {
        name,
        value,
        mode,
        would_drop,
    } = limit;
    match (mode, would_drop) {
        (Some(Mode::Shadow), Some(WouldDrop { packets, bytes })) => {
            let packets = counted(*packets, "packet", "packets");
            format!("{name} {value} (shadow: {packets} would have been dropped, {bytes} bytes)")
        }
        (Some(Mode::Shadow), None) => format!("{name} {value} (shadow)"),
        (Some(Mode::Enforce) | None, _) => format!("{name} {value}"),
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
        shadow_routes,
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
    for (route, rules) in shadow_routes {
        let rules = counted(*rules, "more rule", "more rules");
        let route = plain(route);
        line(out, "", &format!("{rules} in shadow on {route}"))?;
    }
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

/// Whether the kernel has what it should.
fn kernel(out: &mut dyn Write, reconciled: &ReconcileStatus, now: u64) -> io::Result<()> {
    let ReconcileStatus {
        at_unix_ms,
        wanted,
        in_force,
        refused,
        repairs,
        ..
    } = reconciled;
    let ago = span(now.saturating_sub(at_unix_ms.0));
    line(
        out,
        "kernel",
        &format!(
            "{in_force} of {} in force, compared {ago} ago",
            counted(*wanted, "entry", "entries")
        ),
    )?;
    if *refused > 0 {
        let refused = counted(*refused, "entry finds", "entries find");
        line(out, "", &format!("{refused} its map full"))?;
    }
    let repairs: Vec<String> = repairs
        .by_kind()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    if repairs.is_empty() {
        return Ok(());
    }
    line(
        out,
        "",
        &format!("mended since the start: {}", repairs.join(", ")),
    )
}

/// A feed with its state; what is wrong with it, `gateway feeds list` tells.
fn feed(feed: &FeedStatus) -> String {
    let entries = counted(feed.entries, "entry", "entries");
    let name = show::plain(&feed.name);
    let words = format!("{name} {}, {entries}", feed.state.name());
    match feed.state {
        FeedState::Failed | FeedState::HeldBack => {
            format!("{words}: see gateway feeds list")
        }
        FeedState::Waiting | FeedState::Fresh | FeedState::Unattended => words,
    }
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

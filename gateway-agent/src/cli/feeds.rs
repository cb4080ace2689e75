//! `gateway feeds`.

use std::io::{self, Write};

use super::args::{FeedArgs, FeedsVerb, Global};
use super::error::CliError;
use super::host::Host;
use super::paths::paths;
use super::show::{self, Column, Table, plain, span};
use super::{DONE, reach};
use crate::clock;
use crate::control::Control;
use crate::control::api::{FeedRequest, FeedState, FeedStatus};
use crate::store::{Mode, UnixMillis};

const COLUMNS: &[Column] = &[
    Column::words("FEED"),
    Column::words("LIST"),
    Column::words("MODE"),
    Column::words("STATE"),
    Column::number("ENTRIES"),
    Column::number("WOULD DROP"),
    Column::words("READ"),
    Column::words("SOURCE"),
];

pub(super) fn feeds(
    global: &Global,
    verb: &FeedsVerb,
    host: &dyn Host,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    match verb {
        FeedsVerb::List(shape) => {
            let feeds = reach::look(&paths(global)?, host)?.feeds()?;
            match shape.json {
                true => show::json(out, &feeds)?,
                false => list(out, &feeds.feeds, clock::unix_millis())?,
            }
        }
        FeedsVerb::Refresh(args) => {
            let control = reach::agent(&paths(global)?)?;
            one(&*control, args, out, |c, request| c.refresh_feed(request))?;
        }
        FeedsVerb::Accept(args) => {
            let control = reach::agent(&paths(global)?)?;
            one(&*control, args, out, |c, request| c.accept_feed(request))?;
        }
    }
    Ok(DONE)
}

fn one(
    control: &dyn Control,
    args: &FeedArgs,
    out: &mut dyn Write,
    ask: impl FnOnce(&dyn Control, &FeedRequest) -> Result<FeedStatus, crate::control::Fault>,
) -> Result<(), CliError> {
    let request = FeedRequest {
        name: args.name.clone(),
    };
    let status = ask(control, &request)?;
    if args.shape.json {
        show::json(out, &status)?;
        return Ok(());
    }
    told(out, &status)?;
    Ok(())
}

/// What came of a feed, in a sentence, and what is wrong with it.
fn told(out: &mut dyn Write, feed: &FeedStatus) -> io::Result<()> {
    let name = plain(&feed.name);
    let changes = match &feed.agent {
        Some(agent) if !agent.last.is_empty() => format!(": {}", agent.last),
        Some(_) | None => String::new(),
    };
    match feed.state {
        FeedState::HeldBack => {}
        FeedState::Waiting | FeedState::Fresh | FeedState::Failed | FeedState::Unattended => {
            writeln!(out, "{name} on {}{changes}", feed.list.words())?;
        }
    }
    troubles(out, feed)
}

pub(super) fn list(out: &mut dyn Write, feeds: &[FeedStatus], now: u64) -> io::Result<()> {
    if feeds.is_empty() {
        return writeln!(out, "there are no feeds");
    }
    let rows: Vec<Vec<String>> = feeds.iter().map(|feed| row(feed, now)).collect();
    Table::new(COLUMNS).print(out, &rows)?;
    feeds.iter().try_for_each(|feed| troubles(out, feed))
}

fn row(feed: &FeedStatus, now: u64) -> Vec<String> {
    let ago = |at: UnixMillis| format!("{} ago", span(now.saturating_sub(at.0)));
    let agent = feed.agent.as_ref();
    let mode = match agent.map(|agent| agent.mode) {
        Some(Mode::Enforce) => "enforce",
        Some(Mode::Shadow) => "shadow",
        None => "-",
    };
    let read = agent.and_then(|agent| agent.success_unix_ms);
    vec![
        plain(&feed.name),
        feed.list.name().to_owned(),
        mode.to_owned(),
        feed.state.name().to_owned(),
        feed.entries.to_string(),
        feed.would_drop
            .map_or_else(|| "-".to_owned(), |would| would.packets.to_string()),
        read.map_or_else(|| "-".to_owned(), ago),
        agent.map_or_else(|| "-".to_owned(), |agent| plain(&agent.source)),
    ]
}

/// What an operator should look at.
fn troubles(out: &mut dyn Write, feed: &FeedStatus) -> io::Result<()> {
    let Some(agent) = &feed.agent else {
        return Ok(());
    };
    let name = plain(&feed.name);
    if let Some(error) = &agent.error {
        writeln!(out, "{name}: not taken, its entries stay: {}", plain(error))?;
    }
    if let Some(offered) = agent.offered {
        writeln!(
            out,
            "{name}: held back, since it has {} and now offers {offered}; if that is right: \
             gateway feeds accept {name}",
            show::counted(feed.entries, "entry", "entries"),
        )?;
    }
    if agent.bad_lines + agent.left_out > 0 {
        writeln!(
            out,
            "{name}: {} passed over, {} left out; the first: {}",
            show::counted(agent.bad_lines, "bad line", "bad lines"),
            show::counted(agent.left_out, "entry", "entries"),
            plain(agent.remarks.first().map_or("", String::as_str)),
        )?;
    }
    Ok(())
}

//! `gateway attack`.

use std::io::{self, Write};

use super::args::{AttackArgs, Global};
use super::error::CliError;
use super::host::Host;
use super::paths::paths;
use super::show::{self, counted, span};
use super::{DONE, reach};
use crate::clock;
use crate::control::api::{AttackStatus, OrderName};

pub(super) fn attack(
    global: &Global,
    args: &AttackArgs,
    host: &dyn Host,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let paths = paths(global)?;
    let status = match args.order {
        Some(order) => reach::change(&paths, host)?.order(order)?,
        None => reach::look(&paths, host)?.attack()?,
    };
    if args.shape.json {
        show::json(out, &status)?;
    } else {
        print(out, &status, clock::unix_millis())?;
    }
    Ok(DONE)
}

fn print(out: &mut dyn Write, status: &AttackStatus, now: u64) -> io::Result<()> {
    writeln!(out, "Attack mode is {}.", state(status, now))?;
    match status.order {
        OrderName::Auto => {}
        OrderName::On | OrderName::Off => writeln!(
            out,
            "An operator ordered it; gateway attack auto leaves it to the agent again."
        )?,
    }
    match &status.agent {
        Some(watch) => {
            let known = counted(watch.known, "source is", "sources are");
            writeln!(out, "{known} known as good clients.")?;
            if watch.refused > 0 {
                let refused = counted(watch.refused, "source", "sources");
                writeln!(
                    out,
                    "{refused} could not be made known: there are too many."
                )?;
            }
        }
        None => writeln!(
            out,
            "No agent runs: nobody becomes known, and nothing ends it but an order."
        )?,
    }
    Ok(())
}

/// The same on one line of the status.
pub(super) fn words(status: &AttackStatus, now: u64) -> String {
    let state = state(status, now);
    let order = match status.order {
        OrderName::Auto => "",
        OrderName::On | OrderName::Off => " (ordered)",
    };
    let known = status.agent.as_ref().map(|watch| {
        let known = counted(watch.known, "source", "sources");
        format!("; {known} known")
    });
    format!("{state}{order}{}", known.unwrap_or_default())
}

/// Whether it is on, since when, and why.
fn state(status: &AttackStatus, now: u64) -> String {
    let state = if status.on { "on" } else { "off" };
    let since = status
        .since_unix_ms
        .map(|at| format!(" for {}", span(now.saturating_sub(at.0))));
    let cause = status
        .agent
        .as_ref()
        .and_then(|watch| watch.cause.as_deref());
    let cause = cause.map(|cause| format!(": {cause}"));
    format!(
        "{state}{}{}",
        since.unwrap_or_default(),
        cause.unwrap_or_default()
    )
}

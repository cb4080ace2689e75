//! The command line: what a person types, and what they are told.
//!
//! One file per family of verbs. A verb asks a [`Control`](crate::control::Control) and shows the
//! answer; whether an agent or this very process carries it out, [`reach`] decides.

mod args;
mod attack;
mod bans;
mod check;
mod detach;
mod error;
mod explain;
mod feeds;
mod host;
mod import;
mod lists;
mod paths;
mod reach;
mod reload;
mod run;
mod show;
mod ssh;
mod stats;
mod status;
#[cfg(test)]
mod tests;
mod trace;
mod waf;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;

use args::{Cli, Verb};
use error::CliError;
pub use host::{Host, Judge, ThisHost};
#[doc(hidden)]
pub use trace::read_capture;

/// Done.
pub const DONE: u8 = 0;
/// It could not be done; why is on the standard error stream.
pub const FAILED: u8 = 1;
/// `gateway waf replay`: other rules would change something.
pub const CHANGES: u8 = 3;
/// What was typed makes no sense.
pub const USAGE: u8 = 2;

/// Carries out one command; returns its exit code.
pub fn main(
    words: impl IntoIterator<Item = OsString>,
    host: &dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(usage) => return refuse(&usage, out, err),
    };
    let done = dispatch(&cli, host, out, err).and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match done {
        Ok(code) => code,
        Err(CliError::Output(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            // There is nobody left to tell when this fails.
            let _ = writeln!(err, "gateway: {error}");
            match error {
                CliError::Usage(_) => USAGE,
                CliError::Fault(_) | CliError::Output(_) | CliError::Other(_) => FAILED,
            }
        }
    }
}

fn dispatch(
    cli: &Cli,
    host: &dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    let global = &cli.global;
    match &cli.verb {
        Verb::Run => run::run(global),
        Verb::Check(args) => check::check(global, args, out),
        Verb::Status(args) => status::status(global, args, host, out),
        Verb::Stats(args) => stats::stats(global, args, host, out),
        Verb::Deny(verb) => lists::deny(global, verb, host, out, err),
        Verb::Allow(verb) => lists::allow(global, verb, host, out, err),
        Verb::Bans(verb) => bans::bans(global, verb, host, out, err),
        Verb::Feeds(verb) => feeds::feeds(global, verb, host, out),
        Verb::Explain(args) => explain::explain(global, args, host, out),
        Verb::Attack(args) => attack::attack(global, args, host, out),
        Verb::Waf(verb) => waf::waf(global, verb, host, out, err),
        Verb::Confirm(shape) => import::confirm(global, *shape, out),
        Verb::Trace(args) => trace::trace(global, args, host, out),
        Verb::Reload(args) => reload::reload(global, args, out, err),
        Verb::Detach(args) => detach::detach(global, args, host, out, err),
    }
}

/// Help and the version are answers; the rest is a mistake.
fn refuse(usage: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let text = usage.render();
    if usage.use_stderr() {
        let _ = write!(err, "{text}");
        USAGE
    } else {
        let _ = write!(out, "{text}");
        DONE
    }
}

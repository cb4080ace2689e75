//! The steps, in the order in which they are played.

mod bad_tokens;
mod client;
mod deny;
mod end;
mod explain;
mod flood;
mod injection;
mod kill;
mod restart;
mod up;

use std::path::Path;

use anyhow::Result;

use super::figures::Told;
use super::report::Report;
use super::stage::Stage;

type Step = fn(&mut Stage) -> Result<Told>;

/// Everything after `up`.
const STEPS: [(&str, Step); 9] = [
    ("client", client::play),
    ("bad-tokens", bad_tokens::play),
    ("injection", injection::play),
    ("flood", flood::play),
    ("deny", deny::play),
    ("explain", explain::play),
    ("kill", kill::play),
    ("restart", restart::play),
    ("end", end::play),
];

/// Plays the steps until one does not hold. The lab is gone when this returns.
pub(super) fn play(gateway: &Path, report: &mut Report) {
    let mut stage = match Stage::set(gateway) {
        Ok(stage) => stage,
        Err(error) => {
            report.step("up", Err(error));
            return;
        }
    };
    let mut held = report.step("up", up::play(&mut stage));
    for (name, step) in STEPS {
        held = held && report.step(name, step(&mut stage));
    }
    if held {
        if let Err(error) = end::show_stats(&stage, report) {
            report.step("stats", Err(error));
        }
    } else {
        eprintln!("The end of the gateway's log:\n{}", stage.agent.log_tail());
    }
}

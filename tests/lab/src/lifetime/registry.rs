//! The labs of this process, removed when it is told to end.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{Claim, remains};

static HELD: Mutex<Vec<Claim>> = Mutex::new(Vec::new());

/// Notes a claim and lets `build` make the lab; a failed build is removed at once.
///
/// A signal that arrives meanwhile waits for the end of the building, so that nothing is made
/// after the removal.
pub(crate) fn hold(claim: Claim, build: impl FnOnce(&str) -> Result<()>) -> Result<String> {
    watch_signals()?;
    let mut held = held();
    let id = claim.id().to_owned();
    held.push(claim);
    if let Err(error) = build(&id) {
        return Err(match remove(&mut held, &id) {
            Ok(()) => error,
            Err(second) => error.context(format!("{second:#}")),
        });
    }
    Ok(id)
}

/// Removes a lab and gives up its claim; one that is already gone is no error.
pub(crate) fn release(id: &str) -> Result<()> {
    remove(&mut held(), id)
}

fn held() -> MutexGuard<'static, Vec<Claim>> {
    // The list is whole at every moment: a panic elsewhere does not spoil it.
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove(held: &mut Vec<Claim>, id: &str) -> Result<()> {
    let Some(at) = held.iter().position(|claim| claim.id() == id) else {
        return Ok(());
    };
    let outcome = remains::remove(id);
    held.swap_remove(at);
    outcome
}

/// Starts, once per process, the thread that removes all labs when a signal ends the process.
fn watch_signals() -> Result<()> {
    static WATCH: OnceLock<Result<(), String>> = OnceLock::new();
    WATCH
        .get_or_init(|| {
            let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|e| e.to_string())?;
            thread::Builder::new()
                .name("lab-signals".into())
                .spawn(move || {
                    if let Some(signal) = signals.forever().next() {
                        end_by(signal);
                    }
                })
                .map(drop)
                .map_err(|e| e.to_string())
        })
        .clone()
        .map_err(|reason| anyhow!(reason))
        .context("cannot watch for signals")
}

fn end_by(signal: i32) {
    let mut held = held();
    for claim in held.drain(..) {
        if let Err(error) = remains::remove(claim.id()) {
            eprintln!("{error:#}");
        }
    }
    // The lock stays held: no new lab may begin while the process ends.
    if signal_hook::low_level::emulate_default_handler(signal).is_err() {
        std::process::exit(128 + signal);
    }
}

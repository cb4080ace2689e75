//! `gateway run`.

use super::DONE;
use super::args::Global;
use super::error::CliError;
use crate::agent;

/// Runs the agent in the foreground, its log on the standard error stream.
pub(super) fn run(global: &Global) -> Result<u8, CliError> {
    agent::run(&agent::Options {
        config: global.config.clone(),
    })?;
    Ok(DONE)
}

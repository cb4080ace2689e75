//! `lab`: a command, or a shell, in a network that vanishes when it ends.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use gateway_lab::{Host, Lab};

use crate::setup::{self, Need};

/// What a lab takes.
pub(crate) const NEEDS: &[Need] = &[Need::Ip, Need::Nsenter];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The host in which the command runs: client, attacker, gateway or upstream
    #[arg(long, default_value = "gateway", value_parser = host)]
    host: Host,
    /// The command and its arguments; a shell without it. It finds the addresses in LAB_CLIENT4,
    /// LAB_GATEWAY6 and so on, and the namespaces in LAB_NETNS_CLIENT and so on
    #[arg(last = true)]
    command: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(NEEDS)?;
    let lab = Lab::up("lab")?;
    let mut command = inside(&lab, args);
    let status = command.status().context("cannot run nsenter")?;
    lab.down()?;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}

fn inside(lab: &Lab, args: &Args) -> Command {
    let node = lab.host(args.host);
    let mut command = match args.command.split_first() {
        Some((program, rest)) => {
            let mut command = node.command(program);
            command.args(rest);
            command
        }
        None => {
            eprintln!(
                "A shell on the {}; `env | grep ^LAB_` tells the addresses, and exit ends the lab.",
                args.host
            );
            node.command(env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into()))
        }
    };
    command.envs(lab.environment());
    command
}

fn host(text: &str) -> Result<Host, String> {
    text.parse()
        .map_err(|error: anyhow::Error| error.to_string())
}

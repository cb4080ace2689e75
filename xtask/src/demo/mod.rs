//! `demo`: the whole loop in a lab, with the released binary. Each step is told in a line with
//! what was measured, and each claim in it has been checked.

mod figures;
mod report;
mod stage;
mod steps;

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::build::{self, Profile};
use crate::lab;
use crate::setup::{self, Need};
use report::Report;

/// What the demo takes beyond a build and a lab.
pub(crate) const NEEDS: &[Need] = &[Need::Curl, Need::Openssl];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object on standard output, and the narration on standard error
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the demo loads XDP programs and makes network namespaces: run cargo xtask demo as root"
    );
    setup::ensure(lab::NEEDS)?;
    setup::ensure(NEEDS)?;
    let gateway = build::agent(Profile::Release)?;
    let mut report = Report::new(args.json);
    steps::play(&gateway, &mut report);
    report.finish()
}

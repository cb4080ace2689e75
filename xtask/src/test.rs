//! `test`: every test of the workspace, those in the lab included.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::build::{self, Profile};
use crate::setup::{self, Need};
use crate::{cargo, lab};

/// What the tests take beyond a build and a lab.
pub(crate) const NEEDS: &[Need] = &[Need::Curl, Need::Openssl, Need::Tcpdump, Need::Trafgen];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Arguments for `cargo test`, such as a filter; those after another `--` are for the tests
    #[arg(last = true)]
    cargo: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the tests load XDP programs and make network namespaces: run cargo xtask test as root"
    );
    setup::ensure(lab::NEEDS)?;
    setup::ensure(NEEDS)?;
    // The end-to-end tests run what users run.
    let agent = build::agent(Profile::Release)?;
    let mut command = cargo::cargo();
    command
        // One failure should not hide the next.
        .args(["test", "--no-fail-fast"])
        .args(&args.cargo)
        .env("GATEWAY_BIN", agent);
    cargo::visibly(&mut command, "cargo test")?;
    Ok(ExitCode::SUCCESS)
}

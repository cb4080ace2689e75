//! `build`: the agent, whose own build script makes the eBPF object.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cargo;
use crate::setup::{self, Need};

/// What building the agent takes.
pub(crate) const NEEDS: &[Need] = &[Need::RustSource, Need::BpfLinker];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Optimise, as for use
    #[arg(long)]
    release: bool,
}

/// Which of cargo's profiles to build with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Debug,
    /// Quick to run.
    Release,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let profile = if args.release {
        Profile::Release
    } else {
        Profile::Debug
    };
    println!("{}", agent(profile)?.display());
    Ok(ExitCode::SUCCESS)
}

/// Sets up, builds the agent and returns its path.
///
/// # Errors
///
/// When the set-up or the build fails.
pub(crate) fn agent(profile: Profile) -> Result<PathBuf> {
    setup::ensure(NEEDS)?;
    let mut args = vec!["build", "--package", "gateway-agent", "--bin", "gateway"];
    if profile == Profile::Release {
        args.push("--release");
    }
    let built = cargo::executables(&args)?;
    let agent = built.into_iter().find(|one| one.name == "gateway");
    Ok(agent
        .context("cargo has built no binary named gateway")?
        .path)
}

//! `bench`: what things cost, measured beside what they are compared with.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::build::{self, Profile};
use crate::setup::{self, Need};
use crate::{cargo, lab};

/// What the data plane is measured against.
const NEEDS: &[Need] = &[Need::XdpFilter];
/// What else drops floods, and what the network that they are sent in takes.
const FLOOD_NEEDS: &[Need] = &[
    Need::XdpFilter,
    Need::Nft,
    Need::Ipset,
    Need::Iptables,
    Need::Openssl,
    Need::Trafgen,
];

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(clap::Subcommand)]
enum Bench {
    /// Nanoseconds per packet of the XDP program, by kind of packet and size of the lists
    Xdp(Passed),
    /// What dropping a flood costs, beside xdp-filter, nftables and ipset, and what a client
    /// notices of it
    Flood(Passed),
    /// What the packet limiter admits beside what it should, and whether its bounds hold
    Limiter(Passed),
    /// Microseconds of CPU time per request in the WAF under the OWASP Core Rule Set, and what
    /// loading it costs
    Waf(Passed),
}

#[derive(clap::Args)]
struct Passed {
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    /// Further arguments for the benchmark; `-- --help` lists them
    #[arg(last = true)]
    more: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match &args.bench {
        Bench::Xdp(args) => xdp(args),
        Bench::Flood(args) => flood(args),
        Bench::Limiter(args) => limiter(args),
        Bench::Waf(args) => waf(args),
    }
}

fn xdp(args: &Passed) -> Result<ExitCode> {
    as_root()?;
    setup::ensure(build::NEEDS)?;
    setup::ensure(NEEDS)?;
    benchmark(
        &["--package", "gateway-tests", "--bin", "bench-xdp"],
        &[],
        args,
    )
}

fn flood(args: &Passed) -> Result<ExitCode> {
    as_root()?;
    setup::ensure(lab::NEEDS)?;
    setup::ensure(FLOOD_NEEDS)?;
    // The client's requests go through what users run.
    let agent = build::agent(Profile::Release)?;
    benchmark(
        &["--package", "gateway-tests", "--bin", "bench-flood"],
        &["--gateway".into(), agent.into()],
        args,
    )
}

fn limiter(args: &Passed) -> Result<ExitCode> {
    as_root()?;
    setup::ensure(build::NEEDS)?;
    benchmark(
        &["--package", "gateway-tests", "--bin", "bench-limiter"],
        &[],
        args,
    )
}

fn as_root() -> Result<()> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the benchmark loads XDP programs: run cargo xtask bench as root"
    );
    Ok(())
}

fn waf(args: &Passed) -> Result<ExitCode> {
    setup::ensure(&[Need::CoreRuleSet])?;
    benchmark(
        &["--package", "gateway-waf", "--example", "measure"],
        &[],
        args,
    )
}

/// Builds a program of the workspace as for use and runs it, with what it needs and what the user
/// says.
fn benchmark(target: &[&str], needs: &[OsString], args: &Passed) -> Result<ExitCode> {
    let mut command = cargo::cargo();
    command
        .args(["run", "--quiet", "--release"])
        .args(target)
        .arg("--")
        .args(needs)
        .args(args.json.then_some("--json"))
        .args(&args.more);
    cargo::visibly(&mut command, "the benchmark")?;
    Ok(ExitCode::SUCCESS)
}

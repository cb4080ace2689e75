//! What a request costs in the engine, by the clock of the thread's CPU time, and what loading the
//! rules costs in time and memory.
//!
//! `cargo xtask bench waf` runs it on the Core Rule Set of the Debian package.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads the clock and the files, which the crate itself never does"
)]

mod cases;
mod clock;
#[path = "../../tests/support/disk.rs"]
mod disk;
mod engine;
mod memory;
mod report;
mod request;
mod rounds;
mod stats;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use gateway_waf::{Decoder, Waf};

use crate::{
    cases::Case,
    report::{Loading, Report},
};

#[derive(Parser)]
#[command(name = "measure", about = "Measures the engine's cost per request")]
struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Rounds over all cases
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How often the rules are loaded anew at the end, to see whether memory grows
    #[arg(long, default_value_t = 100)]
    reloads: u32,
    /// Measure this case only; may be given more than once
    #[arg(long = "case")]
    cases: Vec<String>,
    /// Look inside values too, with every decoder
    #[arg(long)]
    decode: bool,
    /// Other rule files, which may hold `*`
    #[arg(default_value = engine::CORE_RULE_SET)]
    rules: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<Report> {
    let before = memory::resident_mb()?;
    let (mut waf, load_ms) = engine::load(&args.rules)?;
    let mut loading = Loading {
        rules: waf.rules(),
        load_ms,
        rss_mb: memory::resident_mb()?,
        rss_mb_before: before,
        rss_mb_after_requests: 0.0,
        reloads: None,
    };
    let mut bare = engine::load(&args.rules)?.0;
    bare.set_prefilter(false);
    if args.decode {
        for waf in [&mut waf, &mut bare] {
            waf.set_decoders(Decoder::ALL.into_iter().collect());
        }
    }

    let cases: Vec<Case> = cases::all()
        .into_iter()
        .filter(|case| args.cases.is_empty() || args.cases.contains(&case.name()))
        .collect();
    ensure!(
        !cases.is_empty(),
        "no case has such a name: {:?}",
        args.cases
    );
    let turns: Vec<(&Waf, &Case)> = cases
        .iter()
        .map(|case| (if case.prefilter { &waf } else { &bare }, case))
        .collect();
    let rows = rounds::measure(&turns, args.rounds)?;
    drop(bare);
    loading.rss_mb_after_requests = memory::resident_mb()?;
    if args.reloads > 0 {
        loading.reloads = Some(memory::reload(waf, &args.rules, args.reloads)?);
    }
    Ok(Report {
        json: args.json,
        rounds: args.rounds,
        loading,
        rows,
    })
}

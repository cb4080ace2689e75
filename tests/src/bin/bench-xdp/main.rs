//! What a packet costs in the XDP program, by the kernel's own test runs.
//!
//! Every figure stands beside that of a program which parses the same frame and decides
//! nothing, measured in the same round: on a machine whose speed drifts, differences and ratios
//! mean something and absolute figures little. Needs root; attaches nothing to any interface.

mod cases;
mod frames;
mod lists;
mod peers;
mod programs;
mod report;
mod rounds;
mod stock;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use gateway_agent::datapath::{BENCH_OBJECT, Datapath};
use gateway_tests::bench::{clock, pins::PinDir};

use crate::{
    peers::Peers,
    programs::Build,
    report::{Form, Report},
    rounds::Effort,
    stock::Stock,
};

#[derive(Parser)]
#[command(
    name = "bench-xdp",
    about = "Measures the XDP program's cost per packet"
)]
struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Rounds over all cases, the figures being medians over rounds
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Packets for each case and round
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    packets: u32,
    /// Measure with this many deny entries only, instead of 1000, 100000 and 1000000
    #[arg(long)]
    entries: Option<usize>,
    /// Together with this many safelist entries
    #[arg(long, default_value_t = 0, requires = "entries")]
    safelist: usize,
    /// Measure this case only; may be given more than once
    #[arg(long = "case")]
    cases: Vec<String>,
    /// Measure nobody else's programs
    #[arg(long)]
    alone: bool,
    /// Measure another build of the benchmark's eBPF object in the same rounds; may be given more
    /// than once
    #[arg(long, value_name = "OBJECT")]
    against: Vec<PathBuf>,
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
    clock::stay_on_one_cpu()?;
    let effort = Effort {
        rounds: args.rounds,
        packets: args.packets,
    };
    let mut report = Report::new(effort, if args.json { Form::Json } else { Form::Table });
    let stocks = match args.entries {
        Some(deny) => vec![Stock {
            deny,
            allow: args.safelist,
        }],
        None => Stock::USUAL.to_vec(),
    };
    for stock in stocks {
        // Maps of its own for each stock: what an earlier one left would be measured too.
        let pins = PinDir::new()?;
        let mut datapath = Datapath::load(pins.path())?;
        let filling = stock.fill(&mut datapath)?;
        let mut builds = vec![Build::load(&datapath, None, BENCH_OBJECT)?];
        for path in &args.against {
            let object = std::fs::read(path).with_context(|| path.display().to_string())?;
            let mark = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned());
            builds.push(Build::load(&datapath, mark, &object)?);
        }
        let wanted = |name: &str| args.cases.is_empty() || args.cases.iter().any(|c| c == name);
        let mut peers = Peers::none();
        if let Some(build) = builds.first_mut().filter(|_| !args.alone) {
            peers = Peers::load(build, &mut datapath, pins.path(), stock, wanted)?;
        }
        let cases: Vec<_> = cases::CASES
            .iter()
            .filter(|case| wanted(case.name))
            .filter(|case| stock.serves(case))
            .collect();
        anyhow::ensure!(
            !cases.is_empty(),
            "no case has such a name: {:?}",
            args.cases
        );
        let measured = rounds::measure(&mut datapath, &mut builds, &mut peers, &cases, effort)?;
        report.add(filling, measured);
    }
    Ok(report)
}

//! What the packet limiter admits beside what it should, and whether its bounds hold.
//!
//! First the host's pipeline against a plain model: one source, more sources than there are
//! cells, a flood of ten million forged ones. Then the loaded program: processors that charge one
//! source at once, and the same flood over bans, a safelist and clients' budgets. Needs root for
//! that; attaches nothing to any interface.

mod report;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use gateway_common::{lists::MODE_ENFORCE, settings::Limit, time::Nanos};
use gateway_tests::bench::limiter::{alone, crowd, flood::Flood, loaded};

use crate::report::Report;

#[derive(Parser)]
#[command(
    name = "bench-limiter",
    about = "Measures what the packet limiter admits beside what it should"
)]
struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Forged sources of each flood
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(100_000..=100_000_000))]
    forged: u32,
}

/// What a source sends, in percent of its limit.
const OFFERED: [u64; 2] = [95, 1_000];
/// Packets of a source that is alone, beside four times its burst.
const PACKETS: u64 = 300_000;
/// So many intervals a crowd sends for.
const INTERVALS: u32 = 8;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(report) => {
            println!("{report}");
            if report.holds() {
                ExitCode::SUCCESS
            } else {
                eprintln!("error: a bound does not hold: see above");
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<Report> {
    let mut report = Report::new(args.json);
    report.part(
        "one source, beside an exact limit in real time",
        alone::RATES.iter().flat_map(|rate| {
            let packets = PACKETS + 4 * rate.at_once();
            OFFERED.map(|percent| alone::measure(*rate, percent, packets))
        }),
    );
    report.part(
        "many sources at 10/s, burst 300 ms, beside a table with a place for each",
        crowd::LOADS
            .iter()
            .flat_map(|load| crowd::DEMANDS.map(|demand| crowd::measure(*load, demand, INTERVALS))),
    );
    report.part(
        "honest clients beside a flood of 10 million packets/s, each from another source",
        Flood::ALL.map(|flood| flood.measure(args.forged.into())),
    );
    let mut rows = Vec::new();
    for (name, limit, each) in limits() {
        for count in [1, 2] {
            let mut row = loaded::processors(count, &limit, each)?;
            row.name = format!("{name}, {}", row.name);
            rows.push(row);
        }
    }
    report.part(
        "one source in the loaded program, from several processors",
        rows,
    );
    report.spoofed(loaded::spoofed(args.forged)?);
    Ok(report)
}

/// Limits for the loaded program, and how many packets each processor sends.
fn limits() -> [(&'static str, Limit, u32); 3] {
    let second = Nanos::from_secs(1);
    let long = Nanos::from_secs(100);
    let burst = 300_000;
    let limit = |count, period, burst| Limit::new(count, period, burst, MODE_ENFORCE);
    [
        (
            "300000 at once",
            limit(1, long, Nanos(long.0 * burst)),
            500_000,
        ),
        (
            "5000/s, burst 2 s",
            limit(5_000, second, Nanos::from_secs(2)),
            5_000_000,
        ),
        (
            "1000000/s, burst 20 ms",
            limit(1_000_000, second, Nanos::from_millis(20)),
            5_000_000,
        ),
    ]
}

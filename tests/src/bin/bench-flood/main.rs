//! What a dropped packet costs in a flood, beside others that can drop it, and what a client
//! notices of the flood.
//!
//! Frames are put on a veth pair by `BPF_PROG_TEST_RUN` with live frames: the kernel makes them,
//! a program of ours gives each another source, and they go to the gateway's interface as a NIC's
//! would, with no socket buffer. What receives them there runs in the same thread as soon as a
//! batch is over, so the CPU time of that thread is what making, carrying and dropping a packet
//! cost. Making and carrying is the same for everybody; hence the ratio to a program that drops
//! everything. Needs root; touches no interface outside namespaces of its own.

mod client;
mod cost;
mod defenders;
mod latency;
mod report;
mod sender;
mod shapes;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use gateway_lab::Lab;

use crate::{report::Report, sender::Sender};

#[derive(Parser)]
#[command(
    name = "bench-flood",
    about = "Measures what dropping a flood costs, and what a client notices of it"
)]
struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Rounds over all defenders, the figures being medians over rounds
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Packets for each defender, shape and round
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u32).range(10_000..=10_000_000))]
    packets: u32,
    /// The gateway to run between the client and its upstream; without one, no client is measured
    #[arg(long, value_name = "BINARY")]
    gateway: Option<PathBuf>,
    /// Packets per second of the flood beside the client
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    rate: u32,
    /// Rounds of the client, each of two seconds for each defender
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    client_rounds: u32,
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
    let mut report = Report::begin(args.json, args.rounds, args.packets);
    let lab = Lab::up("benchflood")?;
    let mut sender = Sender::new(&lab)?;
    report.cost = cost::measure(&lab, &mut sender, args.rounds, args.packets)?;
    if let Some(gateway) = &args.gateway {
        let effort = latency::Effort {
            rounds: args.client_rounds,
            rate: args.rate,
        };
        report.client = Some((
            effort,
            latency::measure(&lab, &mut sender, gateway, effort)?,
        ));
    }
    report.end();
    Ok(report)
}

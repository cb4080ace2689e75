//! Everything that is done with the project by one command: `cargo xtask VERB`.
//!
//! Exit codes: 0 done, 1 failed (with one sentence that says what to do), 2 usage. `lab` passes on
//! the code of the command it ran.

mod apt;
mod bench;
mod build;
mod cargo;
mod demo;
mod differential;
mod fuzz;
mod lab;
mod libinjection;
mod setup;
mod test;
mod tool;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Works on the gateway"
)]
struct Xtask {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Installs what building and testing need; the other verbs do their part of it themselves
    Setup,
    /// Builds the agent, with the eBPF object inside
    Build(build::Args),
    /// Runs a command in a small network of namespaces, or a shell
    Lab(lab::Args),
    /// Shows the whole loop: a packet dropped because of what a request did
    Demo(demo::Args),
    /// Runs all tests: unit, property, packet tables, end to end
    Test(test::Args),
    /// Runs the data-plane tests under another kernel, in a virtual machine
    Vm(vm::Args),
    /// Measures, side by side with what it is compared with
    Bench(bench::Args),
    /// Compares the host's pipeline with the loaded program, on random and damaged frames
    Differential(differential::Args),
    /// Feeds parsers, rules and the packet pipeline inputs that are made to break them
    Fuzz(fuzz::Args),
    /// Compares the detection of injections with the C library: answers and speed
    Libinjection(libinjection::Args),
    /// What runs as the first process inside that machine
    #[command(hide = true)]
    Guest,
}

fn main() -> ExitCode {
    let outcome = match Xtask::parse().verb {
        Verb::Setup => setup::run(),
        Verb::Build(args) => build::run(&args),
        Verb::Lab(args) => lab::run(&args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Test(args) => test::run(&args),
        Verb::Vm(args) => vm::run(&args),
        Verb::Bench(args) => bench::run(&args),
        Verb::Differential(args) => differential::run(&args),
        Verb::Fuzz(args) => fuzz::run(&args),
        Verb::Libinjection(args) => libinjection::run(&args),
        Verb::Guest => vm::guest::run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

//! Sends attacks and ordinary texts through the engine, written in every way that a test case
//! names, and counts what is blocked:
//!
//! ```text
//! cargo run --release -p gateway-waf --example cases -- --cases DIR [--rules CRS] [--decode all]
//! ```
//!
//! A case is a YAML file with lists of `payload`, `encoder` and `placeholder`, in the form that
//! the tool gotestwaf uses; files below a folder whose name begins with `false` are to pass. With
//! `--rules` they meet the Core Rule Set of that folder as it is configured by itself (paranoia
//! level 1), else the rules that come with the gateway.
//!
//! `--texts FILE` sends each line of a file as a search, and as the field of a form: texts that
//! people write and that have to pass.
//!
//! Only the engine is asked. What the HTTP side of the gateway refuses before is not counted.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the runner reads rules and cases from disk, which the crate itself never does"
)]

#[path = "../../tests/support/disk.rs"]
mod disk;
mod encode;
mod place;
mod suite;
mod tally;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Parser;
use gateway_waf::{DEFAULT_RULES, Decoder, Decoders, Embedded, TxContext, UnixMillis, Waf};

use crate::{disk::Disk, place::Request, tally::Tally};

#[derive(Parser)]
#[command(name = "cases", about = "Counts what the rules block and let through")]
struct Args {
    /// A folder of test cases
    #[arg(long)]
    cases: Option<PathBuf>,
    /// A file with a text on each line, all of which have to pass
    #[arg(long)]
    texts: Option<PathBuf>,
    /// The Core Rule Set, unpacked; without it, the rules that come with the gateway
    #[arg(long)]
    rules: Option<PathBuf>,
    /// What to look for inside values: base64, url, json, jwt, or all
    #[arg(long, value_delimiter = ',', value_parser = decoders)]
    decode: Vec<Decoders>,
    /// Show each request that is judged wrongly, and why
    #[arg(long)]
    verbose: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut waf = load(args.rules.as_deref())?;
    let sets = args.decode.iter().copied();
    waf.set_decoders(
        Decoder::ALL
            .into_iter()
            .filter(|d| sets.clone().any(|set| set.has(*d)))
            .collect(),
    );
    ensure!(
        args.cases.is_some() || args.texts.is_some(),
        "nothing to do: give --cases or --texts"
    );
    if let Some(cases) = &args.cases {
        let mut tally = Tally::default();
        for case in suite::read(cases)? {
            for (what, request) in case.requests() {
                let found = ask(&waf, &request);
                tally.count(&case, &what, found.as_deref(), args.verbose);
            }
        }
        println!("{tally}");
    }
    if let Some(texts) = &args.texts {
        let text = std::fs::read_to_string(texts).with_context(|| texts.display().to_string())?;
        let mut tally = Tally::default();
        let case = suite::Case::of_texts(text.lines());
        for (what, request) in case.requests() {
            tally.count(&case, &what, ask(&waf, &request).as_deref(), args.verbose);
        }
        println!("{tally}");
    }
    Ok(())
}

fn decoders(name: &str) -> Result<Decoders, String> {
    let chosen = |decoder: &Decoder| name == "all" || decoder.name() == name;
    let found: Decoders = Decoder::ALL.into_iter().filter(chosen).collect();
    if found.is_empty() {
        Err(format!("there is no decoder {name}"))
    } else {
        Ok(found)
    }
}

const DISK: Disk = Disk(&[]);

fn load(rules: Option<&Path>) -> Result<Waf> {
    let loaded = match rules {
        Some(folder) => {
            let setup = folder
                .join("crs-setup.conf.example")
                .to_string_lossy()
                .into_owned();
            let rules = folder.join("rules/*.conf").to_string_lossy().into_owned();
            Waf::load(&[&setup, &rules], &DISK)
        }
        None => {
            let names: Vec<&str> = DEFAULT_RULES.iter().map(|(name, _)| *name).collect();
            Waf::load(&names, &Embedded)
        }
    };
    let waf = loaded.map_err(|errors| anyhow!("{errors}"))?;
    ensure!(waf.rules() > 0, "there are no rules");
    println!("{} rules", waf.rules());
    Ok(waf)
}

/// The rules that a request met, where it was blocked.
fn ask(waf: &Waf, request: &Request) -> Option<String> {
    let mut transaction = waf.transaction(&TxContext {
        now: UnixMillis(1_700_000_000_000),
        request_id: "case",
        client: [192, 0, 2, 7].into(),
        client_port: 40_000,
        server: [192, 0, 2, 1].into(),
        server_port: 443,
    });
    transaction.request_line(request.method.as_bytes(), &request.target, b"HTTP/1.1");
    for (name, value) in &request.headers {
        transaction.request_header(name.as_bytes(), value);
    }
    let mut blocked = !transaction.phase1().is_pass();
    if !blocked {
        transaction.append_body(&request.body);
        blocked = !transaction.phase2().is_pass();
    }
    let told = transaction.matches().iter().filter(|m| m.log);
    let ids: Vec<String> = told.map(|m| m.rule_id.to_string()).collect();
    blocked.then(|| ids.join(" "))
}

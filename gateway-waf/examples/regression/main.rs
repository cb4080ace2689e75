//! Runs the regression tests of the OWASP Core Rule Set against the engine, without a server:
//!
//! ```text
//! cargo run -p gateway-waf --example regression -- --rules CRS --tests CRS/tests/regression/tests
//! ```
//!
//! Rules run at paranoia level 4 and detect only, as the rule set's own test setup has it. Each
//! test is a request in FTW's YAML and what the log must and must not say of it. Exits with 1
//! when a test fails that no list of excuses names, or when the prefilter changes what matches.
//!
//! What a server itself would answer is only guessed (`wire`), and tests of that are to be excused
//! or run against the gateway itself: `--agent` sends the requests over the wire and reads what
//! it logs (`live`).

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the runner reads rules and tests from disk, which the crate itself never does"
)]

#[path = "../../tests/support/disk.rs"]
mod disk;
mod drive;
mod judge;
mod live;
mod options;
mod origin;
mod setup;
mod suite;
#[cfg(test)]
mod tests;
mod wire;

use std::{collections::BTreeMap, io::Write as _, path::Path, process::ExitCode};

use anyhow::{Context as _, Result};
use gateway_waf::Waf;

use self::{
    judge::Verdict,
    options::{Options, Prefilter},
    suite::Case,
};

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every test; says whether all of them passed.
fn run(options: &Options) -> Result<bool> {
    if let Some(folder) = &options.files {
        for file in setup::write(options, folder)? {
            println!("{file}");
        }
        return Ok(true);
    }
    let waf = setup::load(options)?;
    let mut server = live::Server::find(options)?;
    let excused = match &options.excused {
        Some(file) => excuses(file)?,
        None => BTreeMap::new(),
    };
    let mut ids = match &options.ids {
        Some(file) => Some(std::fs::File::create(file).context("--ids")?),
        None => None,
    };
    let mut tally = Tally::default();
    for case in suite::read(&options.tests)? {
        if options
            .only
            .as_ref()
            .is_some_and(|only| !case.name.contains(only.as_str()))
        {
            continue;
        }
        if let Some(folder) = &options.requests {
            let bytes = case
                .stages
                .iter()
                .map(|stage| wire::write(&stage.input, None));
            for (at, bytes) in bytes.enumerate() {
                let file = folder.join(format!("{}.{at}", case.name));
                std::fs::write(&file, bytes?).with_context(|| file.display().to_string())?;
            }
        }
        let verdict = one(&waf, server.as_mut(), &case, options, ids.as_mut())?;
        tally.count(&case, &verdict, excused.get(&case.name), options.verbose);
    }
    println!("{tally}");
    if let Some(server) = &server {
        println!("{}", server.tally);
    }
    Ok(tally.failed == 0)
}

/// Runs one test, with the prefilter as the options say, or against a server.
fn one(
    waf: &Engines,
    server: Option<&mut live::Server>,
    case: &Case,
    options: &Options,
    ids: Option<&mut std::fs::File>,
) -> Result<Verdict> {
    let mut outcomes = drive::all_stages(waf.first(options.prefilter), case);
    if let Some(server) = server {
        let live = server.all_stages(case)?;
        server.compare(case, &outcomes, &live);
        outcomes = live;
    }
    if let Some(file) = ids {
        for outcome in &outcomes {
            let list: Vec<String> = outcome.ids().iter().map(u64::to_string).collect();
            writeln!(file, "{}\t{}", case.name, list.join(" "))?;
        }
    }
    if options.prefilter == Prefilter::Both {
        let without = drive::all_stages(&waf.without, case);
        for (with, without) in outcomes.iter().zip(&without) {
            if with.ids() != without.ids() {
                let what = format!(
                    "the prefilter changes {:?} to {:?}",
                    without.ids(),
                    with.ids()
                );
                return Ok(Verdict::Failed(what));
            }
        }
    }
    let stages = case.stages.iter().zip(&outcomes);
    Ok(judge::all(stages, options.verbose))
}

/// The rule set, with the prefilter and without.
struct Engines {
    with: Waf,
    without: Waf,
}

impl Engines {
    fn first(&self, prefilter: Prefilter) -> &Waf {
        match prefilter {
            Prefilter::On | Prefilter::Both => &self.with,
            Prefilter::Off => &self.without,
        }
    }
}

/// Reads lines of a test's name, a tab and a reason.
fn excuses(file: &Path) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, reason) = line
                .split_once('\t')
                .with_context(|| format!("{}: no reason is given for {line}", file.display()))?;
            Ok((name.to_owned(), reason.to_owned()))
        })
        .collect()
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    excused: usize,
    /// Excused tests that pass.
    needless: usize,
}

impl Tally {
    fn count(&mut self, case: &Case, verdict: &Verdict, excuse: Option<&String>, verbose: bool) {
        let name = &case.name;
        match (verdict, excuse) {
            (Verdict::Passed, None) => self.passed += 1,
            (Verdict::Passed, Some(_)) => {
                self.passed += 1;
                self.needless += 1;
                println!("passed though excused: {name}");
            }
            (Verdict::Failed(_), Some(reason)) => {
                self.excused += 1;
                if verbose {
                    println!("excused: {name}: {reason}");
                }
            }
            (Verdict::Failed(why), None) => {
                self.failed += 1;
                println!("failed: {name}: {why}");
            }
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total = self.passed + self.failed + self.excused;
        write!(
            f,
            "{total} tests: {} passed, {} failed, {} excused",
            self.passed, self.failed, self.excused
        )?;
        if self.needless > 0 {
            write!(f, ", {} needlessly", self.needless)?;
        }
        Ok(())
    }
}

//! `fuzz`: the long run of the targets in `fuzz/`, whose committed inputs every test run replays.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{self, Need};
use crate::{build, cargo};

/// What fuzzing takes beside a build.
const NEEDS: &[Need] = &[Need::CargoFuzz, Need::CxxCompiler];
/// Bytes of the longest input that is made: what is longer finds little that shorter ones do not.
const LONGEST: u32 = 8192;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The target; every one without this
    target: Option<String>,
    /// Seconds for each target
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Print the names of the targets and run none
    #[arg(long, conflicts_with = "target")]
    list: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let all = targets(&cargo::root().join("fuzz/fuzz_targets"))?;
    if args.list {
        for target in all {
            println!("{target}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = chosen(all, args.target.as_deref())?;
    setup::ensure(build::NEEDS)?;
    setup::ensure(NEEDS)?;
    let mut failed = Vec::new();
    for target in wanted {
        // One that fails is no reason to run no other.
        if let Err(error) = fuzz(&target, args.seconds) {
            eprintln!("{target}: {error:#}");
            failed.push(target);
        }
    }
    ensure!(
        failed.is_empty(),
        "failed: {}; the inputs are in fuzz/artifacts: put them into fuzz/corpus once they hold",
        failed.join(", ")
    );
    Ok(ExitCode::SUCCESS)
}

/// Runs one target. New inputs go to `target/fuzz-corpus`, where the next run finds them; those
/// that are committed are only read.
fn fuzz(target: &str, seconds: u32) -> Result<()> {
    let found = cargo::target("fuzz-corpus").join(target);
    fs::create_dir_all(&found)?;
    let mut command = cargo::cargo();
    command
        // Safe code: the address sanitizer would find nothing, and make everything slow.
        .args(["fuzz", "run", "--sanitizer", "none", "--target-dir"])
        .arg(cargo::target("fuzz"))
        .arg(target)
        .arg(found)
        .arg(cargo::root().join("fuzz/corpus").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST}"))
        .args(["-timeout=20", "-print_final_stats=1"]);
    cargo::visibly(&mut command, "cargo fuzz")
}

/// The names of the targets, in order.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.file_stem().and_then(|name| name.to_str());
            names.extend(name.map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

fn chosen(all: Vec<String>, wanted: Option<&str>) -> Result<Vec<String>> {
    match wanted {
        None => Ok(all),
        Some(wanted) if all.iter().any(|name| name == wanted) => Ok(vec![wanted.to_owned()]),
        Some(wanted) => bail!("no target {wanted}: there are {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_and_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.rs", "a.rs", "notes.txt"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let all = targets(folder.path()).unwrap();
        assert_eq!(all, ["a", "b"]);
        assert_eq!(chosen(all.clone(), None).unwrap(), ["a", "b"]);
        assert_eq!(chosen(all.clone(), Some("b")).unwrap(), ["b"]);
        let error = chosen(all, Some("c")).unwrap_err();
        assert_eq!(error.to_string(), "no target c: there are a, b");
    }
}

//! cargo-fuzz, kept in the workspace's own `target/tools`.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{cargo, tool};

const VERSION: &str = "0.13.2";

/// Builds it unless this very version is there.
///
/// # Errors
///
/// When cargo cannot build it.
pub(super) fn ensure() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    eprintln!("setup: building cargo-fuzz {VERSION}, which takes a minute or two");
    let mut install = cargo::cargo();
    install
        .args(["install", "cargo-fuzz", "--version", VERSION])
        .args(["--locked", "--force", "--quiet", "--root"])
        .arg(cargo::target("tools"));
    cargo::visibly(&mut install, "cargo install cargo-fuzz")
        .context("install cargo-fuzz by hand into target/tools, then run this again")?;
    ensure!(
        is_there(),
        "cargo-fuzz was built and does not run: remove target/tools and retry"
    );
    Ok(())
}

fn is_there() -> bool {
    let program = cargo::target("tools").join("bin/cargo-fuzz");
    tool::output(Command::new(program).arg("--version"))
        .is_ok_and(|text| text.trim().ends_with(&format!(" {VERSION}")))
}

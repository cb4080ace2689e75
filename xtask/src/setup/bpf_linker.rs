//! The linker of the eBPF object, kept in the workspace's own `target/tools`.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{cargo, tool};

/// The last release that uses the LLVM of rustc itself; later ones want one of the system.
const VERSION: &str = "0.10.4";

/// Builds the linker unless this very version is there.
///
/// # Errors
///
/// When cargo cannot build it.
pub(super) fn ensure() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    eprintln!("setup: building bpf-linker {VERSION}, which takes a minute or two");
    let mut install = cargo::cargo();
    install
        .args([
            "install",
            "bpf-linker",
            "--version",
            VERSION,
            "--locked",
            "--force",
            "--quiet",
        ])
        .arg("--root")
        .arg(cargo::target("tools"));
    cargo::visibly(&mut install, "cargo install bpf-linker")
        .context("install bpf-linker by hand into target/tools, then run this again")?;
    ensure!(
        is_there(),
        "bpf-linker was built and does not run: remove target/tools and retry"
    );
    Ok(())
}

fn is_there() -> bool {
    let linker = cargo::target("tools").join("bin/bpf-linker");
    tool::output(Command::new(linker).arg("--version"))
        .is_ok_and(|text| text.trim().ends_with(&format!(" {VERSION}")))
}

//! Packages of Debian and Ubuntu: installing some, and reading others without installing them.
//!
//! The host's configuration is read and never changed: what comes from suites that the host does
//! not use goes through a private state below `target/vm/apt`.

mod mirror;
mod sources;
mod suite;

use std::process::Command;

use anyhow::{Context, Result};

use crate::tool;

pub(crate) use mirror::Mirror;
pub(crate) use suite::Suite;

/// Installs packages from the host's own suites, as root.
///
/// The package lists are fetched only when it does not go without: they may be absent or old.
///
/// # Errors
///
/// With the last word of `apt-get`.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if tool::quietly(&mut install_command(packages)).is_ok() {
        return Ok(());
    }
    tool::quietly(apt_get().args(["update", "--quiet"])).context("the package lists")?;
    tool::quietly(&mut install_command(packages))
}

fn install_command(packages: &[&str]) -> Command {
    let mut command = apt_get();
    command
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(packages);
    command
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Somebody else's apt-get ends sooner or later.
        .args(["-o", "DPkg::Lock::Timeout=300"]);
    command
}

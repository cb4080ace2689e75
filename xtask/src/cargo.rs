//! Running cargo and rustc on this workspace.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::tool;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // Cargo names this crate's folder when it runs it; a copied binary falls back to its birthplace.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// A path below the workspace's `target` folder, for what is kept between runs.
pub(crate) fn target(below: &str) -> PathBuf {
    root().join("target").join(below)
}

/// A cargo command on the workspace, which finds the tools of [`target`]`("tools")`.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("PATH", path_with_tools());
    command
}

/// The folder of the toolchain that builds the workspace.
///
/// # Errors
///
/// When rustc cannot be run.
pub(crate) fn sysroot() -> Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    let text = tool::output(rustc.current_dir(root()).args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(text.trim()))
}

/// Runs a command whose output people want to see.
///
/// # Errors
///
/// When it cannot be run or fails; it has said why by itself.
pub(crate) fn visibly(command: &mut Command, what: &str) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {what}"))?;
    if !status.success() {
        bail!("{what} failed: see above");
    }
    Ok(())
}

/// Builds with `cargo ARGS` and returns the executables that were made, each with its target's
/// name. Diagnostics go to standard error as ever.
///
/// # Errors
///
/// When the build fails.
pub(crate) fn executables(args: &[&str]) -> Result<Vec<Executable>> {
    let out = cargo()
        .args(args)
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !out.status.success() {
        bail!("cargo {} failed: see above", args.join(" "));
    }
    parse(&String::from_utf8_lossy(&out.stdout))
}

/// A program that cargo has built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Executable {
    /// The name of the binary or test target.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn parse(messages: &str) -> Result<Vec<Executable>> {
    let mut found = Vec::new();
    for line in messages.lines().filter(|line| line.starts_with('{')) {
        let message: Message = serde_json::from_str(line).context("cargo's messages")?;
        if let (Some(target), Some(path)) = (message.target, message.executable) {
            found.push(Executable {
                name: target.name,
                path,
            });
        }
    }
    Ok(found)
}

fn path_with_tools() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let tools = target("tools").join("bin");
    env::join_paths(std::iter::once(tools).chain(env::split_paths(&path))).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_picked_from_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"lib"},"executable":null}"#,
            "\nnoise of a build script\n",
            r#"{"reason":"compiler-artifact","target":{"name":"gateway"},"executable":"/t/g"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let wanted = Executable {
            name: "gateway".into(),
            path: "/t/g".into(),
        };
        assert_eq!(parse(messages).unwrap(), [wanted]);
        assert!(parse("{broken").is_err());
    }
}

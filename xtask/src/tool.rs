//! Finding and running other programs.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

/// Where system programs are that the PATH of a plain user lacks.
const SYSTEM: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The file that would run as `program`, if there is one.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM.iter().map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Runs a command to its end and returns what it wrote to standard output.
///
/// # Errors
///
/// When it cannot be run or fails, with the last line of what it complained.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = run(command)?;
    String::from_utf8(out.stdout).with_context(|| format!("{} wrote no text", name(command)))
}

/// [`output`] for a command whose output nobody wants.
///
/// # Errors
///
/// Those of [`output`].
pub(crate) fn quietly(command: &mut Command) -> Result<()> {
    run(command).map(drop)
}

fn run(command: &mut Command) -> Result<Output> {
    let out = command
        .output()
        .with_context(|| format!("cannot run {}", name(command)))?;
    if !out.status.success() {
        let complaint = String::from_utf8_lossy(&out.stderr);
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty());
        bail!(
            "{} failed: {}",
            name(command),
            last.unwrap_or("it gives no reason").trim()
        );
    }
    Ok(out)
}

fn name(command: &Command) -> String {
    Path::new(command.get_program())
        .file_name()
        .unwrap_or_else(|| OsStr::new("a program"))
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_and_others_are_not() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-here"), None);
        assert_eq!(
            find("../etc/passwd"),
            None,
            "a file that cannot run is no program"
        );
    }

    #[test]
    fn a_failure_carries_the_last_complaint() {
        let script = "echo first >&2; echo 'the reason' >&2; echo >&2; exit 3";
        let error = output(Command::new("sh").args(["-c", script])).unwrap_err();
        assert_eq!(error.to_string(), "sh failed: the reason");
        assert_eq!(output(Command::new("echo").arg("yes")).unwrap(), "yes\n");
    }
}

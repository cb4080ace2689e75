//! Programs of the system, by package where that is possible.

use anyhow::{Context, Result, bail};

use crate::{apt, tool};

/// A program and the package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) package: &'static str,
}

/// Installs the packages of those programs that are not there.
///
/// # Errors
///
/// When this is not root on Debian or Ubuntu, or a package does not bring its program.
pub(super) fn ensure(programs: &[Program]) -> Result<()> {
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    let wish = wish(&missing);
    if tool::find("apt-get").is_none() {
        bail!("{wish} with your package manager");
    }
    if !nix::unistd::geteuid().is_root() {
        bail!("{wish}: sudo apt-get install {}", packages.join(" "));
    }
    eprintln!("setup: installing {}", packages.join(", "));
    apt::install(&packages).with_context(|| wish.clone())?;
    if !self::missing(programs).is_empty() {
        bail!("{wish}: apt-get has run and it is still missing");
    }
    Ok(())
}

fn missing(programs: &[Program]) -> Vec<Program> {
    programs
        .iter()
        .filter(|program| tool::find(program.name).is_none())
        .copied()
        .collect()
}

fn wish(missing: &[Program]) -> String {
    let names: Vec<String> = missing
        .iter()
        .map(|program| format!("{} (package {})", program.name, program.package))
        .collect();
    format!("install {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_wished_for() {
        let shell = Program {
            name: "sh",
            package: "dash",
        };
        let other = Program {
            name: "no-such-program-here",
            package: "nowhere",
        };
        assert_eq!(missing(&[shell, other]), [other]);
        assert_eq!(
            wish(&[other]),
            "install no-such-program-here (package nowhere)"
        );
    }
}

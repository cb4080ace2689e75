//! What a virtual machine finds in its memory when it starts.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Guest;
use super::cpio::Archive;
use super::guest::{self, Plan, Task};
use super::kernel::Kernel;
use super::modules;
use crate::tool;

/// Builds the archive: this binary as `/init`, the programs and the tools, their libraries, the
/// modules, and the plan that tells `/init` what to do.
///
/// # Errors
///
/// When a file cannot be read or a library or module is missing.
pub(super) fn build(kernel: &Kernel, guest: &Guest) -> Result<Vec<u8>> {
    let own = env::current_exe().context("this program does not find itself")?;
    let mut archive = Archive::default();
    archive.device("/dev/console", 5, 1)?;
    let mut programs = vec![("/init".to_owned(), own)];
    let mut plan = Plan {
        modules: Vec::new(),
        tasks: Vec::new(),
    };
    for (number, run) in guest.runs.iter().enumerate() {
        let place = format!("/bin/program-{number}");
        programs.push((place.clone(), run.program.clone()));
        plan.tasks.push(Task {
            program: place,
            args: run.args.clone(),
        });
    }
    for name in &guest.tools {
        let file = tool::find(name).with_context(|| format!("no program {name} to take along"))?;
        programs.push((format!("/bin/{name}"), file));
    }
    let mut needed = BTreeSet::new();
    for (place, file) in &programs {
        archive.file(place, &read(file)?)?;
        needed.extend(libraries(file)?);
    }
    for library in needed {
        archive.file(&library, &read(Path::new(&library))?)?;
    }
    for module in modules::collect(&kernel.modules, &guest.modules)? {
        let place = format!("/modules/{}.ko", module.name);
        archive.file(&place, &module.bytes)?;
        plan.modules.push(place);
    }
    archive.file(guest::PLAN, &serde_json::to_vec(&plan)?)?;
    archive.finish()
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The shared libraries and the loader of a program, where it expects them.
fn libraries(program: &Path) -> Result<Vec<String>> {
    let out = Command::new("ldd")
        .arg(program)
        .output()
        .context("cannot run ldd: install the package libc-bin")?;
    // A static program is no failure to us, but is one to ldd.
    let (said, complaint) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    if !out.status.success() && !complaint.contains("not a dynamic executable") {
        bail!(
            "ldd cannot read {}: {}",
            program.display(),
            complaint.trim()
        );
    }
    parse(&said).with_context(|| format!("the libraries of {}", program.display()))
}

/// Reads lines such as `libm.so.6 => /lib/libm.so.6 (0x7f…)` and `/lib64/ld.so (0x7f…)`; what
/// has no path, the kernel brings by itself.
fn parse(ldd: &str) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for line in ldd.lines() {
        let (name, place) = line.split_once("=>").unwrap_or(("", line));
        if place.contains("not found") {
            bail!("{} is not found", name.trim());
        }
        let path = place
            .split_whitespace()
            .next()
            .filter(|path| path.starts_with('/'));
        paths.extend(path.map(str::to_owned));
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_what_ldd_says() {
        let said = "\tlinux-vdso.so.1 (0x00007ffd)\n\
                    \tlibgcc_s.so.1 => /lib/x86_64-linux-gnu/libgcc_s.so.1 (0x00007f1)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f2)\n";
        assert_eq!(
            parse(said).unwrap(),
            [
                "/lib/x86_64-linux-gnu/libgcc_s.so.1",
                "/lib64/ld-linux-x86-64.so.2"
            ]
        );
        assert_eq!(parse("\tstatically linked\n").unwrap(), [""; 0]);
        let error = parse("\tlibodd.so.3 => not found\n").unwrap_err();
        assert_eq!(error.to_string(), "libodd.so.3 is not found");
    }
}

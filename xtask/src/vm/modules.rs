//! The modules of a kernel, each with those that it depends on.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tool;

/// A module that is ready to be loaded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Its name, without the ending.
    pub(super) name: String,
    /// The plain object.
    pub(super) bytes: Vec<u8>,
}

/// Reads `wanted` and what they depend on, in an order in which they can be loaded.
///
/// A module that the folder does not have is built into the kernel and passed over, if the
/// kernel's own list of those says so.
///
/// # Errors
///
/// When the kernel has no such module, or it cannot be decompressed.
pub(super) fn collect(folder: &Path, wanted: &[String]) -> Result<Vec<Module>> {
    let mut files = HashMap::new();
    index(&folder.join("kernel"), &mut files)?;
    let builtin = fs::read_to_string(folder.join("modules.builtin")).unwrap_or_default();
    let mut loaded = Vec::new();
    for name in wanted {
        visit(name, &files, &builtin, &mut loaded)?;
    }
    Ok(loaded)
}

fn visit(
    name: &str,
    files: &HashMap<String, PathBuf>,
    builtin: &str,
    loaded: &mut Vec<Module>,
) -> Result<()> {
    let name = canonical(name);
    if loaded.iter().any(|module| module.name == name) {
        return Ok(());
    }
    let Some(file) = files.get(&name) else {
        let is_builtin = builtin
            .lines()
            .any(|line| stem(line).as_deref() == Some(&name));
        if is_builtin {
            return Ok(());
        }
        bail!("the kernel has no module {name}");
    };
    let bytes = plain(file)?;
    // The kernel's own graph has no cycles: modpost refuses them.
    for dependency in dependencies(&bytes) {
        visit(&dependency, files, builtin, loaded)?;
    }
    loaded.push(Module { name, bytes });
    Ok(())
}

fn index(folder: &Path, files: &mut HashMap<String, PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            index(&path, files)?;
        } else if let Some(name) = path.to_str().and_then(stem) {
            files.insert(name, path);
        }
    }
    Ok(())
}

/// `veth` of `kernel/drivers/net/veth.ko.xz`.
fn stem(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let (name, ending) = file.split_once(".ko")?;
    matches!(ending, "" | ".xz" | ".zst" | ".gz").then(|| canonical(name))
}

/// File names have either sign where the kernel has an underscore.
fn canonical(name: &str) -> String {
    name.replace('-', "_")
}

fn plain(file: &Path) -> Result<Vec<u8>> {
    let program = match file.extension().and_then(|ending| ending.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        Some("gz") => "gzip",
        Some(_) | None => return Ok(fs::read(file)?),
    };
    let out = Command::new(tool::find(program).unwrap_or_else(|| program.into()))
        .args(["-d", "-c"])
        .arg(file)
        .output()
        .with_context(|| format!("install {program} to read {}", file.display()))?;
    if !out.status.success() {
        bail!("{program} cannot read {}", file.display());
    }
    Ok(out.stdout)
}

/// What the object's `.modinfo` section names: strings that end in NUL, one of them `depends=a,b`.
fn dependencies(object: &[u8]) -> Vec<String> {
    object
        .split(|byte| *byte == 0)
        .find_map(|text| std::str::from_utf8(text).ok()?.strip_prefix("depends="))
        .map(|list| {
            list.split(',')
                .filter(|name| !name.is_empty())
                .map(canonical)
                .collect()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_kernel() {
        assert_eq!(stem("kernel/drivers/net/veth.ko").as_deref(), Some("veth"));
        assert_eq!(
            stem("/x/nf-defrag-ipv6.ko.xz").as_deref(),
            Some("nf_defrag_ipv6")
        );
        assert_eq!(stem("/x/modules.dep"), None);
        assert_eq!(stem("/x/veth.kox"), None);
    }

    #[test]
    fn modules_come_after_what_they_depend_on() {
        let folder = tempfile::tempdir().unwrap();
        let net = folder.path().join("kernel/net");
        fs::create_dir_all(&net).unwrap();
        for (file, depends) in [
            ("top.ko", "mid-dle,base,built_in"),
            ("mid-dle.ko", "base"),
            ("base.ko", ""),
        ] {
            let object = format!("\u{7f}ELF\0license=GPL\0depends={depends}\0name=x\0");
            fs::write(net.join(file), object).unwrap();
        }
        fs::write(
            folder.path().join("modules.builtin"),
            "kernel/net/built-in.ko\n",
        )
        .unwrap();
        let collect = |name: &str| collect(folder.path(), &[name.to_owned()]);
        let names: Vec<_> = collect("top")
            .unwrap()
            .into_iter()
            .map(|module| module.name)
            .collect();
        assert_eq!(names, ["base", "mid_dle", "top"]);
        assert_eq!(collect("built_in").unwrap(), []);
        assert!(collect("absent").is_err());
    }
}

//! The file system that keeps maps and links alive without a process.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nix::mount::{MsFlags, mount};

use super::error::DatapathError;

/// Where systems mount it.
const USUAL: &str = "/sys/fs/bpf";

/// Makes sure that `path` will lie on a bpffs, mounting one at the usual place if need be.
pub(super) fn ensure(path: &Path) -> Result<(), DatapathError> {
    if is_on_bpffs(path) {
        return Ok(());
    }
    let fault = |reason: String| DatapathError::NoBpffs {
        path: path.to_owned(),
        reason,
    };
    if !path.starts_with(USUAL) {
        return Err(fault(format!(
            "mount one there (`mount -t bpf bpf DIR`) or keep the pins under {USUAL}"
        )));
    }
    mount(
        Some("bpf"),
        USUAL,
        Some("bpf"),
        MsFlags::empty(),
        None::<&str>,
    )
    .map_err(|error| {
        if error == nix::errno::Errno::EPERM {
            DatapathError::NotPermitted
        } else {
            fault(format!("mounting one at {USUAL} failed: {error}"))
        }
    })?;
    tracing::info!("mounted a bpf file system at {USUAL}");
    if in_private_mount_namespace() {
        tracing::warn!(
            "this mount is seen by this process's mount namespace alone: the filter ends with it. \
             Mount bpffs on the host first, or enter the network namespace with `nsenter --net`"
        );
    }
    Ok(())
}

/// Whether the closest mount above `path` is a bpffs.
fn is_on_bpffs(path: &Path) -> bool {
    let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else {
        return false;
    };
    mounts
        .lines()
        .filter_map(parse_mount)
        .filter(|(at, _)| path.starts_with(at))
        // Later lines are mounted over earlier ones at the same place.
        .max_by_key(|(at, _)| at.components().count())
        .is_some_and(|(_, kind)| kind == "bpf")
}

/// Mount point and file system type of a line of `/proc/self/mountinfo` (proc(5)).
fn parse_mount(line: &str) -> Option<(PathBuf, &str)> {
    let (before, after) = line.split_once(" - ")?;
    let at = before.split(' ').nth(4)?;
    Some((PathBuf::from(at), after.split(' ').next()?))
}

fn in_private_mount_namespace() -> bool {
    let own = fs::read_link("/proc/self/ns/mnt").ok();
    let first = fs::read_link("/proc/1/ns/mnt").ok();
    first.is_some() && own != first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_mount_line() {
        let line = "31 23 0:27 / /sys/fs/bpf rw,nosuid shared:9 - bpf bpf rw,mode=700";
        assert_eq!(
            parse_mount(line),
            Some((PathBuf::from("/sys/fs/bpf"), "bpf"))
        );
        assert_eq!(parse_mount("nonsense"), None);
    }
}

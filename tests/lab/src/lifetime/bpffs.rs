//! The bpf file system, in which a lab's pins live.

use std::fs;

use anyhow::{Context, Result};
use nix::mount::MsFlags;

use super::names::BPFFS;

/// Mounts the bpf file system where everybody expects it, unless it is there.
///
/// # Errors
///
/// When the kernel has none, or refuses.
pub(crate) fn mount() -> Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo").context("reading the mount table")?;
    if is_mounted(&table) {
        return Ok(());
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    nix::mount::mount(Some("bpf"), BPFFS, Some("bpf"), flags, Some("mode=700"))
        .with_context(|| format!("cannot mount the bpf file system on {BPFFS}"))
}

/// Whether a mount table (proc_pid_mountinfo(5)) has a bpf file system on its usual place.
fn is_mounted(mountinfo: &str) -> bool {
    mountinfo.lines().any(|line| {
        let place = line.split(' ').nth(4);
        let kind = line
            .split_once(" - ")
            .and_then(|(_, rest)| rest.split(' ').next());
        place == Some(BPFFS) && kind == Some("bpf")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bpf_file_system_on_the_right_place_counts() {
        let bpf = "31 24 0:27 / /sys/fs/bpf rw,nosuid shared:7 - bpf bpf rw,mode=700";
        let elsewhere = "31 24 0:27 / /run/bpf rw - bpf bpf rw";
        let other = "31 24 0:27 / /sys/fs/bpf rw - tmpfs tmpfs rw";
        assert!(is_mounted(&format!("{elsewhere}\n{bpf}\n")));
        assert!(!is_mounted(&format!("{elsewhere}\n{other}\n")));
    }
}

//! Removes what a lab has made, knowing nothing but its id.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::names;
use crate::wait;

/// Removes the processes, namespaces, pins, state and lock of the lab `id`, as far as they exist.
///
/// # Errors
///
/// The first thing that would not go away; the others are removed all the same.
pub(crate) fn remove(id: &str) -> Result<()> {
    let netns = names::netns_all(id);
    let outcomes = [
        end_processes(&netns),
        netns
            .iter()
            .try_for_each(|name| remove_netns(&names::netns_path(name))),
        remove_tree(&names::pins(id)),
        remove_tree(&names::state(id)),
    ];
    outcomes
        .into_iter()
        .collect::<Result<()>>()
        // Last, and only then: as long as it is there, the next sweep tries again.
        .and_then(|()| remove_file(&names::lock(id)))
        .with_context(|| format!("cannot remove the lab {id}"))
}

/// Which namespace a file stands for: its device and inode.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

/// Kills the processes whose network namespace is one of these, and waits until they are gone.
///
/// A process that was born elsewhere and only has a thread in the lab, such as a test that keeps
/// an origin, is not one of them.
fn end_processes(netns: &[String]) -> Result<()> {
    let homes: Vec<Identity> = netns
        .iter()
        .filter_map(|name| identity(&names::netns_path(name)))
        .collect();
    if homes.is_empty() {
        return Ok(());
    }
    wait::until(
        Duration::from_secs(10),
        "the processes of the lab to end",
        || {
            let inhabitants = inhabitants(&homes);
            for pid in &inhabitants {
                // A process that ended in the meantime is what we want.
                let _gone = kill(*pid, Signal::SIGKILL);
            }
            inhabitants.is_empty().then_some(())
        },
    )
}

fn inhabitants(homes: &[Identity]) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| {
            identity(Path::new(&format!("/proc/{pid}/ns/net")))
                .is_some_and(|home| homes.contains(&home))
        })
        .filter_map(|pid| Some(Pid::from_raw(i32::try_from(pid).ok()?)))
        .collect()
}

/// Does what `ip netns delete` does: the kernel frees the namespace when its last user is gone.
fn remove_netns(path: &Path) -> Result<()> {
    match umount2(path, MntFlags::MNT_DETACH) {
        // EINVAL: a name on which nothing is mounted, left by a run that died while making it.
        Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => remove_file(path),
        Err(error) => Err(error).with_context(|| format!("cannot unmount {}", path.display())),
    }
}

fn remove_file(path: &Path) -> Result<()> {
    ignore_absence(fs::remove_file(path), path)
}

fn remove_tree(path: &Path) -> Result<()> {
    ignore_absence(fs::remove_dir_all(path), path)
}

fn ignore_absence(outcome: std::io::Result<()>, path: &Path) -> Result<()> {
    match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

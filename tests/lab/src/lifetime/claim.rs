//! Ownership of a lab: a locked file, which the kernel unlocks when the owner dies.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use anyhow::{Context, Result};

use super::{bpffs, names, remains};

/// The right to a lab id, held for as long as the value lives.
pub(crate) struct Claim {
    id: String,
    // Held for its lock alone.
    _lock: File,
}

impl Claim {
    /// Removes what dead runs left, then takes a fresh id that begins with `name`.
    ///
    /// # Errors
    ///
    /// When the state directory cannot be written or remains cannot be removed.
    pub(crate) fn take(name: &str) -> Result<Self> {
        fs::create_dir_all(names::STATE)
            .with_context(|| format!("cannot make {}", names::STATE))?;
        // Nobody sweeps between the making of a lock file and its locking.
        let turn = open(&Path::new(names::STATE).join("turn"))?;
        turn.lock().context("waiting for other labs to start")?;
        bpffs::mount()?;
        sweep()?;

        let id = fresh_id(name);
        let lock = open(&names::lock(&id))?;
        lock.lock()
            .with_context(|| format!("claiming the lab {id}"))?;
        Ok(Self { id, _lock: lock })
    }

    /// The id: the lab's name with a random tail.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

fn fresh_id(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(32)
        .collect();
    let tail = RandomState::new().hash_one(std::process::id());
    format!("{name}-{tail:016x}")
}

/// Removes the remains of every lab whose owner is dead.
fn sweep() -> Result<()> {
    for id in known_ids()? {
        let path = names::lock(&id);
        // A lab without its lock file has no owner either.
        let Ok(lock) = File::open(&path) else {
            remains::remove(&id)?;
            continue;
        };
        match lock.try_lock() {
            Ok(()) => remains::remove(&id)?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("asking for {}", path.display()));
            }
        }
    }
    Ok(())
}

/// Every lab that has left a trace, alive or dead.
fn known_ids() -> Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for name in listing(names::STATE)? {
        ids.extend(name.strip_suffix(".lock").map(str::to_owned));
    }
    for name in listing(names::NETNS)? {
        ids.extend(names::id_of_netns(&name).map(str::to_owned));
    }
    for name in listing(names::BPFFS)? {
        ids.extend(name.strip_prefix(names::PREFIX).map(str::to_owned));
    }
    Ok(ids)
}

fn listing(directory: &str) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot list {directory}")),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_fresh_and_fit_for_file_names() {
        let one = fresh_id("Crash & Burn/../x");
        assert!(one.starts_with("crash---burn----x-"), "{one}");
        assert_ne!(one, fresh_id("Crash & Burn/../x"));
    }
}

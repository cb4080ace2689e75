//! A pin directory of this run's own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};

const ROOT: &str = "/sys/fs/bpf";
const PREFIX: &str = "gateway-bench-";

/// The directory; the maps in it go with it.
pub struct PinDir(PathBuf);

impl PinDir {
    /// A name of its own; also removes what a killed run left behind.
    ///
    /// # Errors
    ///
    /// When that cannot be removed.
    pub fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        remove_left_over()?;
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self(
            format!("{ROOT}/{PREFIX}{}-{n}", std::process::id()).into(),
        ))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PinDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("warning: {} is left behind: {error}", self.0.display());
        }
    }
}

/// Removes the pins of runs whose process is gone.
fn remove_left_over() -> Result<()> {
    let Ok(entries) = fs::read_dir(ROOT) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if let Some(owner) = owner
            && !Path::new("/proc").join(owner).exists()
        {
            fs::remove_dir_all(entry.path())
                .with_context(|| format!("removing {}", entry.path().display()))?;
        }
    }
    Ok(())
}

//! Files of bounded size in a folder of bounded size.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of all files together; a single write may exceed it until the next.
    pub size: u64,
    /// How long after it was last written to a file is removed.
    pub age: Duration,
}

/// Into how many files the whole is cut: so much of it goes at a time.
const FILES: u64 = 8;
/// How the names of files begin and end; between stands a number that grows.
const NAME: (&str, &str) = ("records-", ".jsonl");

/// What became of files.
#[derive(Debug, Default)]
pub struct RingCounts {
    removed: AtomicU64,
}

impl RingCounts {
    /// Files removed because there was too much, or they were too old.
    #[must_use]
    pub fn removed(&self) -> u64 {
        self.removed.load(Ordering::Relaxed)
    }
}

/// The end of the newest file. Whatever is written at once stays together in one file.
#[derive(Debug)]
pub struct Ring {
    folder: PathBuf,
    bounds: Bounds,
    current: Option<Current>,
    counts: Arc<RingCounts>,
}

#[derive(Debug)]
struct Current {
    file: File,
    size: u64,
    begun: SystemTime,
}

impl Ring {
    /// Opens the folder, which is made with mode 0700 where it is not there, and removes what is
    /// too much or too old.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(folder: PathBuf, bounds: Bounds) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let ring = Self {
            folder,
            bounds,
            current: None,
            counts: Arc::default(),
        };
        ring.trim()?;
        Ok(ring)
    }

    /// What became of files.
    #[must_use]
    pub fn counts(&self) -> &Arc<RingCounts> {
        &self.counts
    }

    /// The file to write `more` bytes to.
    fn room(&mut self, more: u64) -> io::Result<&mut Current> {
        let now = SystemTime::now();
        let share = (self.bounds.size / FILES).max(1);
        let span = self.bounds.age / u32::try_from(FILES).unwrap_or(1);
        let fits = self.current.as_ref().is_some_and(|current| {
            let old = now
                .duration_since(current.begun)
                .is_ok_and(|age| age > span);
            (current.size == 0 || current.size.saturating_add(more) <= share) && !old
        });
        if !fits {
            self.current = None;
            self.trim()?;
            let newest = files(&self.folder)?.last().map_or(0, |(number, _)| *number);
            let path = path(&self.folder, newest.saturating_add(1));
            let mut options = OpenOptions::new();
            let file = options
                .create_new(true)
                .append(true)
                .mode(0o600)
                .open(path)?;
            self.current = Some(Current {
                file,
                size: 0,
                begun: now,
            });
        }
        self.current
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Removes the oldest files until there is room for another one, and those too old.
    fn trim(&self) -> io::Result<()> {
        let share = (self.bounds.size / FILES).max(1);
        let mut held = 0_u64;
        for (_, path) in files(&self.folder)?.into_iter().rev() {
            let Ok(data) = fs::metadata(&path) else {
                continue;
            };
            held = held.saturating_add(data.len());
            let too_much = held.saturating_add(share) > self.bounds.size;
            if too_much || is_old(&data, self.bounds.age) {
                fs::remove_file(&path)?;
                self.counts.removed.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Removes the files of a folder that are too old, the newest among them: whoever writes to
    /// it begins another one before it can be that old. Returns how many.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file not removed.
    pub fn expire(folder: &Path, age: Duration) -> io::Result<u64> {
        let mut removed = 0;
        for (_, path) in files(folder)? {
            if fs::metadata(&path).is_ok_and(|data| is_old(&data, age)) {
                fs::remove_file(&path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl Write for Ring {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let more = bytes.len() as u64;
        let current = self.room(more)?;
        if let Err(error) = current.file.write_all(bytes) {
            // Half a line is left behind, which readers pass over; what comes next begins anew.
            self.current = None;
            return Err(error);
        }
        current.size = current.size.saturating_add(more);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.current {
            Some(current) => current.file.flush(),
            None => Ok(()),
        }
    }
}

fn is_old(data: &fs::Metadata, age: Duration) -> bool {
    let written = data.modified().ok();
    let since = written.and_then(|at| SystemTime::now().duration_since(at).ok());
    since.is_some_and(|since| since > age)
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{}{number:010}{}", NAME.0, NAME.1))
}

/// The files of a folder by their numbers, the oldest first; none where there is no folder.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let digits = name
            .and_then(|name| name.strip_prefix(NAME.0))
            .and_then(|name| name.strip_suffix(NAME.1));
        if let Some(number) = digits.and_then(|digits| digits.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

//! Reading what is kept.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::Record;
use super::ring::files;

/// The longest line that is read: more than any record that is written.
const LONGEST: u64 = 32 << 20;

/// The records of a folder.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
}

/// What there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many records were read.
    pub records: u64,
    /// When the oldest came, in milliseconds since the Unix epoch.
    pub since: Option<u64>,
    /// How many lines are no records: cut short, or damaged.
    pub damaged: u64,
}

impl Archive {
    /// The records in a folder, which need not be there.
    #[must_use]
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives each record to `see`, the oldest first, until it says stop with `false`.
    ///
    /// # Errors
    /// When the folder or a file cannot be read. A file that goes away meanwhile is passed over.
    pub fn each(&self, mut see: impl FnMut(Record) -> bool) -> io::Result<Kept> {
        let mut kept = Kept::default();
        for (_, path) in files(&self.folder)? {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let mut reader = BufReader::new(file);
            let mut line = Vec::new();
            loop {
                line.clear();
                let read = (&mut reader).take(LONGEST).read_until(b'\n', &mut line)?;
                if read == 0 {
                    break;
                }
                let Ok(record) = serde_json::from_slice::<Record>(&line) else {
                    kept.damaged += 1;
                    continue;
                };
                kept.records += 1;
                let since = kept.since.unwrap_or(record.time_unix_ms);
                kept.since = Some(since.min(record.time_unix_ms));
                if !see(record) {
                    return Ok(kept);
                }
            }
        }
        Ok(kept)
    }

    /// The newest record of a request, and what there is besides.
    ///
    /// # Errors
    /// When the folder or a file cannot be read.
    pub fn find(&self, request: &str) -> io::Result<(Option<Record>, Kept)> {
        let mut found = None;
        let kept = self.each(|record| {
            if record.request == request {
                found = Some(record);
            }
            true
        })?;
        Ok((found, kept))
    }
}

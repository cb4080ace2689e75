//! The lock that makes one process the only one to change things: the agent for its life, a
//! command for one change while no agent runs. The kernel drops it with the process that held
//! it, however that ended.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How often a waiting command looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The held lock.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("process {holder} holds {}; wait for it to finish", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The other process's id, or `another`.
        holder: String,
    },
    /// The file cannot be made or locked.
    #[error("the lock {}: {source}; run this as root, or check the path", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl WriterLock {
    /// The lock file that goes with a store: `gateway.lock` beside `gateway.db`.
    #[must_use]
    pub fn path_beside(store: &Path) -> PathBuf {
        store.with_extension("lock")
    }

    /// Takes the lock at `path`, waiting up to `patience` for another process to let go of it.
    ///
    /// # Errors
    /// When another process keeps it, or the file cannot be made.
    pub fn take(path: &Path, patience: Duration) -> Result<Self, LockError> {
        let fault = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .map_err(fault)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(fault)?;
        let until = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    thread::sleep(LOOK_AGAIN);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held {
                        path: path.to_owned(),
                        holder: holder(&mut file),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(fault(source)),
            }
        }
        // For whoever finds it held. The file itself stays: removing it would let two processes
        // lock two files of one name.
        sign(&mut file).map_err(fault)?;
        Ok(Self { _file: file })
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.take(32).read_to_string(&mut text));
    let pid = text.trim();
    if read.is_ok() && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit()) {
        pid.to_owned()
    } else {
        "another".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_has_it_and_the_next_gets_it() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = WriterLock::path_beside(&dir.path().join("var/gateway.db"));
        assert!(path.ends_with("var/gateway.lock"));
        let lock = WriterLock::take(&path, Duration::ZERO).unwrap();
        let refused = WriterLock::take(&path, Duration::from_millis(30)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "process {} holds {}; wait for it to finish",
                std::process::id(),
                path.display()
            )
        );
        drop(lock);
        WriterLock::take(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_patient_one_waits() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("gateway.lock");
        let lock = WriterLock::take(&path, Duration::ZERO).unwrap();
        let waiting = {
            let path = path.clone();
            thread::spawn(move || WriterLock::take(&path, Duration::from_secs(20)).map(drop))
        };
        drop(lock);
        waiting.join().unwrap().unwrap();
    }

    #[test]
    fn a_path_that_cannot_be_says_so() {
        let dir = tempfile::TempDir::new().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = WriterLock::take(&file.join("gateway.lock"), Duration::ZERO).unwrap_err();
        assert!(refused.to_string().starts_with("the lock "), "{refused}");
    }
}

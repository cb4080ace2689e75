//! Keeps what rules found, for those who ask later: see [`crate::records`].
//!
//! As with the log of the WAF, the answer to a request in which something was found waits for the
//! disk, so that whoever has its id can ask about it; what the disk does not take in time is lost
//! and counted.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::log_file::{Entry, LogCounts, LogFile, Sink};
use crate::http::{Case, Observer, Written};
use crate::records::{Bounds, Record, Ring, RingCounts};

/// The keeper.
#[derive(Debug)]
pub struct Keeper {
    log: LogFile<Told>,
    ring: Arc<RingCounts>,
}

#[derive(Debug)]
struct Told {
    case: Arc<Case>,
    /// Dropped with the entry, when it is written.
    _done: oneshot::Sender<()>,
}

impl Entry for Told {
    const NAME: &'static str = "WAF records";

    fn write(&self, buffer: &mut Vec<u8>) -> u64 {
        let start = buffer.len();
        match serde_json::to_writer(&mut *buffer, &Record::of(&self.case)) {
            Ok(()) => {
                buffer.push(b'\n');
                1
            }
            // Numbers and texts always serialise; half a line would break the next one.
            Err(_) => {
                buffer.truncate(start);
                0
            }
        }
    }
}

impl Keeper {
    /// Opens the folder and starts the thread; up to `waiting` cases may wait for it.
    ///
    /// # Errors
    /// When the folder or the thread cannot be had.
    pub fn start(folder: PathBuf, bounds: Bounds, waiting: usize) -> io::Result<Self> {
        let ring = Ring::open(folder.clone(), bounds)?;
        let counts = Arc::clone(ring.counts());
        let log = LogFile::write_to(Sink::File(folder), Box::new(ring), waiting)?;
        Ok(Self { log, ring: counts })
    }

    /// What became of records.
    #[must_use]
    pub fn counts(&self) -> &Arc<LogCounts> {
        self.log.counts()
    }

    /// What became of their files.
    #[must_use]
    pub fn files(&self) -> &Arc<RingCounts> {
        &self.ring
    }
}

impl Observer for Keeper {
    fn case(&self, case: &Arc<Case>) -> Option<Written> {
        let (done, written) = oneshot::channel();
        self.log.add(Told {
            case: Arc::clone(case),
            _done: done,
        });
        Some(written)
    }
}

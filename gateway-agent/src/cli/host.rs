//! What commands need of the host, so that they can be tested without one.

use std::io::{self, IsTerminal, Read, Write};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::ssh;
use crate::control::lists::Probe;
use crate::control::{Kernel, Lists, ListsError};
use crate::datapath::{Datapath, Pins, Questions, StackCookies};

/// The host that a command runs on.
pub trait Host {
    /// Opens the packet filter behind `pins`.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    fn open(&self, pins: &Path) -> Result<Arc<dyn Lists>, ListsError>;

    /// Opens the loaded program behind `pins`, to ask it about frames.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    fn judge(&self, pins: &Path) -> Result<Box<dyn Judge>, ListsError>;

    /// Takes the packet filter behind `pins` off its interfaces and removes its maps.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn detach(&self, pins: &Path) -> Result<(), ListsError>;

    /// Makes the stack's setting for SYN cookies what it was before the agent with this store
    /// changed it. Returns what it is now, if this has changed it.
    ///
    /// # Errors
    /// When it cannot be written, in words.
    fn give_back_cookies(&self, store: &Path) -> Result<Option<u8>, String>;

    /// From where the person at the keyboard is logged in, if from another host.
    fn session(&self) -> Option<IpAddr>;

    /// Asks the person at the keyboard; `None` when nobody can be asked.
    fn confirm(&self, question: &str) -> Option<bool>;

    /// Waits between two looks; `false` ends a watch.
    fn pause(&self, how_long: Duration) -> bool;

    /// What comes on the standard input, at most `limit` bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    fn input(&self, limit: u64) -> io::Result<Vec<u8>>;

    /// Whether the answer goes to a terminal.
    fn is_terminal(&self) -> bool;
}

/// What says what becomes of whole frames.
pub trait Judge {
    /// What would become of an Ethernet frame of 14 to
    /// [`LONGEST_FRAME`](crate::datapath::LONGEST_FRAME) bytes. Nothing is sent, counted or
    /// charged.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn judge(&mut self, frame: &[u8]) -> Result<Probe, ListsError>;
}

impl Judge for Questions {
    fn judge(&mut self, frame: &[u8]) -> Result<Probe, ListsError> {
        let probe = self.ask(frame)?;
        Ok(Probe {
            verdict: probe.verdict,
            rule: probe.rule,
        })
    }
}

/// The host this process runs on.
#[derive(Clone, Copy, Debug)]
pub struct ThisHost;

impl Host for ThisHost {
    fn open(&self, pins: &Path) -> Result<Arc<dyn Lists>, ListsError> {
        Ok(Arc::new(Kernel::open(pins)?))
    }

    fn judge(&self, pins: &Path) -> Result<Box<dyn Judge>, ListsError> {
        Ok(Box::new(Datapath::open(pins)?.program()?.questions()))
    }

    fn detach(&self, pins: &Path) -> Result<(), ListsError> {
        Ok(Pins::at(pins).remove()?)
    }

    fn give_back_cookies(&self, store: &Path) -> Result<Option<u8>, String> {
        StackCookies::beside(store)
            .give_back()
            .map_err(|error| error.to_string())
    }

    fn session(&self) -> Option<IpAddr> {
        ssh::session()
    }

    fn confirm(&self, question: &str) -> Option<bool> {
        let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
        if !stdin.is_terminal() || !stderr.is_terminal() {
            return None;
        }
        write!(stderr, "{question} [y/N] ").ok()?;
        stderr.flush().ok()?;
        let mut answer = String::new();
        stdin.read_line(&mut answer).ok()?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    fn pause(&self, how_long: Duration) -> bool {
        std::thread::sleep(how_long);
        true
    }

    fn input(&self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::io::stdin().take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn is_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }
}

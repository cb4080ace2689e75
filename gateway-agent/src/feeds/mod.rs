//! Feeds: lists that others keep, read again and again, and put on the deny list or the safelist.
//!
//! One thread with a runtime of its own: it asks the agenda which feed is due, lets it be read,
//! and hands what it says to the service, which writes what changed. A feed that cannot be read,
//! is broken, or has lost most of its entries keeps those it had; so does every feed while the
//! agent restarts without a network.

mod board;
mod country;
mod fetch;
mod handle;
mod metrics;
mod source;
#[cfg(test)]
mod tests;
mod turn;
mod worker;

pub use handle::Handle;
pub use metrics::FeedCollector;
pub use source::look_into;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;

use crate::config::Feed;
use crate::control::Service;
use board::Board;

/// Wishes that wait for the thread; further ones are refused.
const WISHES: usize = 64;

/// The thread that reads feeds, until it is stopped.
#[derive(Debug)]
pub struct Feeds {
    handle: Handle,
    thread: JoinHandle<()>,
    stop: mpsc::Sender<()>,
}

impl Feeds {
    /// Begins to read `feeds`, all of them at once, and takes away what other feeds have left.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(feeds: Vec<Feed>, service: Arc<Service>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let board = Arc::new(Board::of(&feeds));
        let (wishes, heard) = mpsc::channel(WISHES);
        let (stop, stopped) = mpsc::channel(1);
        let handle = Handle::new(wishes, Arc::clone(&board), Arc::downgrade(&service));
        let thread = thread::Builder::new()
            .name("feeds".into())
            .spawn(move || worker::run(runtime, board, service, feeds, (heard, stopped)))?;
        Ok(Self {
            handle,
            thread,
            stop,
        })
    }

    /// For whoever wants something of them.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends the thread; a feed that is being written is brought to its end, for a few seconds.
    pub fn stop(self) {
        let _ = self.stop.try_send(());
        // One that has panicked has said so.
        let _ = self.thread.join();
    }
}

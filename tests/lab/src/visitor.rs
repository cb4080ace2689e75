//! A legitimate client that asks again and again while other things happen.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::curl::Curl;
use crate::host::Node;

/// A thread that makes one request after the other, each on a connection of its own.
#[derive(Debug)]
pub struct Visitor {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What came of some visits.
#[derive(Clone, Debug, Default)]
pub struct Visits {
    /// What each answered request took, in order of time.
    pub took: Vec<Duration>,
    /// What went wrong, a sentence for each visit that was not answered with 200.
    pub failures: Vec<String>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    paused: bool,
    stopped: bool,
    busy: bool,
    visits: Visits,
}

impl Visitor {
    /// Starts to make `requests` in turn from `host`, one every `every` at most.
    ///
    /// # Errors
    ///
    /// When there is no thread to be had.
    pub fn start(host: &Node, requests: Vec<Curl>, every: Duration) -> Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let (own, host) = (Arc::clone(&shared), host.clone());
        let visit = move || {
            for request in requests.iter().cycle() {
                let started = Instant::now();
                if !own.begin() {
                    return;
                }
                let outcome = request.run(&host);
                own.note(outcome.map(|response| (response.status, response.took)));
                own.rest(every.saturating_sub(started.elapsed()));
            }
        };
        let thread = thread::Builder::new()
            .name("visitor".into())
            .spawn(visit)
            .context("no thread")?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Makes no more requests until [`Visitor::resume`]; returns when the last one has ended.
    pub fn pause(&self) {
        let mut state = self.shared.lock();
        state.paused = true;
        let busy = |state: &mut State| state.busy;
        drop(self.shared.changed.wait_while(state, busy));
    }

    /// Goes on.
    pub fn resume(&self) {
        self.shared.lock().paused = false;
        self.shared.changed.notify_all();
    }

    /// How many visits there have been.
    pub fn count(&self) -> usize {
        self.shared.lock().visits.count()
    }

    /// All visits so far.
    pub fn visits(&self) -> Visits {
        self.shared.lock().visits.clone()
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Visits {
    /// How many there were.
    pub fn count(&self) -> usize {
        self.took.len() + self.failures.len()
    }

    /// Those that came after `earlier`, which is an earlier state of the same visits.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            took: self
                .took
                .get(earlier.took.len()..)
                .unwrap_or_default()
                .to_vec(),
            failures: self
                .failures
                .get(earlier.failures.len()..)
                .unwrap_or_default()
                .to_vec(),
        }
    }

    /// What so many percent of the answered requests took at most; zero when there were none.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.took.clone();
        sorted.sort_unstable();
        // The nearest rank.
        let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(rank).copied().unwrap_or_default()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there may be another visit; says whether there shall be one.
    fn begin(&self) -> bool {
        let waits = |state: &mut State| state.paused && !state.stopped;
        let waited = self.changed.wait_while(self.lock(), waits);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.busy = !state.stopped;
        state.busy
    }

    fn note(&self, outcome: Result<(u16, Duration)>) {
        let mut state = self.lock();
        match outcome {
            Ok((200, took)) => state.visits.took.push(took),
            Ok((status, _)) => state
                .visits
                .failures
                .push(format!("answered with {status}")),
            Err(error) => state.visits.failures.push(format!("{error:#}")),
        }
        state.busy = false;
        drop(state);
        self.changed.notify_all();
    }

    fn rest(&self, length: Duration) {
        let goes_on = |state: &mut State| !state.stopped;
        drop(
            self.changed
                .wait_timeout_while(self.lock(), length, goes_on),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let took = (1..=200).rev().map(Duration::from_millis).collect();
        let visits = Visits {
            took,
            failures: Vec::new(),
        };
        assert_eq!(visits.percentile(50), Duration::from_millis(100));
        assert_eq!(visits.percentile(99), Duration::from_millis(198));
        assert_eq!(visits.percentile(100), Duration::from_millis(200));
        assert_eq!(Visits::default().percentile(50), Duration::ZERO);
    }
}

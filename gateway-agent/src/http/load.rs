//! How much the server has to do, and how its connections ended: counters for whoever asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Why a connection was not taken, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionEnd {
    /// Refused: the server has as many connections as it may.
    RefusedTotal,
    /// Refused: the client has as many connections as it may.
    RefusedClient,
    /// The TLS handshake failed.
    TlsFailed,
    /// The TLS handshake took too long.
    TlsTimeout,
    /// Closed in order, by either side.
    Closed,
    /// Closed for want of requests.
    Idle,
    /// A header section, or the first request, took too long.
    HeaderTimeout,
    /// The client did not take a response.
    Stalled,
    /// What came was no HTTP, or broke its rules.
    Protocol,
    /// The client went away, or the network did.
    Broken,
    /// Cut off at the end of the drain.
    Cut,
}

impl ConnectionEnd {
    /// Every way.
    pub const ALL: [Self; 11] = [
        Self::RefusedTotal,
        Self::RefusedClient,
        Self::TlsFailed,
        Self::TlsTimeout,
        Self::Closed,
        Self::Idle,
        Self::HeaderTimeout,
        Self::Stalled,
        Self::Protocol,
        Self::Broken,
        Self::Cut,
    ];

    /// The stable name for metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RefusedTotal => "refused-total",
            Self::RefusedClient => "refused-client",
            Self::TlsFailed => "tls-failed",
            Self::TlsTimeout => "tls-timeout",
            Self::Closed => "closed",
            Self::Idle => "idle",
            Self::HeaderTimeout => "header-timeout",
            Self::Stalled => "stalled",
            Self::Protocol => "protocol",
            Self::Broken => "broken",
            Self::Cut => "cut",
        }
    }
}

/// The counters. They are written by all workers, but only per connection and twice per request.
#[derive(Debug, Default)]
pub struct Load {
    pub(super) open: AtomicUsize,
    pub(super) requests: AtomicUsize,
    kept: AtomicUsize,
    accepted: AtomicU64,
    accept_errors: AtomicU64,
    ends: [AtomicU64; ConnectionEnd::ALL.len()],
}

impl Load {
    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Requests that are being served now.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of request bodies that are kept for the WAF now.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    /// Connections that were accepted, refused ones among them.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Failed calls of `accept`; the usual cause is a lack of file descriptors.
    #[must_use]
    pub fn accept_errors(&self) -> u64 {
        self.accept_errors.load(Ordering::Relaxed)
    }

    /// How many connections ended this way.
    #[must_use]
    pub fn ended(&self, end: ConnectionEnd) -> u64 {
        self.ends
            .get(end as usize)
            .map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(super) fn accept(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn accept_error(&self) {
        self.accept_errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self, end: ConnectionEnd) {
        if let Some(count) = self.ends.get(end as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One more in a counter of things that are there now, until it is dropped.
#[derive(Debug)]
pub(super) struct Present<C: AsRef<AtomicUsize>>(C);

impl<C: AsRef<AtomicUsize>> Present<C> {
    /// Counts one more; `None` when there are `most` already.
    pub(super) fn enter(counter: C, most: usize) -> Option<Self> {
        let before = counter.as_ref().fetch_add(1, Ordering::Relaxed);
        let present = Self(counter);
        // When there are too many, dropping takes it back.
        (before < most).then_some(present)
    }
}

impl<C: AsRef<AtomicUsize>> Drop for Present<C> {
    fn drop(&mut self) {
        self.0.as_ref().fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes of a request body that are kept, until it is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    load: Arc<Load>,
    bytes: usize,
}

impl Kept {
    pub(super) fn new(load: &Arc<Load>) -> Self {
        Self {
            load: Arc::clone(load),
            bytes: 0,
        }
    }

    /// Counts more bytes; `false` when all requests together keep more than `most` then.
    pub(super) fn grow(&mut self, bytes: usize, most: usize) -> bool {
        self.bytes += bytes;
        let before = self.load.kept.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= most
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.load.kept.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

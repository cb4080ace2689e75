//! Bodies on their way: the client's to the upstream, the upstream's back.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::pool::Lease;
use crate::http::load::Kept;

/// What can be wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyFault {
    /// More bytes than the limit.
    #[error("the body is too large")]
    TooLarge,
    /// No next piece in time.
    #[error("the body stalled")]
    Stalled,
    /// It ended early, or broke the rules of HTTP.
    #[error("the body is broken")]
    Broken,
}

/// What the two ends of an upload tell each other.
#[derive(Debug)]
pub(crate) struct Upload {
    started: Instant,
    /// When the upstream took the last piece, milliseconds from the start.
    taken: AtomicU64,
    /// Whether the next piece is the client's to send.
    awaited: AtomicBool,
    bytes: AtomicU64,
    fault: AtomicU8,
}

impl Default for Upload {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            taken: AtomicU64::new(0),
            awaited: AtomicBool::new(false),
            bytes: AtomicU64::new(0),
            fault: AtomicU8::new(0),
        }
    }
}

impl Upload {
    /// Bytes read from the client so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What was wrong with the client's body, if anything.
    pub(crate) fn fault(&self) -> Option<BodyFault> {
        match self.fault.load(Ordering::Relaxed) {
            1 => Some(BodyFault::TooLarge),
            2 => Some(BodyFault::Stalled),
            3 => Some(BodyFault::Broken),
            _ => None,
        }
    }

    /// When the upstream last did something, or now while the client is awaited, which has a
    /// clock of its own.
    pub(super) fn progress(&self) -> Instant {
        if self.awaited.load(Ordering::Relaxed) {
            return Instant::now();
        }
        self.started + Duration::from_millis(self.taken.load(Ordering::Relaxed))
    }

    fn took(&self, awaited: bool) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.taken.store(millis, Ordering::Relaxed);
        self.awaited.store(awaited, Ordering::Relaxed);
    }

    fn fail(&self, fault: BodyFault) -> BodyFault {
        let code = match fault {
            BodyFault::TooLarge => 1,
            BodyFault::Stalled => 2,
            BodyFault::Broken => 3,
        };
        self.fault.store(code, Ordering::Relaxed);
        fault
    }
}

/// The client's body: bounded in size and time, without trailers, which nobody inspects.
#[derive(Debug)]
pub(crate) struct ClientBody {
    incoming: Incoming,
    left: u64,
    piece: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    upload: Arc<Upload>,
}

impl ClientBody {
    /// At most `size` bytes, each piece within `piece`.
    pub(crate) fn new(incoming: Incoming, size: u64, piece: Duration, upload: Arc<Upload>) -> Self {
        Self {
            incoming,
            left: size,
            piece,
            timer: None,
            upload,
        }
    }

    /// The next piece; `None` at the end.
    pub(crate) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyFault>>> {
        loop {
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.timer = None;
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    let len = data.len() as u64;
                    self.upload.bytes.fetch_add(len, Ordering::Relaxed);
                    let Some(left) = self.left.checked_sub(len) else {
                        let fault = self.upload.fail(BodyFault::TooLarge);
                        return Poll::Ready(Some(Err(fault)));
                    };
                    self.left = left;
                    return Poll::Ready(Some(Ok(data)));
                }
                Poll::Ready(Some(Err(_))) => {
                    return Poll::Ready(Some(Err(self.upload.fail(BodyFault::Broken))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    let due = self.piece;
                    let timer = self
                        .timer
                        .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + due)));
                    ready!(timer.as_mut().poll(cx));
                    return Poll::Ready(Some(Err(self.upload.fail(BodyFault::Stalled))));
                }
            }
        }
    }

    /// What is left to be thrown away.
    pub(crate) fn into_rest(self) -> Incoming {
        self.incoming
    }

    /// Whether nothing more comes.
    pub(crate) fn is_end(&self) -> bool {
        self.incoming.is_end_stream()
    }

    /// How much is to come.
    pub(crate) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// What goes to the upstream: what the WAF has read, then the rest of the client's body.
#[derive(Debug)]
pub(crate) struct Outgoing {
    read: Option<Bytes>,
    /// The memory that `read` takes.
    kept: Option<Kept>,
    rest: Option<ClientBody>,
    upload: Arc<Upload>,
}

impl Outgoing {
    /// The bytes `read`, then `rest`.
    pub(crate) fn new(
        read: Bytes,
        kept: Option<Kept>,
        rest: Option<ClientBody>,
        upload: Arc<Upload>,
    ) -> Self {
        Self {
            read: Some(read).filter(|bytes| !bytes.is_empty()),
            kept,
            rest,
            upload,
        }
    }

    /// Another body without anything in it, when this is one.
    pub(super) fn again(&self) -> Option<Self> {
        let empty = self.read.is_none() && self.rest.is_none();
        empty.then(|| Self::new(Bytes::new(), None, None, Arc::clone(&self.upload)))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        if let Some(read) = self.read.take() {
            self.upload.took(false);
            self.kept = None;
            return Poll::Ready(Some(Ok(Frame::data(read))));
        }
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        let piece = rest.poll_piece(cx);
        self.upload.took(piece.is_pending());
        Poll::Ready(ready!(piece).map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.as_ref().is_none_or(ClientBody::is_end)
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let rest = self
            .rest
            .as_ref()
            .map_or(SizeHint::with_exact(0), ClientBody::size_hint);
        behind(read, &rest)
    }
}

/// The size of `rest` behind so many bytes.
pub(crate) fn behind(read: u64, rest: &SizeHint) -> SizeHint {
    let mut hint = SizeHint::new();
    hint.set_lower(rest.lower().saturating_add(read));
    if let Some(upper) = rest.upper() {
        hint.set_upper(upper.saturating_add(read));
    }
    hint
}

/// The upstream's body on its way to the client: each piece bounded in time, without trailers.
#[derive(Debug)]
pub(crate) struct Relay {
    /// What was read of it and put back, and the memory that this takes.
    read: Option<(Bytes, Kept)>,
    incoming: Incoming,
    piece: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    lease: Option<Lease>,
}

impl Relay {
    /// A body whose pieces come within `piece`; at its end `lease` goes back to the pool.
    pub(super) fn new(incoming: Incoming, piece: Duration, lease: Lease) -> Self {
        let mut relay = Self {
            read: None,
            incoming,
            piece,
            timer: None,
            lease: Some(lease),
        };
        relay.settle();
        relay
    }

    /// Makes the body begin with what was read of it.
    pub(crate) fn put_back(&mut self, read: Bytes, kept: Kept) {
        self.read = Some((read, kept)).filter(|(bytes, _)| !bytes.is_empty());
    }

    fn settle(&mut self) {
        if self.incoming.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        if let Some((read, _)) = self.read.take() {
            return Poll::Ready(Some(Ok(Frame::data(read))));
        }
        loop {
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.timer = None;
                    if frame.is_trailers() {
                        continue;
                    }
                    self.settle();
                    return Poll::Ready(Some(Ok(frame)));
                }
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(BodyFault::Broken))),
                Poll::Ready(None) => {
                    if let Some(lease) = self.lease.take() {
                        lease.give_back();
                    }
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let due = self.piece;
                    let timer = self
                        .timer
                        .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + due)));
                    ready!(timer.as_mut().poll(cx));
                    return Poll::Ready(Some(Err(BodyFault::Stalled)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.as_ref().map_or(0, |(bytes, _)| bytes.len());
        behind(read as u64, &self.incoming.size_hint())
    }
}

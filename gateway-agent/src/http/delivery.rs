//! An upstream's body on its way to the client, as it is or through a search for leaks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use gateway_waf::leaks::{Action, Framing, Kind, Screen, Search};
use hyper::body::{Body, Frame, SizeHint};

use super::load::Kept;
use super::stage::FailMode;
use super::upstream::{BodyFault, Relay, behind};
use crate::validation::{MediaRange, MediaType};

/// What is looked for in responses, and in which.
#[derive(Clone, Debug)]
pub struct Leaks {
    /// What is looked for, and what is done about it.
    pub search: Search,
    /// The media types that are looked into; a response that names none is, too.
    pub types: Vec<MediaRange>,
    /// What becomes of a response that cannot be read.
    pub fail: FailMode,
}

impl Leaks {
    /// Whether responses may come out other than they came in.
    pub(super) fn changes(&self) -> bool {
        self.search.does(Action::Mask)
    }

    /// Whether responses of a media type are looked into.
    pub(super) fn wants(&self, media: Option<&MediaType>) -> bool {
        media.is_none_or(|media| self.types.iter().any(|range| range.holds(media)))
    }
}

/// An upstream's body.
#[derive(Debug)]
pub(super) enum Delivery {
    /// As it is.
    Plain(Relay),
    /// Through a search.
    Screened(Box<Screened>),
}

/// Why a body ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeliveryFault {
    /// It broke off.
    Broken(BodyFault),
    /// What comes next must not be sent.
    Leak(Kind),
}

/// A body under a search for leaks. It has the length that it had.
#[derive(Debug)]
pub(super) struct Screened {
    relay: Relay,
    leaks: Arc<Leaks>,
    screen: Screen,
    /// What may be sent, and the memory that it takes.
    ready: BytesMut,
    kept: Option<Kept>,
    finished: bool,
}

impl Screened {
    pub(super) fn new(relay: Relay, leaks: Arc<Leaks>, framing: Framing, kept: Kept) -> Self {
        Self {
            relay,
            leaks,
            screen: Screen::new(framing),
            ready: BytesMut::new(),
            kept: Some(kept),
            finished: false,
        }
    }

    /// Reads one more piece ahead of the client, at most `memory` bytes over all requests;
    /// `false` at the end, or when there is no more room.
    ///
    /// # Errors
    /// When the upstream breaks off, or something must not be sent.
    pub(super) fn poll_ahead(
        &mut self,
        cx: &mut Context<'_>,
        memory: usize,
    ) -> Poll<Result<bool, DeliveryFault>> {
        let Some(piece) = ready!(self.poll_piece(cx))? else {
            return Poll::Ready(Ok(false));
        };
        let fits = self
            .kept
            .as_mut()
            .is_none_or(|kept| kept.grow(piece.len(), memory));
        self.ready.extend_from_slice(&piece);
        Poll::Ready(Ok(fits && !self.finished))
    }

    /// How many bytes are ready for the client.
    pub(super) fn ahead(&self) -> usize {
        self.ready.len() + self.screen.held()
    }

    /// What comes out next; `None` at the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>, DeliveryFault>> {
        let leak = |found: gateway_waf::leaks::Found| DeliveryFault::Leak(found.0);
        while !self.finished {
            let frame = ready!(Pin::new(&mut self.relay).poll_frame(cx));
            let is_end = frame.is_none();
            let piece = match frame {
                Some(Ok(frame)) => frame.into_data().unwrap_or_else(|_| Bytes::new()),
                Some(Err(fault)) => return Poll::Ready(Err(DeliveryFault::Broken(fault))),
                None => Bytes::new(),
            };
            let search = &self.leaks.search;
            let mut out = self.screen.push(search, &piece).map_err(leak)?;
            if is_end || self.relay.is_end_stream() {
                self.finished = true;
                out.extend(self.screen.finish(search).map_err(leak)?);
            }
            if !out.is_empty() {
                return Poll::Ready(Ok(Some(out)));
            }
        }
        Poll::Ready(Ok(None))
    }

    /// What was found so far, and how often.
    pub(super) fn found(&self) -> impl Iterator<Item = (Kind, u32)> {
        self.screen.counts()
    }
}

impl Delivery {
    /// What was found so far, if it is looked for.
    pub(super) fn found(&self) -> Vec<(Kind, u32)> {
        match self {
            Self::Plain(_) => Vec::new(),
            Self::Screened(screened) => screened.found().collect(),
        }
    }
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = DeliveryFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, DeliveryFault>>> {
        let screened = match &mut *self {
            Self::Plain(relay) => {
                let frame = ready!(Pin::new(relay).poll_frame(cx));
                return Poll::Ready(frame.map(|frame| frame.map_err(DeliveryFault::Broken)));
            }
            Self::Screened(screened) => screened,
        };
        if !screened.ready.is_empty() {
            screened.kept = None;
            let ready = screened.ready.split().freeze();
            return Poll::Ready(Some(Ok(Frame::data(ready))));
        }
        let piece = ready!(screened.poll_piece(cx)).transpose();
        if matches!(piece, Some(Err(_))) {
            screened.finished = true;
        }
        Poll::Ready(piece.map(|piece| piece.map(|bytes| Frame::data(bytes.into()))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Plain(relay) => relay.is_end_stream(),
            Self::Screened(screened) => screened.ready.is_empty() && screened.finished,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Plain(relay) => relay.size_hint(),
            Self::Screened(screened) => {
                behind(screened.ahead() as u64, &screened.relay.size_hint())
            }
        }
    }
}

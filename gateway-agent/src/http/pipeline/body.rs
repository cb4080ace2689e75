//! The body of a request as far as stages have read it, for all of them and for the upstream.

use bytes::{Bytes, BytesMut};

use super::coding::Undecoded;
use crate::http::gate::Gate;
use crate::http::load::Kept;
use crate::http::refusal::Refusal;
use crate::http::settings::BodyLimits;
use crate::http::upstream::{BodyFault, ClientBody};

/// The beginning of a body.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// As it was sent.
    pub bytes: BytesMut,
    /// The whole of it without its content codings, where a stage has taken them off.
    pub decoded: Option<Vec<u8>>,
    /// The memory that it takes; `None` while nothing was read.
    pub kept: Option<Kept>,
}

impl Start {
    /// Reads the next piece of the body, which is kept as well; `None` at its end.
    ///
    /// # Errors
    /// When it cannot be had, or there is no room for it.
    pub(super) async fn piece(
        &mut self,
        body: &mut ClientBody,
        gate: &Gate,
        limits: &BodyLimits,
    ) -> Result<Option<Bytes>, Refusal> {
        let Some(piece) = std::future::poll_fn(|cx| body.poll_piece(cx)).await else {
            return Ok(None);
        };
        let piece = piece.map_err(|fault| match fault {
            BodyFault::TooLarge => Refusal::BodyTooLarge,
            BodyFault::Stalled => Refusal::BodyTimeout,
            BodyFault::Broken => Refusal::BodyBroken,
        })?;
        let kept = self.kept.get_or_insert_with(|| Kept::new(gate.load()));
        if !kept.grow(piece.len(), limits.memory) {
            return Err(Refusal::Overloaded);
        }
        self.bytes.extend_from_slice(&piece);
        Ok(Some(piece))
    }
}

/// What a request is refused for whose body cannot be seen.
pub(super) fn unseen(undecoded: Undecoded) -> Refusal {
    match undecoded {
        Undecoded::Unknown => Refusal::BodyEncoded,
        Undecoded::Broken => Refusal::BodyUndecodable,
        Undecoded::TooLarge => Refusal::BodyTooLarge,
    }
}

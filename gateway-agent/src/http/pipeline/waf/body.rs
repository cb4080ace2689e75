//! The body of a request on its way through the rules.

use bytes::Bytes;
use gateway_waf::BodyState;
use http::HeaderMap;

use super::super::body::{Start, unseen};
use super::super::coding::{self, Coding};
use super::{Inspection, charset};
use crate::http::refusal::Refusal;
use crate::http::settings::Beyond;
use crate::http::upstream::ClientBody;

/// Whether the rules want to see more of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    On,
    Away,
}

impl Inspection<'_> {
    /// Reads the body into the transaction, and keeps what was read for the upstream.
    pub(super) async fn body(
        &mut self,
        fields: &HeaderMap,
        body: &mut ClientBody,
        start: &mut Start,
    ) -> Result<(), Refusal> {
        let codings = match Coding::of(fields) {
            Err(undecoded) if self.blocks => return Err(unseen(undecoded)),
            // Who only detects shows the rules what there is.
            Err(_) => Vec::new(),
            Ok(codings) => codings,
        };
        if self.blocks && !charset::is_readable(fields) {
            return Err(Refusal::CharsetUnsupported);
        }
        if codings.is_empty() {
            return self.read(body, start).await;
        }
        let most = self.limits.inspected;
        while let Some(piece) = self.piece(body, start).await? {
            if start.bytes.len() > most {
                if self.blocks {
                    return Err(Refusal::BodyTooLarge);
                }
                drop(piece);
                return Ok(());
            }
        }
        match coding::decode(&codings, &start.bytes, most) {
            Ok(decoded) => {
                self.transaction.body_is_decoded();
                self.show(start.decoded.insert(decoded)).map(drop)
            }
            Err(undecoded) if self.blocks => Err(unseen(undecoded)),
            Err(_) => self.show(&start.bytes).map(drop),
        }
    }

    /// Shows the rules each piece as it comes.
    async fn read(&mut self, body: &mut ClientBody, start: &mut Start) -> Result<(), Refusal> {
        while let Some(piece) = self.piece(body, start).await? {
            if self.show(&piece)? == Looks::Away {
                break;
            }
        }
        Ok(())
    }

    /// The next piece of the body, which is kept as well; `None` at its end.
    async fn piece(
        &mut self,
        body: &mut ClientBody,
        start: &mut Start,
    ) -> Result<Option<Bytes>, Refusal> {
        start.piece(body, self.gate, self.limits).await
    }

    /// Shows the rules a piece of the body.
    fn show(&mut self, piece: &[u8]) -> Result<Looks, Refusal> {
        match self.transaction.append_body(piece) {
            BodyState::Buffered => Ok(Looks::On),
            BodyState::Truncated if self.limits.beyond == Beyond::Refuse && self.blocks => {
                Err(Refusal::BodyTooLarge)
            }
            BodyState::Truncated | BodyState::Ignored => Ok(Looks::Away),
            BodyState::Refused(_) => Err(Refusal::BodyTooLarge),
        }
    }
}

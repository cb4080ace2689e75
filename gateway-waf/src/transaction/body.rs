//! The request body: kept up to a limit, then read by the processor its content type calls for.

use super::{BodyState, Decision, Transaction};
use crate::{
    body::{json, urlencoded},
    ruleset::{BodyProcessor, LimitAction, RuleEngine, Settings},
    variable::Store,
};

/// The status that answers a body beyond the limit.
const TOO_LARGE: u16 = 413;

#[derive(Debug)]
pub(super) struct Body {
    pub(super) access: bool,
    /// Chosen by a rule; else the content type decides.
    pub(super) processor: Option<BodyProcessor>,
    pub(super) force_variable: bool,
    bytes: Vec<u8>,
    /// How many bytes the client sent, kept or not.
    received: u64,
    limit: usize,
    error: Option<String>,
}

impl Body {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            access: settings.body_access,
            processor: None,
            force_variable: false,
            bytes: Vec::new(),
            received: 0,
            limit: settings.body_limit.min(settings.body_no_files_limit),
            error: None,
        }
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Records the first thing that was wrong with the request's arguments.
    pub(super) fn fail(&mut self, message: impl Into<String>) {
        self.error.get_or_insert_with(|| message.into());
    }
}

impl Transaction<'_> {
    /// Lowers the limit of body bytes kept to `bytes`; it never raises what the rules set.
    pub fn limit_body(&mut self, bytes: usize) {
        self.body.limit = self.body.limit.min(bytes);
    }

    /// Takes the next piece of the request body.
    pub fn append_body(&mut self, piece: &[u8]) -> BodyState {
        if !self.wants_body() {
            return BodyState::Ignored;
        }
        self.body.received = self.body.received.saturating_add(piece.len() as u64);
        let room = self.body.limit.saturating_sub(self.body.bytes.len());
        if piece.len() <= room {
            self.body.bytes.extend_from_slice(piece);
            return BodyState::Buffered;
        }
        let refuse = self.rules.settings.body_limit_action == LimitAction::Reject
            && self.engine == RuleEngine::On;
        if refuse {
            let decision = Decision::Deny {
                status: TOO_LARGE,
                rule_id: 0,
            };
            self.decision = decision.clone();
            return BodyState::Refused(decision);
        }
        self.body
            .bytes
            .extend_from_slice(piece.get(..room).unwrap_or_default());
        BodyState::Truncated
    }

    /// Fills the variables that come from the body.
    pub(super) fn process_body(&mut self) {
        let bytes = std::mem::take(&mut self.body.bytes);
        let processor = if self.wants_body() {
            self.processor()
        } else {
            None
        };
        if let Some(processor) = processor {
            self.put(Store::ReqbodyProcessor, processor.name().as_bytes());
        }
        if !bytes.is_empty() {
            self.check_encoding();
            match processor {
                Some(BodyProcessor::UrlEncoded) => self.urlencoded(&bytes),
                Some(BodyProcessor::Json) => self.json(&bytes),
                None => {}
            }
        }
        // What a processor has read into arguments is not shown again as a whole, unless the
        // reading failed, or the arguments are themselves a reading of that whole.
        let whole = self.body.force_variable
            || self.body.error.is_some()
            || processor != Some(BodyProcessor::Json);
        if whole && !bytes.is_empty() {
            self.put(Store::RequestBody, &bytes);
        }
        let error = self.body.error.take();
        self.put(
            Store::ReqbodyError,
            if error.is_some() { b"1" } else { b"0" },
        );
        self.put(Store::ReqbodyErrorMsg, error.unwrap_or_default().as_bytes());
    }

    fn processor(&self) -> Option<BodyProcessor> {
        if self.body.processor.is_some() {
            return self.body.processor;
        }
        let content_type = self.header(b"content-type")?;
        let media = content_type
            .split(|&b| b == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        let media = media.to_ascii_lowercase();
        match media.as_slice() {
            b"application/x-www-form-urlencoded" => Some(BodyProcessor::UrlEncoded),
            b"application/json" | b"text/json" => Some(BodyProcessor::Json),
            media if media.ends_with(b"+json") => Some(BodyProcessor::Json),
            _ => None,
        }
    }

    fn check_encoding(&mut self) {
        let encoding = self
            .header(b"content-encoding")
            .unwrap_or_default()
            .trim_ascii();
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity") {
            self.body.fail("the body is compressed and was not decoded");
        }
    }

    fn urlencoded(&mut self, bytes: &[u8]) {
        let settings = &self.rules.settings;
        let limit = settings
            .arguments_limit
            .saturating_sub(self.items(Store::ArgsGet).len());
        let outcome =
            urlencoded::parse(bytes, settings.argument_separator, limit, |name, value| {
                self.push(Store::ArgsPost, name, value);
            });
        if outcome.over_limit {
            self.body
                .fail("the body has more arguments than SecArgumentsLimit allows");
        }
    }

    fn json(&mut self, bytes: &[u8]) {
        let settings = &self.rules.settings;
        let limit = settings
            .arguments_limit
            .saturating_sub(self.items(Store::ArgsGet).len());
        let outcome = json::parse(bytes, settings.json_depth, limit, |name, value| {
            self.push(Store::ArgsPost, name, value);
        });
        if let Err(error) = outcome {
            self.body.fail(error.to_string());
        }
    }
}

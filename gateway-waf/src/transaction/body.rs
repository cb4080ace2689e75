//! The request body: kept up to a limit, then read by the processor its content type calls for.

use super::{BodyState, Decision, Transaction};
use crate::{
    body::{json, multipart, urlencoded, xml},
    ruleset::{BodyProcessor, LimitAction, RuleEngine, Settings},
    variable::{Flag, Store},
};

/// The status that answers a body beyond the limit.
const TOO_LARGE: u16 = 413;

#[derive(Debug)]
pub(super) struct Body {
    pub(super) access: bool,
    /// Chosen by a rule; else the content type decides.
    pub(super) processor: Option<BodyProcessor>,
    pub(super) force_variable: bool,
    /// Whether the gateway took the codings off that the headers name.
    decoded: bool,
    /// `SecRequestBodyLimit`, as changed by rules.
    pub(super) limit: usize,
    bytes: Vec<u8>,
    /// How many bytes the client sent, kept or not.
    received: u64,
    /// What the gateway allows, whatever the rules say.
    ceiling: usize,
    error: Option<String>,
}

impl Body {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            access: settings.body_access,
            processor: None,
            force_variable: false,
            decoded: false,
            limit: settings.body_limit,
            bytes: Vec::new(),
            received: 0,
            ceiling: usize::MAX,
            error: None,
        }
    }

    /// The bytes kept.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
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
        self.body.ceiling = self.body.ceiling.min(bytes);
    }

    /// Says that the body comes without the `Content-Encoding` that the headers name.
    pub fn body_is_decoded(&mut self) {
        self.body.decoded = true;
    }

    /// Takes the next piece of the request body.
    pub fn append_body(&mut self, piece: &[u8]) -> BodyState {
        if !self.wants_body() {
            return BodyState::Ignored;
        }
        self.body.received = self.body.received.saturating_add(piece.len() as u64);
        let room = self.body_limit().saturating_sub(self.body.bytes.len());
        if piece.len() <= room {
            self.body.bytes.extend_from_slice(piece);
            return BodyState::Buffered;
        }
        self.raise(Flag::InboundDataError);
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

    /// File uploads may be larger than other bodies.
    fn body_limit(&self) -> usize {
        let settings = &self.rules.settings;
        let limit = if self.processor() == Some(BodyProcessor::Multipart) {
            self.body.limit
        } else {
            self.body.limit.min(settings.body_no_files_limit)
        };
        limit.min(self.body.ceiling)
    }

    /// Shows rules of phase 1 how the body will be read; the empty name stands for not at all.
    pub(super) fn announce_processor(&mut self) {
        let processor = if self.wants_body() {
            self.processor()
        } else {
            None
        };
        let name = processor.map_or("", BodyProcessor::name);
        self.put(Store::ReqbodyProcessor, name.as_bytes());
    }

    /// Fills the variables that come from the body.
    pub(super) fn process_body(&mut self) {
        self.announce_processor();
        let bytes = std::mem::take(&mut self.body.bytes);
        let processor = if self.wants_body() {
            self.processor()
        } else {
            None
        };
        if !bytes.is_empty() {
            self.check_encoding();
            match processor {
                Some(BodyProcessor::UrlEncoded) => self.urlencoded(&bytes),
                Some(BodyProcessor::Json) => self.json(&bytes),
                Some(BodyProcessor::Multipart) => self.multipart(&bytes),
                Some(BodyProcessor::Xml) => self.xml(&bytes),
                None => {}
            }
        }
        // What a processor has taken apart is not shown again as a whole, unless that failed.
        let whole = self.body.force_variable
            || self.body.error.is_some()
            || matches!(processor, None | Some(BodyProcessor::UrlEncoded));
        if whole && !bytes.is_empty() {
            self.put(Store::RequestBody, &bytes);
        }
        self.body.bytes = bytes;
        self.look_into_body();
        if let Some(error) = self.body.error.take() {
            self.raise(Flag::ReqbodyError);
            self.put(Store::ReqbodyErrorMsg, error.as_bytes());
            if processor == Some(BodyProcessor::Multipart) {
                self.raise(Flag::StrictError);
            }
        }
    }

    /// What reads the body, if anything does.
    pub(super) fn body_processor(&self) -> Option<BodyProcessor> {
        self.processor()
    }

    fn processor(&self) -> Option<BodyProcessor> {
        if self.body.processor.is_some() {
            return self.body.processor;
        }
        let content_type = self.header(b"content-type")?;
        // A comma or a space ends the type as well: `multipart/form-data boundary=x` is read as
        // multipart by lenient servers.
        let ends = |b: &u8| matches!(b, b';' | b',') || b.is_ascii_whitespace();
        let content_type = content_type.trim_ascii();
        let media = content_type.split(ends).next().unwrap_or_default();
        let media = media.to_ascii_lowercase();
        match media.as_slice() {
            // Whatever follows: what looks like a form may be read as one.
            form if form.starts_with(b"application/x-www-form-urlencoded") => {
                Some(BodyProcessor::UrlEncoded)
            }
            b"multipart/form-data" => Some(BodyProcessor::Multipart),
            b"application/json" | b"text/json" => Some(BodyProcessor::Json),
            b"application/xml" | b"text/xml" => Some(BodyProcessor::Xml),
            media if media.ends_with(b"+json") => Some(BodyProcessor::Json),
            media if media.ends_with(b"+xml") => Some(BodyProcessor::Xml),
            _ => None,
        }
    }

    fn check_encoding(&mut self) {
        let encoding = self
            .header(b"content-encoding")
            .unwrap_or_default()
            .trim_ascii();
        let is_coded = !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity");
        if is_coded && !self.body.decoded {
            self.body.fail("the body is compressed and was not decoded");
        }
    }

    /// How many more arguments the request may have.
    fn arguments_left(&self) -> usize {
        self.rules
            .settings
            .arguments_limit
            .saturating_sub(self.items(Store::ArgsGet).len())
    }

    fn urlencoded(&mut self, bytes: &[u8]) {
        let separator = self.rules.settings.argument_separator;
        let limit = self.arguments_left();
        let outcome = urlencoded::parse(bytes, separator, limit, |name, value| {
            self.push(Store::ArgsPost, name, value);
        });
        if outcome.invalid_escapes > 0 {
            self.raise(Flag::UrlencodedError);
        }
        if outcome.over_limit {
            self.body
                .fail("the body has more arguments than SecArgumentsLimit allows");
        }
    }

    fn json(&mut self, bytes: &[u8]) {
        let depth = self.rules.settings.json_depth;
        let limit = self.arguments_left();
        let outcome = json::parse(bytes, depth, limit, |name, value| {
            self.push(Store::ArgsPost, name, value);
        });
        if let Err(error) = outcome {
            self.body.fail(error.to_string());
        }
    }

    fn multipart(&mut self, bytes: &[u8]) {
        let content_type = self.header(b"content-type").unwrap_or_default().to_vec();
        let settings = &self.rules.settings;
        let form = multipart::parse(
            &content_type,
            bytes,
            self.arguments_left(),
            settings.upload_file_limit,
        );
        let mut field_bytes = 0;
        for part in &form.parts {
            for header in &part.headers {
                field_bytes += header.len();
                self.push(Store::PartHeaders, &part.name, header);
            }
            self.put(Store::MultipartName, &part.name);
            match &part.filename {
                Some(filename) => {
                    self.put(Store::MultipartFilename, filename);
                    self.push(Store::Files, &part.name, filename);
                    let size = part.content.len().to_string();
                    self.push(Store::FilesSizes, &part.name, size.as_bytes());
                    self.push(Store::FilesContent, &part.name, part.content);
                }
                None => {
                    field_bytes += part.content.len();
                    self.push(Store::ArgsPost, &part.name, part.content);
                }
            }
        }
        for flag in form.flags {
            self.raise(flag);
            // Two of them are told apart from what strict checking refuses.
            if !matches!(flag, Flag::UnmatchedBoundary | Flag::CrlfLfLines) {
                self.raise(Flag::StrictError);
            }
        }
        if let Some(error) = form.error {
            self.body.fail(error);
        }
        if field_bytes > settings.body_no_files_limit {
            self.body
                .fail("multipart: the fields are larger than SecRequestBodyNoFilesLimit");
        }
    }

    fn xml(&mut self, bytes: &[u8]) {
        let mut document = xml::Document::default();
        let outcome = xml::parse(bytes, self.rules.settings.arguments_limit, &mut document);
        // A document without text is there all the same.
        if outcome.is_ok() || !document.text.is_empty() {
            self.put(Store::XmlText, &document.text);
            self.look_into_xml(&document);
        }
        for (name, value) in &document.attributes {
            self.push(Store::XmlAttributes, name, value);
        }
        if let Err(error) = outcome {
            self.body.fail(error.to_string());
        }
    }
}

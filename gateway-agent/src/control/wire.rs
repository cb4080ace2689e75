//! An import as it goes over the socket: the request as one line of JSON, then `LINE PREFIX` or
//! `LINE PREFIX TTL` for each entry. The agent takes it line by line, as it comes.

use std::fmt::Write as _;

use gateway_policy::import::Entry;

use super::api::ImportRequest;
use super::{Fault, FaultKind};

/// Bytes of the longest line: the request, with all of its texts escaped.
const MAX_LINE: usize = 16 << 10;

/// Bytes of most lines, or more.
const USUAL_LINE: usize = 32;

/// The request and its entries as text.
pub(super) fn written(request: &ImportRequest) -> Result<String, Fault> {
    let mut text = serde_json::to_string(request).map_err(|e| invalid(e.to_string()))?;
    text.reserve(request.entries.len().saturating_mul(USUAL_LINE));
    text.push('\n');
    for Entry { prefix, line, ttl } in &request.entries {
        // Writing to a string does not fail.
        let _ = match ttl {
            None => writeln!(text, "{line} {prefix}"),
            Some(ttl) => writeln!(text, "{line} {prefix} {ttl}"),
        };
    }
    Ok(text)
}

/// Puts a request together from the pieces in which it comes.
pub(super) struct Incoming {
    request: Option<ImportRequest>,
    /// What has come of a line that is not whole yet.
    begun: Vec<u8>,
    capacity: usize,
}

impl Incoming {
    /// For a list with room for `capacity` entries of each family.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            request: None,
            begun: Vec::new(),
            capacity,
        }
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), Fault> {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            if self.begun.len() + part.len() > MAX_LINE {
                return Err(invalid("a line of the import is too long"));
            }
            self.begun.extend_from_slice(part);
            if let Some(line) = self.begun.strip_suffix(b"\n") {
                read(&mut self.request, line, self.capacity)?;
                self.begun.clear();
            }
        }
        Ok(())
    }

    /// The whole request.
    pub(super) fn finish(self) -> Result<ImportRequest, Fault> {
        if !self.begun.is_empty() {
            return Err(invalid("the import ends in the middle of a line"));
        }
        self.request.ok_or_else(|| invalid("the import is empty"))
    }
}

fn read(request: &mut Option<ImportRequest>, line: &[u8], capacity: usize) -> Result<(), Fault> {
    let Some(request) = request else {
        let read = serde_json::from_slice(line);
        *request = Some(read.map_err(|e| invalid(format!("the first line: {e}")))?);
        return Ok(());
    };
    if request.entries.len() >= capacity.saturating_mul(2) {
        return Err(invalid("the import has more entries than the list holds"));
    }
    let entry = std::str::from_utf8(line).ok().and_then(|line| {
        let mut words = line.split(' ');
        let entry = Entry {
            line: words.next()?.parse().ok()?,
            prefix: words.next()?.parse().ok()?,
            ttl: words.next().map(str::parse).transpose().ok()?,
        };
        words.next().is_none().then_some(entry)
    });
    request.entries.push(entry.ok_or_else(|| {
        let number = request.entries.len() + 2;
        invalid(format!("line {number} of the import is no entry"))
    })?);
    Ok(())
}

fn invalid(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ImportRequest {
        let entry = |line, prefix: &str, ttl: Option<&str>| Entry {
            line,
            prefix: prefix.parse().unwrap(),
            ttl: ttl.map(|ttl| ttl.parse().unwrap()),
        };
        ImportRequest {
            tag: "dröp \"1\"".to_owned(),
            confirm: Some("1m".parse().unwrap()),
            entries: vec![
                entry(3, "10.0.0.0/8", None),
                entry(1, "2001:db8::1", Some("1h30m")),
            ],
            ..ImportRequest::default()
        }
    }

    #[test]
    fn pieces_of_any_size_make_the_request() {
        let text = written(&request()).unwrap();
        for size in 1..text.len() {
            let mut incoming = Incoming::new(2);
            for piece in text.as_bytes().chunks(size) {
                incoming.take(piece).unwrap();
            }
            assert_eq!(incoming.finish().unwrap(), request());
        }
    }

    #[test]
    fn what_is_no_import_is_refused() {
        let text = written(&request()).unwrap();
        let said = |text: &str, capacity| {
            let mut incoming = Incoming::new(capacity);
            let taken = incoming.take(text.as_bytes());
            taken.and_then(|()| incoming.finish()).unwrap_err().detail
        };
        assert!(said(&text, 0).contains("more entries than the list holds"));
        assert!(said(&text.replace("1h30m", "soon"), 9).contains("line 3 of the import"));
        assert!(said(text.trim_end(), 9).contains("middle of a line"));
        assert!(said("{}\n", 9).contains("missing field `tag`"));
        assert!(said(&"x".repeat(MAX_LINE + 1), 9).contains("too long"));
        assert!(said("", 9).contains("is empty"));
    }
}

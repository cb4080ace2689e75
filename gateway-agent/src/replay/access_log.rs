//! Lines of access logs: the gateway's own, and the common and combined format.

use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Specimen;
use crate::records::{Request, Text};

/// What stands in the gateway's log in place of a secret.
const MASK: &str = "***";

/// A line.
#[derive(Debug)]
pub enum Line {
    /// A request.
    Request(Box<Specimen>),
    /// A request whose first line was not understood, so it has no method.
    Nothing,
    /// Something else.
    Unknown,
}

/// Reads a line; `number` is told as its id where it has none.
#[must_use]
pub fn parse(line: &str, number: u64) -> Line {
    let line = line.trim_end();
    if line.starts_with('{') {
        return match serde_json::from_str::<Own>(line) {
            Ok(own) => own.specimen(),
            Err(_) => Line::Unknown,
        };
    }
    match combined(line, number) {
        Some(specimen) => Line::Request(Box::new(specimen)),
        None => Line::Unknown,
    }
}

/// A line of the gateway.
#[derive(Deserialize)]
struct Own {
    request: String,
    client: String,
    http: String,
    #[serde(default)]
    method: Option<String>,
    host: String,
    path: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    received: u64,
    #[serde(default)]
    headers: Map<String, Value>,
}

impl Own {
    fn specimen(self) -> Line {
        let Some(method) = self.method else {
            return Line::Nothing;
        };
        let target = match self.query.as_str() {
            "" => self.path,
            query => format!("{}?{query}", self.path),
        };
        let mut headers = vec![(text("Host"), text(&self.host))];
        let fields = self.headers.iter();
        headers.extend(fields.filter_map(|(name, value)| {
            let value = value.as_str()?;
            Some((text(name), text(value)))
        }));
        let shown = headers.iter().map(|(_, value)| count(&value.0));
        let masked = shown.sum::<u32>() + count(target.as_bytes());
        let protocol = match self.http.as_str() {
            "2" => "HTTP/2.0".to_owned(),
            version => format!("HTTP/{version}"),
        };
        Line::Request(Box::new(Specimen {
            id: self.request,
            client: self.client.parse().unwrap_or(NOBODY),
            route: None,
            at: 0,
            request: Request {
                method: text(&method),
                target: text(&target),
                protocol: text(&protocol),
                headers,
                body: None,
                body_length: self.received,
                masked,
            },
            found: None,
        }))
    }
}

/// Who sent what nobody is named for.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn count(text: &[u8]) -> u32 {
    let found = text.windows(MASK.len()).filter(|w| *w == MASK.as_bytes());
    u32::try_from(found.count()).unwrap_or(u32::MAX)
}

/// `client ident user [time] "request line" status size "referer" "user agent"`; the last two may
/// be missing, and more may follow.
fn combined(line: &str, number: u64) -> Option<Specimen> {
    let (client, rest) = line.split_once(' ')?;
    let (_, rest) = rest.split_once('[')?;
    let (_, rest) = rest.split_once("] ")?;
    let (request, rest) = quoted(rest)?;
    let mut words = request.0.splitn(2, |b| *b == b' ');
    let (method, rest_of_line) = (words.next()?, words.next()?);
    // A target may have spaces in it where a server was lenient.
    let at = rest_of_line.iter().rposition(|b| *b == b' ')?;
    let (target, protocol) = rest_of_line.split_at(at);
    let protocol = protocol.trim_ascii();
    if !protocol.starts_with(b"HTTP/") || method.is_empty() {
        return None;
    }
    let mut headers = vec![(text("Host"), text("localhost"))];
    let quotes = rest.find('"').and_then(|at| rest.get(at..)).unwrap_or("");
    if let Some((referer, rest)) = quoted(quotes) {
        let agent = quoted(rest.trim_start()).map(|(agent, _)| agent);
        let named = [("Referer", Some(referer)), ("User-Agent", agent)];
        for (name, value) in named {
            if let Some(value) = value.filter(|value| value.0 != b"-") {
                headers.push((text(name), value));
            }
        }
    }
    let has_body = matches!(method, b"POST" | b"PUT" | b"PATCH");
    Some(Specimen {
        id: format!("line {number}"),
        client: client.parse().unwrap_or(NOBODY),
        route: None,
        at: 0,
        request: Request {
            method: method.into(),
            target: target.into(),
            protocol: protocol.into(),
            headers,
            body: None,
            // How long it was is not in the log.
            body_length: u64::from(has_body),
            masked: 0,
        },
        found: None,
    })
}

/// A text between double quotes with the escapes of Apache and nginx, and what follows.
fn quoted(text: &str) -> Option<(Text, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    let mut rest = inner.as_bytes();
    loop {
        match rest {
            [b'"', ..] => break,
            [b'\\', b'x', high, low, tail @ ..] => {
                let digit = |b: u8| char::from(b).to_digit(16);
                let value = digit(*high)? << 4 | digit(*low)?;
                bytes.push(u8::try_from(value).ok()?);
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] => {
                bytes.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => *other,
                });
                rest = tail;
            }
            [byte, tail @ ..] => {
                bytes.push(*byte);
                rest = tail;
            }
            [] => return None,
        }
    }
    let end = inner.len() - rest.len() + 1;
    Some((Text(bytes), inner.get(end..)?))
}

fn text(text: &str) -> Text {
    text.as_bytes().into()
}

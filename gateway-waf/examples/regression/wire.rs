//! A test's request as its client writes it, and as a lenient server reads that.

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::suite::Input;

/// What the server hands over.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: Vec<u8>,
    pub(crate) uri: Vec<u8>,
    pub(crate) protocol: Vec<u8>,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// The bytes that go over the wire.
pub(crate) fn write(input: &Input, uri: Option<&str>) -> Result<Vec<u8>> {
    if let Some(encoded) = &input.encoded_request {
        return STANDARD.decode(encoded.trim()).context("encoded_request");
    }
    if let Some(raw) = &input.raw_request {
        return Ok(raw.as_bytes().to_vec());
    }
    let mut headers: Vec<(&str, String)> = Vec::new();
    let named = input.headers.iter().map(|(name, value)| (name, value));
    let ordered = input.ordered_headers.iter().map(|h| (&h.name, &h.value));
    for (name, value) in named.chain(ordered) {
        headers.push((name, value.clone()));
    }
    let mut body = match (&input.data, &input.encoded_data) {
        (_, Some(encoded)) => STANDARD.decode(encoded.trim()).context("encoded_data")?,
        (data, None) => data.clone().unwrap_or_default().into_bytes(),
    };
    let method = input.method.as_deref().unwrap_or("GET");
    let complete = input
        .autocomplete_headers
        .unwrap_or(!input.stop_magic.unwrap_or(false));
    complete_request(method, &mut headers, &mut body, complete);
    let uri = uri.or(input.uri.as_deref()).unwrap_or("/");
    let version = input.version.as_deref().unwrap_or("HTTP/1.1");
    let mut bytes = format!("{method} {uri} {version}\r\n").into_bytes();
    for (name, value) in &headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// Adds what the test client adds by itself.
fn complete_request(
    method: &str,
    headers: &mut Vec<(&str, String)>,
    body: &mut Vec<u8>,
    complete: bool,
) {
    const FORM: &str = "application/x-www-form-urlencoded";
    let has = |headers: &[(&str, String)], name: &str| {
        headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    };
    let is_type = |headers: &[(&str, String)], matches: &dyn Fn(&str) -> bool| {
        let mut types = headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case("Content-Type"));
        types.any(|(_, value)| matches(value))
    };
    if complete && !body.is_empty() {
        if !has(headers, "Content-Type") {
            headers.push(("Content-Type", FORM.to_owned()));
        }
        // A form is escaped, unless it looks as if it was.
        let plain = !body.iter().any(|b| matches!(b, b'%' | b'+'));
        if is_type(headers, &|value| value == FORM) && plain {
            *body = escape_form(body);
        }
    }
    if is_type(headers, &|value| value.contains("multipart/form-data;")) {
        let text = String::from_utf8_lossy(body).replace('\n', "\r\n");
        *body = text.into_bytes();
    }
    if complete {
        if !has(headers, "Connection") {
            headers.push(("Connection", "close".to_owned()));
        }
        let takes_body = ["POST", "PUT", "PATCH", "DELETE"].contains(&method);
        if !has(headers, "Content-Length") && (takes_body || !body.is_empty()) {
            headers.push(("Content-Length", body.len().to_string()));
        }
    }
}

fn escape_form(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for &b in body {
        match b {
            b'&' | b'-' | b'_' | b'.' | b'~' => out.push(b),
            b' ' => out.push(b'+'),
            _ if b.is_ascii_alphanumeric() => out.push(b),
            _ => out.extend_from_slice(format!("%{b:02X}").as_bytes()),
        }
    }
    // The first equals sign of each pair is no part of its value.
    let pairs = out.split(|&b| b == b'&').map(|pair| {
        let text = String::from_utf8_lossy(pair).into_owned();
        text.replacen("%3D", "=", 1)
    });
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}

/// Reads a request; `None` where every server would refuse it.
pub(crate) fn read(bytes: &[u8]) -> Option<Request> {
    let (head, body) = split_head(bytes);
    let mut lines = head
        .split(|&b| b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut request = request_line(lines.next()?)?;
    for line in lines.filter(|line| !line.is_empty()) {
        let at = line.iter().position(|&b| b == b':')?;
        let (name, value) = line.split_at(at);
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if value.contains(&b'\r') {
            return None;
        }
        request.headers.push((name.to_vec(), value.to_vec()));
    }
    request.body = framed(&request, body)?;
    Some(request)
}

/// Whether a request is there to the end of its body.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let (head, body) = split_head(bytes);
    if head.len() == bytes.len() {
        return false;
    }
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    if head.contains("\r\ntransfer-encoding:") {
        return unchunk(body).is_some();
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn split_head(bytes: &[u8]) -> (&[u8], &[u8]) {
    let crlf = bytes
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .map(|at| (at, at + 4));
    let lf = bytes
        .windows(2)
        .position(|w| w == b"\n\n")
        .map(|at| (at, at + 2));
    let (end, start) = match (crlf, lf) {
        (Some(crlf), Some(lf)) => crlf.min(lf),
        (Some(found), None) | (None, Some(found)) => found,
        (None, None) => (bytes.len(), bytes.len()),
    };
    (
        bytes.get(..end).unwrap_or_default(),
        bytes.get(start..).unwrap_or_default(),
    )
}

fn request_line(line: &[u8]) -> Option<Request> {
    let space = |b: &u8| *b == b' ';
    let first = line.iter().position(space)?;
    let last = line.iter().rposition(space)?;
    let (method, protocol) = (line.get(..first)?, line.get(last + 1..)?);
    let uri = line.get(first + 1..last)?;
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    let named = !method.is_empty() && method.iter().all(is_token);
    let shaped = !uri.is_empty() && !uri.iter().any(|b| b.is_ascii_control() || *b == b' ');
    let connects = method != b"CONNECT" || uri.contains(&b':');
    let spoken = protocol.starts_with(b"HTTP/") && !protocol.starts_with(b"HTTP/0");
    if !named || !shaped || !connects || !spoken || uri.starts_with(b"\\") {
        return None;
    }
    Some(Request {
        method: method.to_vec(),
        uri: uri.to_vec(),
        protocol: protocol.to_vec(),
        ..Request::default()
    })
}

/// The body as its headers frame it.
fn framed(request: &Request, rest: &[u8]) -> Option<Vec<u8>> {
    let header = |name: &[u8]| {
        let mut found = request
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_slice())
    };
    if header(b"transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case(b"chunked")) {
        return unchunk(rest);
    }
    match header(b"content-length") {
        Some(length) => {
            let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
            Some(rest.get(..length).unwrap_or(rest).to_vec())
        }
        None => Some(Vec::new()),
    }
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let at = rest.windows(2).position(|w| w == b"\r\n")?;
        let (line, tail) = rest.split_at(at);
        let size = line.split(|&b| b == b';').next()?;
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?.trim(), 16).ok()?;
        let tail = tail.get(2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(tail.get(..size)?);
        rest = tail.get(size + 2..)?;
    }
}

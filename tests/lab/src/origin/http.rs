//! As much of HTTP/1.1 (RFC 9112) as an origin behind a gateway meets.

use std::io::{BufRead, Read, Write};

use anyhow::{Context, Result, bail, ensure};

/// The longest head, and the longest line of a chunked body's framing.
const HEAD: u64 = 64 * 1024;
/// The longest body.
const BODY: u64 = 64 * 1024 * 1024;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, as written.
    pub method: String,
    /// The request target, as written.
    pub target: String,
    /// Names and values in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
}

impl Request {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(one, _)| one.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads the next request; `None` when the connection ended before one began.
pub(super) fn read(reader: &mut impl BufRead, mut back: impl Write) -> Result<Option<Request>> {
    let mut head = reader.take(HEAD);
    let first = line(&mut head)?;
    if first.is_empty() {
        return Ok(None);
    }
    let mut parts = first.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        bail!("no request line: {first}");
    };
    ensure!(
        version == "HTTP/1.1",
        "an origin speaks HTTP/1.1, not {version}"
    );
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let line = line(&mut head)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        request
            .headers
            .push((name.to_owned(), value.trim().to_owned()));
    }
    if request
        .header("expect")
        .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    {
        back.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = body(reader, &request)?;
    Ok(Some(request))
}

/// Writes an answer; one to HEAD has no body, as RFC 9110, section 9.3.2 wants it.
pub(super) fn answer(
    mut stream: impl Write,
    status: u16,
    request: &Request,
    body: &[u8],
) -> Result<()> {
    let length = body.len();
    let mut out = format!(
        "HTTP/1.1 {status} Lab\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    if request.method != "HEAD" {
        out.extend(body);
    }
    stream.write_all(&out)?;
    Ok(())
}

fn body(reader: &mut impl BufRead, request: &Request) -> Result<Vec<u8>> {
    if let Some(coding) = request.header("transfer-encoding") {
        ensure!(
            coding.eq_ignore_ascii_case("chunked"),
            "an unknown transfer coding: {coding}"
        );
        return chunked(reader);
    }
    let length = request.header("content-length").map_or(Ok(0), str::parse)?;
    let mut body = Vec::new();
    append(reader, length, &mut body)?;
    Ok(body)
}

/// RFC 9112, section 7.1; extensions and trailers are passed over.
fn chunked(reader: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(&mut reader.take(HEAD))?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).context("no chunk size")?;
        append(reader, size, &mut body)?;
        if size == 0 {
            let mut trailer = reader.take(HEAD);
            while !line(&mut trailer)?.is_empty() {}
            return Ok(body);
        }
        ensure!(
            line(&mut reader.take(HEAD))?.is_empty(),
            "a chunk longer than it said"
        );
    }
}

fn append(reader: &mut impl Read, length: u64, body: &mut Vec<u8>) -> Result<()> {
    let sofar = u64::try_from(body.len())?;
    ensure!(
        length <= BODY.saturating_sub(sofar),
        "a body of more than {BODY} bytes"
    );
    let got = reader.take(length).read_to_end(body)?;
    ensure!(u64::try_from(got)? == length, "the body ended early");
    Ok(())
}

/// A line without its end. An empty one is also what the end of the connection looks like.
fn line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(text) => Ok(text.strip_suffix('\r').unwrap_or(text).to_owned()),
        None if line.is_empty() => Ok(line),
        None => bail!("a line without an end"),
    }
}

//! HTTP archives (HAR 1.2), as browsers save them.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::Specimen;
use crate::records::{Request, Text};

/// Why a file is no archive.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP archive: {0}")]
pub struct HarError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Sent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    method: String,
    url: String,
    #[serde(default)]
    http_version: String,
    #[serde(default)]
    headers: Vec<Field>,
    #[serde(default)]
    post_data: Option<PostData>,
    #[serde(default)]
    body_size: i64,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct PostData {
    #[serde(default)]
    text: Option<String>,
}

/// The requests of an archive.
///
/// # Errors
/// When it is no archive, with line and column.
pub fn parse(bytes: &[u8]) -> Result<Vec<Specimen>, HarError> {
    let har: Har = serde_json::from_slice(bytes)?;
    let entries = har.log.entries.into_iter().enumerate();
    Ok(entries
        .map(|(i, entry)| specimen(i + 1, entry.request))
        .collect())
}

fn specimen(number: usize, sent: Sent) -> Specimen {
    let (authority, target) = split(&sent.url);
    let mut headers: Vec<(Text, Text)> = sent
        .headers
        .iter()
        // HTTP/2 has these in place of a request line.
        .filter(|field| !field.name.starts_with(':'))
        .map(|field| (text(&field.name), text(&field.value)))
        .collect();
    let is_host = |(name, _): &(Text, Text)| name.0.eq_ignore_ascii_case(b"host");
    if !headers.iter().any(is_host) {
        headers.insert(0, (text("Host"), text(authority)));
    }
    let body = sent.post_data.and_then(|data| data.text);
    let length = body.as_ref().map_or_else(
        || u64::try_from(sent.body_size).unwrap_or(0),
        |body| body.len() as u64,
    );
    let protocol = match sent.http_version.to_ascii_lowercase().as_str() {
        "h2" | "http/2" | "http/2.0" => "HTTP/2.0",
        "http/1.0" => "HTTP/1.0",
        _ => "HTTP/1.1",
    };
    Specimen {
        id: format!("entry {number}"),
        client: Ipv4Addr::LOCALHOST.into(),
        route: None,
        at: 0,
        request: Request {
            method: text(&sent.method),
            target: text(target),
            protocol: text(protocol),
            headers,
            body: body.as_deref().map(text),
            body_length: length,
            masked: 0,
        },
        found: None,
    }
}

/// The authority of a URL and what is sent as the target; a fragment is not.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or(rest);
    match rest.find(['/', '?']) {
        Some(at) => {
            let (authority, target) = rest.split_at(at);
            (authority, target)
        }
        None => (rest, "/"),
    }
}

fn text(text: &str) -> Text {
    text.as_bytes().into()
}

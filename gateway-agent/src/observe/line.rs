//! An outcome as one line of JSON. Control characters are escaped by JSON itself, so no request
//! can write a line of its own.

use gateway_waf::leaks::Kind;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::wall::rfc3339;
use crate::clock;
use crate::http::{Outcome, Reached, RuleHit, Timings};
use crate::validation::Breach;

#[derive(Serialize)]
struct Line<'o> {
    time: String,
    request: String,
    client: String,
    peer: String,
    tls: bool,
    http: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'o str>,
    host: &'o str,
    path: &'o str,
    #[serde(skip_serializing_if = "str::is_empty")]
    query: &'o str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'static str>,
    /// What it would have been refused for.
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<&'static str>,
    /// What was wrong with it, and where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Breach>,
    /// What was found in the response, and how often.
    #[serde(skip_serializing_if = "Leaks::is_empty")]
    leaks: Leaks<'o>,
    ending: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule<'o>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<Upstream<'o>>,
    received: u64,
    sent: u64,
    /// Microseconds.
    us: Micros,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    headers: Fields<'o>,
}

#[derive(Serialize)]
struct Rule<'o> {
    id: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    variable: &'o str,
}

#[derive(Serialize)]
struct Upstream<'o> {
    name: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'o str>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'o str>,
}

struct Micros(Timings);

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (stage, span) in self.0.iter() {
            map.serialize_entry(stage.name(), &(span.0 / 1000))?;
        }
        map.serialize_entry("total", &(self.0.total().0 / 1000))?;
        map.end()
    }
}

struct Leaks<'o>(&'o [(Kind, u32)]);

impl Leaks<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Leaks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(kind, count)| (kind.name(), count)))
    }
}

struct Fields<'o>(&'o [(http::HeaderName, Box<str>)]);

impl Fields<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name.as_str(), &**value)))
    }
}

/// Writes an outcome and a line end to `buffer`.
pub(super) fn write(outcome: &Outcome, buffer: &mut Vec<u8>) {
    let line = Line {
        time: rfc3339(clock::to_unix_millis(outcome.ended)),
        request: outcome.request.to_string(),
        client: outcome.client.to_string(),
        peer: outcome.peer.to_string(),
        tls: outcome.tls,
        http: version(outcome.version),
        method: outcome.method.as_ref().map(method),
        host: &outcome.host,
        path: &outcome.path,
        query: &outcome.query,
        status: outcome.status.as_u16(),
        refusal: outcome.refusal.as_ref().map(|refusal| refusal.row().name),
        shadow: outcome.shadow.as_ref().map(|refusal| refusal.row().name),
        errors: errors(outcome),
        leaks: Leaks(&outcome.leaks),
        ending: outcome.ending.name(),
        degraded: outcome.degraded.map(|stage| stage.name()),
        rules: outcome.rules.iter().map(rule).collect(),
        subject: outcome.subject.as_deref(),
        upstream: outcome.upstream.as_ref().map(upstream),
        received: outcome.received,
        sent: outcome.sent,
        us: Micros(outcome.timings),
        headers: Fields(&outcome.headers),
    };
    let start = buffer.len();
    match serde_json::to_writer(&mut *buffer, &line) {
        Ok(()) => buffer.push(b'\n'),
        // Numbers and texts always serialise; half a line would break the next one.
        Err(_) => buffer.truncate(start),
    }
}

/// The longest method shown; the longest registered one has 17 letters.
const MAX_METHOD: usize = 32;

fn method(method: &http::Method) -> &str {
    let text = method.as_str();
    text.get(..MAX_METHOD).unwrap_or(text)
}

fn errors(outcome: &Outcome) -> Vec<Breach> {
    let refusal = outcome.refusal.as_ref().or(outcome.shadow.as_ref());
    refusal
        .map(|refusal| refusal.row().errors)
        .unwrap_or_default()
}

fn rule(hit: &RuleHit) -> Rule<'_> {
    Rule {
        id: hit.id,
        message: &hit.message,
        severity: hit.severity,
        variable: &hit.variable,
    }
}

fn upstream(reached: &Reached) -> Upstream<'_> {
    Upstream {
        name: &reached.name,
        target: reached.target.as_deref(),
        attempts: reached.attempts,
        error: reached.error.as_deref(),
    }
}

fn version(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_10 => "1.0",
        http::Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

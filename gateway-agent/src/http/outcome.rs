//! What is known of a request when it has ended: the one record for log, metrics and audit.

use std::sync::Arc;

use gateway_common::time::Nanos;
use gateway_waf::leaks::Kind;
use http::{HeaderName, Method, StatusCode, Version};

use super::address::{ClientAddr, PeerAddr};
use super::ids::RequestId;
use super::refusal::Refusal;
use super::stage::Stage;

/// The record of one request. Texts are bounded, and secrets in them are masked already, so it
/// may be shown whole.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The request's id, which the client gets as well.
    pub request: RequestId,
    /// Who asked.
    pub client: ClientAddr,
    /// The other end of the connection.
    pub peer: PeerAddr,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The HTTP version.
    pub version: Version,
    /// The method; a request that did not parse has none.
    pub method: Option<Method>,
    /// The host as sent, with port.
    pub host: Box<str>,
    /// The path as sent.
    pub path: Box<str>,
    /// The query as sent, with what looks like a secret masked.
    pub query: Box<str>,
    /// The header fields that are configured to be logged.
    pub headers: Vec<(HeaderName, Box<str>)>,
    /// The status of the answer.
    pub status: StatusCode,
    /// Why it was refused, if it was.
    pub refusal: Option<Refusal>,
    /// What it would have been refused for, had that not been in shadow mode.
    pub shadow: Option<Refusal>,
    /// How the answer ended.
    pub ending: Ending,
    /// The WAF rules that matched, blocked or not, up to 16.
    pub rules: Vec<RuleHit>,
    /// What was found in the response that should not be there, and how often; never the thing
    /// itself.
    pub leaks: Vec<(Kind, u32)>,
    /// The stage that failed open, if one did.
    pub degraded: Option<Stage>,
    /// `sub` of the verified token.
    pub subject: Option<Box<str>>,
    /// The upstream asked, if it came that far.
    pub upstream: Option<Reached>,
    /// Bytes of request body that were read.
    pub received: u64,
    /// Bytes of response body that were handed to the connection.
    pub sent: u64,
    /// How long each stage took.
    pub timings: Timings,
    /// When it had ended.
    pub ended: Nanos,
}

/// A rule of the WAF that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleHit {
    /// Its id.
    pub id: u64,
    /// Its `msg`; empty when it has none.
    pub message: Box<str>,
    /// Its `severity`, in capitals.
    pub severity: Option<&'static str>,
    /// The variable that matched, such as `ARGS:q`; never its value.
    pub variable: Box<str>,
}

/// The upstream that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The target asked last, as `host:port`; `None` when it has none, or the client left first.
    pub target: Option<Arc<str>>,
    /// How many targets were tried; 0 when the client left first.
    pub attempts: u32,
    /// What went wrong last, for the log.
    pub error: Option<Box<str>>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The whole answer was handed to the connection.
    Complete,
    /// The client left before.
    ClientGone,
    /// The upstream broke off or stalled in the middle of its response body.
    UpstreamBroke,
    /// What came next in the response body must not be sent.
    LeakStopped,
}

impl Ending {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientGone => "client-gone",
            Self::UpstreamBroke => "upstream-broke",
            Self::LeakStopped => "leak-stopped",
        }
    }
}

/// The time spent in each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings([Option<Nanos>; Stage::ALL.len()]);

impl Timings {
    /// Adds to the time of a stage.
    pub fn add(&mut self, stage: Stage, span: Nanos) {
        if let Some(slot) = self.0.get_mut(stage as usize) {
            *slot = Some(slot.unwrap_or(Nanos::ZERO).saturating_add(span));
        }
    }

    /// The stages that were entered, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, Nanos)> {
        Stage::ALL
            .into_iter()
            .zip(self.0)
            .filter_map(|(stage, span)| Some((stage, span?)))
    }

    /// The time in all stages.
    #[must_use]
    pub fn total(&self) -> Nanos {
        self.iter()
            .fold(Nanos::ZERO, |sum, (_, span)| sum.saturating_add(span))
    }
}

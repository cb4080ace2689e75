//! A request in which rules found something, with all that explains what they found.

use std::net::IpAddr;
use std::sync::Arc;

use gateway_waf::{Decision, Explanation, RequestCopy, RuleMatch};
use http::StatusCode;

use super::ids::RequestId;
use super::settings::Guard;

/// The case. Secrets are masked already and texts are bounded, so it may be kept.
#[derive(Debug)]
pub struct Case {
    /// The request's id.
    pub request: RequestId,
    /// When its rules had run, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Who asked.
    pub client: IpAddr,
    /// `sub` of the verified token.
    pub subject: Option<Box<str>>,
    /// The route, unless the request came to none.
    pub route: Option<Arc<str>>,
    /// What the WAF was to do with it.
    pub guard: Guard,
    /// The status of its answer.
    pub status: StatusCode,
    /// What the rules decided.
    pub decision: Decision,
    /// Its anomaly score, where the rules keep one.
    pub score: Option<i64>,
    /// What was found; empty for a sample of ordinary requests.
    pub matches: Vec<RuleMatch>,
    /// How the first matches came to be.
    pub explanations: Vec<Explanation>,
    /// The request, masked.
    pub copy: RequestCopy,
}

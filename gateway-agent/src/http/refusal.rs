//! Every way in which a request is refused, and the one table of what follows from it.

use std::borrow::Cow;
use std::fmt;

use gateway_common::time::Nanos;
use gateway_policy::access::{HostFault, NoRoute, PathFault};
use gateway_policy::bans::OffenceKind;
use gateway_policy::limits::Quota;
use http::StatusCode;

use super::stage::Stage;
use crate::identity::TokenFault;

/// Why a request got no answer of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes are no HTTP request. Answered by the parser itself, without a body.
    Unparsable,
    /// The header section is larger than the limit. Answered by the parser itself.
    HeadersTooLarge,
    /// HTTP that different parsers read differently, or that a gateway must not pass.
    Malformed(Malformation),
    /// `TRACE`, which shows a client what proxies added (RFC 9110 section 9.3.8).
    MethodRefused,
    /// `CONNECT`: this is no forward proxy.
    MethodUnsupported,
    /// `Upgrade`, WebSocket among them: this version does not tunnel.
    UpgradeUnsupported,
    /// The client is banned and stands behind a trusted proxy, where the kernel cannot drop it.
    Banned,
    /// More requests than the client's limit.
    LimitExceeded(Exceeded),
    /// More requests at once than the gateway takes.
    Overloaded,
    /// A token that does not verify.
    Token(TokenFault),
    /// No token where the route needs one.
    TokenRequired,
    /// A token without the role that the route needs.
    RoleRequired,
    /// The role, but no permission for this method on this path.
    NotPermitted,
    /// No route for host, path or method.
    NoRoute(NoRoute),
    /// A rule of the WAF.
    WafBlocked {
        /// The rule that decided; 0 stands for a limit of the engine itself.
        rule: u64,
        /// The status that the rule asks for, 403 unless it says otherwise.
        status: StatusCode,
        /// Where it sends the client instead, if it does.
        location: Option<String>,
    },
    /// The request body is larger than may be sent, or than is inspected.
    BodyTooLarge,
    /// The request body is encoded, so that the WAF cannot see what is in it.
    BodyEncoded,
    /// The request body did not arrive in time.
    BodyTimeout,
    /// The request body ended early or is no valid HTTP.
    BodyBroken,
    /// The client closed the connection, or reset the stream, before there was an answer.
    ClientGone,
    /// The upstream gave no answer.
    Upstream(UpstreamFault),
    /// A stage itself failed, and fails closed.
    StageFailed(Stage),
}

/// What is wrong with a request that parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformation {
    /// Both `Transfer-Encoding` and `Content-Length`, or one of them several times.
    AmbiguousLength,
    /// A transfer coding other than `chunked`.
    TransferCoding,
    /// No `Host` and no `:authority`.
    HostMissing,
    /// Several `Host` fields.
    HostRepeated,
    /// `Host` is not what the request target says.
    HostMismatch,
    /// A host that is none.
    Host(HostFault),
    /// A path that could be read in two ways.
    Path(PathFault),
}

impl Malformation {
    fn name(self) -> &'static str {
        match self {
            Self::AmbiguousLength => "length-ambiguous",
            Self::TransferCoding => "transfer-coding-unknown",
            Self::HostMissing => "host-missing",
            Self::HostRepeated => "host-repeated",
            Self::HostMismatch => "host-mismatch",
            Self::Host(fault) => fault.name(),
            Self::Path(fault) => fault.name(),
        }
    }
}

impl fmt::Display for Malformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AmbiguousLength => f.write_str("the length of the body is given in two ways"),
            Self::TransferCoding => f.write_str("the only transfer coding is chunked"),
            Self::HostMissing => f.write_str("the request names no host"),
            Self::HostRepeated => f.write_str("the request names its host several times"),
            Self::HostMismatch => f.write_str("Host is not the host of the request target"),
            Self::Host(fault) => fault.fmt(f),
            Self::Path(fault) => fault.fmt(f),
        }
    }
}

/// A limit that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The limit.
    pub quota: Quota,
    /// The zone that the limit is for.
    pub zone: &'static str,
    /// How long until one request would be allowed.
    pub retry_after: Nanos,
    /// How long until a whole burst would be.
    pub reset_after: Nanos,
    /// Whether too many new clients shared one budget.
    pub shared: bool,
}

/// Why an upstream gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamFault {
    /// It has no target.
    NoTarget,
    /// No target accepted a connection.
    Unreachable,
    /// No target accepted a connection in time.
    ConnectTimeout,
    /// The connection ended before the response.
    Reset,
    /// The response did not begin in time.
    Timeout,
    /// What came back is no usable HTTP response.
    BadResponse,
}

impl UpstreamFault {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoTarget => "upstream-no-target",
            Self::Unreachable => "upstream-unreachable",
            Self::ConnectTimeout => "upstream-connect-timeout",
            Self::Reset => "upstream-reset",
            Self::Timeout => "upstream-timeout",
            Self::BadResponse => "upstream-bad-response",
        }
    }
}

/// What follows from a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The status of the answer. 499, which no answer carries, says that nobody was left to
    /// answer.
    pub status: StatusCode,
    /// The stable name: the `code` of the body, the field of the log, the label of the metric.
    pub name: &'static str,
    /// What the client is told.
    pub detail: Cow<'static, str>,
    /// What it counts as against the client.
    pub offence: Option<OffenceKind>,
}

impl Refusal {
    /// The one table: a row for each variant.
    #[must_use]
    pub fn row(&self) -> Row {
        use OffenceKind::{FailedAuth, LimitExceeded, WafBlock};

        let row = |status, name, detail: &'static str| Row {
            status,
            name,
            detail: Cow::Borrowed(detail),
            offence: None,
        };
        let bad = |name, detail| row(StatusCode::BAD_REQUEST, name, detail);
        match self {
            Self::Unparsable => bad("unparsable", "the request is no valid HTTP"),
            Self::HeadersTooLarge => row(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers-too-large",
                "the header section is too large",
            ),
            Self::Malformed(what) => Row {
                detail: what.to_string().into(),
                ..bad(what.name(), "")
            },
            Self::MethodRefused => row(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-refused",
                "this method is not allowed here",
            ),
            Self::MethodUnsupported => row(
                StatusCode::NOT_IMPLEMENTED,
                "method-unsupported",
                "this gateway opens no tunnels",
            ),
            Self::UpgradeUnsupported => row(
                StatusCode::NOT_IMPLEMENTED,
                "upgrade-unsupported",
                "this gateway does not upgrade connections, to WebSocket neither",
            ),
            Self::Banned => row(
                StatusCode::FORBIDDEN,
                "banned",
                "requests from this address are refused",
            ),
            Self::LimitExceeded(exceeded) => Row {
                offence: Some(LimitExceeded),
                ..row(
                    StatusCode::TOO_MANY_REQUESTS,
                    if exceeded.shared {
                        "rate-limited-shared"
                    } else {
                        "rate-limited"
                    },
                    "too many requests; wait before the next one",
                )
            },
            Self::Overloaded => row(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "the gateway is busy; try again in a moment",
            ),
            Self::Token(fault) => Row {
                detail: fault.to_string().into(),
                offence: (!fault.is_honest()).then_some(FailedAuth),
                ..row(StatusCode::UNAUTHORIZED, fault.name(), "")
            },
            Self::TokenRequired => row(
                StatusCode::UNAUTHORIZED,
                "token-required",
                "this needs a token",
            ),
            Self::RoleRequired => row(
                StatusCode::FORBIDDEN,
                "role-required",
                "the token does not have the role that this needs",
            ),
            Self::NotPermitted => row(
                StatusCode::FORBIDDEN,
                "not-permitted",
                "the token's roles do not allow this method here",
            ),
            Self::NoRoute(none) => row(
                match none {
                    NoRoute::NotFound => StatusCode::NOT_FOUND,
                    NoRoute::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
                },
                none.name(),
                match none {
                    NoRoute::NotFound => "nothing is here",
                    NoRoute::MethodNotAllowed { .. } => "this method is not for this resource",
                },
            ),
            // What a rule looks for would teach an attacker how to get past it.
            Self::WafBlocked { status, .. } => Row {
                offence: Some(WafBlock),
                ..row(*status, "waf-blocked", "the request was refused")
            },
            Self::BodyTooLarge => row(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "the request body is too large",
            ),
            Self::BodyEncoded => row(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "body-encoded",
                "request bodies must not be compressed",
            ),
            Self::BodyTimeout => row(
                StatusCode::REQUEST_TIMEOUT,
                "body-timeout",
                "the request body took too long",
            ),
            Self::BodyBroken => bad("body-broken", "the request body is not complete"),
            Self::ClientGone => row(client_gone(), "client-gone", "the client left"),
            Self::Upstream(fault) => row(
                match fault {
                    UpstreamFault::ConnectTimeout | UpstreamFault::Timeout => {
                        StatusCode::GATEWAY_TIMEOUT
                    }
                    UpstreamFault::NoTarget
                    | UpstreamFault::Unreachable
                    | UpstreamFault::Reset
                    | UpstreamFault::BadResponse => StatusCode::BAD_GATEWAY,
                },
                fault.name(),
                match fault {
                    UpstreamFault::ConnectTimeout | UpstreamFault::Timeout => {
                        "the service behind the gateway did not answer in time"
                    }
                    UpstreamFault::NoTarget
                    | UpstreamFault::Unreachable
                    | UpstreamFault::Reset
                    | UpstreamFault::BadResponse => {
                        "the service behind the gateway gave no usable answer"
                    }
                },
            ),
            Self::StageFailed(_) => row(
                StatusCode::INTERNAL_SERVER_ERROR,
                "stage-failed",
                "the gateway could not judge the request",
            ),
        }
    }

    /// What the evidence of an offence says besides the request id.
    #[must_use]
    pub fn evidence(&self) -> String {
        match self {
            Self::WafBlocked { rule, .. } => format!("rule {rule}"),
            Self::LimitExceeded(exceeded) => format!("{} ({})", exceeded.quota, exceeded.zone),
            _ => self.row().name.to_owned(),
        }
    }
}

/// 499, as nginx logs it: nobody was left to answer.
fn client_gone() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)
}

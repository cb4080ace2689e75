//! Every way in which a request is refused, and the one table of what follows from it.

use std::borrow::Cow;

use gateway_common::time::Nanos;
use gateway_policy::access::NoRoute;
use gateway_policy::bans::OffenceKind;
use gateway_policy::limits::Quota;
use gateway_waf::leaks::Kind;
use http::StatusCode;

pub use self::malformation::Malformation;
use super::stage::Stage;
use crate::identity::TokenFault;
use crate::validation::{Breach, Violation};

mod invalid;
mod malformation;

/// Why a request got no answer of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// What came is no HTTP, and the parser answered by itself, without a body.
    Unparsable,
    /// The header section is larger than the limit.
    HeadersTooLarge,
    /// The header section took too long.
    HeadersTimeout,
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
    /// A rule of the WAF, for what the upstream answered.
    ResponseBlocked {
        /// The rule that decided; 0 stands for a body larger than the rules allow.
        rule: u64,
        /// The status that the rule asks for, 403 unless it says otherwise.
        status: StatusCode,
        /// Where it sends the client instead, if it does.
        location: Option<String>,
    },
    /// Something that a response must not tell.
    ResponseLeak(Kind),
    /// The response cannot be looked into: it is compressed though it should not be, or a part.
    ResponseUnseen,
    /// It does not keep to what the route takes.
    Invalid(Violation),
    /// The request body is larger than may be sent, or than is inspected.
    BodyTooLarge,
    /// The request body has a coding that is not known, so that the WAF cannot see what is in it.
    BodyEncoded,
    /// The request body is not what its coding says.
    BodyUndecodable,
    /// The request body is in a character encoding that the WAF cannot read.
    CharsetUnsupported,
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
    /// What the answer says beyond that.
    pub adds: Adds,
    /// The places that are wrong, for who wrote the request.
    pub errors: Vec<Breach>,
}

/// Fields that only some answers have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adds {
    /// None.
    Nothing,
    /// `WWW-Authenticate`, with this error when there is one. Who sent no token is told none
    /// (RFC 6750 section 3.1).
    Challenge(Option<&'static str>),
    /// `Retry-After` in seconds.
    RetryAfter(u64),
    /// `Retry-After` and the `RateLimit` fields.
    Limit(Exceeded),
    /// `Allow`.
    Allow(String),
    /// `Location`.
    Location(String),
    /// `Accept` with the media types that a request body may have (RFC 9110 section 15.5.16).
    Accept(String),
    /// `Accept-Encoding` with the codings that a request body may have (RFC 9110 section 12.5.3).
    AcceptCodings,
    /// `Connection: close`: where the request ends is unclear, so nothing behind it is read.
    /// HTTP/2 has no such field.
    Close,
}

impl Row {
    fn new(status: StatusCode, name: &'static str, detail: &'static str) -> Self {
        Self {
            status,
            name,
            detail: detail.into(),
            offence: None,
            adds: Adds::Nothing,
            errors: Vec::new(),
        }
    }

    fn saying(self, detail: String) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }

    fn offending(self, offence: OffenceKind) -> Self {
        Self {
            offence: Some(offence),
            ..self
        }
    }

    fn adding(self, adds: Adds) -> Self {
        Self { adds, ..self }
    }
}

/// The methods that are not refused as such.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

impl Refusal {
    /// The one table: a row for each variant.
    #[must_use]
    pub fn row(&self) -> Row {
        use StatusCode as S;

        match self {
            Self::Unparsable => {
                Row::new(S::BAD_REQUEST, "unparsable", "the request is no valid HTTP")
            }
            Self::HeadersTooLarge => Row::new(
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers-too-large",
                "the header section is too large",
            )
            .adding(Adds::Close),
            Self::HeadersTimeout => Row::new(
                S::REQUEST_TIMEOUT,
                "headers-timeout",
                "the header section took too long",
            )
            .adding(Adds::Close),
            Self::Malformed(what) => what.row(),
            Self::MethodRefused => Row::new(
                S::METHOD_NOT_ALLOWED,
                "method-refused",
                "this method is not allowed here",
            )
            .adding(Adds::Allow(METHODS.to_owned())),
            Self::MethodUnsupported => Row::new(
                S::NOT_IMPLEMENTED,
                "method-unsupported",
                "this gateway opens no tunnels",
            ),
            Self::UpgradeUnsupported => Row::new(
                S::NOT_IMPLEMENTED,
                "upgrade-unsupported",
                "this gateway does not upgrade connections, to WebSocket neither",
            ),
            Self::Banned => Row::new(
                S::FORBIDDEN,
                "banned",
                "requests from this address are refused",
            ),
            Self::LimitExceeded(exceeded) => {
                let (code, detail) = (
                    S::TOO_MANY_REQUESTS,
                    "too many requests; wait before the next one",
                );
                let adds = Adds::Limit(*exceeded);
                if exceeded.shared {
                    // Others used up what newcomers share; this one may have asked once.
                    Row::new(code, "rate-limited-shared", detail).adding(adds)
                } else {
                    Row::new(code, "rate-limited", detail)
                        .offending(OffenceKind::LimitExceeded)
                        .adding(adds)
                }
            }
            Self::Overloaded => Row::new(
                S::SERVICE_UNAVAILABLE,
                "overloaded",
                "the gateway is busy; try again in a moment",
            )
            .adding(Adds::RetryAfter(1)),
            Self::Token(fault) => {
                let row = Row::new(S::UNAUTHORIZED, fault.name(), "")
                    .saying(fault.to_string())
                    .adding(Adds::Challenge(Some("invalid_token")));
                if fault.is_honest() {
                    row
                } else {
                    row.offending(OffenceKind::FailedAuth)
                }
            }
            Self::TokenRequired => {
                Row::new(S::UNAUTHORIZED, "token-required", "this needs a token")
                    .adding(Adds::Challenge(None))
            }
            Self::RoleRequired => Row::new(
                S::FORBIDDEN,
                "role-required",
                "the token does not have the role that this needs",
            )
            .adding(Adds::Challenge(Some("insufficient_scope"))),
            Self::NotPermitted => Row::new(
                S::FORBIDDEN,
                "not-permitted",
                "the token's roles do not allow this method here",
            )
            .adding(Adds::Challenge(Some("insufficient_scope"))),
            Self::NoRoute(none @ NoRoute::NotFound) => {
                Row::new(S::NOT_FOUND, none.name(), "nothing is here")
            }
            Self::NoRoute(none @ NoRoute::MethodNotAllowed { allow }) => Row::new(
                S::METHOD_NOT_ALLOWED,
                none.name(),
                "this method is not for this resource",
            )
            .adding(Adds::Allow(allow.join(", "))),
            // What a rule looks for would teach an attacker how to get past it.
            Self::WafBlocked {
                status, location, ..
            } => {
                let location = location.clone().map_or(Adds::Nothing, Adds::Location);
                Row::new(*status, "waf-blocked", "the request was refused")
                    .offending(OffenceKind::WafBlock)
                    .adding(location)
            }
            Self::ResponseBlocked {
                status, location, ..
            } => {
                let location = location.clone().map_or(Adds::Nothing, Adds::Location);
                Row::new(*status, "response-blocked", "the response was refused").adding(location)
            }
            Self::ResponseLeak(_) => {
                Row::new(S::BAD_GATEWAY, "response-leak", "the response was refused")
            }
            Self::ResponseUnseen => Row::new(
                S::BAD_GATEWAY,
                "response-unseen",
                "the response was refused",
            ),
            Self::Invalid(violation) => Row::invalid(violation),
            Self::BodyTooLarge => Row::new(
                S::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "the request body is too large",
            ),
            Self::BodyEncoded => Row::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "body-encoded",
                "request bodies may be compressed with gzip, deflate, br or zstd",
            )
            .adding(Adds::AcceptCodings),
            Self::BodyUndecodable => Row::new(
                S::BAD_REQUEST,
                "body-undecodable",
                "the request body is not what Content-Encoding says",
            ),
            Self::CharsetUnsupported => Row::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "charset-unsupported",
                "this character encoding is not supported; send UTF-8",
            ),
            Self::BodyTimeout => Row::new(
                S::REQUEST_TIMEOUT,
                "body-timeout",
                "the request body took too long",
            ),
            Self::BodyBroken => Row::new(
                S::BAD_REQUEST,
                "body-broken",
                "the request body is not complete",
            ),
            Self::ClientGone => Row::new(client_gone(), "client-gone", "the client left"),
            Self::Upstream(fault) => fault.row(),
            Self::StageFailed(_) => Row::new(
                S::INTERNAL_SERVER_ERROR,
                "stage-failed",
                "the gateway could not judge the request",
            ),
        }
    }

    /// What the evidence of an offence says besides the request id.
    #[must_use]
    pub fn evidence(&self) -> String {
        if let Self::WafBlocked { rule, .. } | Self::ResponseBlocked { rule, .. } = self {
            format!("rule {rule}")
        } else if let Self::LimitExceeded(exceeded) = self {
            format!("{} ({})", exceeded.quota, exceeded.zone)
        } else {
            self.row().name.to_owned()
        }
    }
}

impl UpstreamFault {
    fn row(self) -> Row {
        match self {
            Self::ConnectTimeout | Self::Timeout => Row::new(
                StatusCode::GATEWAY_TIMEOUT,
                self.name(),
                "the service behind the gateway did not answer in time",
            ),
            Self::NoTarget | Self::Unreachable | Self::Reset | Self::BadResponse => Row::new(
                StatusCode::BAD_GATEWAY,
                self.name(),
                "the service behind the gateway gave no usable answer",
            ),
        }
    }
}

/// 499, as nginx logs it: nobody was left to answer.
fn client_gone() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)
}

#[cfg(test)]
mod tests;

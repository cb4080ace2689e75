//! What the server and the pipeline are given. All of it is plain data, made by others from
//! the configuration.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use gateway_policy::access::{Roles, RouteTable};
use gateway_policy::limits::Quota;
use gateway_policy::zones::Zones;
use gateway_waf::Waf;
use http::header::{self, HeaderName, HeaderValue};

use super::address::TrustedProxies;
use super::destination::Destination;
use super::harden::Hardening;
use super::stage::FailModes;
use crate::identity::Verifier;

/// A socket to listen on.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where. Port 0 takes a free one, the same for all workers.
    pub bind: SocketAddr,
    /// TLS, or plain HTTP/1.1.
    pub transport: Transport,
}

/// What is spoken on a listener.
#[derive(Clone, Debug)]
pub enum Transport {
    /// HTTP/1.1 without TLS.
    Plain,
    /// TLS with HTTP/1.1 or HTTP/2, as ALPN decides. Each new connection takes the
    /// configuration that stands there, so certificates are renewed by a store.
    Tls(Arc<ArcSwap<rustls::ServerConfig>>),
}

/// What one connection, and all of them, may take. Set when the server starts.
///
/// Of `headers`, `idle` and `stall` each is kept to within the shortest of the three: a
/// connection is looked at that often, instead of setting timers for each request.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// The most connections at once.
    pub total: usize,
    /// The most connections at once of one client (IPv4 address or IPv6 /64); trusted proxies,
    /// which bring many clients, are only held to `total`.
    pub per_client: usize,
    /// How long the TLS handshake may take.
    pub handshake: Duration,
    /// How long a header section may take from its first byte; also how long a new connection
    /// may take until its first request.
    pub headers: Duration,
    /// How long a connection may be without a request.
    pub idle: Duration,
    /// How long a client may leave a response that is ready for it.
    pub stall: Duration,
    /// The largest header section, bytes; at least 8192.
    pub header_bytes: usize,
    /// The most header fields.
    pub header_fields: usize,
    /// The most HTTP/2 streams of one connection at once.
    pub streams: u32,
    /// How many streams a client may reset before the gateway has looked at them, until its
    /// connection is closed (CVE-2023-44487).
    pub resets: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: 20_000,
            per_client: 200,
            handshake: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            stall: Duration::from_secs(30),
            header_bytes: 32 * 1024,
            header_fields: 100,
            streams: 128,
            resets: 20,
        }
    }
}

/// Everything that a request is judged and served by; swapped as one.
#[derive(Debug)]
pub struct Settings {
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: TrustedProxies,
    /// Which clients are trusted.
    pub zones: Zones,
    /// The request limits per client.
    pub quotas: Quotas,
    /// The most requests at once, in all; more are answered with 503.
    pub requests: usize,
    /// Tokens.
    pub identity: Identification,
    /// Roles and what they allow.
    pub roles: Roles,
    /// The routes, each with where it leads.
    pub routes: RouteTable<Arc<Destination>>,
    /// The rules of the WAF; `None` for no WAF. They may be replaced by themselves: a request
    /// keeps those that it began with.
    pub waf: ArcSwapOption<Waf>,
    /// What the WAF does where the route does not say.
    pub guard: Guard,
    /// Which requests are told to observers as cases; `None` for none.
    pub keep: Option<Keep>,
    /// Request bodies.
    pub bodies: BodyLimits,
    /// What becomes of requests when a stage fails.
    pub fail: FailModes,
    /// What is added to answers.
    pub answers: Answers,
    /// The header fields whose values, masked, go into the outcome.
    pub logged: Vec<HeaderName>,
}

/// What the WAF does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// What its rules say.
    #[default]
    Block,
    /// It notes what it would refuse.
    Detect,
    /// It does not look.
    Off,
}

impl Guard {
    /// The stable name for records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Detect => "detect",
            Self::Off => "off",
        }
    }
}

/// Which requests are told whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The longest body that is told, bytes.
    pub body: usize,
    /// Of so many requests in which nothing was found one is told too; 0 for none.
    pub one_in: u64,
}

/// The request limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quotas {
    /// Of each client in a trusted network.
    pub trusted: Option<Quota>,
    /// Of every other client.
    pub untrusted: Option<Quota>,
}

/// How tokens are treated.
#[derive(Debug)]
pub struct Identification {
    /// Who verifies them. Without, a request's `Authorization` is none of the gateway's business,
    /// nobody has an identity, and the field goes on to the upstream.
    pub verifier: Option<Verifier>,
    /// The longest token looked at, bytes.
    pub token_bytes: usize,
    /// Whether a verified token goes on to the upstream.
    pub forward_token: bool,
    /// The field that tells the upstream the verified subject.
    pub subject_header: Option<HeaderName>,
    /// The field that tells the upstream the roles, with commas between.
    pub roles_header: Option<HeaderName>,
    /// The `realm` of challenges.
    pub realm: String,
}

impl Default for Identification {
    fn default() -> Self {
        Self {
            verifier: None,
            token_bytes: 8 * 1024,
            forward_token: false,
            subject_header: None,
            roles_header: None,
            realm: "gateway".to_owned(),
        }
    }
}

impl Identification {
    /// The fields that only the gateway may send to an upstream.
    pub(super) fn reserved(&self) -> impl Iterator<Item = &HeaderName> {
        self.subject_header.iter().chain(&self.roles_header)
    }
}

/// What a request body may take.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The largest body, bytes.
    pub size: u64,
    /// The largest body that the WAF sees whole, bytes.
    pub inspected: usize,
    /// What becomes of a larger one.
    pub beyond: Beyond,
    /// The most bytes of body that all requests together may keep for the WAF; more are answered
    /// with 503. The WAF itself keeps a second copy.
    pub memory: usize,
    /// How long the client may take for the next piece.
    pub piece: Duration,
    /// How long the client may take for a body that the WAF sees, in all.
    pub whole: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            size: 64 << 20,
            inspected: 1 << 20,
            beyond: Beyond::Refuse,
            memory: 256 << 20,
            piece: Duration::from_secs(10),
            whole: Duration::from_secs(60),
        }
    }
}

/// What becomes of a body that is larger than the WAF sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// 413.
    Refuse,
    /// Its beginning is inspected, and the rest goes on unseen.
    InspectStart,
}

/// What is added to answers.
#[derive(Clone, Debug)]
pub struct Answers {
    /// `Strict-Transport-Security` on TLS listeners (RFC 6797).
    pub hsts: Option<HeaderValue>,
    /// Fields of answers that no route has its own for.
    pub hardening: Arc<Hardening>,
    /// Whether also allowed requests are told their limit, by `RateLimit` fields.
    pub announce_limits: bool,
}

impl Answers {
    /// The value of `Strict-Transport-Security` for `max_age`.
    #[must_use]
    pub fn hsts_value(max_age: Duration, subdomains: bool) -> Option<HeaderValue> {
        let tail = if subdomains {
            "; includeSubDomains"
        } else {
            ""
        };
        HeaderValue::try_from(format!("max-age={}{tail}", max_age.as_secs())).ok()
    }
}

/// The fields that are logged when nothing else is said.
#[must_use]
pub fn default_logged() -> Vec<HeaderName> {
    vec![header::USER_AGENT, header::REFERER]
}

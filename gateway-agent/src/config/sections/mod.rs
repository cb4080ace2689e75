//! The checked configuration, section by section.
//!
//! Each module has the checked types of its section and the one function that makes them of the
//! raw ones, noting every fault on the way. A value that could not be read has its fault already;
//! its default stands in for it, so that the rest can be checked too. Such a stand-in never gets
//! out: where there is a fault there is no [`Config`].

mod access;
mod answers;
mod attack;
mod bans;
mod context;
mod feeds;
mod http;
mod identity;
mod leaks;
mod network;
mod operation;
mod packets;
mod syn_cookies;
mod waf;

pub use access::{Access, RouteTarget, Upstream, UpstreamId, Validation};
pub use answers::ResponseHeaders;
pub use attack::AttackMode;
pub use context::FilePath;
pub use feeds::{Feed, FeedForm, FeedSource};
pub use http::{CertificateFiles, HttpLimits, Listener, TlsSettings};
pub use identity::{Identity, Issuer, KeySource};
pub use leaks::Leaks;
pub use network::{Interface, Networks, RateLimits};
pub use operation::{Admin, Log, LogTo, Paths};
pub use packets::{
    LIMITED_NETWORKS, NetworkLimits, PacketLimits, PortLimit, SourceLimits, Watched,
};
pub use syn_cookies::SynCookies;
pub use waf::{Keep, Shadowed, Waf};

pub(super) use context::Context;

use gateway_policy::bans::BanPolicy;

use super::raw::ConfigFile;
use super::report::{Place, Report};
use super::tree::At;
use super::values::WafMode;

/// A configuration that has been checked. Share it in an `Arc`; each section compares with the
/// same section of another configuration, so that a reload knows what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The interfaces of the packet filter; none means that there is no packet filter.
    pub interfaces: Vec<Interface>,
    /// Who is trusted, and who must always get through.
    pub networks: Networks,
    /// Lists that others keep, those of countries among them.
    pub feeds: Vec<Feed>,
    /// Packets of a source in a country that has a limit.
    pub country_limit: Option<Watched>,
    /// Packets per source.
    pub packet_limits: PacketLimits,
    /// When sources must have proven themselves.
    pub attack_mode: AttackMode,
    /// Answers to floods of connection attempts.
    pub syn_cookies: SynCookies,
    /// Requests per client.
    pub rate_limits: RateLimits,
    /// Where requests are accepted; none means that only the packet filter runs.
    pub listeners: Vec<Listener>,
    /// Bounds on what a connection may take.
    pub limits: HttpLimits,
    /// Whose tokens are accepted.
    pub identity: Identity,
    /// Roles, routes and upstreams.
    pub access: Access,
    /// Header fields of answers that no route has its own for.
    pub response_headers: ResponseHeaders,
    /// The web application firewall.
    pub waf: Waf,
    /// What clients are banned for.
    pub bans: BanPolicy,
    /// The listener for operators.
    pub admin: Admin,
    /// What is written about the gateway's work.
    pub log: Log,
    /// Where the gateway keeps its things.
    pub paths: Paths,
}

impl Config {
    /// The names of the sections that differ in `new`, for the log of a reload.
    #[must_use]
    pub fn changes(&self, new: &Self) -> Vec<&'static str> {
        [
            ("interfaces", self.interfaces != new.interfaces),
            ("networks", self.networks != new.networks),
            ("feeds", self.feeds != new.feeds),
            ("countries", self.country_limit != new.country_limit),
            ("packet_limits", self.packet_limits != new.packet_limits),
            ("attack_mode", self.attack_mode != new.attack_mode),
            ("syn_cookies", self.syn_cookies != new.syn_cookies),
            ("rate_limits", self.rate_limits != new.rate_limits),
            ("listeners", self.listeners != new.listeners),
            ("limits", self.limits != new.limits),
            ("identity", self.identity != new.identity),
            ("access", self.access != new.access),
            (
                "response_headers",
                self.response_headers != new.response_headers,
            ),
            ("waf", self.waf != new.waf),
            ("bans", self.bans != new.bans),
            ("admin", self.admin != new.admin),
            ("log", self.log != new.log),
            ("paths", self.paths != new.paths),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// Whether the firewall looks at any request.
    #[must_use]
    pub fn is_waf_used(&self) -> bool {
        let mut routes = self.access.routes().iter();
        self.waf.mode != WafMode::Off
            || routes.any(|route| route.target.waf.is_some_and(|waf| waf != WafMode::Off))
    }

    /// Checks what is beyond single values. Faults go to the context's report, and where there
    /// are any, what comes out is not to be used.
    pub(super) fn check(raw: ConfigFile, root: Place, cx: &Context<'_>) -> Option<Self> {
        check_presence(&raw, root, cx.report);
        let identity = section(raw.identity);
        let tokens = !identity.jwt.0.is_empty();
        let response_headers = ResponseHeaders::check(
            section(raw.response_headers),
            ResponseHeaders::default(),
            cx,
        );
        let leaks = Leaks::check(section(raw.leaks), Leaks::default());
        let access = Access::check(
            section(raw.roles),
            raw.routes.0,
            section(raw.upstreams),
            access::Around {
                tokens,
                headers: &response_headers,
                leaks: &leaks,
            },
            cx,
        );
        let networks = Networks::check(
            section(raw.trusted_networks),
            raw.trusted_proxies.0,
            raw.management.0,
            cx,
        );
        let packet_limits = PacketLimits::check(section(raw.packet_limits), &networks, cx);
        let (feeds, country_limit) = feeds::check(
            section(raw.feeds),
            raw.countries,
            !raw.interfaces.0.is_empty(),
            cx,
        );
        Some(Self {
            feeds,
            country_limit,
            interfaces: network::interfaces(raw.interfaces.0, cx),
            networks,
            attack_mode: AttackMode::check(section(raw.attack_mode), &packet_limits, cx),
            packet_limits,
            syn_cookies: SynCookies::check(section(raw.syn_cookies), cx),
            rate_limits: RateLimits::check(section(raw.rate_limits), cx),
            listeners: http::listeners(raw.listeners.0, cx),
            limits: HttpLimits::check(section(raw.limits), cx),
            identity: Identity::check(identity, cx),
            response_headers,
            waf: Waf::check(section(raw.waf), cx),
            bans: bans::check(section(raw.bans), cx),
            admin: Admin::check(section(raw.admin), cx),
            log: Log::check(section(raw.log), cx),
            paths: Paths::check(section(raw.paths), cx),
            // The last, so that every section has been looked at.
            access: access?,
        })
    }
}

/// Says what a configuration without its main parts does, or that it does nothing.
fn check_presence(raw: &ConfigFile, root: Place, report: &Report) {
    match (raw.interfaces.0.is_empty(), raw.listeners.0.is_empty()) {
        // One of them may be there under a misspelt name, which has been told.
        (true, true) if report.faults().is_some() => {}
        (true, true) => {
            report.fault(
                root,
                "found neither `interfaces` nor `listeners`, expected one of them",
            );
        }
        (true, false) => report.warning(
            root,
            "there are no `interfaces`: no packet filter, the kernel drops nothing",
        ),
        (false, true) => {
            report.warning(
                root,
                "there are no `listeners`: only the packet filter runs",
            );
        }
        (false, false) => {}
    }
    if raw.routes.0.is_empty() && !raw.listeners.0.is_empty() {
        report.warning(
            root,
            "there are no `routes`: every request is answered with 404",
        );
    }
}

/// A section, or one without any key where there is none.
fn section<T: Default>(raw: Option<At<T>>) -> T {
    raw.and_then(At::take).unwrap_or_default()
}

/// A setting, or its default.
fn setting<T>(raw: Option<At<T>>, default: T) -> T {
    raw.and_then(At::take).unwrap_or(default)
}

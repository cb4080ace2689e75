//! Host names of requests, and patterns of them.

use std::cmp::Ordering;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::grammar::Excerpt;

/// The longest host name, in bytes (RFC 1035 section 2.3.4).
const MAX: usize = 253;

/// The host that a request is for, with one spelling: lower case, no port, no dot at the end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host(Box<str>);

/// Why a `Host` field or `:authority` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HostFault {
    /// Nothing there.
    #[error("the request names no host")]
    Empty,
    /// Longer than a host name may be.
    #[error("the host name is longer than {MAX} bytes")]
    TooLong,
    /// A port that is no number.
    #[error("the port behind the host name is no number")]
    BadPort,
    /// Characters or dots that no host name has.
    #[error("the host is neither a name nor an address")]
    NotAHost,
}

impl HostFault {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "host-empty",
            Self::TooLong => "host-too-long",
            Self::BadPort => "host-bad-port",
            Self::NotAHost => "host-malformed",
        }
    }
}

impl Host {
    /// Reads a `Host` field or `:authority`: a name or an address, IPv6 in brackets, and perhaps
    /// a port.
    ///
    /// # Errors
    /// When it is none of these; user information (`user@host`) is none.
    pub fn parse(authority: &str) -> Result<Self, HostFault> {
        let (host, port) = split_port(authority)?;
        if port.is_some_and(|port| !port.is_empty() && port.parse::<u16>().is_err()) {
            return Err(HostFault::BadPort);
        }
        if port.is_some_and(|port| port.starts_with('+')) {
            return Err(HostFault::BadPort);
        }
        normal(host).map(Self)
    }

    /// The host as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which hosts: one name or address, or `*.example.org` for every name below `example.org` at
/// whatever depth, but not `example.org` itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This host.
    Exact(Host),
    /// All names that end with a dot and this one.
    Below(Host),
}

impl HostPattern {
    /// Whether `host` is one that the pattern describes.
    #[must_use]
    pub fn matches(&self, host: &Host) -> bool {
        match self {
            Self::Exact(exact) => exact == host,
            // No host begins with a dot, so there is a label before this one.
            Self::Below(suffix) => host
                .0
                .strip_suffix(&*suffix.0)
                .is_some_and(|rest| rest.ends_with('.')),
        }
    }

    /// Orders patterns that match the same host: the more specific one is the greater. One host
    /// is more specific than all below another, a longer name more than a shorter one.
    #[must_use]
    pub fn cmp_specificity(&self, other: &Self) -> Ordering {
        let rank = |pattern: &Self| match pattern {
            Self::Exact(_) => (1, 0),
            Self::Below(suffix) => (0, suffix.0.len()),
        };
        rank(self).cmp(&rank(other))
    }
}

/// A text that is no pattern of hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{input} is not a host pattern: {fault}; write for example api.example.org or *.example.org"
)]
pub struct HostPatternError {
    /// What was written.
    pub input: Excerpt,
    /// What is wrong with it.
    pub fault: HostFault,
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let refused = |fault| HostPatternError {
            input: Excerpt::of(text),
            fault,
        };
        match text.strip_prefix("*.") {
            // Below an address there is nothing.
            Some(suffix) if suffix.parse::<Ipv4Addr>().is_ok() || suffix.starts_with('[') => {
                Err(refused(HostFault::NotAHost))
            }
            Some(suffix) => normal(suffix)
                .map(|name| Self::Below(Host(name)))
                .map_err(refused),
            None => normal(text)
                .map(|name| Self::Exact(Host(name)))
                .map_err(refused),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => host.fmt(f),
            Self::Below(host) => write!(f, "*.{host}"),
        }
    }
}

crate::grammar::text::text_serde!(HostPattern, "a host such as api.example.org or *.example.org", numbers: false);

/// Splits the port off, minding the colons of an IPv6 address.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), HostFault> {
    let from = match authority.starts_with('[') {
        true => authority.find(']').ok_or(HostFault::NotAHost)?,
        false => 0,
    };
    let port = authority
        .get(from..)
        .and_then(|rest| rest.find(':'))
        .map(|colon| from + colon);
    match port {
        Some(colon) => {
            let (host, port) = authority
                .split_at_checked(colon)
                .ok_or(HostFault::NotAHost)?;
            Ok((host, port.get(1..)))
        }
        None => Ok((authority, None)),
    }
}

/// The one spelling of a host name or address.
fn normal(host: &str) -> Result<Box<str>, HostFault> {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').ok_or(HostFault::NotAHost)?;
        let address: Ipv6Addr = address.parse().map_err(|_| HostFault::NotAHost)?;
        return Ok(format!("[{address}]").into());
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() {
        return Err(HostFault::Empty);
    }
    if host.len() > MAX {
        return Err(HostFault::TooLong);
    }
    let label = |l: &str| {
        !l.is_empty()
            && l.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if host.split('.').all(label) {
        Ok(host.to_ascii_lowercase().into())
    } else {
        Err(HostFault::NotAHost)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_have_one_spelling() {
        for (authority, host) in [
            ("API.Example.org", "api.example.org"),
            ("api.example.org:8443", "api.example.org"),
            ("api.example.org.", "api.example.org"),
            ("api.example.org.:443", "api.example.org"),
            ("api.example.org:", "api.example.org"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:DB8:0::1]:443", "[2001:db8::1]"),
            ("[::1]", "[::1]"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("my_host", "my_host"),
        ] {
            assert_eq!(
                Host::parse(authority).unwrap().as_str(),
                host,
                "{authority}"
            );
        }
        use HostFault::*;
        for (authority, fault) in [
            ("", Empty),
            (".", Empty),
            (":80", Empty),
            ("a..b", NotAHost),
            (".a", NotAHost),
            ("a b", NotAHost),
            ("user@host", NotAHost),
            ("a/b", NotAHost),
            ("bücher.example", NotAHost),
            ("[::1", NotAHost),
            ("[::1]x", NotAHost),
            ("[host]", NotAHost),
            ("a:http", BadPort),
            ("a:+80", BadPort),
            ("a:99999", BadPort),
            ("::1", BadPort),
            (&"a".repeat(254), TooLong),
        ] {
            assert_eq!(Host::parse(authority), Err(fault), "{authority}");
            assert!(fault.name().starts_with("host-"));
        }
    }

    #[test]
    fn patterns_match_names() {
        let p = |text: &str| text.parse::<HostPattern>().unwrap();
        let h = |text: &str| Host::parse(text).unwrap();
        assert!(p("API.example").matches(&h("api.EXAMPLE:80")));
        assert!(!p("api.example").matches(&h("x.api.example")));
        assert!(
            p("*.example").matches(&h("a.example")) && p("*.example").matches(&h("a.b.example"))
        );
        for host in ["example", "anexample", "example.org"] {
            assert!(!p("*.example").matches(&h(host)), "{host}");
        }
        assert_eq!(p("*.Example.").to_string(), "*.example");
        let ordered = ["*.example", "*.b.example", "a.b.example"].map(p);
        assert!(
            ordered
                .windows(2)
                .all(|w| w[0].cmp_specificity(&w[1]) == Ordering::Less)
        );
        for text in [
            "",
            "*",
            "*.",
            "a.*",
            "*a.example",
            "*.192.0.2.1",
            "*.[::1]",
            "a:80",
            "a/b",
        ] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gets_an_answer(text in "[a-zA-Z0-9.:*@\\[\\] é-]{0,20}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(host.as_str()), Ok(host));
            }
            if let Ok(pattern) = text.parse::<HostPattern>() {
                prop_assert_eq!(pattern.to_string().parse(), Ok(pattern));
            }
        }
    }
}

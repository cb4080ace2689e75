//! Where an upstream is: `http://127.0.0.1:9000`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{quoted, text_serde};

/// One server of an upstream, spoken to in plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    host: TargetHost,
    port: u16,
}

/// The host of a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TargetHost {
    /// An address.
    Ip(IpAddr),
    /// A name to be resolved, in lower case.
    Name(String),
}

impl Target {
    /// The host.
    #[must_use]
    pub fn host(&self) -> &TargetHost {
        &self.host
    }

    /// The address, when it is written as one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self.host {
            TargetHost::Ip(ip) => Some(ip),
            TargetHost::Name(_) => None,
        }
    }

    /// The port, 80 when none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host:port`, as a connector or the `Host` header wants it; IPv6 in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        match &self.host {
            TargetHost::Ip(IpAddr::V6(ip)) => format!("[{ip}]:{}", self.port),
            TargetHost::Ip(IpAddr::V4(ip)) => format!("{ip}:{}", self.port),
            TargetHost::Name(name) => format!("{name}:{}", self.port),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = |expected: &str| format!("found {}, expected {expected}", quoted(text));
        let whole = || found("a server such as http://127.0.0.1:9000");
        let (scheme, rest) = text.split_once("://").ok_or_else(whole)?;
        if scheme.eq_ignore_ascii_case("https") {
            return Err(found(
                "http://: this version does not speak TLS to upstreams",
            ));
        }
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(whole());
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(found("no path behind the server: requests keep their own"));
        }
        if authority.contains('@') {
            return Err(found("no user name or password"));
        }
        let (host, port) = split_port(authority).ok_or_else(whole)?;
        Ok(Self {
            host: host_of(host).ok_or_else(whole)?,
            port,
        })
    }
}

fn split_port(authority: &str) -> Option<(&str, u16)> {
    let inside_brackets = authority.ends_with(']');
    match authority.rsplit_once(':') {
        Some((host, port)) if !inside_brackets => {
            let plain = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            let port = plain.then(|| port.parse().ok()).flatten()?;
            (port != 0).then_some((host, port))
        }
        _ => Some((authority, 80)),
    }
}

fn host_of(host: &str) -> Option<TargetHost> {
    if let Some(inside) = host.strip_prefix('[') {
        let ip = inside.strip_suffix(']')?.parse().ok()?;
        return Some(TargetHost::Ip(IpAddr::V6(ip)));
    }
    if let Ok(ip) = host.parse() {
        return Some(TargetHost::Ip(IpAddr::V4(ip)));
    }
    is_name(host).then(|| TargetHost::Name(host.to_ascii_lowercase()))
}

/// Whether it is a host name (RFC 1123 section 2.1); underscores are let through, container
/// networks use them. A last label of digits only is a mistyped address, not a name.
fn is_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    name.len() <= 253 && name.split('.').all(label) && !last.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority())
    }
}

text_serde!(Target, "a server such as http://127.0.0.1:9000", numbers: false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_guides_write() {
        for (text, shown) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://127.0.0.1", "http://127.0.0.1:80"),
            ("HTTP://App.internal:8080/", "http://app.internal:8080"),
            ("http://[2001:db8::1]:9000", "http://[2001:db8::1]:9000"),
            ("http://[::1]", "http://[::1]:80"),
            ("http://my_app:9000", "http://my_app:9000"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), shown, "{text}");
        }
        assert_eq!(
            "http://[::1]".parse::<Target>().unwrap().ip(),
            Some(IpAddr::V6(1.into()))
        );
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (text, why) in [
            ("127.0.0.1:9000", "expected a server such as"),
            ("https://127.0.0.1:9000", "does not speak TLS"),
            ("ftp://127.0.0.1", "expected a server such as"),
            ("http://127.0.0.1:9000/app", "no path"),
            ("http://127.0.0.1?x", "no path"),
            ("http://a:b@127.0.0.1", "no user name"),
            ("http://127.0.0.1:0", "expected a server such as"),
            ("http://127.0.0.1:65536", "expected a server such as"),
            ("http://127.0.0.1:+80", "expected a server such as"),
            ("http://127.0.0.256:80", "expected a server such as"),
            ("http://::1:80", "expected a server such as"),
            ("http://[::1", "expected a server such as"),
            ("http://", "expected a server such as"),
            ("http://a..b", "expected a server such as"),
            ("http://-a", "expected a server such as"),
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

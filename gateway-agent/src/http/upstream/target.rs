//! One server of an upstream.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gateway_common::time::Nanos;
use http::Uri;

use crate::clock;

/// A target: a host and port to connect to, and when it failed last.
#[derive(Debug)]
pub struct Target {
    authority: Arc<str>,
    host: Box<str>,
    port: u16,
    /// The instant from which it may be asked again; 0 while it works.
    resting_until: AtomicU64,
}

/// A text that is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a URL with a host.
    #[error("a target is a URL such as http://127.0.0.1:9000")]
    NotUrl,
    /// Another scheme.
    #[error("a target's scheme is http; TLS to upstreams is not spoken by this version")]
    Scheme,
    /// A path, a query or user information.
    #[error("a target has a host and a port, nothing behind and nothing before")]
    Extra,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let uri: Uri = text.parse().map_err(|_| TargetError::NotUrl)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(_) => return Err(TargetError::Scheme),
            None => return Err(TargetError::NotUrl),
        }
        let authority = uri.authority().ok_or(TargetError::NotUrl)?;
        if uri.path() != "/" || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(TargetError::Extra);
        }
        let host = authority.host();
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str() == host => 80,
            None => return Err(TargetError::NotUrl),
        };
        if host.is_empty() || port == 0 {
            return Err(TargetError::NotUrl);
        }
        Ok(Self {
            authority: format!("{host}:{port}").into(),
            host: host.trim_start_matches('[').trim_end_matches(']').into(),
            port,
            resting_until: AtomicU64::new(0),
        })
    }
}

impl Target {
    /// Its `host:port`.
    #[must_use]
    pub fn authority(&self) -> &Arc<str> {
        &self.authority
    }

    /// Host, without brackets, and port.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Whether it did not fail of late.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let until = self.resting_until.load(Ordering::Relaxed);
        until == 0 || until <= clock::monotonic().0
    }

    /// Leaves it out for a while, because of `error`. Says so once, until it works again.
    pub(super) fn rest(&self, span: Duration, error: &str) {
        if self.resting_until.load(Ordering::Relaxed) == 0 {
            tracing::warn!(address = %self.authority, error, "an upstream target takes no connections");
        }
        let until = clock::monotonic().saturating_add(Nanos::from(span));
        self.resting_until.store(until.0, Ordering::Relaxed);
    }

    /// It works again.
    pub(super) fn recovered(&self) {
        if self.resting_until.load(Ordering::Relaxed) != 0 {
            self.resting_until.store(0, Ordering::Relaxed);
            tracing::info!(address = %self.authority, "an upstream target takes connections again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_with_host_and_port_are_targets() {
        for (text, authority, host, port) in [
            ("http://127.0.0.1:9000", "127.0.0.1:9000", "127.0.0.1", 9000),
            (
                "http://app.internal/",
                "app.internal:80",
                "app.internal",
                80,
            ),
            ("http://[::1]:9000", "[::1]:9000", "::1", 9000),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(&**target.authority(), authority);
            assert_eq!(target.address(), (host, port));
        }
    }

    #[test]
    fn the_rest_is_refused() {
        for (text, error) in [
            ("", TargetError::NotUrl),
            ("127.0.0.1:9000", TargetError::NotUrl),
            ("/x", TargetError::NotUrl),
            ("http://a:0", TargetError::NotUrl),
            ("http://a:99999", TargetError::NotUrl),
            ("https://a", TargetError::Scheme),
            ("unix://a", TargetError::Scheme),
            ("http://a/path", TargetError::Extra),
            ("http://a/?q", TargetError::Extra),
            ("http://u:p@a/", TargetError::Extra),
        ] {
            assert_eq!(text.parse::<Target>().unwrap_err(), error, "{text}");
        }
    }
}

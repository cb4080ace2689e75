//! Listeners and what a connection may take.

use std::num::NonZeroU32;

use gateway_policy::grammar::{Period, Size};
use serde::Deserialize;

use crate::config::tree::{At, OneOrMany};
use crate::config::values::{Bind, FileName, TlsVersion};

/// One address that requests are accepted at.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Listener {
    /// Address and port, such as `[::]:443` for all addresses of both families, `192.0.2.1:443`,
    /// or `:443` for short.
    pub(crate) bind: At<Bind>,
    /// Encryption. Without it `plaintext: true` must be said.
    pub(crate) tls: Option<At<Tls>>,
    /// `true` for a listener without encryption. Default: `false`.
    pub(crate) plaintext: Option<At<bool>>,
}

/// Encryption of one listener.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Tls {
    /// The certificates, chosen by the name that the client asks for; the first one is for
    /// clients that ask for none or for an unknown one.
    pub(crate) certificates: OneOrMany<Certificate>,
    /// The oldest version that is spoken: `"1.2"` or `"1.3"`. Default: `"1.2"`.
    pub(crate) min_version: Option<At<TlsVersion>>,
}

/// One certificate.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Certificate {
    /// The PEM file with the certificate, followed by its intermediates.
    pub(crate) cert: At<FileName>,
    /// The PEM file with its private key: PKCS#8, SEC1 or PKCS#1, not encrypted.
    pub(crate) key: At<FileName>,
}

/// Bounds on what one connection may take.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct HttpLimits {
    /// All headers of one request together, from `8KiB` to `1MiB`. Default: `64KiB`.
    pub(crate) header_size: Option<At<Size>>,
    /// How long a client may take for the TLS handshake, and again for the headers of a request.
    /// Default: `10s`.
    pub(crate) header_timeout: Option<At<Period>>,
    /// How long the body of a request, or of its answer, may stand still because of the client.
    /// Default: `30s`.
    pub(crate) body_timeout: Option<At<Period>>,
    /// How long a connection without a request is kept. Default: `60s`.
    pub(crate) idle_timeout: Option<At<Period>>,
    /// Connections at one time, over all listeners. Default: 10000.
    pub(crate) connections: Option<At<NonZeroU32>>,
    /// Connections of one client at one time, an IPv4 address or an IPv6 /64; trusted proxies may
    /// have more. Default: 256.
    pub(crate) connections_per_client: Option<At<NonZeroU32>>,
    /// Requests at one time on one HTTP/2 connection. Default: 128.
    pub(crate) concurrent_streams: Option<At<NonZeroU32>>,
}

//! Listeners and what a connection may take.

use std::num::NonZeroU32;

use gateway_policy::grammar::{Period, Size};

use super::{Context, FilePath, setting};
use crate::config::raw;
use crate::config::tree::At;
use crate::config::values::{Bind, TlsVersion};

/// One address that requests are accepted at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address.
    pub bind: Bind,
    /// Encryption; `None` where the operator said `plaintext: true`.
    pub tls: Option<TlsSettings>,
}

/// Encryption of one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The certificates, at least one; the first is for clients that name no known host.
    pub certificates: Vec<CertificateFiles>,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
}

/// The files of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and its intermediates.
    pub cert: FilePath,
    /// Its private key.
    pub key: FilePath,
}

pub(super) fn listeners(raw: Vec<At<raw::Listener>>, cx: &Context<'_>) -> Vec<Listener> {
    let mut listeners: Vec<Listener> = Vec::new();
    for raw in raw {
        let place = raw.place();
        let Some(raw) = raw.take() else {
            continue;
        };
        let bind_place = raw.bind.place();
        let Some(bind) = raw.bind.take() else {
            continue;
        };
        if let Some(other) = listeners.iter().find(|other| other.bind.collides(bind)) {
            let message = format!(
                "found {bind}, which the listener at {} takes already",
                other.bind
            );
            cx.report.fault(bind_place, message);
        }
        let plaintext = raw
            .plaintext
            .as_ref()
            .and_then(At::get)
            .copied()
            .unwrap_or(false);
        match (&raw.tls, plaintext) {
            (None, false) => cx.report.fault(
                place,
                "found a listener without tls, expected `tls`, or `plaintext: true` if that is meant",
            ),
            (Some(_), true) => {
                let place = raw.plaintext.as_ref().map_or(place, At::place);
                cx.report.fault(place, "found `plaintext: true` beside tls, expected one of them");
            }
            (None, true) | (Some(_), false) => {}
        }
        let tls = raw.tls.and_then(|tls| check_tls(tls, cx));
        listeners.push(Listener { bind, tls });
    }
    listeners
}

fn check_tls(raw: At<raw::Tls>, cx: &Context<'_>) -> Option<TlsSettings> {
    let place = raw.place();
    let raw = raw.take()?;
    if raw.certificates.0.is_empty() {
        cx.report.fault(
            place,
            "found no certificate, expected at least one in `certificates`",
        );
    }
    let files = |raw: &raw::Certificate| {
        let (cert, key) = (cx.file(&raw.cert), cx.file(&raw.key));
        Some(CertificateFiles {
            cert: cert?,
            key: key?,
        })
    };
    Some(TlsSettings {
        certificates: raw
            .certificates
            .0
            .iter()
            .filter_map(|c| files(c.get()?))
            .collect(),
        min_version: setting(raw.min_version, TlsVersion::default()),
    })
}

/// Bounds on what a connection may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// All headers of one request together; 8 KiB to 1 MiB.
    pub header_size: Size,
    /// Time for the TLS handshake, and again for the headers of a request.
    pub header_timeout: Period,
    /// How long a body may stand still because of the client.
    pub body_timeout: Period,
    /// How long a connection without a request is kept.
    pub idle_timeout: Period,
    /// Connections at one time, over all listeners.
    pub connections: NonZeroU32,
    /// Connections of one client at one time.
    pub connections_per_client: NonZeroU32,
    /// Requests at one time on one HTTP/2 connection.
    pub concurrent_streams: NonZeroU32,
}

/// A timeout shorter than this cuts off clients that do nothing wrong.
const LEAST_TIMEOUT: Period = Period::from_millis(100);
const MOST_TIMEOUT: Period = Period::from_secs(24 * 3600);

impl HttpLimits {
    pub(super) fn check(raw: raw::HttpLimits, cx: &Context<'_>) -> Self {
        let timeout =
            |raw, secs| cx.period(raw, Period::from_secs(secs), (LEAST_TIMEOUT, MOST_TIMEOUT));
        let per_client = raw.connections_per_client.as_ref().map(At::place);
        let limits = Self {
            header_size: cx.size(raw.header_size, Size::kib(64), (Size::kib(8), Size::mib(1))),
            header_timeout: timeout(raw.header_timeout, 10),
            body_timeout: timeout(raw.body_timeout, 30),
            idle_timeout: timeout(raw.idle_timeout, 60),
            connections: setting(raw.connections, count::<10_000>()),
            connections_per_client: setting(raw.connections_per_client, count::<256>()),
            concurrent_streams: setting(raw.concurrent_streams, count::<128>()),
        };
        if let Some(place) = per_client
            && limits.connections_per_client > limits.connections
        {
            let message = format!(
                "one client may have {} connections, all of them together {}",
                limits.connections_per_client, limits.connections
            );
            cx.report.warning(place, message);
        }
        limits
    }
}

const fn count<const N: u32>() -> NonZeroU32 {
    const { assert!(N > 0, "a count of something") };
    match NonZeroU32::new(N) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

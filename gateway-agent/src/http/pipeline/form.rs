//! The second stage: requests that two parsers could read in two ways are refused, whatever
//! either of them would make of it.

use gateway_policy::access::{Host, NormalPath};
use http::Method;
use http::header::{self, HeaderValue};
use http::request::Parts;

use super::Visit;
use super::limit::Held;
use crate::http::head::RawHead;
use crate::http::headers::single;
use crate::http::refusal::{Malformation, Refusal};
use crate::http::stage::Stage;

/// A request that can be read in one way only.
#[derive(Debug)]
pub(super) struct Formed {
    pub head: Parts,
    /// The host without port, in its one spelling.
    pub host: Host,
    /// The host as the client sent it.
    pub authority: HeaderValue,
    /// The path, decoded, in its one spelling.
    pub path: NormalPath,
}

/// A request that is refused for its form.
#[derive(Debug)]
pub(super) struct Unformed {
    pub head: Parts,
    pub refusal: Refusal,
}

/// Checks the form, beginning with what was seen on the wire.
///
/// # Errors
/// The first thing that could be read in two ways, or that this gateway does not do.
pub(super) fn check(visit: &Visit<'_>, request: Held) -> Result<Formed, Box<Unformed>> {
    let head = request.into_inner();
    let seen = visit.raw.as_ref().and_then(RawHead::refusal);
    let judged = seen.map_or(Ok(()), |refusal| Err(refusal.clone()));
    let judged = judged.and_then(|()| {
        let fail = visit.settings.fail;
        let judged = fail.guard(Stage::Form, || judge(&head))?;
        judged.ok_or(Refusal::StageFailed(Stage::Form))
    });
    match judged {
        Ok((host, authority, path)) => Ok(Formed {
            head,
            host,
            authority,
            path,
        }),
        Err(refusal) => Err(Box::new(Unformed { head, refusal })),
    }
}

fn judge(head: &Parts) -> Result<(Host, HeaderValue, NormalPath), Refusal> {
    framing(head).map_err(Refusal::Malformed)?;
    // Rules would go by one of them, and the upstream perhaps by the other.
    single(&head.headers, &header::CONTENT_TYPE)
        .map_err(|_| Refusal::Malformed(Malformation::TypeRepeated))?;
    if head.method == Method::TRACE {
        return Err(Refusal::MethodRefused);
    }
    if head.method == Method::CONNECT {
        // RFC 9110, section 9.3.6: without a port it is no request for a tunnel at all.
        if head.uri.port().is_none() {
            return Err(Refusal::Malformed(Malformation::Target));
        }
        return Err(Refusal::MethodUnsupported);
    }
    if wants_tunnel(head) {
        return Err(Refusal::UpgradeUnsupported);
    }
    let authority = authority(head).map_err(Refusal::Malformed)?;
    let host = authority
        .to_str()
        .map_err(|_| Malformation::Host(gateway_policy::access::HostFault::NotAHost))
        .and_then(|text| Host::parse(text).map_err(Malformation::Host))
        .map_err(Refusal::Malformed)?;
    let path = NormalPath::parse(head.uri.path())
        .map_err(|fault| Refusal::Malformed(Malformation::Path(fault)))?;
    Ok((host, authority, path))
}

/// The framing fields, as far as the parser leaves them. What it merges was seen on the wire.
fn framing(head: &Parts) -> Result<(), Malformation> {
    let length = single(&head.headers, &header::CONTENT_LENGTH)
        .map_err(|_| Malformation::AmbiguousLength)?;
    let coding = single(&head.headers, &header::TRANSFER_ENCODING)
        .map_err(|_| Malformation::AmbiguousLength)?;
    match (length, coding) {
        (Some(_), Some(_)) => Err(Malformation::AmbiguousLength),
        (_, Some(coding)) if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Err(Malformation::TransferCoding)
        }
        _ => Ok(()),
    }
}

/// Whether the client asks for a protocol that it cannot do without. `h2c` and `TLS/…` are
/// offers, which a server may leave alone (RFC 9110 section 7.8).
fn wants_tunnel(head: &Parts) -> bool {
    head.headers
        .get_all(header::UPGRADE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|protocol| {
            let name = protocol
                .split(|byte| *byte == b'/')
                .next()
                .unwrap_or_default();
            !["h2c", "h2", "http", "tls"]
                .iter()
                .any(|offer| name.eq_ignore_ascii_case(offer.as_bytes()))
        })
}

/// The one host that the request names (RFC 9112 section 3.2, RFC 9113 section 8.3.1).
fn authority(head: &Parts) -> Result<HeaderValue, Malformation> {
    let host = single(&head.headers, &header::HOST).map_err(|_| Malformation::HostRepeated)?;
    let target = head.uri.authority();
    match (host, target) {
        (Some(host), None) => Ok(host.clone()),
        (Some(host), Some(target))
            if host
                .as_bytes()
                .eq_ignore_ascii_case(target.as_str().as_bytes()) =>
        {
            Ok(host.clone())
        }
        (Some(_), Some(_)) => Err(Malformation::HostMismatch),
        // HTTP/2 has no Host; HTTP/1.1 must have one, also beside an absolute target.
        (None, Some(target)) if head.version == http::Version::HTTP_2 => {
            HeaderValue::from_str(target.as_str()).map_err(|_| Malformation::HostMissing)
        }
        (None, _) => Err(Malformation::HostMissing),
    }
}

#[cfg(test)]
mod tests;

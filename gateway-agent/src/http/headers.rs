//! Headers that end at the gateway: hop-by-hop fields, and names an outsider may not choose.

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};

/// Fields that belong to one connection (RFC 9110 section 7.6.1), and those that frame the
/// message or speak to a proxy, which is written anew on each side.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
    header::PROXY_AUTHENTICATE,
];

/// Fields in which a proxy tells the next who asked, written with hyphens. Also in front of a
/// trusted proxy's word they are set anew, so none of them reaches an upstream as it came.
const FORWARDING: [&str; 14] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-scheme",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "x-original-forwarded-for",
];

/// Removes the fields of one connection, also those that `Connection` names.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
            // A client may not talk the gateway out of what it adds or what frames the message.
            .filter(|name| *name != header::HOST && *name != header::CONTENT_LENGTH)
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes what only the gateway may say to an upstream: the forwarding fields and `reserved`,
/// also under names with underscores, which many servers read as hyphens.
pub(super) fn remove_reserved(headers: &mut HeaderMap, reserved: &[HeaderName]) {
    let is_reserved = |name: &str| {
        FORWARDING.contains(&name) || reserved.iter().any(|other| other.as_str() == name)
    };
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            let name = name.as_str();
            if name.contains('_') {
                is_reserved(&name.replace('_', "-"))
            } else {
                is_reserved(name)
            }
        })
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

/// The value, when it is given exactly once.
///
/// # Errors
/// When the field is given several times.
pub(super) fn single<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h HeaderValue>, Repeated> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Repeated),
    }
}

/// A field was given several times that may stand once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeated;

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn hop_by_hop_fields_and_those_that_connection_names_go() {
        let mut map = headers(&[
            ("connection", "close, X-Secret-Hop"),
            ("x-secret-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("accept", "*/*"),
        ]);
        remove_hop_by_hop(&mut map);
        assert_eq!(names(&map), ["accept"]);
    }

    #[test]
    fn connection_cannot_remove_host_or_length() {
        let mut map = headers(&[
            ("connection", "host, content-length, ,x y"),
            ("host", "a"),
            ("content-length", "1"),
        ]);
        remove_hop_by_hop(&mut map);
        assert_eq!(names(&map), ["content-length", "host"]);
    }

    #[test]
    fn reserved_names_go_also_with_underscores() {
        let mut map = headers(&[
            ("X-Forwarded-For", "6.6.6.6"),
            ("X_Forwarded_For", "6.6.6.6"),
            ("x-forwarded_for", "6.6.6.6"),
            ("Forwarded", "for=6.6.6.6"),
            ("X-User", "root"),
            ("X_User", "root"),
            ("x_other", "kept"),
        ]);
        remove_reserved(&mut map, &[HeaderName::from_static("x-user")]);
        assert_eq!(names(&map), ["x_other"]);
    }
}

use gateway_policy::access::{HostFault, PathFault};
use http::{Request, Version};

use super::*;

fn head(target: &str, version: Version, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().uri(target).version(version);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn fault(target: &str, version: Version, fields: &[(&str, &str)]) -> Option<Malformation> {
    match judge(&head(target, version, fields)) {
        Err(Refusal::Malformed(fault)) => Some(fault),
        Ok(_) => None,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_host_is_named_once_and_the_same() {
    use Malformation::{Host, HostMismatch, HostMissing, HostRepeated};

    let (one, two) = (Version::HTTP_11, Version::HTTP_2);
    for (target, version, fields, expected) in [
        ("/", one, &[("host", "a.example:8443")][..], None),
        ("/", one, &[], Some(HostMissing)),
        ("/", Version::HTTP_10, &[], Some(HostMissing)),
        (
            "/",
            one,
            &[("host", "a"), ("host", "a")],
            Some(HostRepeated),
        ),
        ("/", one, &[("host", "")], Some(Host(HostFault::Empty))),
        (
            "/",
            one,
            &[("host", "u@a")],
            Some(Host(HostFault::NotAHost)),
        ),
        (
            "/",
            one,
            &[("host", "a b")],
            Some(Host(HostFault::NotAHost)),
        ),
        ("/", one, &[("host", "a:x")], Some(Host(HostFault::BadPort))),
        ("/", one, &[("host", "ä")], Some(Host(HostFault::NotAHost))),
        ("http://a/", one, &[("host", "A")], None),
        ("http://a/", one, &[("host", "b")], Some(HostMismatch)),
        ("http://a/", one, &[], Some(HostMissing)),
        ("https://a/", two, &[], None),
        ("https://a/", two, &[("host", "a")], None),
        ("https://a/", two, &[("host", "b")], Some(HostMismatch)),
        ("https://a/", two, &[("host", "a:443")], Some(HostMismatch)),
        ("/", two, &[], Some(HostMissing)),
    ] {
        assert_eq!(
            fault(target, version, fields),
            expected,
            "{target} {fields:?}"
        );
    }
}

#[test]
fn ambiguous_lengths_are_refused() {
    for (fields, expected) in [
        (&[("content-length", "1")][..], None),
        (&[("transfer-encoding", "chunked")], None),
        (
            &[("content-length", "1"), ("transfer-encoding", "chunked")],
            Some(Malformation::AmbiguousLength),
        ),
        (
            &[("content-length", "1"), ("content-length", "1")],
            Some(Malformation::AmbiguousLength),
        ),
        (
            &[("transfer-encoding", "gzip, chunked")],
            Some(Malformation::TransferCoding),
        ),
    ] {
        let mut all = vec![("host", "a")];
        all.extend_from_slice(fields);
        assert_eq!(fault("/", Version::HTTP_11, &all), expected, "{fields:?}");
    }
}

#[test]
fn paths_with_two_readings_are_refused() {
    for (target, expected) in [
        ("/a/../b", PathFault::DotSegment),
        ("/a%2fb", PathFault::EncodedSlash),
        ("/a//b", PathFault::EmptySegment),
        ("/a%00", PathFault::Control),
    ] {
        let found = fault(target, Version::HTTP_11, &[("host", "a")]);
        assert_eq!(found, Some(Malformation::Path(expected)), "{target}");
    }
}

#[test]
fn methods_and_upgrades_that_are_not_done_here() {
    let mut trace = head("/", Version::HTTP_11, &[("host", "a")]);
    trace.method = Method::TRACE;
    assert_eq!(judge(&trace).unwrap_err(), Refusal::MethodRefused);
    let mut connect = head("a:443", Version::HTTP_11, &[("host", "a:443")]);
    connect.method = Method::CONNECT;
    assert_eq!(judge(&connect).unwrap_err(), Refusal::MethodUnsupported);
    connect.uri = "a".parse().unwrap();
    let without_port = Refusal::Malformed(Malformation::Target);
    assert_eq!(judge(&connect).unwrap_err(), without_port);
    for (protocols, refused) in [
        ("websocket", true),
        ("h2c, WebSocket", true),
        ("foo/1", true),
        ("h2c", false),
        ("TLS/1.0, HTTP/2.0", false),
    ] {
        let request = head(
            "/",
            Version::HTTP_11,
            &[("host", "a"), ("upgrade", protocols)],
        );
        let judged = judge(&request).err();
        assert_eq!(
            judged,
            refused.then_some(Refusal::UpgradeUnsupported),
            "{protocols}"
        );
    }
}

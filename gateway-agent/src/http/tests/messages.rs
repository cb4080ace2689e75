//! What is changed in messages, and what is no message at all.

use super::client::Reply;
use super::world::World;
use crate::http::{Malformation, Refusal, TrustedProxies};

#[test]
fn answers_carry_the_request_id_and_hsts_and_no_hop_by_hop_fields() {
    let world = World::start(|_| ());
    let reply = world.get("/open/x");
    assert_eq!(reply.status, 200);
    let id = reply.header("x-request-id");
    assert_eq!(id.len(), 32);
    assert_eq!(reply.upstream_header("x-request-id"), [id]);
    assert_eq!(
        reply.header("strict-transport-security"),
        "max-age=3600; includeSubDomains"
    );
    for gone in ["server", "x-hop", "keep-alive"] {
        assert!(!reply.headers.contains_key(gone), "{gone}");
    }
    let plain = world
        .raw()
        .send(b"GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n")
        .reply();
    assert!(
        !plain.headers.contains_key("strict-transport-security"),
        "TLS only"
    );
    // Refusals have both too.
    let refused = world.get("/nowhere");
    assert_eq!(refused.json()["request_id"], refused.header("x-request-id"));
    assert!(refused.headers.contains_key("strict-transport-security"));
}

#[test]
fn an_untrusted_peer_cannot_say_who_it_is() {
    let world = World::start(|_| ());
    let reply = world.get_with(
        "/open/x",
        &[
            ("x-forwarded-for", "6.6.6.6"),
            ("x_forwarded_for", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
            ("x-forwarded-proto", "gopher"),
            ("x-forwarded-host", "evil.example"),
            ("x-real-ip", "6.6.6.6"),
            ("true-client-ip", "6.6.6.6"),
            ("x-request-id", "0123456789abcdef0123456789abcdef"),
            ("connection", "x-request-id, x-custom"),
            ("x-custom", "1"),
        ],
    );
    for (name, expected) in [
        ("x-forwarded-for", "127.0.0.1"),
        (
            "forwarded",
            "for=127.0.0.1;host=\"gateway.example\";proto=https",
        ),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "gateway.example"),
        ("x-real-ip", "127.0.0.1"),
        ("via", "1.1 gateway"),
        ("host", "gateway.example"),
    ] {
        assert_eq!(reply.upstream_header(name), [expected], "{name}");
    }
    for gone in [
        "x_forwarded_for",
        "true-client-ip",
        "x-custom",
        "connection",
    ] {
        assert_eq!(reply.upstream_header(gone), [""; 0], "{gone}");
    }
    assert_ne!(
        reply.header("x-request-id"),
        "0123456789abcdef0123456789abcdef"
    );
    assert_eq!(world.seen.outcome(0).client.to_string(), "127.0.0.1");
}

#[test]
fn a_trusted_proxy_names_the_client() {
    let world = World::start(|setup| {
        setup.settings.proxies = TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()]);
    });
    let reply = world.get_with(
        "/open/x",
        &[
            ("x-forwarded-for", "6.6.6.6, 2001:db8::7, 127.9.9.9"),
            ("x-forwarded-proto", "http"),
            ("x-request-id", "01234567-89ab-cdef-0123-456789abcdef"),
        ],
    );
    assert_eq!(
        reply.upstream_header("x-forwarded-for"),
        ["2001:db8::7, 127.9.9.9, 127.0.0.1"]
    );
    assert_eq!(reply.upstream_header("x-real-ip"), ["2001:db8::7"]);
    assert_eq!(reply.upstream_header("x-forwarded-proto"), ["http"]);
    assert_eq!(
        reply.upstream_header("forwarded"),
        ["for=\"[2001:db8::7]\";host=\"gateway.example\";proto=http, for=127.9.9.9, for=127.0.0.1"]
    );
    assert_eq!(
        reply.header("x-request-id"),
        "0123456789abcdef0123456789abcdef"
    );
    let outcome = world.seen.outcome(0);
    assert_eq!(outcome.client.to_string(), "2001:db8::7");
    assert_eq!(outcome.peer.to_string(), "127.0.0.1");
}

#[test]
fn trace_context_goes_on_or_is_begun() {
    let world = World::start(|_| ());
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let reply = world.get_with("/open/x", &[("traceparent", parent), ("tracestate", "a=1")]);
    assert_eq!(reply.upstream_header("traceparent"), [parent]);
    assert_eq!(reply.upstream_header("tracestate"), ["a=1"]);
    let reply = world.get_with("/open/x", &[("traceparent", "junk"), ("tracestate", "a=1")]);
    let made = &reply.upstream_header("traceparent")[0];
    assert!(made.contains(reply.header("x-request-id")), "{made}");
    assert_eq!(reply.upstream_header("tracestate"), [""; 0]);
}

#[test]
fn http2_cookies_and_authority_become_http1() {
    let world = World::start(|_| ());
    let reply = world.ask_h2("GET", "/open/x", &[("cookie", "a=1"), ("cookie", "b=2")]);
    assert_eq!(reply.upstream_header("cookie"), ["a=1; b=2"]);
    assert_eq!(reply.upstream_header("host"), ["gateway.example"]);
    assert_eq!(reply.upstream_header("via"), ["2 gateway"]);
    let reply = world.ask_h2("GET", "/open/x", &[("host", "evil.example")]);
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (400, &"host-mismatch".into())
    );
}

/// Sends bytes and expects a refusal, and that the upstream saw nothing.
fn refuses(world: &World, bytes: &str, status: u16, code: &str) -> Reply {
    let before = world.origin.counts.requests();
    let reply = world.raw().send(bytes.as_bytes()).reply();
    assert_eq!(reply.status, status, "{bytes}");
    if !code.is_empty() {
        assert_eq!(reply.json()["code"], code, "{bytes}");
    }
    assert_eq!(
        world.origin.counts.requests(),
        before,
        "{bytes} reached the upstream"
    );
    reply
}

#[test]
fn smuggling_is_refused() {
    let world = World::start(|_| ());
    let smuggled = "0\r\n\r\nGET /admin/x HTTP/1.1\r\nHost: a\r\n\r\n";
    for (fields, status, code) in [
        (
            "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            400,
            "length-ambiguous",
        ),
        (
            "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
            400,
            "length-ambiguous",
        ),
        (
            "Host: a\r\nContent-Length: 5\r\nContent-Length: 5",
            400,
            "length-ambiguous",
        ),
        (
            "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            400,
            "length-ambiguous",
        ),
        (
            "Host: a\r\nTransfer-Encoding: gzip, chunked",
            400,
            "transfer-coding-unknown",
        ),
        (
            "Host: a\r\nContent-Length: 5\r\nContent-Length: 6",
            400,
            "length-ambiguous",
        ),
        (
            "Host: a\r\nTransfer-Encoding : chunked",
            400,
            "field-name-malformed",
        ),
        ("Host: a\r\nX: y\r\n folded", 400, "field-folded"),
        ("Host: a\r\nX: y\0z", 400, "field-value-malformed"),
        ("Host: a\r\nHost: b", 400, "host-repeated"),
        ("Host: a b", 400, "host-malformed"),
        ("Host: u:p@a", 400, "host-bad-port"),
        ("X: y", 400, "host-missing"),
        (
            "Host: a\r\nConnection: upgrade\r\nUpgrade: websocket",
            501,
            "upgrade-unsupported",
        ),
    ] {
        let bytes = format!("POST /open/x HTTP/1.1\r\n{fields}\r\n\r\n{smuggled}");
        let reply = refuses(&world, &bytes, status, code);
        if code == "length-ambiguous" {
            assert_eq!(reply.header("connection"), "close");
        }
    }
    for (line, status, code) in [
        ("GET http://b/open/x HTTP/1.1", 400, "host-mismatch"),
        ("CONNECT a:443 HTTP/1.1", 501, "method-unsupported"),
        ("CONNECT a HTTP/1.1", 400, "target-malformed"),
        ("GET /open/\u{7f} HTTP/1.1", 400, "target-malformed"),
        ("GET /open/x HTTP/3.0", 400, "version-unsupported"),
        ("OPTIONS * HTTP/1.1", 400, "path-not-absolute"),
    ] {
        refuses(&world, &format!("{line}\r\nHost: a\r\n\r\n"), status, code);
    }
}

#[test]
fn a_second_request_on_a_connection_is_watched_as_well() {
    let world = World::start(|_| ());
    let mut raw = world.raw();
    let first = "POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    let second = "POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
                  Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    // Both at once, as a pipelining client does.
    raw.send(format!("{first}{second}{first}").as_bytes());
    assert_eq!(raw.reply().json()["body"], "hi");
    let reply = raw.reply();
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (400, &"length-ambiguous".into())
    );
    assert_eq!(raw.rest(), b"", "the connection ends there");
    assert_eq!(world.origin.counts.requests(), 1);
}

#[test]
fn what_does_not_parse_is_told_to_the_observers() {
    let world = World::start(|_| ());
    let reply = refuses(
        &world,
        "\x16\x03\x01 nonsense\r\n\r\n",
        400,
        "method-malformed",
    );
    assert_eq!(reply.json()["request_id"], reply.header("x-request-id"));
    let outcome = world.seen.outcome(0);
    assert_eq!(
        outcome.refusal,
        Some(Refusal::Malformed(Malformation::Method))
    );
    assert_eq!((outcome.status.as_u16(), outcome.method), (400, None));
}

#[test]
fn oversized_headers_get_431() {
    let world = World::start(|_| ());
    let long = format!(
        "GET /open/x HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "y".repeat(100_000)
    );
    let reply = refuses(&world, &long, 431, "headers-too-large");
    assert_eq!(reply.header("connection"), "close");
    let many = format!(
        "GET /open/x HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "X: y\r\n".repeat(200)
    );
    refuses(&world, &many, 431, "");
    assert_eq!(
        world.seen.outcome(0).refusal,
        Some(Refusal::HeadersTooLarge)
    );

    let long = "y".repeat(20_000);
    let reply = world.ask_h2("GET", "/open/x", &[("x", &long)]);
    assert_eq!(reply.status, 431);
    assert_eq!(world.origin.counts.requests(), 0);
}

#[test]
fn head_has_no_body_and_keeps_the_length() {
    let world = World::start(|_| ());
    let mut raw = world.raw();
    raw.send(b"HEAD /open/x HTTP/1.1\r\nHost: a\r\n\r\nGET /open/y HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(raw.bytes(1));
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.contains("content-length: "), "{head}");
    assert!(!head.contains("content-length: 0"), "{head}");
    assert_eq!(raw.reply().json()["target"], "/open/y");
    assert_eq!(world.seen.outcome(0).ending, crate::http::Ending::Complete);
}

#[test]
fn a_request_without_a_body_has_none_at_the_upstream() {
    let world = World::start(|_| ());
    let reply = world.get("/open/x");
    assert_eq!(reply.upstream_header("transfer-encoding"), [""; 0]);
    assert_eq!(reply.upstream_header("content-length"), [""; 0]);
    assert_eq!(world.get("/empty").status, 204);
}

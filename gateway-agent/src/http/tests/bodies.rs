//! Request bodies: their size, their time, and how they reach the upstream.

use std::time::Instant;

use super::world::{SHORT, SOON, World};
use crate::http::Refusal;

const EXPECT: &str = "POST /open/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";

#[test]
fn bodies_are_streamed_whatever_their_framing() {
    let world = World::start(|_| ());
    let reply = world.ask(World::request("POST", "/open/x"), "hello");
    assert_eq!(reply.json()["body"], "hello");
    assert_eq!(reply.upstream_header("content-length"), ["5"]);
    let mut raw = world.raw();
    raw.send(
        b"POST /open/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n\
          3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nx-t: 1\r\n\r\n",
    );
    let reply = raw.reply();
    assert_eq!(reply.json()["body"], "hello");
    assert_eq!(reply.upstream_header("transfer-encoding"), ["chunked"]);
    assert_eq!(reply.upstream_header("x-t"), [""; 0]);
    assert_eq!(world.seen.outcome(1).received, 5);
}

#[test]
fn a_body_that_is_announced_too_large_is_refused_unread() {
    let world = World::start(|_| ());
    let reply = world
        .raw()
        .send(format!("{EXPECT}Content-Length: 99999999\r\n\r\n").as_bytes())
        .reply();
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (413, &"body-too-large".into())
    );
    assert_eq!(world.origin.counts.requests(), 0);
}

#[test]
fn a_body_that_grows_too_large_is_cut_off_and_the_answer_arrives() {
    let world = World::start(|_| ());
    let mut raw = world.raw();
    raw.send(b"POST /open/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"10000\r\n", &[b'x'; 0x10000][..], b"\r\n"].concat();
    for _ in 0..20 {
        raw.send(&chunk);
    }
    assert_eq!(raw.reply().status, 413);
}

#[test]
fn expect_continue_is_answered_when_the_body_is_wanted() {
    let world = World::start(|_| ());
    let mut raw = world.raw();
    raw.send(format!("{EXPECT}Content-Length: 2\r\n\r\n").as_bytes());
    let line = "HTTP/1.1 100 Continue\r\n\r\n";
    assert_eq!(raw.bytes(line.len()), line.as_bytes());
    raw.send(b"hi");
    let reply = raw.reply();
    assert_eq!(reply.json()["body"], "hi");
    assert_eq!(reply.upstream_header("expect"), [""; 0]);

    let mut raw = world.raw();
    raw.send(EXPECT.replace("/open/x", "/token/x").as_bytes())
        .send(b"Content-Length: 2\r\n\r\n");
    assert_eq!(
        raw.reply().status,
        401,
        "refused without asking for the body"
    );
}

#[test]
fn a_body_that_stalls_is_given_up_in_time() {
    let world = World::start(|setup| setup.settings.bodies.piece = SHORT);
    let begun = Instant::now();
    let mut raw = world.raw();
    raw.send(b"POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    let reply = raw.reply();
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (408, &"body-timeout".into())
    );
    assert!(begun.elapsed() < SOON);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_body_is_noted() {
    let world = World::start(|_| ());
    let mut raw = world.raw();
    raw.send(b"POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    drop(raw);
    let outcome = world.seen.outcome(0);
    assert!(
        matches!(
            outcome.refusal,
            Some(Refusal::ClientGone | Refusal::BodyBroken)
        ),
        "{outcome:?}"
    );
}

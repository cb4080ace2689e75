//! The end of the server, and reloads before it.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::until;
use super::world::{LONG, SHORT, SOON, World, settings};
use crate::http::{ConnectionEnd, Listen, Server, Transport};

#[test]
fn a_drain_lets_requests_end_and_closes_idle_connections() {
    let mut world = World::start(|setup| setup.upstream_times(|times| times.response = SHORT));
    let mut idle = world.raw();
    assert_eq!(
        idle.send(b"GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n")
            .reply()
            .status,
        200
    );
    let mut busy = world.raw();
    busy.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    until("it is under way", || world.gate.load().requests() == 1);
    let begun = Instant::now();
    // The slow upstream is given up after 300 ms.
    let drained = world.shutdown(LONG);
    assert_eq!(drained.cut, 0);
    assert!(begun.elapsed() < SOON);
    assert_eq!(busy.reply().status, 504);
    assert_eq!(busy.rest(), b"");
    assert_eq!(idle.rest(), b"");
    assert!(
        TcpStream::connect(world.plain).is_err(),
        "nobody listens any more"
    );
}

#[test]
fn at_the_deadline_the_rest_is_cut_off() {
    let mut world = World::start(|_| ());
    let mut busy = world.raw();
    busy.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    until("it is under way", || world.gate.load().requests() == 1);
    let begun = Instant::now();
    assert_eq!(world.shutdown(Duration::ZERO).cut, 1);
    assert!(begun.elapsed() < SOON);
    assert_eq!(world.gate.load().ended(ConnectionEnd::Cut), 1);
    assert_eq!(busy.rest(), b"");
}

#[test]
fn a_second_gateway_does_not_share_the_port() {
    let world = World::start(|_| ());
    let listens = [Listen {
        bind: world.plain,
        transport: Transport::Plain,
    }];
    let error = Server::start(&listens, Default::default(), 1, world.gate.clone()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot listen on {}: ", world.plain))
    );
}

#[test]
fn a_reload_changes_the_next_request_and_not_the_one_under_way() {
    let world = World::start(|setup| setup.upstream_times(|times| times.response = SHORT));
    let mut busy = world.raw();
    busy.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    until("it is under way", || world.gate.load().requests() == 1);
    let mut next = settings(world.origin.addr, None);
    next.identity.realm = "other".into();
    world.gate.replace(next);
    let reply = world.get("/token/x");
    assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"other\"");
    assert_eq!(busy.reply().status, 504, "in the old settings' time");
}

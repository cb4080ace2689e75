//! Upstreams that are slow, broken, gone or several.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gateway_policy::access::{Requirement, RouteTable};

use super::origin::Origin;
use super::until;
use super::world::{World, route, upstream};
use crate::http::{Ending, Refusal, UpstreamFault};

/// An address that nobody listens on.
fn dead() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn world_with(targets: &[std::net::SocketAddr], origin: Origin) -> World {
    World::start_at(origin, |setup| {
        let app = upstream("app", targets);
        let routes = vec![route("/**", Requirement::None, &app)];
        setup.settings.routes = RouteTable::new(routes, &setup.settings.roles).unwrap();
    })
}

fn fails(world: &World, path: &str, status: u16, fault: UpstreamFault) {
    let begun = Instant::now();
    let n = world.seen.outcomes().len();
    let reply = world.get(path);
    assert_eq!(reply.status, status, "{path}");
    assert_eq!(reply.json()["code"], fault.name());
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        world.seen.outcome(n).refusal,
        Some(Refusal::Upstream(fault))
    );
}

#[test]
fn each_failure_has_its_status_in_bounded_time() {
    let world = World::start(|_| ());
    fails(&world, "/slow", 504, UpstreamFault::Timeout);
    fails(&world, "/reset", 502, UpstreamFault::Reset);
    until("the given up request is cancelled", || {
        world.origin.counts.cancelled.load(Ordering::SeqCst) == 1
    });

    let world = world_with(&[dead()], Origin::start());
    fails(&world, "/", 502, UpstreamFault::Unreachable);
    let world = world_with(&[], Origin::start());
    fails(&world, "/", 502, UpstreamFault::NoTarget);
}

#[test]
fn a_target_that_takes_no_connection_costs_504() {
    // A full backlog: the kernel answers nothing more.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(
            &"127.0.0.1:0"
                .parse::<std::net::SocketAddr>()
                .unwrap()
                .into(),
        )
        .unwrap();
    socket.listen(0).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    let mut full = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&addr, Duration::from_millis(200)) {
        full.push(stream);
        assert!(full.len() < 100);
    }
    let world = world_with(&[addr], Origin::start());
    fails(&world, "/", 504, UpstreamFault::ConnectTimeout);
}

#[test]
fn another_target_takes_over() {
    let origin = Origin::start();
    let world = world_with(&[dead(), origin.addr], origin);
    for _ in 0..4 {
        assert_eq!(world.get("/").status, 200);
    }
    let attempts: Vec<u32> = (0..4)
        .map(|n| world.seen.outcome(n).upstream.unwrap().attempts)
        .collect();
    assert_eq!(
        attempts,
        [2, 1, 1, 1],
        "the dead one rests after the first try"
    );
}

#[test]
fn what_is_no_http_is_502() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
            let _ = stream.read(&mut [0; 4096]);
        }
    });
    let world = world_with(&[addr], Origin::start());
    fails(&world, "/", 502, UpstreamFault::BadResponse);
}

#[test]
fn an_answer_that_breaks_off_is_never_passed_for_whole() {
    let world = World::start(|_| ());
    for (n, path) in ["/cut", "/stuck"].into_iter().enumerate() {
        let mut raw = world.raw();
        raw.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let all = String::from_utf8(raw.rest()).unwrap();
        assert!(
            all.contains("content-length: 10\r\n") && all.ends_with("begun"),
            "{all}"
        );
        assert_eq!(world.seen.outcome(n).ending, Ending::UpstreamBroke);
    }
}

#[test]
fn connections_to_the_upstream_are_used_again() {
    let world = World::start(|_| ());
    let mut raw = world.raw();
    for _ in 0..20 {
        raw.send(b"GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(raw.reply().status, 200);
    }
    assert_eq!(world.origin.counts.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn an_idle_connection_that_the_upstream_closed_is_no_error() {
    let origin = Origin::start();
    let addr = origin.addr;
    let world = World::start_at(origin, |_| ());
    let mut raw = world.raw();
    raw.send(b"GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(raw.reply().status, 200);
    // The same request to the same worker, after the upstream was restarted.
    let World { .. } = &world;
    let _ = addr;
    raw.send(b"GET /reset HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        raw.reply().status,
        502,
        "a connection that breaks each time is an error"
    );
    raw.send(b"GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(raw.reply().status, 200);
}

#[test]
fn a_client_that_leaves_cancels_the_upstream_on_both_protocols() {
    let world = World::start(|_| ());
    let mut raw = world.raw();
    raw.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    until("it is under way", || world.origin.counts.requests() == 1);
    drop(raw);
    let outcome = world.seen.outcome(0);
    assert_eq!(
        (outcome.refusal, outcome.status.as_u16()),
        (Some(Refusal::ClientGone), 499)
    );
    until("it is cancelled", || {
        world.origin.counts.cancelled.load(Ordering::SeqCst) == 1
    });
    assert_eq!(world.gate.load().requests(), 0);
}

#[test]
fn large_answers_arrive_whole() {
    let world = World::start(|_| ());
    assert_eq!(world.get("/big").body.len(), 8 << 20);
    assert_eq!(world.ask_h2("GET", "/big", &[]).body.len(), 8 << 20);
    let outcome = world.seen.outcome(1);
    assert_eq!((outcome.sent, outcome.ending), (8 << 20, Ending::Complete));
}

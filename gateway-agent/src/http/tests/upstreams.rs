//! Upstreams that are slow, broken, gone or several.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway_policy::access::{Requirement, RouteTable};
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::TokioExecutor;

use super::client::{connect_tls, runtime};
use super::origin::Origin;
use super::until;
use super::world::{SHORT, SOON, World, route, times, upstream};
use crate::http::{Ending, Refusal, UpstreamFault, UpstreamTimes};

/// An address that nobody listens on.
fn dead() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn world_with(targets: &[std::net::SocketAddr], origin: Origin) -> World {
    World::start_at(origin, |setup| {
        let times = UpstreamTimes {
            connect: SHORT,
            ..times()
        };
        let app = upstream("app", targets, times);
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
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(
        world.seen.outcome(n).refusal,
        Some(Refusal::Upstream(fault))
    );
}

#[test]
fn each_failure_has_its_status_in_bounded_time() {
    let world = World::start(|setup| setup.upstream_times(|times| times.response = SHORT));
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
    let world = World::start(|setup| setup.upstream_times(|times| times.piece = SHORT));
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

/// An upstream that closes each connection on its second request, without a word.
fn forgetful() -> std::net::SocketAddr {
    use std::io::{Read, Write};

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
                let _ = stream.read(&mut [0; 4096]);
            });
        }
    });
    addr
}

#[test]
fn a_connection_that_the_upstream_closed_meanwhile_costs_a_safe_request_nothing() {
    let world = world_with(&[forgetful()], Origin::start());
    let mut raw = world.raw();
    for method in ["GET", "GET", "HEAD", "OPTIONS"] {
        raw.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        if method == "HEAD" {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.extend(raw.bytes(1));
            }
            assert!(head.starts_with(b"HTTP/1.1 200"), "{head:?}");
        } else {
            assert_eq!(raw.reply().status, 200, "{method}");
        }
    }
    // Nobody knows whether this one had an effect.
    raw.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(raw.reply().status, 502);
    raw.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
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
    // On HTTP/2 only the stream ends, and the connection goes on.
    runtime().block_on(async {
        let io = connect_tls(world.tls, world.roots.clone(), "h2").await;
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .unwrap();
        tokio::spawn(connection);
        let request = |path: &str| {
            let uri = format!("https://gateway.example{path}");
            Request::get(uri).body(Empty::<Bytes>::new()).unwrap()
        };
        let mut slow = Box::pin(sender.send_request(request("/slow")));
        while world.origin.counts.requests() < 2 {
            let a_moment = Duration::from_millis(2);
            assert!(
                tokio::time::timeout(a_moment, &mut slow).await.is_err(),
                "no answer"
            );
        }
        drop(slow);
        assert_eq!(
            sender
                .send_request(request("/open/x"))
                .await
                .unwrap()
                .status(),
            200
        );
    });
    until("three outcomes", || world.seen.outcomes().len() == 3);
    let gone = world
        .seen
        .outcomes()
        .into_iter()
        .filter(|o| o.status.as_u16() == 499)
        .count();
    assert_eq!(gone, 2);
    until("both are cancelled", || {
        world.origin.counts.cancelled.load(Ordering::SeqCst) == 2
    });
    until("none is served", || world.gate.load().requests() == 0);
}

#[test]
fn large_answers_arrive_whole() {
    let world = World::start(|_| ());
    assert_eq!(world.get("/big").body.len(), 8 << 20);
    assert_eq!(world.ask_h2("GET", "/big", &[]).body.len(), 8 << 20);
    let outcome = world.seen.outcome(1);
    assert_eq!((outcome.sent, outcome.ending), (8 << 20, Ending::Complete));
}

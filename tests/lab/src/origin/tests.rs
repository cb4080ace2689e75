use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::time::Instant;

use super::*;

fn origin() -> Origin {
    Origin::serve(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).unwrap()
}

fn connect(origin: &Origin) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, origin.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
}

/// Sends a request and returns status and body of the answer.
fn ask(stream: &mut TcpStream, request: &str) -> (u16, serde_json::Value) {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap();
    let status = head[9..12].parse().unwrap();
    let length = head.split_once("Content-Length: ").unwrap().1;
    let length = length.split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// Whether the connection ends without another byte.
fn ends(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    stream
        .read_to_end(&mut rest)
        .map_or(true, |_| rest.is_empty())
}

#[test]
fn an_origin_tells_what_it_received_on_one_connection() {
    let origin = origin();
    let mut stream = connect(&origin);
    let (status, said) = ask(
        &mut stream,
        "POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\nabc",
    );
    assert_eq!(status, 200);
    assert_eq!(said["method"], "POST");
    assert_eq!(said["target"], "/a?b=c");
    assert_eq!(said["headers"]["x-a"], json!(["1", "2"]));
    assert_eq!(said["body"], "abc");

    let chunked = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n";
    assert_eq!(ask(&mut stream, chunked).1["body"], "abcde");

    assert_eq!(origin.requests(), 2);
    let methods: Vec<_> = origin
        .seen()
        .into_iter()
        .map(|request| request.method)
        .collect();
    assert_eq!(methods, ["POST", "PUT"]);
}

#[test]
fn behaviour_changes_on_an_open_connection() {
    let origin = origin();
    let mut stream = connect(&origin);
    origin.behave(Behaviour::Status(503));
    assert_eq!(ask(&mut stream, "GET / HTTP/1.1\r\n\r\n").0, 503);

    let delay = Duration::from_millis(60);
    origin.behave(Behaviour::Delay(delay));
    let started = Instant::now();
    assert_eq!(ask(&mut stream, "GET / HTTP/1.1\r\n\r\n").0, 200);
    assert!(started.elapsed() >= delay);

    origin.behave(Behaviour::Close);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(ends(&mut stream));
    assert_eq!(origin.requests(), 3);
}

#[test]
fn a_truncated_answer_ends_early() {
    let origin = origin();
    origin.behave(Behaviour::Truncate);
    let mut stream = connect(&origin);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nhalf"), "{answer}");
}

#[test]
fn a_silent_origin_lets_go_when_it_is_dropped() {
    let origin = origin();
    origin.behave(Behaviour::Silent);
    let mut stream = connect(&origin);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    crate::wait::until(Duration::from_secs(5), "the request", || {
        (origin.requests() == 1).then_some(())
    })
    .unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    assert!(stream.read(&mut [0]).is_err(), "it should say nothing");
    let port = origin.port();
    drop(origin);
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert!(ends(&mut stream));
    assert!(
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err(),
        "the port should be closed"
    );
}

#[test]
fn nonsense_ends_the_connection() {
    let origin = origin();
    for nonsense in [
        "hello\r\n\r\n",
        "GET / HTTP/1.1\r\nbroken\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut stream = connect(&origin);
        stream.write_all(nonsense.as_bytes()).unwrap();
        assert!(ends(&mut stream), "{nonsense}");
    }
    assert_eq!(origin.requests(), 0);
}

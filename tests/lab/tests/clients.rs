//! curl and the visitor against an origin, with no gateway between.
//!
//! Root is needed; without it these tests fail and say so.
#![cfg(test)]

use std::time::Duration;

use gateway_lab::curl::NoAnswer;
use gateway_lab::{Behaviour, Curl, Host, Lab, Visitor, wait};

const DEADLINE: Duration = Duration::from_secs(20);

fn code_of(error: &anyhow::Error) -> Option<i32> {
    error.downcast_ref::<NoAnswer>().map(|none| none.code)
}

#[test]
fn curl_tells_answers_from_silence() {
    let lab = Lab::up("curl").unwrap();
    let origin = lab.origin(9000).unwrap();
    let gateway = lab.host(Host::Gateway);
    let url = format!("http://{}:9000/a?b=c", Host::Upstream.ip4());
    let ask = Curl::get(&url)
        .header("X-Trace", "7")
        .body("text/plain", "hello");
    let answer = ask.run(gateway).unwrap();
    assert_eq!((answer.status, answer.version.as_str()), (200, "1.1"));
    let echo = answer.json().unwrap();
    assert_eq!(echo["method"], "POST");
    assert_eq!(echo["target"], "/a?b=c");
    assert_eq!(echo["body"], "hello");
    assert_eq!(echo["headers"]["x-trace"][0], "7");

    origin.behave(Behaviour::Status(404));
    assert_eq!(Curl::get(&url).run(gateway).unwrap().status, 404);
    origin.behave(Behaviour::Silent);
    let error = Curl::get(&url)
        .within(Duration::from_millis(100))
        .run(gateway)
        .unwrap_err();
    assert_eq!(code_of(&error), Some(NoAnswer::TIMEOUT), "{error:#}");
    drop(origin);
    let error = Curl::get(&url).run(gateway).unwrap_err();
    assert_eq!(code_of(&error), Some(NoAnswer::REFUSED), "{error:#}");
}

#[test]
fn a_visitor_counts_what_fails_and_rests_when_told() {
    let lab = Lab::up("visitor").unwrap();
    let origin = lab.origin(9000).unwrap();
    let url = format!("http://[{}]:9000/", Host::Upstream.ip6());
    let requests = vec![Curl::get(&url), Curl::get(format!("{url}?second"))];
    let visitor =
        Visitor::start(lab.host(Host::Gateway), requests, Duration::from_millis(5)).unwrap();
    let after = |count| {
        wait::until(DEADLINE, "visits", || {
            (visitor.count() >= count).then(|| visitor.visits())
        })
        .unwrap()
    };
    let good = after(4);
    assert!(good.failures.is_empty(), "{:?}", good.failures);
    assert!(good.percentile(50) > Duration::ZERO);
    let targets: Vec<_> = origin
        .seen()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(targets[..4], ["/", "/?second", "/", "/?second"]);

    visitor.pause();
    let paused = visitor.count();
    assert_eq!(
        origin.requests(),
        paused as u64,
        "every visit has reached the origin"
    );
    origin.behave(Behaviour::Status(503));
    visitor.resume();
    let bad = after(paused + 2).since(&good);
    assert!(
        bad.failures.iter().any(|failure| failure.contains("503")),
        "{:?}",
        bad.failures
    );
}

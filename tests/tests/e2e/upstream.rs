//! Upstreams that are slow, dead or broken.

use std::time::{Duration, Instant};

use gateway_lab::{Behaviour, wait};
use serde_json::{Value, json};

use super::world::{SOON, World};

/// More than the timeouts of these tests, less than any default.
const BOUND: Duration = Duration::from_secs(6);

fn impatient(targets: &Value) -> Value {
    json!({"upstreams": {"app": {
        "targets": targets, "connect_timeout": "500ms", "timeout": "1s",
    }}})
}

fn own() -> Value {
    json!(["http://10.77.2.2:9000"])
}

/// Status, code and how long it took.
fn ask(world: &World) -> (u16, String, Duration) {
    let started = Instant::now();
    let response = world.client(&world.https("/"));
    let code = response.json().unwrap()["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (response.status, code, started.elapsed())
}

#[test]
fn a_slow_upstream_is_504_and_a_broken_one_502_in_bounded_time() {
    let world = World::running("slow", &impatient(&own()));
    for (behaviour, status, code) in [
        (Behaviour::Silent, 504, "upstream-timeout"),
        (
            Behaviour::Delay(Duration::from_secs(20)),
            504,
            "upstream-timeout",
        ),
        (Behaviour::Close, 502, "upstream-reset"),
    ] {
        world.origin.behave(behaviour);
        let (seen, said, took) = ask(&world);
        assert_eq!((seen, said.as_str()), (status, code), "{behaviour:?}");
        assert!(took < BOUND, "{behaviour:?} took {took:?}");
    }
    world.origin.behave(Behaviour::Echo);
    assert_eq!(world.client(&world.https("/")).status, 200, "it serves on");
}

#[test]
fn a_dead_upstream_is_502_or_504_in_bounded_time() {
    // A closed port, and an address of the inner network where nobody is.
    for (target, statuses) in [
        ("http://10.77.2.2:9001", &[502][..]),
        ("http://10.77.2.99:9000", &[502, 504]),
    ] {
        let world = World::running("dead", &impatient(&json!([target])));
        let (status, code, took) = ask(&world);
        assert!(statuses.contains(&status), "{target}: {status} {code}");
        assert!(took < BOUND, "{target} took {took:?}");
        assert_eq!(
            world.client(&world.https("/healthz-of-nobody")).status,
            status
        );
    }
}

#[test]
fn a_dead_target_is_passed_over() {
    let targets = json!(["http://10.77.2.2:9001", "http://10.77.2.2:9000"]);
    let world = World::running("failover", &impatient(&targets));
    for _ in 0..6 {
        assert_eq!(world.client(&world.https("/")).status, 200);
    }
}

#[test]
fn an_answer_that_breaks_off_breaks_off_for_the_client_too() {
    let world = World::running("truncate", &impatient(&own()));
    world.origin.behave(Behaviour::Truncate);
    let request = world.https("/").http1();
    let broken = request.run(world.host(gateway_lab::Host::Client));
    assert!(
        broken.is_err(),
        "half an answer was passed off as a whole one: {broken:?}"
    );
    let logged = wait::until(SOON, "the log of it", || {
        let lines = world.agent.access_log().unwrap();
        lines
            .into_iter()
            .find(|line| line["ending"] == "upstream-broke")
    });
    assert!(logged.is_ok(), "{:?}", world.agent.access_log());
}

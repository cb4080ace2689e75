//! A configuration on trial: taken back unless it is confirmed, whoever dies meanwhile.

use gateway_lab::wait;
use serde_json::{Value, json};

use super::world::{SOON, World};

impl World {
    /// Puts a configuration into the files that has no route for `/` and a limit of its own.
    fn write_other(&self) {
        let other = self.config(&json!({
            "routes": [{"match": {"path": "/here/**"}, "require": "none", "upstream": "app"}],
            "packet_limits": {"untrusted": "7777/s"},
        }));
        self.agent.configure(&other).unwrap();
    }

    /// Whether that configuration is in force, in the pipeline and in the filter.
    fn is_other(&self) -> bool {
        let limits = self.agent_status()["limits"].clone();
        let limited = limits.to_string().contains("7777/s");
        let routed = self.client(&self.https("/")).status == 404;
        assert_eq!(limited, routed, "half of it is in force: {limits}");
        routed
    }

    fn agent_status(&self) -> Value {
        self.agent.json(["status"]).unwrap()["agent"].clone()
    }

    fn again(&mut self) {
        self.agent.terminate().unwrap();
        self.agent.start().unwrap();
    }
}

#[test]
fn a_configuration_that_nobody_confirms_is_taken_back() {
    let mut world = World::running("trial", &json!({}));
    world.write_other();
    let reload = ["reload", "--confirm", "4s"];
    let said = world.agent.gateway(reload).unwrap().done().unwrap();
    let words = "it is taken back in 4s unless you type: gateway confirm";
    assert!(said.out.contains(words), "{said:?}");
    assert!(world.is_other());
    let status = world.agent_status();
    assert!(status["trial"]["until_unix_ms"].is_u64(), "{status}");
    for args in [&["reload"][..], &reload] {
        let refused = world.agent.gateway(args).unwrap();
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("is on trial"), "{refused:?}");
    }
    let over = || world.agent_status()["trial"].is_null().then_some(());
    wait::until(SOON, "the trial to end", over).unwrap();
    assert!(!world.is_other());
    let status = world.agent_status();
    assert_eq!(
        (&status["taken_back"], &status["generation"]),
        (&json!(true), &json!(3)),
        "{status}"
    );
    let late = world.agent.gateway(["confirm"]).unwrap();
    assert!(
        late.code == 1 && late.err.contains("has been taken back"),
        "{late:?}"
    );

    // The files hold what nobody confirmed: the next start is not by them.
    world.again();
    assert!(!world.is_other());
    let words = ["tried and not confirmed: starting by the one before it"];
    world.agent.logged(SOON, &words).unwrap();
    // Until somebody says so.
    world.agent.gateway(["reload"]).unwrap().done().unwrap();
    assert!(world.is_other());
    assert_eq!(world.agent_status()["taken_back"], false);
    world.again();
    assert!(world.is_other());
}

#[test]
fn a_configuration_that_is_confirmed_stays() {
    let mut world = World::running("trialkept", &json!({}));
    world.write_other();
    let reload = ["reload", "--confirm", "1m"];
    world.agent.gateway(reload).unwrap().done().unwrap();
    let confirmed = world.agent.json(["confirm"]).unwrap();
    assert_eq!(confirmed["generation"], 2, "{confirmed}");
    assert_eq!(world.agent_status()["trial"], Value::Null);
    world.again();
    assert!(world.is_other());
}

#[test]
fn an_agent_that_is_killed_on_trial_comes_back_by_the_configuration_before() {
    let mut world = World::running("trialkilled", &json!({}));
    world.write_other();
    let reload = ["reload", "--confirm", "1m"];
    world.agent.gateway(reload).unwrap().done().unwrap();
    assert!(world.is_other());
    world.agent.kill().unwrap();
    world.agent.start().unwrap();
    assert!(!world.is_other());
    // Files that somebody has changed since are taken as they are.
    let third = world.config(&json!({"packet_limits": {"untrusted": "8888/s"}}));
    world.agent.configure(&third).unwrap();
    world.again();
    let limits = world.agent_status()["limits"].to_string();
    assert!(limits.contains("8888/s"), "{limits}");
}

#[test]
fn what_cannot_be_tried_changes_nothing() {
    let world = World::running("trialrefused", &json!({}));
    let elsewhere = world.agent.home().join("elsewhere.db");
    let paths = world.config(&json!({"paths": {"store": elsewhere}}));
    let text = serde_json::to_string(&paths).unwrap();
    let socket = world.agent.home().join("gateway.sock");
    let socket = socket.to_str().unwrap();
    for (text, words) in [
        (text.as_str(), "cannot be tried"),
        ("listenerz: []\n", "listeners"),
    ] {
        world.agent.configure_text(text).unwrap();
        let args = ["reload", "--confirm", "1m", "--socket", socket];
        let refused = world.agent.gateway(args).unwrap();
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains(words), "{refused:?}");
    }
    assert_eq!(world.client(&world.https("/")).status, 200);
    let kept = world.agent.home().join("gateway.confirmed.json");
    assert!(!kept.exists(), "it is kept for no trial");
}

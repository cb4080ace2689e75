//! New configurations for a running agent.

use std::fs;

use gateway_lab::wait;
use nix::sys::signal::Signal;
use serde_json::json;

use super::world::{SOON, World};

#[test]
fn a_new_configuration_is_taken_up() {
    let world = World::running("reload", &json!({}));
    assert_eq!(world.client(&world.https("/private")).status, 200);
    let config = world.config(&json!({
        "identity": {"jwt": [{
            "issuer": "i", "audience": "a", "algorithms": ["HS256"], "secret_file": "secret",
        }]},
        "routes": [{"require": "token", "upstream": "app"}],
    }));
    fs::write(world.agent.home().join("secret"), "s".repeat(32)).unwrap();
    world.agent.configure(&config).unwrap();
    let reloaded = world.agent.json(["reload"]).unwrap();
    assert_eq!(reloaded["generation"], 2, "{reloaded}");
    assert_eq!(world.client(&world.https("/private")).status, 401);
    let status = world.agent.json(["status"]).unwrap();
    assert_eq!(status["agent"]["generation"], 2, "{status}");
}

#[test]
fn a_bad_configuration_changes_nothing_and_is_named_to_the_letter() {
    let world = World::running("badreload", &json!({}));
    for (text, place, words) in [
        ("listenerz: []\n", ":1:1", "listeners"),
        ("rate_limits: { untrusted: fast }\n", ":1:", "rate"),
        ("routes: [\n", ":", ""),
    ] {
        world.agent.configure_text(text).unwrap();
        let file = world.agent.config().display().to_string();
        let refused = world.agent.gateway(
            ["reload", "--socket"]
                .map(Into::into)
                .into_iter()
                .chain([world.agent.home().join("gateway.sock").into_os_string()]),
        );
        let refused = refused.unwrap();
        assert_eq!(refused.code, 1, "{text}: {refused:?}");
        assert!(
            refused.err.contains(&format!("{file}{place}")),
            "{text}: {refused:?}"
        );
        assert!(refused.err.contains(words), "{text}: {refused:?}");
        let checked = world.agent.gateway(["check"]).unwrap();
        assert_eq!(checked.code, 1, "{text}: {checked:?}");
        let told = checked.out + &checked.err;
        assert!(told.contains(&format!("{file}{place}")), "{text}: {told}");
    }
    world.agent.signal(Signal::SIGHUP).unwrap();
    world
        .agent
        .logged(SOON, &["the running configuration stays"])
        .unwrap();
    assert_eq!(
        world.client(&world.https("/")).status,
        200,
        "the old configuration is gone"
    );
}

#[test]
fn a_hangup_reloads_as_the_verb_does() {
    let world = World::running("hangup", &json!({}));
    assert_eq!(world.client(&world.https("/gone")).status, 200);
    let config = world.config(&json!({
        "routes": [{"match": {"path": "/here/**"}, "require": "none", "upstream": "app"}],
    }));
    world.agent.configure(&config).unwrap();
    world.agent.signal(Signal::SIGHUP).unwrap();
    let gone = || (world.client(&world.https("/gone")).status == 404).then_some(());
    wait::until(SOON, "the new routes", gone).unwrap();
    assert_eq!(world.client(&world.https("/here/it/is")).status, 200);
}

//! Which protocols are spoken, and which are not.

use std::process::{Command, Stdio};

use gateway_lab::{Host, Lab};
use serde_json::json;

use super::world::World;

/// What `openssl s_client` tells of a handshake in one version.
fn handshake(lab: &Lab, version: &str) -> (bool, String) {
    let mut command: Command = lab.host(Host::Client).command("openssl");
    let to = format!("{}:443", Host::Gateway.ip4());
    command.args(["s_client", "-connect", &to, version, "-alpn", "h2,http/1.1"]);
    // Old versions only with ciphers that openssl itself calls insecure.
    command.args(["-cipher", "ALL:@SECLEVEL=0"]);
    let out = command.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    (out.status.success(), told.into_owned())
}

#[test]
fn http_1_and_2_are_served_over_both_families() {
    let world = World::running("versions", &json!({}));
    for address in [Host::Gateway.ip4().into(), Host::Gateway.ip6().into()] {
        let request = world.https_at(address, "/a/b?c=d");
        let second = world.client(&request.clone().tls13());
        assert_eq!((second.status, second.version.as_str()), (200, "2"));
        let first = world.client(&request.http1());
        assert_eq!((first.status, first.version.as_str()), (200, "1.1"));
        assert_eq!(first.json().unwrap()["target"], "/a/b?c=d");
    }
    let plain = gateway_lab::Curl::get(format!("http://{}/plain", Host::Gateway.ip4()));
    let plain = world.client(&plain);
    assert_eq!((plain.status, plain.version.as_str()), (200, "1.1"));
    assert_eq!(
        plain.header("strict-transport-security"),
        None,
        "only TLS may say so (RFC 6797)"
    );
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_1_1_is_refused() {
    let world = World::running("tls", &json!({}));
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let (ok, told) = handshake(&world.lab, version);
        assert!(ok && told.contains(name), "{version}: {told}");
        assert!(told.contains("ALPN protocol: h2"), "{version}: {told}");
    }
    let (ok, told) = handshake(&world.lab, "-tls1_1");
    assert!(!ok, "{told}");
    assert!(
        told.contains("Cipher is (NONE)") && told.contains("alert"),
        "not refused by the gateway: {told}"
    );
}

#[test]
fn a_listener_can_be_held_to_tls_1_3() {
    let world = World::made("tls13", |lab| {
        let certificate = lab.state().join("gateway.pem");
        let key = lab.state().join("gateway.key");
        json!({"listeners": [{"bind": "[::]:443", "tls": {
            "certificates": [{"cert": certificate, "key": key}], "min_version": "1.3",
        }}]})
    });
    let mut world = world;
    world.agent.start().unwrap();
    assert!(handshake(&world.lab, "-tls1_3").0);
    assert!(!handshake(&world.lab, "-tls1_2").0);
}

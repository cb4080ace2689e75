//! Tokens, roles and routes.

use gateway_policy::bans::OffenceKind;
use serde_json::json;

use super::world::World;
use crate::clock;

#[test]
fn a_token_with_the_role_gets_through_on_both_protocols() {
    let world = World::start(|_| ());
    let token = world.token(&["admin"]);
    let http1 = world.get_with("/admin/x?a=1", &[("authorization", &token)]);
    assert_eq!(http1.status, 200, "{http1:?}");
    assert_eq!(http1.json()["target"], "/admin/x?a=1");
    let http2 = world.ask_h2("GET", "/admin/x?a=1", &[("authorization", &token)]);
    assert_eq!(http2.status, 200, "{http2:?}");

    let outcome = world.seen.outcome(1);
    assert_eq!(outcome.version, http::Version::HTTP_2);
    assert_eq!(outcome.subject.as_deref(), Some("ann"));
    assert_eq!(outcome.upstream.unwrap().name.as_ref(), "app");
    assert!(outcome.refusal.is_none() && outcome.tls);
    assert!(world.seen.offences().is_empty());
}

#[test]
fn each_fault_of_a_token_is_told_by_the_challenge() {
    let world = World::start(|_| ());
    let now = clock::unix_millis() / 1000;
    let with = |name: &'static str, value: serde_json::Value| {
        world.token_with(|claims| claims[name] = value)
    };
    let good = world.token(&["admin"]);
    let bad_signature = format!("{}AAAA", &good[..good.len() - 4]);
    let none = "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.";
    let kid = format!(
        "Bearer {}",
        world.signer.sign_with(
            &json!({"iss": super::world::ISSUER, "aud": "api", "exp": now + 60}),
            |header| header.kid = Some("key-2".into())
        )
    );
    for (token, error, offence) in [
        (
            bad_signature.as_str(),
            "the token's signature does not verify",
            true,
        ),
        (
            &with("exp", json!(now - 60)),
            "the token has expired",
            false,
        ),
        (
            &with("nbf", json!(now + 60)),
            "the token is not valid yet",
            false,
        ),
        (
            &with("aud", json!("web")),
            "the token is for another audience",
            true,
        ),
        (
            &with("iss", json!("https://evil.example")),
            "the token's issuer is not accepted",
            true,
        ),
        (&with("exp", json!(null)), "the token has no expiry", true),
        (none, "the token's algorithm is not allowed", true),
        (&kid, "the token's key is not known", true),
        ("Bearer junk", "the token is malformed", true),
        (
            "Basic dTpw",
            "the Authorization field is not one bearer token",
            true,
        ),
    ] {
        // Also where no token is needed.
        for path in ["/admin/x", "/open/x"] {
            let before = world.seen.offences().len();
            let reply = world.get_with(path, &[("authorization", token)]);
            assert_eq!(reply.status, 401, "{error}");
            assert_eq!(
                reply.header("www-authenticate"),
                format!(
                    "Bearer realm=\"gateway\", error=\"invalid_token\", \
                     error_description=\"{error}\""
                )
            );
            assert_eq!(reply.header("content-type"), "application/problem+json");
            assert_eq!(reply.json()["detail"], error);
            let offences = world.seen.offences();
            assert_eq!(offences.len() > before, offence, "{error}");
            if let Some(last) = offences.last().filter(|_| offence) {
                assert_eq!(last.kind, OffenceKind::FailedAuth);
                assert_eq!(last.client.to_string(), "127.0.0.1");
                assert_eq!(last.evidence.request_id(), reply.header("x-request-id"));
                assert_eq!(last.evidence.detail(), reply.json()["code"]);
                assert!(last.at <= clock::monotonic());
            }
        }
    }
    assert_eq!(
        world.origin.counts.requests(),
        0,
        "nothing reached the upstream"
    );
}

#[test]
fn without_a_token_the_challenge_names_no_error() {
    let world = World::start(|_| ());
    for path in ["/token/x", "/admin/x"] {
        let reply = world.get(path);
        assert_eq!(reply.status, 401);
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"gateway\"");
        assert_eq!(reply.json()["code"], "token-required");
    }
    assert_eq!(world.get("/open/x").status, 200);
    assert!(
        world.seen.offences().is_empty(),
        "a missing token is no offence"
    );
}

#[test]
fn roles_and_routes_decide() {
    let world = World::start(|_| ());
    let reader = world.token(&["reader"]);
    let nobody = world.token(&[]);
    for (method, path, token, status, code) in [
        ("GET", "/read/x", &reader, 200, ""),
        ("HEAD", "/read/x", &reader, 200, ""),
        ("POST", "/read/x", &reader, 403, "not-permitted"),
        ("GET", "/admin/x", &reader, 403, "role-required"),
        ("GET", "/read/x", &nobody, 403, "role-required"),
        ("GET", "/token/x", &nobody, 200, ""),
        ("GET", "/nowhere", &reader, 404, "no-route"),
        ("GET", "/open/../admin/x", &reader, 400, "path-dot-segment"),
        (
            "GET",
            "/open/%2e%2e/admin/x",
            &reader,
            400,
            "path-dot-segment",
        ),
        ("TRACE", "/open/x", &reader, 405, "method-refused"),
    ] {
        let request = World::request(method, path).header("authorization", token.as_str());
        let reply = world.ask(request, "");
        assert_eq!(reply.status, status, "{method} {path}");
        if method != "HEAD" && status != 200 {
            assert_eq!(reply.json()["code"], code, "{method} {path}");
        }
        if status == 403 {
            assert!(
                reply
                    .header("www-authenticate")
                    .contains("error=\"insufficient_scope\"")
            );
        }
    }
}

#[test]
fn the_upstream_gets_the_identity_only_from_the_gateway() {
    let world = World::start(|setup| {
        setup.settings.identity.subject_header = Some("x-subject".parse().unwrap());
        setup.settings.identity.roles_header = Some("x-roles".parse().unwrap());
    });
    let token = world.token(&["admin", "reader"]);
    let lies = [
        ("x-subject", "root"),
        ("x_subject", "root"),
        ("x-roles", "god"),
        ("authorization", token.as_str()),
    ];
    let reply = world.get_with("/admin/x", &lies);
    assert_eq!(reply.upstream_header("x-subject"), ["ann"]);
    assert_eq!(reply.upstream_header("x_subject"), [""; 0]);
    assert_eq!(reply.upstream_header("x-roles"), ["admin,reader"]);
    assert_eq!(
        reply.upstream_header("authorization"),
        [""; 0],
        "the token stays here"
    );
    // Nobody known: the lies go all the same.
    let reply = world.get_with("/open/x", &lies[..3]);
    assert_eq!(reply.upstream_header("x-subject"), [""; 0]);
    assert_eq!(reply.upstream_header("x-roles"), [""; 0]);
}

#[test]
fn the_token_goes_on_when_it_is_to() {
    let world = World::start(|setup| setup.settings.identity.forward_token = true);
    let token = world.token(&["admin"]);
    let reply = world.get_with("/admin/x", &[("authorization", &token)]);
    assert_eq!(reply.upstream_header("authorization"), [token]);
}

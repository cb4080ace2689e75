//! Tokens that are accepted, and those that are not.

use std::fs;
use std::path::Path;

use gateway_lab::Lab;
use gateway_lab::token::{self, Algorithm, Key};
use serde_json::{Value, json};

use super::world::World;

const AUDIENCE: &str = "api";

/// An issuer for each algorithm, and one whose keys nobody knows.
struct Issuers {
    keys: Vec<Key>,
    stranger: Key,
}

impl Issuers {
    fn make(directory: &Path) -> Self {
        let make = |algorithm: Algorithm| {
            let key = Key::make(directory, algorithm, algorithm.name()).unwrap();
            if algorithm != Algorithm::Hs256 {
                let jwks = token::jwks(&[&key]).unwrap().to_string();
                fs::write(directory.join(format!("{}.jwks", algorithm.name())), jwks).unwrap();
            }
            key
        };
        let keys = Algorithm::ALL.map(make).into();
        let stranger = Key::make(directory, Algorithm::Rs256, "stranger").unwrap();
        Self { keys, stranger }
    }

    fn config(directory: &Path) -> Value {
        let issuers = Algorithm::ALL.map(|algorithm| {
            let name = algorithm.name();
            let mut issuer =
                json!({"issuer": name, "audience": AUDIENCE, "algorithms": [name], "leeway": "5s"});
            let (field, file) = match algorithm {
                Algorithm::Hs256 => ("secret_file", format!("{name}.secret")),
                Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => {
                    ("jwks", format!("{name}.jwks"))
                }
            };
            issuer[field] = json!(directory.join(file));
            issuer
        });
        json!({
            "identity": {"jwt": issuers},
            "roles": {"reader": {"allow": ["GET /api/**"]}},
            "routes": [
                {"match": {"path": "/api/**"}, "require": {"role": "reader"}, "upstream": "app"},
                {"match": {"path": "/me/**"}, "require": "token", "upstream": "app"},
                {"require": "none", "upstream": "app"},
            ],
            "bans": {"failed_auth": "off"},
        })
    }

    fn of(&self, algorithm: Algorithm) -> &Key {
        self.keys
            .iter()
            .find(|key| key.algorithm() == algorithm)
            .unwrap()
    }
}

fn world(name: &str) -> (World, Issuers) {
    let mut issuers = None;
    let mut world = World::made(name, |lab: &Lab| {
        issuers = Some(Issuers::make(lab.state()));
        Issuers::config(lab.state())
    });
    world.agent.start().unwrap();
    (world, issuers.unwrap())
}

fn claims(algorithm: Algorithm, seconds: i64) -> Value {
    let mut claims = token::claims(algorithm.name(), AUDIENCE, "alice", seconds);
    claims["roles"] = json!(["reader"]);
    claims
}

/// `claims` with one of them another.
fn but(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[test]
fn every_algorithm_is_verified_and_its_forgeries_are_not() {
    let (world, issuers) = world("algorithms");
    for algorithm in Algorithm::ALL {
        let token = issuers.of(algorithm).sign(&claims(algorithm, 60)).unwrap();
        let asked = world.origin.requests();
        let ask = world.https("/api/items");
        let response = world.client(&ask.clone().bearer(&token));
        assert_eq!(response.status, 200, "{algorithm:?}: {}", response.text());
        assert_eq!(world.origin.requests(), asked + 1);

        let broken = token::with_broken_signature(&token);
        let response = world.client(&ask.clone().bearer(&broken));
        assert_eq!(response.status, 401, "{algorithm:?}");
        assert_eq!(
            response.json().unwrap()["code"],
            "token-bad-signature",
            "{algorithm:?}"
        );
        assert_eq!(
            world.origin.requests(),
            asked + 1,
            "a refused request went on"
        );
    }
}

#[test]
fn every_kind_of_bad_token_is_refused_by_its_name() {
    let (world, issuers) = world("forgeries");
    let rsa = issuers.of(Algorithm::Rs256);
    let good = claims(Algorithm::Rs256, 60);
    let now = token::unix_seconds();
    let public = rsa.public_pem().unwrap();
    let header = |alg: &str, kid: &str| json!({"alg": alg, "typ": "JWT", "kid": kid});
    let no_expiry = {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove("exp");
        claims
    };
    let cases = [
        // RFC 8725, section 2.1: the public key as if it were a secret.
        (
            "HMAC with the public key",
            Key::hmac_with(&public, "RS256", &good).unwrap(),
            "token-algorithm-not-allowed",
        ),
        (
            "alg none",
            token::unsigned(&good),
            "token-algorithm-not-allowed",
        ),
        (
            "another issuer's algorithm",
            issuers.of(Algorithm::Es256).sign(&good).unwrap(),
            "token-algorithm-not-allowed",
        ),
        (
            "a stranger's key under our kid",
            issuers
                .stranger
                .sign_as(&header("RS256", "RS256"), &good)
                .unwrap(),
            "token-bad-signature",
        ),
        (
            "an unknown kid",
            issuers.stranger.sign(&good).unwrap(),
            "token-unknown-key",
        ),
        (
            "expired",
            rsa.sign(&claims(Algorithm::Rs256, -60)).unwrap(),
            "token-expired",
        ),
        (
            "not yet valid",
            rsa.sign(&but(good.clone(), "nbf", json!(now + 60)))
                .unwrap(),
            "token-not-yet-valid",
        ),
        (
            "no expiry",
            rsa.sign(&no_expiry).unwrap(),
            "token-no-expiry",
        ),
        (
            "wrong audience",
            rsa.sign(&but(good.clone(), "aud", json!("reports")))
                .unwrap(),
            "token-wrong-audience",
        ),
        (
            "wrong issuer",
            rsa.sign(&but(good.clone(), "iss", json!("https://evil.example")))
                .unwrap(),
            "token-wrong-issuer",
        ),
        ("no token at all", "hello".to_owned(), "token-malformed"),
    ];
    for (what, token, code) in &cases {
        // Also where no token is needed: who shows a bad one is told.
        for target in ["/api/items", "/open"] {
            let response = world.client(&world.https(target).bearer(token));
            assert_eq!(
                response.status,
                401,
                "{what} on {target}: {}",
                response.text()
            );
            assert_eq!(
                response.json().unwrap()["code"],
                *code,
                "{what} on {target}"
            );
            let challenge = response.header("www-authenticate").unwrap();
            assert!(
                challenge.contains("error=\"invalid_token\""),
                "{what}: {challenge}"
            );
        }
    }
    assert_eq!(world.origin.requests(), 0, "a refused request went on");
}

#[test]
fn what_a_token_allows_is_all_it_allows() {
    let (world, issuers) = world("roles");
    let rsa = issuers.of(Algorithm::Rs256);
    let reader = rsa.sign(&claims(Algorithm::Rs256, 60)).unwrap();
    let nobody = rsa
        .sign(&but(claims(Algorithm::Rs256, 60), "roles", json!([])))
        .unwrap();
    for (target, method, token, status) in [
        ("/api/items", "GET", None, 401),
        ("/api/items", "GET", Some(&reader), 200),
        ("/api/items", "DELETE", Some(&reader), 403),
        ("/api/items", "GET", Some(&nobody), 403),
        ("/me/settings", "GET", Some(&nobody), 200),
        ("/me/settings", "GET", None, 401),
        ("/open", "GET", None, 200),
    ] {
        let request = world.https(target).method(method);
        let request = match token {
            Some(token) => request.bearer(token),
            None => request,
        };
        let response = world.client(&request);
        assert_eq!(
            response.status,
            status,
            "{method} {target}: {}",
            response.text()
        );
        assert_eq!(
            response.status == 401,
            response.header("www-authenticate").is_some()
                && !response
                    .header("www-authenticate")
                    .unwrap()
                    .contains("insufficient_scope")
        );
    }
}

#[test]
fn an_honest_token_just_within_the_leeway_is_accepted() {
    let (world, issuers) = world("leeway");
    let rsa = issuers.of(Algorithm::Rs256);
    let token = rsa.sign(&claims(Algorithm::Rs256, -1)).unwrap();
    assert_eq!(
        world
            .client(&world.https("/api/items").bearer(&token))
            .status,
        200
    );
}

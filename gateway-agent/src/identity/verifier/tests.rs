use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::*;
use crate::identity::testing::{Signer, key_set};
use crate::identity::{KeyFile, bearer};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://id.example";

struct Fixture {
    dir: tempfile::TempDir,
    verifier: Verifier,
}

fn settings(dir: &tempfile::TempDir, algorithms: &[Algorithm]) -> IssuerSettings {
    IssuerSettings {
        issuer: ISSUER.into(),
        audiences: vec!["api".into()],
        algorithms: algorithms.to_vec(),
        keys: KeyFile::Jwks(dir.path().join("jwks.json")),
        roles: Default::default(),
        leeway: Duration::from_secs(30),
    }
}

fn fixture(algorithms: &[Algorithm], keys: &[&Signer]) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("jwks.json"), key_set(keys)).unwrap();
    let verifier = Verifier::new([settings(&dir, algorithms)]).unwrap();
    Fixture { dir, verifier }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "api", "sub": "ann", "exp": NOW + 60, "roles": ["reader"]})
}

impl Fixture {
    fn verify(&self, token: &str) -> Result<Identity, TokenFault> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        self.verifier.verify(bearer(&headers, 8192)?.unwrap(), NOW)
    }
}

#[test]
fn every_algorithm_verifies_its_own_tokens_and_nobody_elses() {
    for algorithm in Algorithm::ALL {
        let ours = Signer::new(algorithm, "key-1");
        let theirs = Signer::new(algorithm, "other");
        let fixture = fixture(&[algorithm], &[&ours]);
        let identity = fixture.verify(&ours.sign(&claims())).unwrap();
        assert_eq!(identity.subject, "ann", "{algorithm}");
        assert_eq!(identity.roles, ["reader"]);

        let forged = theirs.sign_with(&claims(), |header| header.kid = Some("key-1".into()));
        assert_eq!(
            fixture.verify(&forged),
            Err(TokenFault::BadSignature),
            "{algorithm}"
        );

        let token = ours.sign(&claims());
        let (head, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = head.split_once('.').unwrap();
        let root = json!({"iss": ISSUER, "aud": "api", "sub": "root", "exp": NOW + 60});
        let payload = URL_SAFE_NO_PAD.encode(root.to_string());
        let changed = format!("{header}.{payload}.{signature}");
        assert_eq!(
            fixture.verify(&changed),
            Err(TokenFault::BadSignature),
            "{algorithm}"
        );
    }
}

#[test]
fn the_token_does_not_choose_the_algorithm() {
    let rsa = Signer::new(Algorithm::Rs256, "key-1");
    let fixture = fixture(&[Algorithm::Rs256], &[&rsa]);
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    for alg in [
        "none", "None", "NONE", "", "HS256", "PS256", "rs256", "RS512",
    ] {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "kid": "key-1"}).to_string());
        for signature in ["", "AAAA"] {
            let token = format!("{header}.{body}.{signature}");
            assert_eq!(
                fixture.verify(&token),
                Err(TokenFault::AlgorithmNotAllowed),
                "{alg}"
            );
        }
    }
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    // The classic confusion: the attacker signs by HMAC with the public key as the secret.
    let rsa = Signer::new(Algorithm::Rs256, "key-1");
    let fixture = fixture(&[Algorithm::Rs256], &[&rsa]);
    let secret = jsonwebtoken::EncodingKey::from_secret(rsa.jwk["n"].as_str().unwrap().as_bytes());
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = Some("key-1".into());
    let token = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
    assert_eq!(fixture.verify(&token), Err(TokenFault::AlgorithmNotAllowed));
}

#[test]
fn the_kid_selects_the_key() {
    let (one, two) = (
        Signer::new(Algorithm::Es256, "key-1"),
        Signer::new(Algorithm::Es256, "key-2"),
    );
    let fixture = fixture(&[Algorithm::Es256], &[&one, &two]);
    assert!(fixture.verify(&one.sign(&claims())).is_ok());
    assert!(fixture.verify(&two.sign(&claims())).is_ok());
    let crossed = one.sign_with(&claims(), |header| header.kid = Some("key-2".into()));
    assert_eq!(fixture.verify(&crossed), Err(TokenFault::BadSignature));
    let unknown = one.sign_with(&claims(), |header| header.kid = Some("key-3".into()));
    assert_eq!(fixture.verify(&unknown), Err(TokenFault::UnknownKey));
    let unnamed = one.sign_with(&claims(), |header| header.kid = None);
    assert_eq!(fixture.verify(&unnamed), Err(TokenFault::UnknownKey));
}

#[test]
fn without_a_kid_the_only_key_serves() {
    let one = Signer::new(Algorithm::EdDsa, "key-1");
    let fixture = fixture(&[Algorithm::EdDsa], &[&one]);
    assert!(
        fixture
            .verify(&one.sign_with(&claims(), |header| header.kid = None))
            .is_ok()
    );
}

#[test]
fn claims_are_checked_after_the_signature() {
    let key = Signer::new(Algorithm::Es384, "key-1");
    let other = Signer::new(Algorithm::Es384, "x");
    let fixture = fixture(&[Algorithm::Es384], &[&key]);
    for (name, value, fault) in [
        ("exp", json!(NOW - 31), TokenFault::Expired),
        ("nbf", json!(NOW + 31), TokenFault::NotYetValid),
        ("aud", json!("web"), TokenFault::WrongAudience),
        ("exp", Value::Null, TokenFault::NoExpiry),
    ] {
        let mut claims = claims();
        claims[name] = value;
        assert_eq!(fixture.verify(&key.sign(&claims)), Err(fault));
        let forged = other.sign_with(&claims, |header| header.kid = Some("key-1".into()));
        assert_eq!(
            fixture.verify(&forged),
            Err(TokenFault::BadSignature),
            "{fault}"
        );
    }
    for iss in [
        json!("https://evil.example"),
        json!("https://id.example/"),
        Value::Null,
    ] {
        let mut claims = claims();
        claims["iss"] = iss;
        assert_eq!(
            fixture.verify(&key.sign(&claims)),
            Err(TokenFault::WrongIssuer)
        );
    }
    let mut claims = claims();
    claims["iss"] = json!([ISSUER]);
    assert_eq!(
        fixture.verify(&key.sign(&claims)),
        Err(TokenFault::Malformed)
    );
}

#[test]
fn malformed_tokens_are_refused_without_a_look_at_keys() {
    let key = Signer::new(Algorithm::Es256, "key-1");
    let fixture = fixture(&[Algorithm::Es256], &[&key]);
    let token = key.sign(&claims());
    let critical = key.sign_with(&claims(), |header| header.crit = Some(vec!["b64".into()]));
    let padded = token.replacen('.', "=.", 1);
    for junk in [
        "a",
        ".",
        "..",
        "...",
        "a.b.c",
        &format!("{token}.x"),
        &critical,
        &padded,
    ] {
        assert_eq!(fixture.verify(junk), Err(TokenFault::Malformed), "{junk}");
    }
    let cut = &token[..token.len() - 4];
    assert_eq!(fixture.verify(cut), Err(TokenFault::BadSignature));
}

#[test]
fn changed_key_files_are_read_again_and_broken_ones_are_not_taken() {
    let (old, new) = (
        Signer::new(Algorithm::Es256, "key-1"),
        Signer::new(Algorithm::Es256, "key-2"),
    );
    let fixture = fixture(&[Algorithm::Es256], &[&old]);
    let path = fixture.dir.path().join("jwks.json");
    assert!(fixture.verifier.refresh().renewed.is_empty());

    fs::write(&path, "{").unwrap();
    let refresh = fixture.verifier.refresh();
    assert!(matches!(&refresh.kept[..], [(name, KeyFault::NotKeySet { .. })] if name == ISSUER));
    assert!(fixture.verify(&old.sign(&claims())).is_ok());

    fs::write(&path, key_set(&[&new])).unwrap();
    assert_eq!(fixture.verifier.refresh().renewed, [ISSUER]);
    assert!(fixture.verify(&new.sign(&claims())).is_ok());
    assert_eq!(
        fixture.verify(&old.sign(&claims())),
        Err(TokenFault::UnknownKey)
    );
}

#[test]
fn a_secret_file_serves_hmac() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    let signer = Signer::new(Algorithm::Hs384, "k");
    fs::write(&path, [&[b'k'; 64][..], b"\n"].concat()).unwrap();
    let secret = |algorithms: &[Algorithm]| IssuerSettings {
        keys: KeyFile::Secret(path.clone()),
        ..settings(&dir, algorithms)
    };
    let verifier = Verifier::new([secret(&[Algorithm::Hs384])]).unwrap();
    let fixture = Fixture {
        dir: tempfile::tempdir().unwrap(),
        verifier,
    };
    assert!(fixture.verify(&signer.sign(&claims())).is_ok());

    fs::write(&path, "short\r\n").unwrap();
    let fault = Verifier::new([secret(&[Algorithm::Hs256])]).unwrap_err();
    assert!(
        matches!(
            fault,
            KeyFault::ShortSecret {
                len: 5,
                least: 32,
                ..
            }
        ),
        "{fault}"
    );
    let fault = Verifier::new([secret(&[Algorithm::Rs256])]).unwrap_err();
    assert!(
        matches!(fault, KeyFault::SecretForPublicKey { .. }),
        "{fault}"
    );
    let fault = Verifier::new([secret(&[Algorithm::Hs256, Algorithm::Es256])]).unwrap_err();
    assert!(matches!(fault, KeyFault::MixedAlgorithms { .. }), "{fault}");
}

#[test]
fn unusable_key_sets_are_refused_with_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jwks.json");
    let make = |algorithms: &[Algorithm]| Verifier::new([settings(&dir, algorithms)]).unwrap_err();
    assert!(matches!(
        make(&[Algorithm::Es256]),
        KeyFault::Unreadable { .. }
    ));

    let key = Signer::new(Algorithm::Es256, "key-1");
    fs::write(&path, key_set(&[&key, &key])).unwrap();
    assert!(matches!(
        make(&[Algorithm::Es256]),
        KeyFault::RepeatedKid { .. }
    ));

    // For encryption, of another algorithm, on another curve, for signing only, of no known kind.
    let with = |name: &str, value: Value| {
        let mut jwk = key.jwk.clone();
        jwk[name] = value;
        jwk
    };
    let unfit = json!({"keys": [
        with("use", json!("enc")), with("alg", json!("ES384")), with("key_ops", json!(["sign"])),
        {"kty": "new"}, 7,
    ]});
    fs::write(&path, unfit.to_string()).unwrap();
    assert_eq!(
        make(&[Algorithm::Es256]).to_string(),
        format!("key file {} has no key for ES256", path.display())
    );
    fs::write(&path, key_set(&[&key])).unwrap();
    assert!(matches!(make(&[Algorithm::Es384]), KeyFault::NoKey { .. }));
    assert!(matches!(make(&[]), KeyFault::NoAlgorithm { .. }));

    fs::write(&path, vec![b' '; 1_000_001]).unwrap();
    assert!(matches!(
        make(&[Algorithm::Es256]),
        KeyFault::TooLarge { .. }
    ));
    assert!(matches!(
        Verifier::new([settings(&dir, &[Algorithm::Es256]), settings(&dir, &[])]).unwrap_err(),
        KeyFault::TooLarge { .. }
    ));
}

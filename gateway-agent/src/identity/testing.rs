//! Keys and tokens for tests.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::Algorithm;

/// A key pair, or a secret, that signs test tokens.
pub struct Signer {
    /// What it signs with.
    pub algorithm: Algorithm,
    key: EncodingKey,
    /// The public half as a key of a set; for HMAC the secret.
    pub jwk: Value,
}

impl Signer {
    /// A new key for `algorithm` that goes by `kid`.
    pub fn new(algorithm: Algorithm, kid: &str) -> Self {
        let (key, jwk) = match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                let secret = [kid.as_bytes()[0]; 64];
                let jwk = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(secret)});
                (EncodingKey::from_secret(&secret), jwk)
            }
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
                let key = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
                let jwk = Jwk::from_encoding_key(&key, jsonwebtoken::Algorithm::RS256).unwrap();
                let mut jwk = serde_json::to_value(jwk).unwrap();
                jwk.as_object_mut().unwrap().remove("alg");
                (key, jwk)
            }
            Algorithm::Es256 | Algorithm::Es384 => {
                let (kind, curve) = if algorithm == Algorithm::Es256 {
                    (&rcgen::PKCS_ECDSA_P256_SHA256, "P-256")
                } else {
                    (&rcgen::PKCS_ECDSA_P384_SHA384, "P-384")
                };
                let pair = rcgen::KeyPair::generate_for(kind).unwrap();
                // An uncompressed point: 4, then both coordinates.
                let point = &pair.public_key_raw()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let jwk = json!({
                    "kty": "EC", "crv": curve,
                    "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
                });
                (
                    EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap(),
                    jwk,
                )
            }
            Algorithm::EdDsa => {
                let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
                let jwk = json!({
                    "kty": "OKP", "crv": "Ed25519",
                    "x": URL_SAFE_NO_PAD.encode(pair.public_key_raw()),
                });
                (EncodingKey::from_ed_der(&pair.serialize_der()), jwk)
            }
        };
        let mut jwk = jwk;
        jwk["kid"] = json!(kid);
        Self {
            algorithm,
            key,
            jwk,
        }
    }

    /// A token with these claims, and the kid of the key.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(claims, |_| ())
    }

    /// As [`Signer::sign`], with the header changed first.
    pub fn sign_with(&self, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(self.algorithm.as_jwt());
        header.kid = self.jwk["kid"].as_str().map(str::to_owned);
        change(&mut header);
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

/// A key set of these keys.
pub fn key_set(signers: &[&Signer]) -> String {
    json!({"keys": signers.iter().map(|signer| &signer.jwk).collect::<Vec<_>>()}).to_string()
}

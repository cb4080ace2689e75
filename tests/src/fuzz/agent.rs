//! What the agent reads: its configuration, captures, heads of requests, tokens.

use std::{fs, path::PathBuf, time::Duration};

use ::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use gateway_agent::{
    cli, config, http,
    identity::{Algorithm, ClaimPath, IssuerSettings, KeyFile, Verifier, bearer},
};

thread_local! {
    /// A folder of this thread's own.
    static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
    static VERIFIER: Verifier = verifier();
}

/// A configuration file.
pub(super) fn config(data: &[u8]) {
    let path = path("gateway.yaml");
    fs::write(&path, data).expect("writing the configuration");
    if let Err(faults) = config::load(&path) {
        assert!(!faults.findings().is_empty(), "refused without a reason");
        let lines = faults.to_string().lines().count();
        assert_eq!(lines, faults.findings().len(), "{faults}");
    }
}

/// A capture.
pub(super) fn capture(data: &[u8]) {
    if let Ok(packets) = cli::read_capture(data) {
        // The shortest record there is has 16 bytes: a pcap header without data, or a pcapng block.
        assert!(packets <= data.len() / 16, "{packets} packets");
    }
}

/// The head of a request.
pub(super) fn head(data: &[u8]) {
    http::readings_agree(data).expect("two readings of one head");
}

/// An `Authorization` field.
pub(super) fn token(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, value);
    if let Ok(Some(token)) = bearer(&headers, 8192) {
        VERIFIER.with(|verifier| {
            let verified = verifier.verify(token, 1_300_819_000);
            assert!(verified.is_err(), "nobody has the key: {verified:?}");
        });
    }
}

fn path(name: &str) -> PathBuf {
    FOLDER.with(|folder| folder.path().join(name))
}

/// Accepts tokens that are signed with the examples of RFC 7515, appendix A.3, and RFC 8037,
/// appendix A. Those in the RFCs are for nobody in particular, and long past.
fn verifier() -> Verifier {
    const KEYS: &str = r#"{"keys": [
        {"kty": "EC", "crv": "P-256", "kid": "ec",
         "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed",
         "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    ]}"#;

    let keys = path("keys.json");
    fs::write(&keys, KEYS).expect("writing the keys");
    let issuer = IssuerSettings {
        issuer: "joe".into(),
        audiences: vec!["api".into()],
        algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
        keys: KeyFile::Jwks(keys),
        roles: ClaimPath::default(),
        leeway: Duration::from_secs(60),
    };
    Verifier::new([issuer]).expect("keys that can be used")
}

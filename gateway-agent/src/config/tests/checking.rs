//! `check`: the files that a configuration names.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::config::{Checked, Config, RuleFiles, check};

const CONFIG: &str = "\
listeners:
  - bind: ':443'
    tls: { certificates: [{ cert: a.pem, key: a.key }] }
  - { bind: ':80', plaintext: true }
identity:
  jwt:
    - { issuer: i, audience: x, algorithms: HS256, secret_file: secret }
    - { issuer: j, audience: x, algorithms: EdDSA, jwks: keys.jwks }
upstreams: { app: { targets: http://127.0.0.1:1 } }
routes: [{ require: token, upstream: app }]
waf: { rules: [rules.conf], fail: open }
log: { access: logs/access.log }
";

/// An Ed25519 key from RFC 8037 appendix A.2.
const KEYS: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// A folder with [`CONFIG`] and all that it names.
fn whole() -> tempfile::TempDir {
    let folder = folder(&[
        ("g.yaml", CONFIG),
        ("secret", &"s".repeat(32)),
        ("keys.jwks", KEYS),
        ("rules.conf", ""),
        ("logs/old.log", ""),
    ]);
    certificate(&folder, "a", (2020, 2040));
    protect(&folder, &["a.key", "secret"]);
    folder
}

fn certificate(folder: &tempfile::TempDir, name: &str, (from, to): (i32, i32)) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    let cert = params.self_signed(&key).unwrap();
    std::fs::write(folder.path().join(format!("{name}.pem")), cert.pem()).unwrap();
    std::fs::write(
        folder.path().join(format!("{name}.key")),
        key.serialize_pem(),
    )
    .unwrap();
}

fn protect(folder: &tempfile::TempDir, names: &[&str]) {
    for name in names {
        let owner = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.path().join(name), owner).unwrap();
    }
}

/// 2026-01-01.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(20_454 * 86_400)
}

fn three_rules(config: &Config) -> Result<RuleFiles, Vec<Finding>> {
    assert!(config.waf.rules[0].path().is_file());
    Ok(RuleFiles {
        rules: 3,
        notices: Vec::new(),
    })
}

fn check_in(folder: &tempfile::TempDir) -> Result<Checked, Vec<String>> {
    let checked = check(&folder.path().join("g.yaml"), now(), &three_rules);
    checked.map_err(|faults| {
        strip(folder.path(), &faults.to_string())
            .lines()
            .map(str::to_owned)
            .collect()
    })
}

#[test]
fn a_whole_configuration_is_summed_up() {
    let folder = whole();
    let checked = check_in(&folder).unwrap();
    let warnings: Vec<String> = checked
        .warnings
        .iter()
        .map(|w| strip(folder.path(), &w.to_string()))
        .collect();
    assert_eq!(
        warnings,
        ["g.yaml:1:1: there are no `interfaces`: no packet filter, the kernel drops nothing"]
    );
    assert_eq!(
        strip(folder.path(), &checked.summary.to_string()),
        "ok g.yaml\n  \
           interfaces  none\n  \
           listeners   [::]:443 (tls), [::]:80 (plaintext)\n  \
           access      issuers 2, roles 0, routes 1, upstreams 1; fail closed\n  \
           waf         block, rules 3; fail open"
    );
    let json = serde_json::to_value(&checked.summary).unwrap();
    // 2040-01-01
    assert_eq!(json["certificate_expiry"], 2_208_988_800_u64);
}

#[test]
fn files_that_are_missing_are_told_where_they_are_named() {
    let folder = whole();
    for name in ["a.pem", "secret", "keys.jwks"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    std::fs::remove_dir_all(folder.path().join("logs")).unwrap();
    let gone = "No such file or directory (os error 2)";
    let said = check_in(&folder).unwrap_err();
    assert_eq!(
        said[0],
        format!("g.yaml:3:35: a.pem cannot be read: {gone}")
    );
    assert!(
        said[1].starts_with("g.yaml:7:65: ") && said[1].contains("secret"),
        "{said:?}"
    );
    assert!(
        said[2].starts_with("g.yaml:8:58: ") && said[2].contains("keys.jwks"),
        "{said:?}"
    );
    assert!(
        said[3].starts_with("g.yaml:12:16: ") && said[3].contains("logs is no folder"),
        "{said:?}"
    );
    assert_eq!(said.len(), 4);
}

#[test]
fn files_that_do_not_do_are_told_where_they_are_named() {
    let folder = whole();
    certificate(&folder, "b", (2020, 2040));
    std::fs::rename(folder.path().join("b.key"), folder.path().join("a.key")).unwrap();
    std::fs::write(folder.path().join("secret"), "x".repeat(31) + "\n").unwrap();
    std::fs::write(folder.path().join("keys.jwks"), "{}").unwrap();
    let said = check_in(&folder).unwrap_err();
    assert_eq!(
        said[0],
        "g.yaml:3:47: the private key in a.key does not belong to the certificate in a.pem"
    );
    assert!(
        said[1].starts_with("g.yaml:7:65: ") && said[1].contains("31 bytes"),
        "{said:?}"
    );
    assert!(said[2].starts_with("g.yaml:8:58: "), "{said:?}");
    assert_eq!(said.len(), 3);
}

#[test]
fn what_will_break_soon_is_a_warning() {
    let folder = whole();
    certificate(&folder, "a", (2020, 2025));
    let open = std::fs::Permissions::from_mode(0o644);
    for name in ["a.key", "secret"] {
        std::fs::set_permissions(folder.path().join(name), open.clone()).unwrap();
    }
    let checked = check_in(&folder).unwrap();
    let warnings: Vec<String> = checked
        .warnings
        .iter()
        .skip(1)
        .map(|w| strip(folder.path(), &w.to_string()))
        .collect();
    assert_eq!(
        warnings,
        [
            "g.yaml:3:35: the certificate in a.pem expired 365 days ago",
            "g.yaml:3:47: a.key holds a secret, and everybody on this host has access to it",
            "g.yaml:7:65: secret holds a secret, and everybody on this host has access to it",
        ]
    );
}

#[test]
fn faults_in_the_rules_are_faults_and_notices_warnings() {
    let folder = whole();
    let path = folder.path().join("g.yaml");
    let at = |message: &str| Finding {
        location: crate::config::Location {
            file: Path::new("r.conf").into(),
            at: Some((3, 1)),
        },
        message: message.to_owned(),
    };
    let bad = |_: &Config| Err(vec![at("no such operator")]);
    let faults = check(&path, now(), &bad).unwrap_err();
    assert_eq!(faults.to_string(), "r.conf:3:1: no such operator");

    let odd = |_: &Config| {
        Ok(RuleFiles {
            rules: 1,
            notices: vec![at("has no effect")],
        })
    };
    let checked = check(&path, now(), &odd).unwrap();
    assert_eq!(checked.warnings.last(), Some(&at("has no effect")));

    // The rules of a firewall that is off are not read.
    let off = CONFIG.replace("waf: { ", "waf: { mode: off, ");
    std::fs::write(&path, off).unwrap();
    let checked = check(&path, now(), &bad).unwrap();
    assert_eq!(checked.summary.rules, None);
    assert!(checked.summary.to_string().ends_with("waf         off"));
}

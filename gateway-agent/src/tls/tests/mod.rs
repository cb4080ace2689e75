//! Certificates made on the spot, and handshakes with a real client.

mod faults;
mod handshake;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};

use super::*;
use crate::config::FilePath;

/// A folder with certificates and keys.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Writes `{name}.pem` and `{name}.key` for a certificate with these host names.
    fn certificate(&self, name: &str, hosts: &[&str], algorithm: &'static SignatureAlgorithm) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let hosts: Vec<String> = hosts.iter().map(|h| (*h).to_owned()).collect();
        let cert = CertificateParams::new(hosts)
            .unwrap()
            .self_signed(&key)
            .unwrap();
        self.write(&format!("{name}.pem"), &cert.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    fn ecdsa(&self, name: &str, hosts: &[&str]) {
        self.certificate(name, hosts, &rcgen::PKCS_ECDSA_P256_SHA256);
    }

    /// Settings with these certificates, in this order.
    fn settings(&self, names: &[&str]) -> TlsSettings {
        let pairs: Vec<(String, String)> = names
            .iter()
            .map(|n| (format!("{n}.pem"), format!("{n}.key")))
            .collect();
        settings(pairs.iter().map(|(c, k)| (self.path(c), self.path(k))))
    }

    fn load(&self, names: &[&str]) -> ServerTls {
        ServerTls::load(&self.settings(names)).unwrap()
    }

    /// What is said about a certificate and a key, without the folder's name.
    fn refused(&self, cert: &str, key: &str) -> String {
        let settings = settings([(self.path(cert), self.path(key))]);
        let faults = ServerTls::load(&settings).unwrap_err();
        faults
            .to_string()
            .replace(&format!("{}/", self.0.path().display()), "")
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

fn settings(files: impl IntoIterator<Item = (PathBuf, PathBuf)>) -> TlsSettings {
    let certificates = files.into_iter().map(|(cert, key)| CertificateFiles {
        cert: FilePath::from(cert),
        key: FilePath::from(key),
    });
    TlsSettings {
        certificates: certificates.collect(),
        min_version: TlsVersion::Tls12,
    }
}

#[test]
fn a_certificate_tells_its_names_and_dates() {
    let files = Files::new();
    let key = KeyPair::generate().unwrap();
    let mut params =
        CertificateParams::new(vec!["WWW.Example".to_owned(), "*.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    files.write("a.pem", &params.self_signed(&key).unwrap().pem());
    files.write("a.key", &key.serialize_pem());

    let info = files.load(&["a"]).certificates.remove(0);
    assert_eq!(info.names, ["www.example", "*.example"]);
    let day = |n: u64| UNIX_EPOCH + Duration::from_secs(n * 86_400);
    // 2020-01-01 is day 18262, 2030-01-01 day 21915 after 1970-01-01.
    assert_eq!(
        (info.not_before, info.not_after),
        (day(18_262), day(21_915))
    );
    for (now, standing) in [
        (day(18_260), "becomes valid in 2 days"),
        (day(18_262), "valid"),
        (day(21_915 - 14), "valid"),
        (day(21_915 - 13), "expires in 13 days"),
        (
            day(21_915) - Duration::from_secs(60),
            "expires in 60 seconds",
        ),
        (day(21_915), "expires in 0 seconds"),
        (
            day(21_915) + Duration::from_secs(7200),
            "expired 2 hours ago",
        ),
    ] {
        assert_eq!(info.standing(now).to_string(), standing);
    }
}

#[test]
fn a_short_life_is_not_always_about_to_end() {
    let start = UNIX_EPOCH;
    let info = CertificateInfo {
        names: Vec::new(),
        not_before: start,
        not_after: start + Duration::from_secs(6 * 86_400),
    };
    let after = |days: u64| info.standing(start + Duration::from_secs(days * 86_400));
    assert_eq!(after(4), Standing::Valid);
    assert_eq!(after(5), Standing::Expiring(Duration::from_secs(86_400)));
}

#[test]
fn an_expired_certificate_still_loads() {
    let files = Files::new();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    files.write("a.pem", &params.self_signed(&key).unwrap().pem());
    files.write("a.key", &key.serialize_pem());
    let info = files.load(&["a"]).certificates.remove(0);
    assert!(matches!(
        info.standing(SystemTime::now()),
        Standing::Expired(_)
    ));
}

#[test]
fn the_three_forms_of_keys_are_read() {
    let files = Files::new();
    files.ecdsa("ec", &["a.example"]);
    files.certificate("rsa", &["a.example"], &rcgen::PKCS_RSA_SHA256);
    files.certificate("ed", &["a.example"], &rcgen::PKCS_ED25519);
    files.load(&["ec", "rsa", "ed"]);

    for (name, label) in [("ec", "EC PRIVATE KEY"), ("rsa", "RSA PRIVATE KEY")] {
        let inner = inner_key(&files.path(&format!("{name}.key")));
        let key = pem_text(label, &inner);
        files.write(&format!("{name}.key"), &key);
        files.load(&[name]);
    }
}

/// The key inside a PKCS#8 wrapping: `SEQUENCE { INTEGER, SEQUENCE, OCTET STRING … }` (RFC 5208).
fn inner_key(path: &Path) -> Vec<u8> {
    use x509_parser::der_parser::der::parse_der;
    let pkcs8 = pem::private_key(path).unwrap();
    let (_, outer) = parse_der(pkcs8.secret_der()).unwrap();
    let octets = &outer.as_sequence().unwrap()[2];
    octets.as_slice().unwrap().to_vec()
}

fn pem_text(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|l| std::str::from_utf8(l).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

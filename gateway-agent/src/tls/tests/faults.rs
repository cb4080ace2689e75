//! Files that cannot be used, and what is said about them.

use super::*;

#[test]
fn each_fault_names_its_file_and_the_reason() {
    let files = Files::new();
    files.ecdsa("a", &["a.example"]);
    files.ecdsa("b", &["b.example"]);
    files.write("empty", "");
    files.write(
        "cut",
        files.text("a.pem").rsplit_once("-----END").unwrap().0,
    );
    files.write("garbled", &files.text("a.pem").replacen('M', "!", 1));
    files.write("no.pem", &pem_text("CERTIFICATE", b"not a certificate"));
    files.write("no.key", &pem_text("PRIVATE KEY", b"not a key"));
    files.write(
        "second.pem",
        &format!("{}{}", files.text("a.pem"), files.text("no.pem")),
    );
    files.write("two.key", &files.text("a.key").repeat(2));
    files.write(
        "locked.key",
        &pem_text("ENCRYPTED PRIVATE KEY", b"whatever"),
    );
    files.write(
        "old.key",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n\
         AAAA\n-----END RSA PRIVATE KEY-----\n",
    );
    files.write(
        "order.pem",
        &format!("{}{}", files.text("b.pem"), files.text("a.pem")),
    );
    files.write("large", &"#".repeat(2 << 20));

    for (cert, key, said) in [
        (
            "none.pem",
            "a.key",
            "none.pem cannot be read: No such file or directory (os error 2)",
        ),
        (
            "a.pem",
            "none.key",
            "none.key cannot be read: No such file or directory (os error 2)",
        ),
        (
            ".",
            "a.key",
            ". cannot be read: Is a directory (os error 21)",
        ),
        (
            "large",
            "a.key",
            "large is larger than a certificate or key can be",
        ),
        (
            "empty",
            "a.key",
            "empty has no certificate, expected `-----BEGIN CERTIFICATE-----`",
        ),
        (
            "a.key",
            "a.key",
            "a.key has no certificate, expected `-----BEGIN CERTIFICATE-----`",
        ),
        (
            "a.pem",
            "a.pem",
            "a.pem has no private key, expected `-----BEGIN PRIVATE KEY-----`",
        ),
        (
            "a.pem",
            "two.key",
            "two.key has several private keys, expected one",
        ),
        (
            "a.pem",
            "locked.key",
            "the private key in locked.key is encrypted; store it without a password",
        ),
        (
            "a.pem",
            "old.key",
            "the private key in old.key is encrypted; store it without a password",
        ),
        (
            "a.pem",
            "b.key",
            "the private key in b.key does not belong to the certificate in a.pem",
        ),
        (
            "order.pem",
            "a.key",
            "the private key in a.key belongs to certificate 2 in order.pem, expected that one \
             to be the first",
        ),
    ] {
        assert_eq!(files.refused(cert, key), said, "{cert} {key}");
    }
    for (cert, key, begin) in [
        ("cut", "a.key", "cut is no valid PEM: "),
        ("garbled", "a.key", "garbled is no valid PEM: "),
        (
            "no.pem",
            "a.key",
            "certificate 1 in no.pem is not valid X.509: ",
        ),
        (
            "second.pem",
            "a.key",
            "certificate 2 in second.pem is not valid X.509: ",
        ),
        (
            "a.pem",
            "no.key",
            "the private key in no.key cannot be used: ",
        ),
    ] {
        let said = files.refused(cert, key);
        assert!(
            said.starts_with(begin) && said.len() > begin.len(),
            "{said}"
        );
        assert!(!said.contains('\n'), "{said}");
    }
}

#[test]
fn all_certificates_are_looked_at() {
    let files = Files::new();
    files.ecdsa("b", &["b.example"]);
    let faults = ServerTls::load(&files.settings(&["a", "b", "c"])).unwrap_err();
    let paths: Vec<_> = faults
        .0
        .iter()
        .map(|f| f.path().unwrap().to_owned())
        .collect();
    assert_eq!(paths, [files.path("a.pem"), files.path("c.pem")]);
    assert_eq!(faults.to_string().lines().count(), 2);
    let none = ServerTls::load(&files.settings(&[])).unwrap_err();
    assert_eq!(none.to_string(), "there is no certificate");
}

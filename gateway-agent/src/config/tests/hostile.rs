//! Files made to hurt.

use std::time::Instant;

use proptest::prelude::*;

use super::*;

/// What is said about the file, which must not take long.
fn quickly(text: &str) -> Vec<String> {
    let start = Instant::now();
    let said = faults(text);
    assert!(start.elapsed().as_secs() < 60, "took {:?}", start.elapsed());
    said
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        text += &format!("a{level}: &a{level} [{before}]\n");
    }
    let said = quickly(&text);
    assert!(
        said.iter().any(|s| s.contains("goes beyond what is read")),
        "{said:?}"
    );
}

#[test]
fn deep_nesting_is_refused() {
    let flow = format!("a: {}1{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let block: String = (0..1000)
        .map(|n| format!("{}a:\n", " ".repeat(n)))
        .collect();
    for text in [flow, block] {
        let said = quickly(&text);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("g.yaml:"), "{said:?}");
    }
}

#[test]
fn enormous_files_are_refused() {
    let long = "#".repeat(5 << 20);
    assert_eq!(quickly(&long), ["g.yaml: the file is larger than 4 MiB"]);
    let wide: String = (0..250_000).map(|n| format!("k{n}: 1\n")).collect();
    assert!(wide.len() < 4 << 20);
    let said = quickly(&wide);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("goes beyond what is read"), "{said:?}");
}

#[test]
fn no_more_is_said_than_anybody_reads() {
    let many: String = (0..50_000).map(|n| format!("k{n}: 1\n")).collect();
    assert_eq!(quickly(&many).len(), 100);
    let long_key = format!("{}: 1\n", "k".repeat(900));
    let said = quickly(&long_key);
    assert!(said[0].len() < 500, "{said:?}");
}

#[test]
fn terminals_are_safe_from_what_is_quoted() {
    for text in [
        "\"\\e[31mred\": 1\n",
        "interfaces: [{ name: \"\\e[2J\" }]\n",
        "log: { level: \"\\n\" }\n",
    ] {
        let said = quickly(text).join("");
        assert!(
            !said.is_empty() && !said.chars().any(char::is_control),
            "{said:?}"
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.yaml");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    let faults = load(&path).unwrap_err();
    assert_eq!(faults.findings().len(), 1);
}

/// Pieces that make up files which get further than random bytes do.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "interfaces",
        "listeners",
        "name",
        "bind",
        "tls",
        "certificates",
        "cert",
        "key",
        "roles",
        "allow",
        "inherits",
        "routes",
        "match",
        "require",
        "role",
        "upstream",
        "upstreams",
        "targets",
        "bans",
        "failed_auth",
        "limit",
        "off",
        "none",
        "waf",
        "identity",
        "jwt",
        "issuer",
        "audience",
        "algorithms",
        "HS256",
        ": ",
        ":\n  ",
        "\n",
        "\n- ",
        "  ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&a ",
        "*a",
        "<<: *a",
        "!!str ",
        "'",
        "\"",
        "#",
        "|\n",
        ">",
        "?",
        "~",
        "10/s",
        "5m",
        "http://a",
        "GET /**",
        "1",
        "-1",
        "1e999",
        ".nan",
        "true",
        "é",
        "\t",
        "\0",
    ]);
    prop_oneof![8 => words.prop_map(str::to_owned), 1 => any::<String>()]
}

/// Loads the bytes as one tree would be, without a file.
fn load_bytes(bytes: &[u8]) {
    use crate::config::{checked, report::Report, tree};
    let mut report = Report::default();
    let file = report.add_file(Path::new("g.yaml"));
    if let Some(tree) = tree::read(file, bytes, &report) {
        let config = checked(&tree, Path::new(""), &report);
        assert!(
            config.is_some() || report.faults().is_some(),
            "neither a config nor a fault"
        );
    } else {
        assert!(report.faults().is_some(), "neither a tree nor a fault");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_an_answer(bytes: Vec<u8>) {
        load_bytes(&bytes);
    }

    #[test]
    fn anything_like_a_file_gets_an_answer(pieces in prop::collection::vec(piece(), 0..60)) {
        load_bytes(pieces.concat().as_bytes());
    }

    #[test]
    fn a_damaged_file_gets_an_answer(at in 0usize..4000, with in piece()) {
        let mut text = include_str!("../../../../docs/gateway.example.yaml").to_owned();
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &with);
        load_bytes(text.as_bytes());
    }
}

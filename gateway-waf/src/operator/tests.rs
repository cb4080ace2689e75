use super::{Comparison, IpSet, Phrases, Relation, leading_integer};

#[test]
fn relations() {
    let table: &[(Relation, &str, &str, bool)] = &[
        (Relation::BeginsWith, "/admin/x", "/admin", true),
        (Relation::BeginsWith, "/adm", "/admin", false),
        (Relation::Contains, "abc", "b", true),
        (Relation::Contains, "abc", "", true),
        (Relation::ContainsWord, "a select b", "select", true),
        (Relation::ContainsWord, "selected select", "select", true),
        (Relation::ContainsWord, "selected", "select", false),
        (Relation::EndsWith, "a.php", ".php", true),
        (Relation::EndsWith, "php", ".php", false),
        (Relation::Equals, "GET", "get", false),
        (Relation::Within, "GET", "GET POST", true),
        (Relation::Within, "", "GET POST", true),
        (Relation::Within, "PUT", "GET POST", false),
    ];
    for (relation, value, argument, expected) in table {
        assert_eq!(
            relation.holds(value.as_bytes(), argument.as_bytes()),
            *expected,
            "{value} {relation:?} {argument}"
        );
    }
}

#[test]
fn integers_are_read_as_atoi_reads_them() {
    for (text, value) in [
        ("12", 12),
        (" -3x", -3),
        ("+4", 4),
        ("x", 0),
        ("", 0),
        ("99999999999999999999", i64::MAX),
    ] {
        assert_eq!(leading_integer(text.as_bytes()), value, "{text}");
    }
    assert!(Comparison::GreaterOrEqual.holds(5, 5));
    assert!(!Comparison::Less.holds(5, 5));
}

#[test]
fn addresses() {
    let set = IpSet::new("10.0.0.0/8,192.0.2.1 2001:db8::/32").unwrap();
    for (text, expected) in [
        ("10.1.2.3", true),
        ("192.0.2.1", true),
        ("192.0.2.2", false),
        ("::ffff:10.9.9.9", true),
        ("2001:db8::1", true),
        ("nonsense", false),
    ] {
        assert_eq!(set.contains(text.as_bytes()), expected, "{text}");
    }
    assert!(
        IpSet::new("10.0.0.0/33")
            .unwrap_err()
            .contains("10.0.0.0/33")
    );
}

#[test]
fn phrases() {
    let words = Phrases::from_words(b"union  SELECT |3c 3f|php").unwrap();
    assert_eq!(words.find(b"a Select"), Some(2..8));
    assert_eq!(words.find(b"<?PHP"), Some(0..5));
    assert_eq!(words.find(b"php"), None);
    let lines = Phrases::from_lines(&[b"# note\n two words \r\n\n".to_vec()]).unwrap();
    assert_eq!(lines.find(b"xTWO wordsx"), Some(1..10));
    assert!(Phrases::from_lines(&[b"# nothing".to_vec()]).is_err());
}

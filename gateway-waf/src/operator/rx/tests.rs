use super::Rx;

fn matches(pattern: &str, input: &[u8]) -> bool {
    Rx::new(pattern.as_bytes(), false).unwrap().is_match(input)
}

#[test]
fn follows_pcre_over_bytes() {
    let table: &[(&str, &[u8], bool)] = &[
        ("a.b", b"a\nb", true),
        ("^a$", b"a\n", true),
        ("^a$", b"a\n\n", false),
        ("^a$", b"b\na", false),
        ("(?m)^a$", b"b\na\nc", true),
        (r"^a\z", b"a\n", false),
        (r"\x{c2}", b"\xc2", true),
        (r"\x{c2}", "\u{c2}".as_bytes(), false),
        (r"[\x{c2}-\x{c4}]", b"\xc3", true),
        ("é", "é".as_bytes(), true),
        ("[é]", b"\xc3", true),
        ("(?i)aB", b"Ab", true),
        ("a(?i)b|c", b"C", true),
        ("(?i:a)b", b"AB", false),
        ("[]a]", b"]", true),
        ("[^]a]", b"b", true),
        (r"[\]a-]", b"-", true),
        ("[[:alpha:]_]", b"_", true),
        ("[a[:digit:]]+", b"7", true),
        ("x{,3}", b"x{,3}", true),
        ("x{2,3}y", b"xxy", true),
        ("a{2}?b", b"aab", true),
        (r"\d+\s\w\b", b"12\x0bx", true),
        (r"\Qa.b\E+", b"a.bb", true),
        (r"\0\07\x41", b"\0\x07A", true),
        (r"[^\\]\\[cd]", br"a\c", true),
        ("(?x) a b # no\n c", b"abc", true),
        ("(?#note)a", b"a", true),
        (r"a++b", b"aab", true),
        (r"a*+[^a]", b"aab", true),
        ("", b"", true),
        ("a||b", b"", true),
        (r"\/\-\ ", b"/- ", true),
        (r"\cA", b"\x01", true),
    ];
    for (pattern, input, expected) in table {
        assert_eq!(
            matches(pattern, input),
            *expected,
            "{pattern} on {}",
            input.escape_ascii()
        );
    }
}

#[test]
fn refuses_what_it_cannot_express() {
    for (pattern, words) in [
        ("a++a", "possessive"),
        (r"\s*+[^,]", "possessive"),
        ("(?=a)", "look-around"),
        (r"(a)\1", "back reference"),
        ("(?>a|ab)c", "atomic"),
        ("(a", "never closed"),
        ("a)", "closing parenthesis"),
        ("*a", "nothing before it"),
        ("[b-a]", "out of order"),
        (r"\x{100}", "above one byte"),
        ("[a", "never closed"),
        (r"\pL", "escape"),
        ("(?:a{9999}){9999}", "does not compile"),
    ] {
        let error = Rx::new(pattern.as_bytes(), false).unwrap_err();
        assert!(error.contains(words), "{pattern}: {error}");
    }
}

#[test]
fn captures_are_numbered_as_written() {
    let rx = Rx::new(br"(?:x)(a)(b)?(c)", false).unwrap();
    assert_eq!(
        rx.captures(b"xac", 10).unwrap(),
        [Some(0..3), Some(1..2), None, Some(2..3)]
    );
}

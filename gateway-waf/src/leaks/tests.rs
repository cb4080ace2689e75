//! What is found, what is not, and what becomes of it in any pieces.

use proptest::prelude::*;

use super::*;

fn search(action: Action) -> Search {
    Search::new(|_| action).unwrap().unwrap()
}

/// A body in pieces of a size; what came out, and what was found.
fn screened(
    search: &Search,
    framing: Framing,
    text: &[u8],
    piece: usize,
) -> (Vec<u8>, Vec<(Kind, u32)>) {
    let mut screen = Screen::new(framing);
    let mut out = Vec::new();
    for piece in text.chunks(piece) {
        out.extend(screen.push(search, piece).unwrap());
    }
    out.extend(screen.finish(search).unwrap());
    assert_eq!(screen.held(), 0);
    (out, screen.counts().collect())
}

fn masked(text: &str) -> String {
    let (out, _) = screened(
        &search(Action::Mask),
        Framing::Text,
        text.as_bytes(),
        1 << 20,
    );
    String::from_utf8(out).unwrap()
}

fn kinds(text: &str) -> Vec<Kind> {
    let (_, counts) = screened(
        &search(Action::Log),
        Framing::Text,
        text.as_bytes(),
        1 << 20,
    );
    counts.into_iter().map(|(kind, _)| kind).collect()
}

/// The test numbers of issuers.
const CARDS: [&str; 12] = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "4012-8888-8888-1881",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "3782 822463 10005",
    "6011111111111117",
    "3530111333300000",
    "30569309025904",
    "3056-930902-5904",
    "6200000000000000000",
];

#[test]
fn cards_are_masked_but_for_their_last_digits() {
    for card in CARDS {
        for (before, behind) in [
            ("", ""),
            ("card=", "&x"),
            ("\"", "\""),
            ("(", ")."),
            ("<b>", "</b>"),
        ] {
            let text = format!("{before}{card}{behind}");
            let out = masked(&text);
            assert_eq!(out.len(), text.len(), "{text}");
            let (start, end) = (before.len(), before.len() + card.len());
            assert!(
                out[start..end - 4].bytes().all(|b| b"* -".contains(&b)),
                "{out}"
            );
            assert_eq!(out[end - 4..end], card[card.len() - 4..], "{out}");
            assert_eq!((&out[..start], &out[end..]), (before, behind));
        }
    }
    assert_eq!(
        masked("4111 1111 1111 1111 123"),
        "**** **** **** 1111 123",
        "with its check value"
    );
    assert_eq!(
        masked("4111 1111 1111 1111 12/28"),
        "**** **** **** 1111 12/28"
    );
}

#[test]
fn a_number_of_json_stays_one() {
    let search = search(Action::Mask);
    let text = br#"{"a": 4111111111111111, "b": [5555555555554444], "c": "4111111111111111"}"#;
    for piece in [1, 7, 100] {
        let (out, _) = screened(&search, Framing::Json, text, piece);
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["a"], 9_999_999_999_991_111_u64);
        assert_eq!(value["b"][0], 9_999_999_999_994_444_u64);
        assert_eq!(value["c"], "************1111");
    }
    let spaced = format!("{{\"a\":{}4111111111111111}}", " ".repeat(2000));
    let (out, _) = screened(&search, Framing::Json, spaced.as_bytes(), 64);
    assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
}

/// A key as OpenSSL writes it; what is in it is no key.
fn pem() -> String {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(24);
    format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n")
}

#[test]
fn keys_are_masked_whole() {
    let text = format!("before\n{}behind", pem());
    let out = masked(&text);
    assert_eq!(out.len(), text.len());
    assert!(out.starts_with("before\n-----BEGIN PRIVATE KEY-----\n*****"));
    assert!(out.ends_with("*\n-----END PRIVATE KEY-----\nbehind"));
    assert!(!out.contains("MIIE"));
    let json = serde_json::json!({ "key": pem(), "z": 1 }).to_string();
    let value: serde_json::Value = serde_json::from_str(&masked(&json)).unwrap();
    assert!(
        !value["key"].as_str().unwrap().contains("MII"),
        "line ends are escaped in JSON"
    );
    for key in [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        format!("ghp_{}", "aB3".repeat(12)),
        format!("github_pat_{}", "a1".repeat(41)),
        format!("glpat-{}", "x".repeat(20)),
        format!("xoxb-123456789012-{}", "aB3d".repeat(6)),
        format!(
            "https://hooks.slack.com/services/T00000000/B00000000/{}",
            "X".repeat(24)
        ),
        format!("sk_live_{}", "a".repeat(24)),
        format!("GOCSPX-{}", "a".repeat(28)),
        format!("SG.{}.{}", "a".repeat(22), "b".repeat(43)),
        format!("npm_{}", "a".repeat(36)),
    ] {
        let text = format!("key: \"{key}\",");
        assert_eq!(kinds(&text), [Kind::Key], "{key}");
        assert!(masked(&text).contains("****************"), "{key}");
    }
}

#[test]
fn a_key_without_an_end_is_masked_as_far_as_keys_go() {
    let text = format!("-----BEGIN RSA PRIVATE KEY-----\n{}", "A".repeat(40 << 10));
    for piece in [100, 1 << 20] {
        let (out, _) = screened(&search(Action::Mask), Framing::Text, text.as_bytes(), piece);
        let masked = out.iter().filter(|byte| **byte == b'*').count();
        assert_eq!(masked, (16 << 10) - 1, "the line end is not masked");
    }
}

const TRACES: [&str; 9] = [
    "\tat com.shop.Cart.total(Cart.java:42)",
    "Traceback (most recent call last):",
    "  File \"/srv/app/views.py\", line 12, in index",
    "    at Object.<anonymous> (/srv/app/index.js:10:15)",
    "   at Shop.Cart.Total(Int32 n) in /src/Cart.cs:line 42",
    "#1 /var/www/index.php(12): Cart->total()",
    "goroutine 1 [running]:",
    "thread 'main' panicked at src/main.rs:2:5:",
    "app/models/cart.rb:12:in `total'",
];

#[test]
fn traces_and_errors_of_databases_are_known() {
    for trace in TRACES {
        assert_eq!(kinds(trace), [Kind::StackTrace], "{trace}");
        let out = masked(trace);
        assert!(out.len() == trace.len() && out.contains("*****"), "{out}");
    }
    let json = serde_json::json!({"trace": TRACES.join("\n")}).to_string();
    assert!(serde_json::from_str::<serde_json::Value>(&masked(&json)).is_ok());
    for error in [
        "You have an error in your SQL syntax; check the manual",
        "SQLSTATE[42000]: Syntax error",
        "ORA-00933: SQL command not properly ended",
        "ERROR: unterminated quoted string at or near \"'\"",
        "java.sql.SQLSyntaxErrorException: x",
    ] {
        assert_eq!(kinds(error), [Kind::SqlError], "{error}");
    }
}

#[test]
fn what_looks_a_little_like_it_is_let_through() {
    let base64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ4111111111111111AAAADUlEQVR42mNk";
    for text in [
        "1700000000000 1700000000000000 1700000000000000000 20261123T010203",
        "order 1234567890123456, 9876543210987654, 7000000000000005",
        "4111111111111112 is no card, 4111111111111111111 neither",
        "67e55044-10b1-4111-9247-bb680e5fe0c8 550e8400e29b41d4a716446655440000",
        "4111111111111111.5 0.4111111111111111 x4111111111111111 4111111111111111a",
        "/photos/4111111111111111 id_4111111111111111 4111111111111111-a",
        "4444444444444444 0000 0000 0000 0000 5555555555555555",
        "4111 11111111 1111 41111111 11111111 4111-1111 1111-1111 4111.1111.1111.1111",
        "+49 4111 1111 1111 +1 (411) 111-1111",
        base64,
        "!function(e,t){for(var n=4111,r=1111;n<r;n++)e(n,t)}(at,at.length);//# sourceMappingURL=a.js.map",
        "we met at noon (see notes.txt:12:3) at http://a.example/x:80 at the bar",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n-----BEGIN PUBLIC KEY-----",
        "AKIAlowercaseisnone AKIAIOSFODNN7EXAMPL ghp_short xoxb-none sk_test_aaaaaaaaaaaaaaaaaaaaaaaa",
        "AIzaSyA1234567890123456789012345678901234 eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln",
        "SELECT * FROM orders; select an error in the list; goroutine pool; thread 'main' started",
        "File \"report.pdf\", line 3 of the table; ORA-12; SQLSTATE 42000",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

/// What share of numbers that are no cards would be taken for one.
#[test]
fn few_numbers_look_like_cards() {
    let search = search(Action::Log);
    let mut state = 7_u64;
    let mut found = [0_u32; 4];
    let rounds = 20_000;
    for _ in 0..rounds {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let random = state >> 10;
        for (found, text) in found.iter_mut().zip([
            // Any 16 digits; times in microseconds of 2020 to 2033; 32 hexadecimal digits;
            // identifiers of 18 digits.
            format!("{:016}", random % 10_000_000_000_000_000),
            format!("{}", 1_577_836_800_000_000 + random % 410_000_000_000_000),
            format!("{random:016x}{random:016x}"),
            format!("{:018}", random % 1_000_000_000_000_000_000),
        ]) {
            let (_, counts) = screened(&search, Framing::Text, text.as_bytes(), 100);
            *found += u32::from(!counts.is_empty());
        }
    }
    let [any, rest @ ..] = found;
    assert!(any < rounds / 35, "{any} of {rounds}");
    assert_eq!(rest, [0; 3]);
}

#[test]
fn what_is_blocked_ends_the_body_before_it() {
    let search = search(Action::Block);
    for piece in [1, 10, 1000] {
        let text = format!("{}4111111111111111 and more", "x ".repeat(600));
        let mut screen = Screen::new(Framing::Text);
        let mut out = Vec::new();
        let mut result = Ok(());
        for piece in text.as_bytes().chunks(piece) {
            match screen.push(&search, piece) {
                Ok(bytes) => out.extend(bytes),
                Err(found) => result = Err(found),
            }
        }
        match screen.finish(&search) {
            Ok(bytes) => out.extend(bytes),
            Err(found) => result = Err(found),
        }
        assert_eq!(result, Err(Found(Kind::Card)));
        assert!(
            out.iter().all(|byte| b"x ".contains(byte)),
            "nothing of it, nothing behind it"
        );
    }
}

#[test]
fn an_event_is_not_held_back() {
    let search = search(Action::Mask);
    let mut screen = Screen::new(Framing::Events);
    let mut push =
        |text: &str| String::from_utf8(screen.push(&search, text.as_bytes()).unwrap()).unwrap();
    assert_eq!(
        push("data: 4111111111111111\n\n"),
        "data: ************1111\n\n"
    );
    assert_eq!(push("data: a\r\n"), "");
    assert_eq!(push("data: 41111111"), "");
    assert_eq!(
        push("11111111\r\n\r\ndata:"),
        "data: a\r\ndata: ************1111\r\n\r\n"
    );
    assert_eq!(
        push(&" ".repeat(100 << 10)).len(),
        (36 << 10) + 5,
        "no event is longer than is held"
    );
}

#[test]
fn one_kind_hides_no_other() {
    let search = Search::new(|kind| match kind {
        Kind::Card => Action::Mask,
        Kind::Key | Kind::StackTrace | Kind::SqlError => Action::Log,
    });
    let search = search.unwrap().unwrap();
    let text = "#1 /var/www/index.php(12): -----BEGIN PRIVATE KEY-----\n4111 1111 1111 1111\n  File \"4111111111111111 .py\", line 1, in a";
    let (out, _) = screened(&search, Framing::Text, text.as_bytes(), 9);
    assert!(!String::from_utf8(out).unwrap().contains("4111"));
    assert!(Search::new(|_| Action::Off).unwrap().is_none());
}

/// What was masked stood in front of the next search, where a word ended before.
#[test]
fn a_mask_changes_nothing_behind_it() {
    let search = search(Action::Mask);
    let text = format!(
        "  File \"/srv/app/views.py\", line 12, in indexapp/models/cart.rb:12:in `total'{}",
        pem()
    );
    let whole = screened(&search, Framing::Text, text.as_bytes(), usize::MAX);
    assert_eq!(screened(&search, Framing::Text, text.as_bytes(), 1), whole);
}

/// Escapes stay whole wherever they are cut.
#[test]
fn an_escape_is_not_masked_in_pieces() {
    let search = search(Action::Mask);
    let text = format!(
        r#"{{"key": "-----BEGIN PRIVATE KEY-----\n{}\u003d\u003d\n-----END PRIVATE KEY-----"}}"#,
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(40)
    );
    for piece in [1, 7, 511, 512, 513, 1024] {
        let (out, _) = screened(&search, Framing::Json, text.as_bytes(), piece);
        let out: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert!(!out["key"].as_str().unwrap().contains("MIIE"));
    }
}

/// Texts made of what is looked for and what surrounds it.
fn texts() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = CARDS
        .iter()
        .chain(&TRACES)
        .map(|text| (*text).to_owned())
        .chain([
            pem(),
            "AKIAIOSFODNN7EXAMPLE".into(),
            "\n\n".into(),
            " ".into(),
            "\"".into(),
            "4".into(),
        ])
        .chain([
            "-----BEGIN PRIVATE KEY-----".into(),
            "-----END".into(),
            r"\".into(),
            r"\u003d".into(),
            "word ".repeat(150),
        ])
        .collect();
    prop::collection::vec(prop::sample::select(pieces), 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// Whatever the pieces, the same comes out, and as many bytes as went in.
    #[test]
    fn pieces_make_no_difference(text in texts(), piece in 1_usize..700) {
        let search = search(Action::Mask);
        let whole = screened(&search, Framing::Text, text.as_bytes(), usize::MAX);
        prop_assert_eq!(whole.0.len(), text.len());
        let pieces = screened(&search, Framing::Text, text.as_bytes(), piece);
        prop_assert_eq!(String::from_utf8_lossy(&pieces.0), String::from_utf8_lossy(&whole.0));
        prop_assert_eq!(pieces.1, whole.1);
    }

    #[test]
    fn any_bytes_pass_with_their_length(bytes in prop::collection::vec(any::<u8>(), 0..3000), piece in 1_usize..900) {
        for framing in [Framing::Text, Framing::Json, Framing::Events] {
            let (out, _) = screened(&search(Action::Mask), framing, &bytes, piece);
            prop_assert_eq!(out.len(), bytes.len());
            let (out, _) = screened(&search(Action::Log), framing, &bytes, piece);
            prop_assert_eq!(&out, &bytes);
        }
    }
}

//! What rules see of values that are written in another encoding inside others.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use gateway_waf::{Decoder, Decoders, Waf};

use crate::common::{Request, load};

const FORM: &str = "application/x-www-form-urlencoded";
const ATTACK: &str = "' union select 1";

fn all() -> Decoders {
    Decoder::ALL.into_iter().collect()
}

fn deep(rules: &str) -> Waf {
    let mut waf = load(rules);
    waf.set_decoders(all());
    waf
}

fn token() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let (header, claims) = (
        part(r#"{"alg":"HS256"}"#),
        part(r#"{"sub":"' union select 1"}"#),
    );
    format!("{header}.{claims}.c2ln")
}

/// Whether the rule matches with all decoders; it must not with none.
fn matches(target: &str, request: &Request<'_>) -> bool {
    let rules = format!("SecRule {target} \"@contains union select\" \"id:1,phase:2,pass\"");
    assert!(request.ids(&load(&rules)).is_empty(), "{target}");
    !request.ids(&deep(&rules)).is_empty()
}

#[test]
fn values_are_looked_into_wherever_they_stand() {
    let encoded = STANDARD.encode(ATTACK);
    let token = token();
    let query = format!("/?q={encoded}");
    let path = format!("/a/{encoded}/b");
    let cookie = format!("a=1; c={encoded}");
    let bearer = format!("Bearer {token}");
    let json = format!(r#"{{"a":["{encoded}"]}}"#);
    let nested = r#"q={"a":{"b":"' union%2520select 1"}}"#;
    let text = format!("<e><id>7</id>\n  <q>\n  {encoded}\n</q><p>x</p></e>");
    let (first, last) = encoded.split_at(9);
    let parted = format!("<e>{first}<b/>{last}</e>");
    let attribute = format!("<e id='7' q='{encoded}'>x</e>");
    let form =
        format!("--B\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n{encoded}\r\n--B--\r\n");
    for (target, request) in [
        ("ARGS:q", Request::get(&query)),
        ("ARGS_GET", Request::get(&query)),
        ("ARGS:/^Q$/", Request::get(&query)),
        ("ARGS", Request::get("/?q=%2527+union%2520select")),
        ("REQUEST_FILENAME", Request::get(&path)),
        (
            "REQUEST_COOKIES:c",
            Request::get("/").header("Cookie", &cookie),
        ),
        (
            "REQUEST_HEADERS:X-A",
            Request::get("/").header("X-A", &encoded),
        ),
        (
            "REQUEST_HEADERS:Authorization",
            Request::get("/").header("Authorization", &bearer),
        ),
        ("ARGS_POST:q", Request::post("/", FORM, nested.as_bytes())),
        (
            "ARGS:json.a.array_0",
            Request::post("/", "application/json", json.as_bytes()),
        ),
        (
            "ARGS:f",
            Request::post("/", "multipart/form-data; boundary=B", form.as_bytes()),
        ),
        (
            "REQUEST_BODY",
            Request::post("/", "text/plain", encoded.as_bytes()),
        ),
        (
            "XML:/*",
            Request::post("/", "application/soap+xml", text.as_bytes()),
        ),
        ("XML:/*", Request::post("/", "text/xml", parted.as_bytes())),
        (
            "XML://@*",
            Request::post("/", "text/xml", attribute.as_bytes()),
        ),
    ] {
        assert!(matches(target, &request), "{target}");
    }
    for (target, request) in [
        ("ARGS:other", Request::get(&query)),
        ("ARGS_NAMES", Request::get(&query)),
        ("QUERY_STRING", Request::get(&query)),
        (
            "REQUEST_HEADERS",
            Request::get("/").header("Referer", "https://a.example/?q=%27+union%20select"),
        ),
    ] {
        assert!(!matches(target, &request), "{target}");
    }
}

#[test]
fn what_is_excluded_for_a_field_is_excluded_for_what_is_in_it() {
    let query = format!(
        "/?q={}&r=%7B%22x%22%3A%22%5Cu0065vil%22%7D",
        STANDARD.encode(ATTACK)
    );
    let request = Request::get(&query);
    let rule =
        |targets: &str| format!("SecRule {targets} \"@rx union|evil\" \"id:1,phase:2,pass\"\n");
    assert_eq!(request.ids(&deep(&rule("ARGS"))), [1, 1]);
    assert_eq!(request.ids(&deep(&rule("ARGS|!ARGS:q"))), [1]);
    assert_eq!(request.ids(&deep(&rule("ARGS|!ARGS:q|!ARGS:r"))), []);
    let control = "SecAction \"id:2,phase:1,pass,nolog,noauditlog,\
        ctl:ruleRemoveTargetById=1;ARGS:q,ctl:ruleRemoveTargetById=1;ARGS:r\"\n";
    assert_eq!(
        request.ids(&deep(&format!("{control}{}", rule("ARGS")))),
        []
    );
    let update = "SecRuleUpdateTargetById 1 \"!ARGS:q,!ARGS:r\"\n";
    assert_eq!(request.ids(&deep(&format!("{}{update}", rule("ARGS")))), []);
}

/// Rules that count, measure, or say what a value must be like see it as it came.
#[test]
fn what_measures_sees_values_as_they_came() {
    let json = r#"{"a":"' union select 1","b":[1,2,3],"c":"%2527"}"#;
    let body = format!("q={}&r={json}&s=abcd", STANDARD.encode(ATTACK));
    let request = Request::post("/x", FORM, body.as_bytes());
    // As the form is decoded, one escape less.
    let size = body.len() - "=&=&=".len() - "25".len();
    let size = format!(r#"ARGS_COMBINED_SIZE "!@eq {size}""#);
    for (test, actions) in [
        (r#"&ARGS "!@eq 3""#, ""),
        (r#"&ARGS:q "!@eq 1""#, ""),
        (size.as_str(), ""),
        (r#"ARGS_NAMES "!@within q r s""#, ""),
        (r#"ARGS:q "!@rx ^[A-Za-z0-9+/=]+$""#, ""),
        (
            r#"ARGS:q "@validateByteRange 43,47-57,61,65-90,97-122""#,
            "",
        ),
        (r#"ARGS:r "@lt 40""#, ",t:length"),
        (r#"ARGS:r "@rx ^.$""#, ",t:length"),
        (r#"ARGS:r "@eq 1""#, ""),
    ] {
        let rules = format!("SecRule {test} \"id:1,phase:2,pass{actions}\"");
        assert_eq!(request.ids(&deep(&rules)), [], "{test}");
    }
    let counted = "SecRule ARGS \"@unconditionalMatch\" \"id:1,phase:2,pass,nolog,noauditlog,setvar:tx.n=+1\"\n\
        SecRule TX:n \"@eq 3\" \"id:2,phase:2,pass\"";
    assert_eq!(request.ids(&deep(counted)), [2]);
    let audited = "SecRule ARGS \"@contains union\" \"id:1,phase:2,block,ctl:auditLogParts=+E\"";
    assert_eq!(request.ids(&deep(audited)), [1, 1, 1]);
}

/// What is hidden in a value never takes rules away.
#[test]
fn what_is_found_inside_excuses_nothing() {
    let query = format!("/?q={}&a=evil", STANDARD.encode("please let me in"));
    let evil = "SecRule ARGS:a \"@streq evil\" \"id:9,phase:2,deny\"\nSecMarker END\n";
    for actions in [
        "allow",
        "pass,ctl:ruleEngine=Off",
        "pass,ctl:ruleRemoveById=9",
        "pass,skip:1",
        "pass,skipAfter:END",
        "pass,nolog,setvar:tx.friend=1",
    ] {
        let rules =
            format!("SecRule ARGS:q \"@contains let me in\" \"id:1,phase:2,{actions}\"\n{evil}");
        let plain = Request::get("/?q=please+let+me+in&a=evil");
        let waf = deep(&rules);
        assert_eq!(Request::get(&query).ids(&waf), [9], "{actions}");
        assert_eq!(
            plain.ids(&waf).first(),
            Some(&1).filter(|_| !actions.contains("nolog")).or(Some(&9)),
            "{actions}"
        );
    }
}

#[test]
fn the_log_says_how_a_value_was_decoded_and_keeps_secrets() {
    let waf = deep(
        "SecRule ARGS \"@rx union\" \"id:1,phase:2,pass,msg:'%{MATCHED_VAR_NAME}',logdata:'%{MATCHED_VAR}'\"",
    );
    let document = STANDARD.encode(r#"{"password":"a union","q":"b union"}"#);
    let query = format!("/?q={document}&r=c+union");
    let request = Request::get(&query);
    let (_, transaction) = request.run(&waf);
    let told: Vec<(&str, &[u8], &[u8])> = transaction
        .matches()
        .iter()
        .map(|m| {
            (
                m.decoded.as_str(),
                m.matched.as_slice(),
                m.logdata.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("", &b"union"[..], &b"c union"[..]),
            ("base64,json", b"***", b"***"),
            ("base64,json", b"union", b"b union"),
        ]
    );
    let lines: Vec<String> = transaction
        .matches()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(!lines[0].contains("decoded"), "{}", lines[0]);
    assert!(
        lines[2].ends_with(r#"[decoded "base64,json"]"#),
        "{}",
        lines[2]
    );
    assert!(
        lines.iter().all(|line| !line.contains("a union")),
        "{lines:?}"
    );
    assert_eq!(transaction.matches()[2].variable, "ARGS:q");
}

#[test]
fn what_an_element_of_a_secret_name_holds_is_masked() {
    let waf = deep("SecRule XML:/* \"@rx union\" \"id:1,phase:2,pass,logdata:'%{MATCHED_VAR}'\"");
    let encoded = STANDARD.encode("my union secret");
    let long = "n".repeat(200);
    for (element, masked) in [
        ("password", true),
        ("w:Password", true),
        (&long, true),
        ("remark", false),
    ] {
        let body = format!("<e xmlns:w='x'><a>b</a><{element}>{encoded}</{element}></e>");
        let request = Request::post("/", "text/xml", body.as_bytes());
        let (_, transaction) = request.run(&waf);
        let [found] = transaction.matches() else {
            panic!("{:?}", transaction.matches());
        };
        assert_eq!(found.decoded, "base64");
        assert_eq!(found.matched == b"***", masked, "{element}: {found}");
        assert_eq!(found.to_string().contains("my union"), !masked, "{found}");
    }
}

/// A copy of the name for each piece of text would take 40 GB.
#[test]
fn a_long_name_around_many_texts_is_not_copied_for_each() {
    let waf = deep("SecRule XML:/* \"@rx union\" \"id:1,phase:2,pass\"");
    let (name, texts) = ("n".repeat(400_000), "x<b/>".repeat(100_000));
    let body = format!("<{name}>{texts}</{name}>");
    let request = Request::post("/", "text/xml", body.as_bytes());
    assert_eq!(request.ids(&waf), []);
}

#[test]
fn more_than_the_limit_is_an_error_that_rules_see() {
    let rules = "SecArgumentsLimit 10\nSecRule REQBODY_ERROR \"@eq 1\" \"id:1,phase:2,deny\"\n";
    let waf = deep(rules);
    let list = |count: usize| format!("/?q=[{}\"a\"]", "\"a\",".repeat(count - 1));
    assert_eq!(Request::get(&list(10)).ids(&waf), []);
    assert_eq!(Request::get(&list(11)).ids(&waf), [1]);
    let twice = format!("{}&r=%2527", list(10));
    assert_eq!(Request::get(&twice).ids(&waf), [1]);
    assert_eq!(Request::get(&list(11)).ids(&load(rules)), []);
}

#[test]
fn the_prefilter_changes_nothing() {
    let rules = "SecRule ARGS \"@rx union\\s+select\" \"id:1,phase:2,pass,t:lowercase\"\n\
        SecRule ARGS \"!@rx ^[A-Za-z0-9+/=]+$\" \"id:2,phase:2,pass,t:lowercase\"\n\
        SecRule ARGS \"@pm sleep benchmark\" \"id:3,phase:2,pass,chain\"\n\
        SecRule MATCHED_VARS \"!@contains nothing\" \"t:none\"\n";
    let query = format!(
        "/?q={}&r={}",
        STANDARD.encode("x UNION  SELECT"),
        STANDARD.encode("1;sleep(1)")
    );
    let mut waf = deep(rules);
    let with = Request::get(&query).ids(&waf);
    waf.set_prefilter(false);
    assert_eq!(with, [1, 3]);
    assert_eq!(Request::get(&query).ids(&waf), with);
}

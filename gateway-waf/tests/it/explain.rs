//! How matches are explained, and what is never shown.

use gateway_waf::{Explanation, Inspected};

use crate::common::{Request, load};

const RULE: &str = "SecRule ARGS|REQUEST_HEADERS|REQUEST_BODY|QUERY_STRING \"@rx evil(?:er)?\" \
     \"id:1,phase:2,pass,log,t:urlDecodeUni,t:lowercase,t:compressWhitespace\"";

fn never(_: &[u8]) -> bool {
    false
}

fn explained(rules: &str, request: &Request<'_>) -> Vec<Explanation> {
    let waf = load(rules);
    let (_, mut transaction) = request.run(&waf);
    transaction.explain(&never)
}

fn about<'e>(told: &'e [Explanation], variable: &str) -> &'e Inspected {
    let mut last = told.iter().map(|told| told.inspected.last().unwrap());
    let found = last.find(|inspected| inspected.variable == variable);
    found.unwrap_or_else(|| panic!("{told:?}"))
}

#[test]
fn every_transformation_is_told_and_the_bytes_that_matched() {
    let request = Request::get("/?q=an%2520EVIL%2520%2520thing");
    let told = explained(RULE, &request);
    let inspected = about(&told, "ARGS:q");
    assert_eq!(inspected.operator, "@rx evil(?:er)?");
    assert_eq!(inspected.matched, Some(3..7));
    let (raw, steps) = inspected.shown.as_ref().unwrap();
    assert_eq!(raw.bytes, b"an%20EVIL%20%20thing");
    let told: Vec<_> = steps
        .iter()
        .map(|step| {
            let value = step.value.as_ref().map(|value| value.bytes.as_slice());
            (step.transform, value)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("urlDecodeUni", Some(&b"an EVIL  thing"[..])),
            ("lowercase", Some(b"an evil  thing")),
            ("compressWhitespace", Some(b"an evil thing")),
        ]
    );
}

#[test]
fn long_values_are_cut_around_the_match() {
    let uri = format!("/?q={}evil{}", "a".repeat(5000), "b".repeat(5000));
    let told = explained(RULE, &Request::get(&uri));
    let (raw, steps) = about(&told, "ARGS:q").shown.as_ref().unwrap();
    assert_eq!((raw.length, raw.bytes.len()), (10_004, 256));
    assert_eq!(raw.offset + 126, 5000);
    assert_eq!(&raw.bytes[126..130], b"evil");
    assert!(steps.iter().all(|step| step.value.is_none()));
}

#[test]
fn each_rule_of_a_chain_is_told_with_its_own_value() {
    let rules = "SecAction \"id:9,phase:1,pass,nolog,setvar:tx.limit=2\"\n\
         SecRule ARGS:a \"@streq x\" \"id:1,phase:2,deny,log,t:none,t:lowercase,chain\"\n\
         SecRule &ARGS \"@ge %{tx.limit}\" \"t:none\"";
    let told = explained(rules, &Request::get("/?a=X&b=y"));
    let [Explanation { inspected, .. }] = told.as_slice() else {
        panic!("{told:?}");
    };
    let variables: Vec<_> = inspected.iter().map(|i| i.variable.as_str()).collect();
    assert_eq!(variables, ["ARGS:a", "&ARGS"]);
    assert_eq!(inspected[1].argument.as_deref(), Some(&b"2"[..]));
    assert_eq!(inspected[1].shown.as_ref().unwrap().0.bytes, b"2");
}

#[test]
fn no_secret_is_shown_wherever_it_stands() {
    let secret = "evilsecret99";
    let jwt = "eyJhbGciOievil0";
    let requests = [
        Request::get("/?password=evilsecret99"),
        Request::get("/?PassWord=EVILsecret99&q=see+evilsecret99"),
        Request::get("/").header("Authorization", "Bearer evilsecret99"),
        Request::get("/").header("Cookie", "a=evilsecret99"),
        Request::get("/").header("X-Odd", "jwt eyJhbGciOievil0"),
        Request::post(
            "/",
            "application/x-www-form-urlencoded",
            b"token=evilsecret99",
        ),
        Request::post("/", "text/plain", b"the password is evilsecret99"),
        Request::get("/?q=evil+4111111111111111"),
        Request::get("/?card=evilsecret99").header("X", "sanitised by name"),
    ];
    let rules = format!("SecAction \"id:2,phase:1,pass,nolog,sanitiseArg:card\"\n{RULE}");
    for request in &requests {
        let told = explained(&rules, request);
        assert!(!told.is_empty(), "{}: nothing matched", request.uri);
        let text = format!("{told:?}");
        let bytes = |text: &str| format!("{:?}", text.as_bytes());
        for hidden in [secret, "EVILsecret99", jwt, "4111111111111111"] {
            let inner = bytes(hidden);
            let inner = inner.trim_matches(['[', ']']);
            assert!(!text.contains(inner), "{}: {told:?}", request.uri);
        }
    }
}

#[test]
fn a_request_with_too_many_secrets_to_look_for_is_not_shown() {
    let few = format!("/?q=evil{}", "&token=a".repeat(20));
    let many = format!("/?q=evil{}", "&token=a".repeat(40));
    for (uri, shown) in [(few, true), (many, false)] {
        let told = explained(RULE, &Request::get(&uri));
        assert_eq!(about(&told, "ARGS:q").shown.is_some(), shown, "{uri}");
    }
}

#[test]
fn the_caller_may_name_more_secrets() {
    let waf = load(RULE);
    let (_, mut transaction) = Request::get("/?plate=evil").run(&waf);
    let told = transaction.explain(&|name| name == b"plate");
    assert!(
        told.iter().all(|t| t.inspected[0].shown.is_none()),
        "{told:?}"
    );
}

#[test]
fn matches_beyond_the_bound_are_recorded_without_explanation() {
    let mut rules = String::new();
    for id in 1..=40 {
        rules.push_str(&format!(
            "SecRule ARGS \"@contains evil\" \"id:{id},phase:2,pass,log\"\n"
        ));
    }
    let waf = load(&rules);
    let (_, mut transaction) = Request::get("/?q=evil").run(&waf);
    assert_eq!(transaction.matches().len(), 40);
    let told = transaction.explain(&never);
    assert_eq!(told.len(), 32);
    assert!(told.iter().enumerate().all(|(i, t)| t.record == i));
}

#[test]
fn copies_keep_the_request_and_mask_its_secrets() {
    let waf = load("SecRequestBodyAccess On");
    let request = Request::post(
        "/login?next=%2Fhome&access_token=abc&n=4111+1111+1111+1111&m=4111111111111112",
        "application/x-www-form-urlencoded",
        b"user=ann&p%61ssword=x&q=1%27",
    )
    .header("Authorization", "Basic dTpw")
    .header("Cookie", "sid=1; theme=dark")
    .header("Referer", "https://a.example/?token=t&x=1");
    let (_, transaction) = request.run(&waf);
    let copy = transaction.copy(1024, &never);
    assert_eq!(
        copy.target,
        b"/login?next=%2Fhome&access_token=***&n=***&m=4111111111111112"
    );
    assert_eq!(
        copy.body.as_deref(),
        Some(&b"user=ann&p%61ssword=***&q=1%27"[..])
    );
    let header = |wanted: &[u8]| {
        let found = copy.headers.iter().find(|(name, _)| name == wanted);
        String::from_utf8(found.unwrap().1.clone()).unwrap()
    };
    assert_eq!(header(b"Authorization"), "Basic ***");
    assert_eq!(header(b"Cookie"), "sid=***; theme=***");
    assert_eq!(header(b"Referer"), "https://a.example/?token=***&x=1");
    assert_eq!(copy.masked, 7);
    assert_eq!(transaction.copy(8, &never).body, None, "too long");
}

#[test]
fn what_rules_mask_is_masked_in_copies() {
    let waf = load(
        "SecRule ARGS \"@contains hush\" \"id:1,phase:1,pass,nolog,sanitiseMatched\"\n\
         SecAction \"id:2,phase:1,pass,nolog,sanitiseArg:plate,sanitiseRequestHeader:X-Own\"",
    );
    let request = Request::get("/?a=hush&plate=b&c=d").header("X-Own", "e");
    let (_, transaction) = request.run(&waf);
    let copy = transaction.copy(0, &never);
    assert_eq!(copy.target, b"/?a=***&plate=***&c=d");
    assert_eq!(copy.headers.last().unwrap().1, b"***");
}

#[test]
fn bodies_whose_secrets_cannot_be_told_apart_are_not_copied() {
    let waf = load("SecRequestBodyAccess On");
    let kept = |content_type: &str, body: &[u8]| {
        let request = Request::post("/", content_type, body);
        let (_, transaction) = request.run(&waf);
        transaction.copy(1024, &never).body.is_some()
    };
    assert!(kept("application/json", br#"{"q": "1"}"#));
    assert!(!kept("application/json", br#"{"q": "4111 1111-11111111"}"#));
    assert!(!kept("application/json", br#"{"p\u0061ssword": "1"}"#));
    assert!(!kept("application/json", br#"{"pwd": "1"}"#));
    assert!(!kept("text/plain", b"token: 1"));
    assert!(!kept("text/xml", b"<a password='1'/>"));
}

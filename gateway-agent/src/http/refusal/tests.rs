use std::collections::HashMap;

use gateway_policy::access::{HostFault, PathFault};

use super::*;
use crate::http::answer::refused;
use crate::http::ids::Ids;
use crate::validation::{FormFault, JsonFault, Part};

/// One of each.
fn all() -> Vec<Refusal> {
    let quota = Quota::from_rate("3/hour".parse().unwrap());
    let exceeded = |shared| {
        let (retry_after, reset_after) = (Nanos(1), Nanos::from_secs(7));
        Refusal::LimitExceeded(Exceeded {
            quota,
            zone: "trusted",
            retry_after,
            reset_after,
            shared,
        })
    };
    let blocked = |location: Option<&str>| Refusal::WafBlocked {
        rule: 7,
        status: StatusCode::FORBIDDEN,
        location: location.map(str::to_owned),
    };
    let mut all = vec![
        Refusal::Unparsable,
        Refusal::HeadersTooLarge,
        Refusal::HeadersTimeout,
        Refusal::MethodRefused,
        Refusal::MethodUnsupported,
        Refusal::UpgradeUnsupported,
        Refusal::Banned,
        exceeded(false),
        exceeded(true),
        Refusal::Overloaded,
        Refusal::TokenRequired,
        Refusal::RoleRequired,
        Refusal::NotPermitted,
        Refusal::NoRoute(NoRoute::NotFound),
        Refusal::NoRoute(NoRoute::MethodNotAllowed {
            allow: vec!["GET".into(), "HEAD".into()],
        }),
        blocked(None),
        Refusal::BodyTooLarge,
        Refusal::ResponseBlocked {
            rule: 8,
            status: StatusCode::FORBIDDEN,
            location: None,
        },
        Refusal::ResponseLeak(Kind::Card),
        Refusal::ResponseUnseen,
        Refusal::BodyEncoded,
        Refusal::BodyUndecodable,
        Refusal::CharsetUnsupported,
        Refusal::BodyTimeout,
        Refusal::BodyBroken,
        Refusal::ClientGone,
        Refusal::StageFailed(Stage::Waf),
    ];
    all.extend(violations().map(Refusal::Invalid));
    all.extend(TokenFault::ALL.map(Refusal::Token));
    all.extend(
        [
            Malformation::Incomplete,
            Malformation::RequestLine,
            Malformation::Method,
            Malformation::Target,
            Malformation::TargetTooLong,
            Malformation::Version,
            Malformation::FieldName,
            Malformation::FieldValue,
            Malformation::FieldFolded,
            Malformation::Length,
            Malformation::TypeRepeated,
            Malformation::AmbiguousLength,
            Malformation::TransferCoding,
            Malformation::HostMissing,
            Malformation::HostRepeated,
            Malformation::HostMismatch,
            Malformation::Host(HostFault::NotAHost),
            Malformation::Path(PathFault::DotSegment),
        ]
        .map(Refusal::Malformed),
    );
    all.extend(
        [
            UpstreamFault::NoTarget,
            UpstreamFault::Unreachable,
            UpstreamFault::ConnectTimeout,
            UpstreamFault::Reset,
            UpstreamFault::Timeout,
            UpstreamFault::BadResponse,
        ]
        .map(Refusal::Upstream),
    );
    all
}

/// One of each.
fn violations() -> [Violation; 11] {
    let accept = || "application/json".to_owned();
    let breach: Breach = Breach {
        r#in: Part::Query,
        pointer: None,
        name: Some("limit".into()),
        detail: "must be at most 9".into(),
    };
    [
        Violation::TypeMissing { accept: accept() },
        Violation::TypeRefused { accept: accept() },
        Violation::Charset,
        Violation::BodyMissing,
        Violation::BodyUnexpected,
        Violation::Json(JsonFault::DuplicateKey),
        Violation::Form(FormFault::Encoding),
        Violation::Body(vec![breach.clone()]),
        Violation::Parameters(vec![breach]),
        Violation::PathUnknown,
        Violation::MethodUnknown { allow: vec!["GET"] },
    ]
}

/// What a client is told of a block: that it was one, and the id to ask about.
#[test]
fn a_block_shows_a_request_id_and_nothing_else() {
    let status = StatusCode::FORBIDDEN;
    let id = Ids::default().request();
    let shown = |refusal: &Refusal| {
        let response = refused(&refusal.row(), id, "realm");
        let mut fields: Vec<_> = response.headers().keys().map(|n| n.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["cache-control", "content-type"], "{refusal:?}");
        serde_json::from_slice::<serde_json::Value>(response.body()).unwrap()
    };
    let request = |rule| Refusal::WafBlocked {
        rule,
        status,
        location: None,
    };
    let response = |rule| Refusal::ResponseBlocked {
        rule,
        status,
        location: None,
    };
    let leak = Refusal::ResponseLeak;
    for (refusal, other, code, detail) in [
        (
            request(942_100),
            request(0),
            "waf-blocked",
            "the request was refused",
        ),
        (
            response(951_100),
            response(0),
            "response-blocked",
            "the response was refused",
        ),
        (
            leak(Kind::Card),
            leak(Kind::SqlError),
            "response-leak",
            "the response was refused",
        ),
    ] {
        let problem = shown(&refusal);
        let status = refusal.row().status;
        assert_eq!(
            problem,
            serde_json::json!({
                "type": "about:blank", "title": status.canonical_reason().unwrap(),
                "status": status.as_u16(), "detail": detail,
                "code": code, "request_id": id.to_string(),
            })
        );
        assert_eq!(problem, shown(&other), "whatever the rule was");
    }
}

#[test]
fn names_are_unique_and_fit_everywhere() {
    let mut seen = HashMap::new();
    for refusal in all() {
        let name = refusal.row().name;
        assert!(
            name.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
        if let Some(other) = seen.insert(name, refusal.clone()) {
            panic!("{refusal:?} and {other:?} are both {name}");
        }
    }
}

#[test]
fn every_refusal_is_a_whole_problem() {
    let id = Ids::default().request();
    for refusal in all() {
        let row = refusal.row();
        let response = refused(&row, id, "a \"realm\"");
        assert!(
            row.status.as_u16() >= 400 && !row.detail.is_empty(),
            "{refusal:?}"
        );
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["status"], response.status().as_u16());
        assert_eq!(body["code"], row.name);
        assert_eq!(body["request_id"], id.to_string());
        let headers = response.headers();
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["cache-control"], "no-store");
        // RFC 9110: 401 comes with a challenge, 405 with Allow; and RFC 6585: 429 may say when.
        let has = |name| headers.contains_key(name);
        assert!(row.status != 401 || has("www-authenticate"), "{refusal:?}");
        assert!(row.status != 405 || has("allow"), "{refusal:?}");
        let waits = row.status == 429 || row.status == 503;
        assert_eq!(has("retry-after"), waits, "{refusal:?}");
        assert_eq!(body["retry_after"].is_u64(), waits);
        if let Some(challenge) = headers.get("www-authenticate") {
            assert!(
                challenge
                    .to_str()
                    .unwrap()
                    .starts_with("Bearer realm=\"a realm\"")
            );
        }
        assert!(!refusal.evidence().is_empty());
    }
}

#[test]
fn only_what_the_client_did_on_purpose_is_an_offence() {
    let offences: Vec<&str> = all()
        .iter()
        .map(Refusal::row)
        // Clients with a fault send such requests too, so the rule for them is off by default.
        .filter(|r| {
            r.offence
                .is_some_and(|kind| kind != OffenceKind::InvalidRequest)
        })
        .map(|r| r.name)
        .collect();
    assert_eq!(
        offences,
        [
            "rate-limited",
            "waf-blocked",
            "token-not-bearer",
            "token-too-long",
            "token-malformed",
            "token-algorithm-not-allowed",
            "token-unknown-key",
            "token-bad-signature",
            "token-wrong-issuer",
            "token-wrong-audience",
            "token-no-expiry",
        ]
    );
}

#[test]
fn a_wait_is_rounded_up() {
    let limited = all()
        .into_iter()
        .find(|r| r.row().name == "rate-limited")
        .unwrap();
    let response = refused(&limited.row(), Ids::default().request(), "");
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["ratelimit"], "\"trusted\";r=0;t=7");
    assert_eq!(
        response.headers()["ratelimit-policy"],
        "\"trusted\";q=3;w=3600"
    );
}

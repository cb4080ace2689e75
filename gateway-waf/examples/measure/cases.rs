//! What is measured: ordinary requests, and bodies made to keep the engine busy.

mod adversarial;

use crate::request::{Body, Request};

/// A request, and what it may cost.
pub(crate) struct Case {
    kind: &'static str,
    pub(crate) request: Request,
    pub(crate) goal_us: f64,
    /// Whether the engine that it is put to leaves out tests that cannot match.
    pub(crate) prefilter: bool,
}

impl Case {
    pub(crate) fn name(&self) -> String {
        let prefilter = if self.prefilter { "" } else { "-no-prefilter" };
        let recorded = if self.request.recorded { "-kept" } else { "" };
        format!("{}{prefilter}{recorded}", self.kind)
    }
}

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";

/// What any body of 32 KB may cost.
const ADVERSARIAL_GOAL_US: f64 = 10_000.0;

/// All cases: the ordinary ones, requests with and without a record (`waf.keep`), the adversarial
/// ones, and the ordinary ones once more with the prefilter off.
pub(crate) fn all() -> Vec<Case> {
    let mut cases: Vec<Case> = ordinary(true).into();
    cases.extend(records());
    for (kind, content_type, bytes) in adversarial::bodies() {
        cases.push(Case {
            kind,
            request: post(content_type, bytes),
            goal_us: ADVERSARIAL_GOAL_US,
            prefilter: true,
        });
    }
    cases.extend(ordinary(false));
    cases
}

fn ordinary(prefilter: bool) -> [Case; 5] {
    let case = |kind, goal_us, request| Case {
        kind,
        request,
        goal_us,
        prefilter,
    };
    let long = format!("text={}", "the+quick+brown+fox+".repeat(3277));
    [
        case("get", 150.0, get("/search?q=garden+chairs&page=2")),
        case("json", 1_000.0, post(JSON, orders(2048))),
        case("form", 300.0, post(FORM, ORDER.into())),
        case("form-64k", 5_000.0, post(FORM, long.into())),
        case("json-56k", 15_000.0, post(JSON, articles(56 * 1024))),
    ]
}

/// What a record costs: of an attack, which always has one, and of an ordinary form, which has one
/// where it is a sample. Ordinary requests without one pay nothing.
fn records() -> [Case; 3] {
    let case = |kind, goal_us, request, recorded| Case {
        kind,
        request: Request {
            recorded,
            ..request
        },
        goal_us,
        prefilter: true,
    };
    let attack = || get(ATTACK);
    [
        case("attack", 200.0, attack(), false),
        case("attack", 300.0, attack(), true),
        case("form", 350.0, post(FORM, ORDER.into()), true),
    ]
}

/// Refused at paranoia level 1, by several rules.
const ATTACK: &str = "/search?q=1%27+UNION+SELECT+password+FROM+users--+&page=%3Cscript%3Ealert(1)";

fn get(target: &'static str) -> Request {
    Request {
        target,
        body: None,
        recorded: false,
    }
}

/// 473 bytes.
const ORDER: &str = "user=jane.doe&email=jane%40example.com&comment=I+would+like+to+order+two+of\
    +those%2C+please.&address=12+Garden+Street&city=Springfield&zip=12345&country=US\
    &phone=%2B1+555+0100&newsletter=on&terms=accepted&quantity=2&colour=dark+green&size=large\
    &gift=no&code=SPRING24&delivery=standard&instructions=Leave+it+with+the+neighbour+at+number\
    +14+if+nobody+answers&card_last4=4242&expiry=12%2F27&token=8f14e45fceea167a5a36dedd4bea2543\
    &remarks=Please+ring+twice+and+mind+the+dogs%21";

/// Orders up to this size.
fn orders(size: usize) -> Vec<u8> {
    list(
        r#"{"id":1041,"name":"Garden chair","price":49.95,"tags":["wood","outdoor"],"note":"Delivered in two parts"}"#,
        size,
    )
}

/// Articles up to this size: few enough values in 56 KB for the engine's limit of 1,000.
fn articles(size: usize) -> Vec<u8> {
    list(
        r#"{"id":1041,"name":"Garden chair","price":49.95,"tags":["wood","outdoor"],"text":"Made of oiled acacia, with a seat of woven rope that dries within the hour. The back folds flat; two of them fit in the boot of a small car. Wipe it with a damp cloth, and oil it once a year (don't use varnish). Comes in two parts, and the screws & the key are in the box: 15 minutes, says our own team."}"#,
        size,
    )
}

fn list(item: &str, size: usize) -> Vec<u8> {
    let head = r#"{"items":["#;
    let count = (size - head.len() - 2) / (item.len() + 1);
    format!("{head}{}]}}", vec![item; count].join(",")).into()
}

fn post(content_type: &'static str, bytes: Vec<u8>) -> Request {
    Request {
        target: "/api/orders",
        body: Some(Body {
            content_type,
            bytes,
        }),
        recorded: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_have_the_size_and_name_they_claim() {
        assert_eq!(ORDER.len(), 473);
        let cases = all();
        for case in &cases {
            let length = case
                .request
                .body
                .as_ref()
                .map_or(0, |body| body.bytes.len());
            let claimed = match case.kind {
                "get" | "attack" => 0..=0,
                "json" => 1_900..=2_048,
                "form" => 473..=473,
                "form-64k" => 65_536..=65_600,
                "json-56k" => 56_900..=57_344,
                kind => {
                    assert!(kind.starts_with("adversarial-"), "{kind}");
                    32_700..=32_768
                }
            };
            assert!(claimed.contains(&length), "{} has {length}", case.kind);
        }
        let mut names: Vec<String> = cases.iter().map(Case::name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), cases.len());
    }
}

//! One request in which rules found something. What `gateway waf explain --json` prints: fields
//! are added, never renamed.

use std::net::IpAddr;

use gateway_waf::{Effect, Excerpt, Explanation, Inspected, RequestCopy, RuleMatch, Shadow};
use serde::{Deserialize, Serialize};

use super::Text;
use crate::http::Case;

/// The record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The request's id.
    pub request: String,
    /// When it came, in milliseconds since the Unix epoch.
    pub time_unix_ms: u64,
    /// Who sent it.
    pub client: IpAddr,
    /// `sub` of its token, where it had one that verified.
    pub subject: Option<String>,
    /// The route that it took, as the configuration describes it; null where it came to none.
    pub route: Option<String>,
    /// What the firewall was to do: `block` or `detect`.
    pub mode: String,
    /// `blocked` by a rule, or `passed` by the rules.
    pub action: String,
    /// The rule that blocked it.
    pub rule: Option<u64>,
    /// The status of the answer.
    pub status: u16,
    /// The anomaly score, where the rules keep one.
    pub score: Option<i64>,
    /// What was found, in order; none in a sample of ordinary requests.
    pub matches: Vec<Hit>,
    /// The request itself.
    pub copy: Request,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Its id.
    pub id: u64,
    /// Its phase, 1 to 5.
    pub phase: u8,
    /// Its file.
    pub file: String,
    /// Its line in the file.
    pub line: u32,
    /// Its message.
    pub msg: String,
    /// Its severity, in capitals.
    pub severity: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The variable that matched.
    pub variable: String,
    /// What it did, or would have done: `none`, `deny 403`, `drop`, `redirect 302`, `allow`.
    pub effect: String,
    /// Whether it is in shadow, and did nothing.
    pub shadow: bool,
    /// Whether it is in shadow on that route, and not on all.
    #[serde(default)]
    pub shadow_route: bool,
    /// Its `logdata`, unless something secret took part.
    pub data: Option<Text>,
    /// How it came to match: one for each rule of its chain. Empty beyond the first 32 matches.
    pub looks: Vec<Look>,
}

/// A value that matched an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The variable.
    pub variable: String,
    /// The operator as written.
    pub operator: String,
    /// Its argument, where that had macros.
    pub argument: Option<Text>,
    /// The value before any transformation; null where it may hold a secret.
    pub value: Option<Part>,
    /// What the transformations made of it.
    pub steps: Vec<Step>,
    /// The bytes that matched in the last value.
    pub matched: Option<Part>,
}

/// What a transformation made of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The transformation.
    pub transform: String,
    /// The value behind it; null where it is the same as before.
    pub value: Option<Part>,
}

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The part.
    pub text: Text,
    /// Where it begins in the value.
    pub offset: usize,
    /// How long the value is.
    pub length: usize,
}

/// The request as the rules saw it, with secrets masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The method.
    pub method: Text,
    /// The target as sent.
    pub target: Text,
    /// The protocol.
    pub protocol: Text,
    /// The header fields in order.
    pub headers: Vec<(Text, Text)>,
    /// The body; null where it is not kept.
    pub body: Option<Text>,
    /// How long the body was.
    pub body_length: u64,
    /// How many values are masked.
    pub masked: u32,
}

impl Request {
    /// Whether it is all that was sent, but for what is masked.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.body.is_some() || self.body_length == 0
    }
}

impl Record {
    /// Whether a rule refused the request.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.action == "blocked"
    }

    /// The record of a case.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let rule = case.decision.rule_id();
        Self {
            request: case.request.to_string(),
            time_unix_ms: case.at,
            client: case.client,
            subject: case.subject.as_deref().map(str::to_owned),
            route: case.route.as_deref().map(str::to_owned),
            mode: case.guard.name().to_owned(),
            action: match rule {
                Some(_) => "blocked",
                None => "passed",
            }
            .to_owned(),
            rule,
            status: case.status.as_u16(),
            score: case.score,
            matches: case
                .matches
                .iter()
                .enumerate()
                .map(|(index, found)| {
                    let mut told = case.explanations.iter();
                    hit(found, told.find(|told| told.record == index))
                })
                .collect(),
            copy: request(&case.copy),
        }
    }
}

fn hit(found: &RuleMatch, told: Option<&Explanation>) -> Hit {
    let open = told.is_some_and(|told| told.inspected.iter().all(|i| i.shown.is_some()));
    let data = found.logdata.as_deref().filter(|_| open);
    Hit {
        id: found.rule_id,
        phase: found.phase,
        file: found.file.to_string(),
        line: found.line,
        msg: found.msg.clone(),
        severity: found.severity.map(|s| s.name().to_owned()),
        tags: found.tags.clone(),
        variable: found.variable.clone(),
        effect: effect(found.effect),
        shadow: found.shadow.is_some(),
        shadow_route: found.shadow == Some(Shadow::Route),
        data: data.map(Text::from),
        looks: told.map_or_else(Vec::new, |told| told.inspected.iter().map(look).collect()),
    }
}

fn effect(effect: Effect) -> String {
    match effect {
        Effect::Warning => "none".to_owned(),
        Effect::Denied(status) => format!("deny {status}"),
        Effect::Dropped => "drop".to_owned(),
        Effect::Redirected(status) => format!("redirect {status}"),
        Effect::Allowed => "allow".to_owned(),
    }
}

fn look(inspected: &Inspected) -> Look {
    let (value, steps) = match &inspected.shown {
        Some((value, steps)) => (Some(value), steps.as_slice()),
        None => (None, &[][..]),
    };
    let last = steps.iter().rev().find_map(|step| step.value.as_ref());
    let matched = last.or(value).map(|last| {
        let whole = 0..last.length;
        let range = inspected.matched.clone().unwrap_or(whole);
        let from = range.start.saturating_sub(last.offset);
        let to = range.end.saturating_sub(last.offset).min(last.bytes.len());
        Part {
            text: last.bytes.get(from..to).unwrap_or_default().into(),
            offset: range.start,
            length: range.len(),
        }
    });
    Look {
        variable: inspected.variable.clone(),
        operator: inspected.operator.clone(),
        argument: inspected.argument.as_deref().map(Text::from),
        value: value.map(part),
        steps: steps
            .iter()
            .map(|step| Step {
                transform: step.transform.to_owned(),
                value: step.value.as_ref().map(part),
            })
            .collect(),
        matched,
    }
}

fn part(excerpt: &Excerpt) -> Part {
    Part {
        text: excerpt.bytes.as_slice().into(),
        offset: excerpt.offset,
        length: excerpt.length,
    }
}

fn request(copy: &RequestCopy) -> Request {
    Request {
        method: copy.method.as_slice().into(),
        target: copy.target.as_slice().into(),
        protocol: copy.protocol.as_slice().into(),
        headers: copy
            .headers
            .iter()
            .map(|(name, value)| (name.as_slice().into(), value.as_slice().into()))
            .collect(),
        body: copy.body.as_deref().map(Text::from),
        body_length: copy.body_length,
        masked: copy.masked,
    }
}

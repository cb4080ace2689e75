//! What is done to answers on their way out.

use http::header::{self, HeaderName, HeaderValue};

use super::Context;
use crate::config::raw;
use crate::config::tree::At;
use crate::config::values::FieldValue;

/// Header fields of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHeaders {
    /// `X-Content-Type-Options`.
    content_type_options: Option<HeaderValue>,
    /// `X-Frame-Options`.
    frame_options: Option<HeaderValue>,
    /// `Referrer-Policy`.
    referrer_policy: Option<HeaderValue>,
    /// `Content-Security-Policy`.
    content_security_policy: Option<HeaderValue>,
    /// `Permissions-Policy`.
    permissions_policy: Option<HeaderValue>,
    /// Whether they replace what an upstream sends itself.
    pub overrides: bool,
    /// Fields that are taken off the answers of upstreams.
    pub remove: Vec<HeaderName>,
}

impl Default for ResponseHeaders {
    fn default() -> Self {
        let value = HeaderValue::from_static;
        Self {
            content_type_options: Some(value("nosniff")),
            frame_options: Some(value("SAMEORIGIN")),
            referrer_policy: Some(value("strict-origin-when-cross-origin")),
            content_security_policy: None,
            permissions_policy: None,
            overrides: false,
            remove: [
                "server",
                "x-powered-by",
                "x-aspnet-version",
                "x-aspnetmvc-version",
                "x-generator",
            ]
            .map(HeaderName::from_static)
            .to_vec(),
        }
    }
}

/// The policies there are (Referrer Policy, section 3).
const REFERRER: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];
/// Fields without which a response is another, or none.
const KEPT: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::LOCATION,
    header::SET_COOKIE,
];

impl ResponseHeaders {
    /// The fields to set.
    pub fn fields(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        [
            (header::X_CONTENT_TYPE_OPTIONS, &self.content_type_options),
            (header::X_FRAME_OPTIONS, &self.frame_options),
            (header::REFERRER_POLICY, &self.referrer_policy),
            (
                header::CONTENT_SECURITY_POLICY,
                &self.content_security_policy,
            ),
            (
                HeaderName::from_static("permissions-policy"),
                &self.permissions_policy,
            ),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)))
    }

    /// What is written, over what holds otherwise.
    pub(super) fn check(raw: raw::ResponseHeaders, base: Self, cx: &Context<'_>) -> Self {
        let any = |_: &str| true;
        let nosniff = |text: &str| text == "nosniff";
        let frame = |text: &str| ["deny", "sameorigin"].contains(&text);
        let referrer = |text: &str| text.split(',').all(|one| REFERRER.contains(&one.trim()));
        let mut remove = base.remove;
        if let Some(listed) = raw.remove.and_then(At::take) {
            remove = Vec::new();
            for name in listed.0 {
                let place = name.place();
                match name.take() {
                    Some(name) if KEPT.contains(&name.0) => {
                        let message = format!("{} is part of what a response means", name.0);
                        cx.report.fault(place, message);
                    }
                    Some(name) => remove.push(name.0),
                    None => {}
                }
            }
        }
        Self {
            content_type_options: value(
                raw.content_type_options,
                base.content_type_options,
                (nosniff, "nosniff or off"),
                cx,
            ),
            frame_options: value(
                raw.frame_options,
                base.frame_options,
                (frame, "deny, sameorigin or off"),
                cx,
            ),
            referrer_policy: value(
                raw.referrer_policy,
                base.referrer_policy,
                (referrer, "a referrer policy such as same-origin, or off"),
                cx,
            ),
            content_security_policy: value(
                raw.content_security_policy,
                base.content_security_policy,
                (any, "a policy"),
                cx,
            ),
            permissions_policy: value(
                raw.permissions_policy,
                base.permissions_policy,
                (any, "a policy"),
                cx,
            ),
            overrides: super::setting(raw.overrides, base.overrides),
            remove,
        }
    }
}

fn value(
    raw: Option<At<FieldValue>>,
    base: Option<HeaderValue>,
    (holds, expected): (impl Fn(&str) -> bool, &str),
    cx: &Context<'_>,
) -> Option<HeaderValue> {
    let Some(raw) = raw else { return base };
    let place = raw.place();
    match raw.take()? {
        FieldValue::Off => None,
        FieldValue::Set(value) => {
            let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
            if !holds(&text) {
                let found = gateway_policy::grammar::Excerpt::of(&text);
                cx.report
                    .fault(place, format!("found {found}, expected {expected}"));
            }
            Some(value)
        }
    }
}

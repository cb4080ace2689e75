//! What is done to answers on their way out.

use serde::Deserialize;

use crate::config::tree::{At, OneOrMany};
use crate::config::values::{FailMode, FieldName, FieldValue, LeakAction};
use crate::validation::MediaRange;

/// Header fields of answers.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct ResponseHeaders {
    /// `X-Content-Type-Options`: `nosniff` or `off`; replaces any other value of an upstream.
    /// Default: `nosniff`.
    pub(crate) content_type_options: Option<At<FieldValue>>,
    /// `X-Frame-Options`: `deny`, `sameorigin` or `off`; not sent beside a policy with
    /// `frame-ancestors`. Default: `sameorigin`.
    pub(crate) frame_options: Option<At<FieldValue>>,
    /// `Referrer-Policy`, or `off`. Default: `strict-origin-when-cross-origin`.
    pub(crate) referrer_policy: Option<At<FieldValue>>,
    /// `Content-Security-Policy`, or `off`. Default: `off`.
    pub(crate) content_security_policy: Option<At<FieldValue>>,
    /// `Permissions-Policy`, or `off`. Default: `off`.
    pub(crate) permissions_policy: Option<At<FieldValue>>,
    /// Whether these replace what an upstream sends itself. Default: `false`.
    #[serde(rename = "override")]
    pub(crate) overrides: Option<At<bool>>,
    /// Fields that are taken off the answers of upstreams. Default: `[Server, X-Powered-By,
    /// X-AspNet-Version, X-AspNetMvc-Version, X-Generator]`.
    pub(crate) remove: Option<At<OneOrMany<FieldName>>>,
}

/// What responses must not tell.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Leaks {
    /// Numbers of payment cards: `off`, `log`, `mask` but for the last four digits, or `block`.
    /// Default: `off`.
    pub(crate) cards: Option<At<LeakAction>>,
    /// Private keys, and credentials of known services. Default: `off`.
    pub(crate) keys: Option<At<LeakAction>>,
    /// Stack traces of programs. Default: `off`.
    pub(crate) stack_traces: Option<At<LeakAction>>,
    /// Error messages of databases. Default: `off`.
    pub(crate) sql_errors: Option<At<LeakAction>>,
    /// The media types that are looked into; responses that name none are, too. Default: `[text/*,
    /// application/json, application/*+json, application/xml, application/*+xml]`.
    pub(crate) content_type: Option<At<OneOrMany<MediaRange>>>,
    /// What happens to a response that cannot be read, since it is compressed all the same, a part,
    /// or in UTF-16: `closed` answers 502, `open` lets it through. Default: `closed`.
    pub(crate) fail: Option<At<FailMode>>,
}

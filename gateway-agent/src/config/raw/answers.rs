//! What is done to answers on their way out.

use serde::Deserialize;

use crate::config::tree::{At, OneOrMany};
use crate::config::values::{FieldName, FieldValue};

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

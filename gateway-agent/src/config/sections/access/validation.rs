//! What the requests of a route have to look like.

use gateway_policy::bans::Mode;

use super::Context;
use crate::config::raw;
use crate::config::report::Place;
use crate::config::sections::{FilePath, setting};
use crate::config::tree::At;
use crate::validation::{Described, Terms, Unknown};

/// What the requests of a route have to look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// What they are held against.
    pub terms: Terms,
    /// The file that describes them, if one does.
    pub file: Option<FilePath>,
}

impl Validation {
    pub(super) fn check(raw: raw::Validate, place: Place, cx: &Context<'_>) -> Option<Self> {
        let names_types = !raw.content_type.0.is_empty();
        let types: Vec<_> = raw
            .content_type
            .0
            .into_iter()
            .filter_map(At::take)
            .collect();
        let mut file = None;
        let mut unknown_parameters = Unknown::Allow;
        let described = match (raw.schema, raw.openapi) {
            (Some(_), Some(openapi)) => {
                let message = "found `openapi` beside `schema`, expected one of them";
                cx.report.fault(openapi.place(), message);
                return None;
            }
            (Some(schema), None) => {
                let path = cx.file(&schema)?;
                let described = Described::Schema(path.path().to_owned());
                file = Some(path);
                Some(described)
            }
            (None, Some(openapi)) => {
                let openapi = openapi.take()?;
                let path = cx.file(&openapi.file)?;
                let base = match openapi.base_path {
                    Some(base) => Some(check_base(&base, cx)?),
                    None => None,
                };
                unknown_parameters = setting(openapi.unknown_parameters, Unknown::Allow);
                let described = Described::OpenApi {
                    file: path.path().to_owned(),
                    base,
                    undocumented: setting(openapi.undocumented, Unknown::Refuse),
                };
                file = Some(path);
                Some(described)
            }
            (None, None) => None,
        };
        if described.is_none() {
            if !names_types {
                let message = "found nothing to validate, expected `content_type`, `schema` or \
                               `openapi`";
                cx.report.fault(place, message);
                return None;
            }
            if let Some(unknown) = &raw.unknown_fields {
                let message = "this needs `schema` or `openapi`, which say what fields there are";
                cx.report.fault(unknown.place(), message);
            }
        }
        Some(Self {
            terms: Terms {
                types,
                described,
                unknown_fields: setting(raw.unknown_fields, Unknown::Allow),
                unknown_parameters,
                mode: setting(raw.mode, Mode::Enforce),
            },
            file,
        })
    }
}

fn check_base(raw: &At<String>, cx: &Context<'_>) -> Option<String> {
    let text = cx.line(raw)?;
    if !text.starts_with('/') || text.contains(['{', '}', '?', '#', '%']) {
        cx.report
            .fault(raw.place(), "expected a path such as /api/v1, not encoded");
        return None;
    }
    Some(text)
}

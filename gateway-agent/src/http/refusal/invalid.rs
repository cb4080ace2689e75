//! What follows from a request that does not keep to its route's contract.
//!
//! The client is told what is wrong and where: who wrote it needs to know, and what a schema asks
//! for is no secret. It is told no value, neither its own nor one of the schema's lists.

use gateway_policy::bans::OffenceKind;
use http::StatusCode;

use super::{Adds, Row};
use crate::validation::Violation;

impl Row {
    /// The row of a violation.
    pub(super) fn invalid(violation: &Violation) -> Self {
        use StatusCode as S;

        let row = match violation {
            Violation::TypeMissing { accept } => Self::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "type-missing",
                "the request body has no Content-Type",
            )
            .adding(Adds::Accept(accept.clone())),
            Violation::TypeRefused { accept } => Self::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "type-refused",
                "request bodies of this Content-Type are not taken here",
            )
            .adding(Adds::Accept(accept.clone())),
            Violation::Charset => Self::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "json-charset",
                "JSON and forms are encoded in UTF-8",
            ),
            Violation::BodyMissing => {
                Self::new(S::BAD_REQUEST, "body-missing", "this needs a request body")
            }
            Violation::BodyUnexpected => Self::new(
                S::BAD_REQUEST,
                "body-unexpected",
                "this takes no request body",
            ),
            Violation::Json(fault) => Self::new(S::BAD_REQUEST, "json-refused", "")
                .saying(format!("the request body is not taken as JSON: {fault}")),
            Violation::Form(fault) => Self::new(S::BAD_REQUEST, "form-refused", "")
                .saying(format!("the request body is not taken as a form: {fault}")),
            Violation::Body(_) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "schema-violated",
                "the request body does not keep to its schema",
            ),
            Violation::Parameters(_) => Self::new(
                S::BAD_REQUEST,
                "parameters-violated",
                "parameters of the request do not keep to their schemas",
            ),
            Violation::PathUnknown => {
                Self::new(S::NOT_FOUND, "operation-unknown", "nothing is here")
            }
            Violation::MethodUnknown { allow } => Self::new(
                S::METHOD_NOT_ALLOWED,
                "operation-method",
                "this method is not for this resource",
            )
            .adding(Adds::Allow(allow.join(", "))),
        };
        Self {
            errors: violation.breaches().to_vec(),
            ..row.offending(OffenceKind::InvalidRequest)
        }
    }
}

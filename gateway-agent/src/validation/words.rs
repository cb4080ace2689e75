//! What a schema says, in words for clients: the rule, never the value that breaks it.

use std::borrow::Cow;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use super::document::escaped;
use super::violation::Breach;

/// A rule that a value breaks.
pub(super) fn breach(error: &ValidationError<'_>) -> Breach {
    let place = error.instance_path().as_str();
    let kind = error.kind();
    if let Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } =
        kind
    {
        let name = unexpected.first().map(String::as_str).unwrap_or_default();
        let place = format!("{place}/{}", escaped(name));
        return Breach::at(&place, "is a field that is not known");
    }
    Breach::at(place, rule(kind))
}

/// What is wrong with a schema; its author may read all of it.
pub(super) fn fault(error: &ValidationError<'_>) -> String {
    let mut text = error.to_string().replace('\n', " ");
    let mut end = text.len().min(400);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "what has no words of its own is told by its keyword, as are kinds to come"
)]
fn rule(kind: &Kind) -> Cow<'static, str> {
    match kind {
        Kind::Type { kind } => format!("must be {}", types(kind)).into(),
        Kind::Required { property } => match property {
            Value::String(name) => format!("needs the field {name}").into(),
            _ => "lacks a field".into(),
        },
        Kind::Enum { .. } | Kind::Constant { .. } => "must be one of the allowed values".into(),
        Kind::Minimum { limit } => format!("must be at least {limit}").into(),
        Kind::Maximum { limit } => format!("must be at most {limit}").into(),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}").into(),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}").into(),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}").into(),
        Kind::MinLength { limit } => format!("must have at least {limit} characters").into(),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters").into(),
        Kind::MinItems { limit } => format!("must have at least {limit} items").into(),
        Kind::MaxItems { limit } => format!("must have at most {limit} items").into(),
        Kind::MinProperties { limit } => format!("must have at least {limit} fields").into(),
        Kind::MaxProperties { limit } => format!("must have at most {limit} fields").into(),
        Kind::PropertyNames { .. } => "has a field with a name that is not allowed".into(),
        Kind::UniqueItems => "must not have the same item twice".into(),
        Kind::Pattern { .. } => "must match the pattern of this field".into(),
        Kind::Format { format } => format!("must be a valid {format}").into(),
        Kind::Contains => "lacks an item that must be there".into(),
        Kind::AdditionalItems { .. } | Kind::UnevaluatedItems { .. } => {
            "has more items than are known".into()
        }
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => "fits none of the allowed forms".into(),
        Kind::OneOfMultipleValid { .. } => "fits several forms, of which it may fit one".into(),
        Kind::Not { .. } | Kind::FalseSchema => "is not allowed".into(),
        other => format!("breaks the rule {}", other.keyword()).into(),
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => spoken(&one.to_string()).to_owned(),
        TypeKind::Multiple(set) => {
            let names: Vec<String> = set
                .iter()
                .map(|one| spoken(&one.to_string()).to_owned())
                .collect();
            names.join(" or ")
        }
    }
}

fn spoken(name: &str) -> &str {
    match name {
        "null" => "null",
        "boolean" => "true or false",
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "array" => "an array",
        "object" => "an object",
        other => other,
    }
}

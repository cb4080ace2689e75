//! Schemas of OpenAPI 3.0, as JSON Schemas of draft 2020-12.
//!
//! They look like JSON Schemas of draft 5 and are none (OpenAPI 3.0.4 section 4.7.24): `nullable`
//! stands for a type, bounds are exclusive by a flag beside them, and what stands beside a
//! reference means nothing. A keyword that 3.0 does not have is a fault, for it would start to
//! mean something.

use serde_json::{Map, Value};

use super::super::document::{ContractFault, Document, escaped};

/// The keywords that a schema may have.
const KEYWORDS: [&str; 36] = [
    "title",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxProperties",
    "minProperties",
    "required",
    "enum",
    "type",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "items",
    "properties",
    "additionalProperties",
    "description",
    "format",
    "default",
    "nullable",
    "discriminator",
    "readOnly",
    "writeOnly",
    "xml",
    "externalDocs",
    "example",
    "deprecated",
    "$ref",
];
/// Those that only tell, and may hold what looks like schemas.
const TELLING: [&str; 6] = [
    "discriminator",
    "xml",
    "externalDocs",
    "example",
    "default",
    "deprecated",
];
/// How deep schemas may stand in one another; documents are no deeper.
const MAX_DEPTH: usize = 64;

/// Rewrites all schemas of a document that requests are held against.
///
/// # Errors
/// What is no schema of this version, with the place.
pub(super) fn rewrite(document: &mut Document) -> Result<(), ContractFault> {
    let mut root = std::mem::take(&mut document.root);
    let outcome = find(&mut root, "", 0);
    document.root = root;
    outcome.map_err(|(place, message)| document.fault(&place, message))
}

/// A place, and what is wrong there.
type Fault = (String, String);

/// Looks for schemas where a document has them: those of `components`, and the `schema` of
/// parameters and media types.
fn find(value: &mut Value, place: &str, depth: usize) -> Result<(), Fault> {
    if depth > MAX_DEPTH {
        return Err((place.to_owned(), "it is nested too deep".to_owned()));
    }
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let at = format!("{place}/{}", escaped(key));
                if has_names(place) {
                    find(inner, &at, depth + 1)?;
                    continue;
                }
                match key.as_str() {
                    // Whatever stands there is no part of the description.
                    "example" | "examples" | "responses" | "callbacks" | "links" => {}
                    key if key.starts_with("x-") => {}
                    "schema" => schema(inner, &at, depth)?,
                    "schemas" if place == "/components" => {
                        if let Value::Object(schemas) = inner {
                            for (name, inner) in schemas {
                                schema(inner, &format!("{at}/{}", escaped(name)), depth)?;
                            }
                        }
                    }
                    _ => find(inner, &at, depth + 1)?,
                }
            }
            Ok(())
        }
        Value::Array(items) => {
            for (n, inner) in items.iter_mut().enumerate() {
                find(inner, &format!("{place}/{n}"), depth + 1)?;
            }
            Ok(())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Whether what stands at a place has names for keys, which may be any.
fn has_names(place: &str) -> bool {
    let component = place.strip_prefix("/components/");
    component.is_some_and(|kind| !kind.contains('/')) || place.ends_with("/encoding")
}

/// Rewrites a schema and those inside of it.
fn schema(value: &mut Value, place: &str, depth: usize) -> Result<(), Fault> {
    if depth > MAX_DEPTH {
        return Err((place.to_owned(), "it is nested too deep".to_owned()));
    }
    let Value::Object(map) = value else {
        return Err((place.to_owned(), "expected a schema".to_owned()));
    };
    if let Some(reference) = map.get("$ref") {
        // Nothing beside it counts (section 4.7.23).
        *map = Map::from_iter([("$ref".to_owned(), reference.clone())]);
        return Ok(());
    }
    let mut keys = map.keys();
    if let Some(strange) =
        keys.find(|key| !KEYWORDS.contains(&key.as_str()) && !key.starts_with("x-"))
    {
        let message = "schemas of OpenAPI 3.0 have no such keyword; 3.1 has those of JSON Schema";
        return Err((format!("{place}/{}", escaped(strange)), message.to_owned()));
    }
    if map.get("type").is_some_and(|name| !name.is_string()) {
        let message = "OpenAPI 3.0 has one type, by its name, and `nullable`";
        return Err((format!("{place}/type"), message.to_owned()));
    }
    // Properties that only answers have are not required of requests (section 4.7.24.2).
    let for_answers = answers_only(map);
    if let Some(Value::Array(required)) = map.get_mut("required") {
        required.retain(|name| !name.as_str().is_some_and(|name| for_answers.contains(name)));
    }
    for word in TELLING {
        map.remove(word);
    }
    nullable(map, place)?;
    exclusive(map, place, "minimum", "exclusiveMinimum")?;
    exclusive(map, place, "maximum", "exclusiveMaximum")?;
    for (key, inner) in map {
        let at = format!("{place}/{key}");
        match (key.as_str(), inner) {
            ("properties", Value::Object(properties)) => {
                for (name, inner) in properties {
                    schema(inner, &format!("{at}/{}", escaped(name)), depth + 1)?;
                }
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(several)) => {
                for (n, inner) in several.iter_mut().enumerate() {
                    schema(inner, &format!("{at}/{n}"), depth + 1)?;
                }
            }
            ("additionalProperties", Value::Bool(_)) => {}
            ("items" | "not" | "additionalProperties", inner) => schema(inner, &at, depth + 1)?,
            _ => {}
        }
    }
    Ok(())
}

fn answers_only(map: &Map<String, Value>) -> std::collections::HashSet<String> {
    let properties = map.get("properties").and_then(Value::as_object);
    let is_for_answers =
        |property: &Value| property.get("readOnly").and_then(Value::as_bool) == Some(true);
    properties
        .into_iter()
        .flatten()
        .filter(|(_, property)| is_for_answers(property))
        .map(|(name, _)| name.clone())
        .collect()
}

/// `nullable` adds to a type, and means nothing without one.
fn nullable(map: &mut Map<String, Value>, place: &str) -> Result<(), Fault> {
    match map.remove("nullable") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => {
            if let Some(Value::String(name)) = map.get("type") {
                let both = vec![name.clone().into(), "null".into()];
                map.insert("type".to_owned(), Value::Array(both));
            }
        }
        Some(_) => return Err((format!("{place}/nullable"), FLAG.to_owned())),
    }
    Ok(())
}

const FLAG: &str = "expected `true` or `false` in OpenAPI 3.0";

/// A flag that makes a bound exclusive becomes a bound of its own.
fn exclusive(
    map: &mut Map<String, Value>,
    place: &str,
    bound: &str,
    flag: &str,
) -> Result<(), Fault> {
    match map.remove(flag) {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => {
            if let Some(limit) = map.remove(bound) {
                map.insert(flag.to_owned(), limit);
            }
        }
        Some(_) => return Err((format!("{place}/{flag}"), FLAG.to_owned())),
    }
    Ok(())
}

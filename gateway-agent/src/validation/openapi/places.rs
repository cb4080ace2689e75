//! Where things stand in a document: what is in front of its paths, where its schemas are, where
//! references lead.

use serde_json::Value;

use super::super::closed;
use super::super::document::{ContractFault, Document, escaped};

/// The methods that a path may have (OpenAPI 3.1.1 section 4.8.9), but for `TRACE`, which the
/// gateway refuses.
pub(super) const METHODS: [(&str, &str); 7] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
];
/// The most references that lead to one another.
const MAX_HOPS: usize = 16;
/// The dialects of schemas that are draft 2020-12.
const DIALECTS: [&str; 2] = [
    "https://spec.openapis.org/oas/3.1/dialect/",
    "https://json-schema.org/draft/2020-12/schema",
];

/// The versions that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Whose schemas are made into those of 3.1 first.
    V3_0,
    V3_1,
}

/// The version of a document; refuses others, and other dialects.
pub(super) fn version(document: &Document) -> Result<Version, ContractFault> {
    let version = document.root.get("openapi").and_then(Value::as_str);
    match version {
        Some(version) if version.starts_with("3.0.") => return Ok(Version::V3_0),
        Some(version) if version.starts_with("3.1.") => {}
        Some(version) => {
            let message = format!(
                "found OpenAPI {version:?}, expected 3.1 or 3.0: other versions are not read"
            );
            return Err(document.fault("/openapi", message));
        }
        None => {
            return Err(document.fault(
                "",
                "found no `openapi: 3.1.…` or `3.0.…`, expected an OpenAPI document",
            ));
        }
    }
    match document
        .root
        .get("jsonSchemaDialect")
        .and_then(Value::as_str)
    {
        Some(dialect) if !DIALECTS.iter().any(|known| dialect.starts_with(known)) => {
            Err(document.fault("/jsonSchemaDialect", "expected draft 2020-12"))
        }
        Some(_) | None => Ok(Version::V3_1),
    }
}

/// What stands in front of the paths, without a slash at the end.
pub(super) fn bases(document: &Document, base: Option<&str>) -> Result<Vec<String>, ContractFault> {
    let trimmed = |path: &str| path.trim_end_matches('/').to_owned();
    if let Some(base) = base {
        return Ok(vec![trimmed(base)]);
    }
    let Some(Value::Array(servers)) = document.root.get("servers") else {
        return Ok(vec![String::new()]);
    };
    let mut bases = Vec::new();
    for (n, server) in servers.iter().enumerate() {
        let url = server.get("url").and_then(Value::as_str).unwrap_or("/");
        let path = match url.split_once("://") {
            Some((_, rest)) => rest
                .find('/')
                .and_then(|at| rest.get(at..))
                .unwrap_or_default(),
            None => url,
        };
        let is_path = path.is_empty() || path.starts_with('/');
        if path.contains(['{', '?', '#']) || !is_path {
            let message = "cannot be read as a path; say `base_path` in the configuration";
            return Err(document.fault(&format!("/servers/{n}/url"), message));
        }
        let path = trimmed(path);
        if !bases.contains(&path) {
            bases.push(path);
        }
    }
    if bases.is_empty() {
        bases.push(String::new());
    }
    Ok(bases)
}

/// The places of schemas: those of bodies, and those that others refer to.
pub(super) fn schemas(
    document: &Document,
    items: &[String],
) -> Result<(Vec<String>, Vec<String>), ContractFault> {
    let mut values = Vec::new();
    for item in items {
        let item = resolve(document, &format!("/paths/{}", escaped(item)))?;
        for (method, _) in METHODS {
            let body = format!("{item}/{method}/requestBody");
            if document.root.pointer(&body).is_none() {
                continue;
            }
            let content = format!("{}/content", resolve(document, &body)?);
            values.extend(
                names(document, &content)
                    .iter()
                    .map(|media| format!("{content}/{}/schema", escaped(media))),
            );
        }
    }
    let shared = names(document, "/components/schemas")
        .iter()
        .map(|name| format!("/components/schemas/{}", escaped(name)))
        .collect();
    Ok((values, shared))
}

fn names(document: &Document, pointer: &str) -> Vec<String> {
    let found = document.root.pointer(pointer).and_then(Value::as_object);
    found
        .map(|map| map.keys().cloned().collect())
        .unwrap_or_default()
}

/// The place that a `$ref` leads to, if there is one at the pointer; schemas follow their own.
pub(super) fn resolve(document: &Document, pointer: &str) -> Result<String, ContractFault> {
    let mut place = pointer.to_owned();
    for _ in 0..MAX_HOPS {
        let Some(found) = document.root.pointer(&place) else {
            return Err(document.fault(pointer, "a reference leads nowhere"));
        };
        let Some(reference) = found.get("$ref").and_then(Value::as_str) else {
            return Ok(place);
        };
        let inside = reference
            .strip_prefix('#')
            .and_then(closed::percent_decoded);
        place = inside.ok_or_else(|| {
            let message = format!("{reference} is in another file, and only this one is read");
            document.fault(&format!("{place}/$ref"), message)
        })?;
    }
    Err(document.fault(pointer, "references lead in a circle"))
}

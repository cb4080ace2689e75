//! From the document to what requests are held against.
//!
//! What this version does not judge in a way that its author would expect is a fault, not a gap
//! that nobody knows of.

use http::header::HeaderName;
use serde_json::{Map, Value};

use super::super::Unknown;
use super::super::closed;
use super::super::document::{ContractFault, Document, escaped};
use super::super::media::MediaRange;
use super::super::schema::Library;
use super::super::violation::Part;
use super::Path;
use super::operation::{Operation, RequestBody};
use super::parameter::{Form, Parameter, Types};
use super::template::Template;

/// The methods that a path may have (OpenAPI 3.1.1 section 4.8.9), but for `TRACE`, which the
/// gateway refuses.
const METHODS: [(&str, &str); 7] = [
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
/// Header fields that are no parameters (OpenAPI 3.1.1 section 4.8.12.1).
const NO_PARAMETERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// Compiles the paths of a document.
pub(super) fn paths(
    mut document: Document,
    base: Option<&str>,
    fields: Unknown,
) -> Result<Vec<Path>, ContractFault> {
    check_version(&document)?;
    let bases = bases(&document, base)?;
    let items = match document.root.get("paths") {
        Some(Value::Object(items)) => items.keys().cloned().collect::<Vec<_>>(),
        Some(_) => return Err(document.fault("/paths", "expected a map of paths")),
        None => return Err(document.fault("", "there are no `paths`")),
    };
    if fields == Unknown::Refuse {
        let (values, shared) = schemas(&document, &items)?;
        closed::close(&mut document, &values, &shared)?;
    }
    let loading = Loading {
        library: Library::new(&document)?,
        document: &document,
    };
    let mut paths: Vec<Path> = Vec::new();
    for item in items {
        let pointer = format!("/paths/{}", escaped(&item));
        for base in &bases {
            let template = Template::parse(&format!("{base}{item}"))
                .map_err(|message| document.fault(&pointer, message))?;
            if paths.iter().any(|path| path.template.is_alike(&template)) {
                return Err(document.fault(&pointer, "another path is for the same requests"));
            }
            let operations = loading.operations(&pointer, &template)?;
            paths.push(Path {
                template,
                operations,
            });
        }
    }
    Ok(paths)
}

fn check_version(document: &Document) -> Result<(), ContractFault> {
    let version = document.root.get("openapi").and_then(Value::as_str);
    match version {
        Some(version) if version.starts_with("3.1.") => {}
        Some(version) => {
            let message = format!(
                "found OpenAPI {version:?}, expected 3.1: the schemas of other versions are no \
                 JSON Schemas of draft 2020-12"
            );
            return Err(document.fault("/openapi", message));
        }
        None => {
            return Err(document.fault(
                "",
                "found no `openapi: 3.1.…`, expected an OpenAPI document",
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
        Some(_) | None => Ok(()),
    }
}

/// What stands in front of the paths, without a slash at the end.
fn bases(document: &Document, base: Option<&str>) -> Result<Vec<String>, ContractFault> {
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
fn schemas(
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
fn resolve(document: &Document, pointer: &str) -> Result<String, ContractFault> {
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

struct Loading<'d> {
    document: &'d Document,
    library: Library<'d>,
}

impl Loading<'_> {
    fn fault(&self, pointer: &str, message: impl Into<String>) -> ContractFault {
        self.document.fault(pointer, message)
    }

    fn map(&self, pointer: &str) -> Result<&Map<String, Value>, ContractFault> {
        let found = self
            .document
            .root
            .pointer(pointer)
            .and_then(Value::as_object);
        found.ok_or_else(|| self.fault(pointer, "expected a map"))
    }

    fn operations(
        &self,
        pointer: &str,
        template: &Template,
    ) -> Result<Vec<(&'static str, Operation)>, ContractFault> {
        let pointer = resolve(self.document, pointer)?;
        let item = self.map(&pointer)?;
        let shared = self.parameters(&pointer, item)?;
        let mut operations = Vec::new();
        for (key, method) in METHODS {
            if item.contains_key(key) {
                let place = format!("{pointer}/{key}");
                operations.push((method, self.operation(&place, &shared, template)?));
            }
        }
        Ok(operations)
    }

    fn operation(
        &self,
        pointer: &str,
        shared: &[Place],
        template: &Template,
    ) -> Result<Operation, ContractFault> {
        let operation = self.map(pointer)?;
        let mut places = self.parameters(pointer, operation)?;
        // An operation's own parameter stands for that of its path.
        let own = places.len();
        for place in shared {
            let is_own = places.iter().take(own).any(|other| other.is_same(place));
            if !is_own {
                places.push(place.clone());
            }
        }
        let parameters = places
            .iter()
            .map(|place| self.parameter(place))
            .collect::<Result<Vec<_>, _>>()?;
        for name in template.names() {
            let mut all = parameters.iter();
            if !all.any(|known| known.part == Part::Path && known.name == name) {
                let message = format!("the path has {{{name}}}, and no parameter describes it");
                return Err(self.fault(pointer, message));
            }
        }
        let body = match operation.contains_key("requestBody") {
            true => Some(self.body(&format!("{pointer}/requestBody"))?),
            false => None,
        };
        Ok(Operation { parameters, body })
    }

    /// The parameters that are listed at a place.
    fn parameters(
        &self,
        pointer: &str,
        at: &Map<String, Value>,
    ) -> Result<Vec<Place>, ContractFault> {
        let Some(listed) = at.get("parameters") else {
            return Ok(Vec::new());
        };
        let listed = listed.as_array().map(Vec::len);
        let count = listed
            .ok_or_else(|| self.fault(&format!("{pointer}/parameters"), "expected a list"))?;
        let mut places: Vec<Place> = Vec::new();
        for n in 0..count {
            let pointer = resolve(self.document, &format!("{pointer}/parameters/{n}"))?;
            let parameter = self.map(&pointer)?;
            let text = |key: &str| parameter.get(key).and_then(Value::as_str);
            let part = match text("in") {
                Some("path") => Part::Path,
                Some("query") => Part::Query,
                Some("header") => Part::Header,
                Some("cookie") => Part::Cookie,
                Some(_) | None => {
                    return Err(self.fault(
                        &pointer,
                        "expected `in: path`, `query`, `header` or `cookie`",
                    ));
                }
            };
            let name = text("name").ok_or_else(|| self.fault(&pointer, "found no `name`"))?;
            let name = match part {
                Part::Header => name.to_ascii_lowercase(),
                Part::Body | Part::Path | Part::Query | Part::Cookie => name.to_owned(),
            };
            if part == Part::Header && HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(self.fault(&pointer, "the name is none of a header field"));
            }
            if part == Part::Header && NO_PARAMETERS.contains(&name.as_str()) {
                continue;
            }
            let place = Place {
                pointer,
                part,
                name,
            };
            if places.iter().any(|other| other.is_same(&place)) {
                return Err(self.fault(&place.pointer, "the parameter is described twice"));
            }
            places.push(place);
        }
        Ok(places)
    }

    fn parameter(&self, place: &Place) -> Result<Parameter, ContractFault> {
        let parameter = self.map(&place.pointer)?;
        let fault = |message: &str| Err(self.fault(&place.pointer, message));
        let usual = match place.part {
            Part::Query | Part::Cookie => "form",
            Part::Path | Part::Header | Part::Body => "simple",
        };
        let style = parameter
            .get("style")
            .and_then(Value::as_str)
            .unwrap_or(usual);
        if style != usual {
            return fault("this style is not supported here, only the default one");
        }
        let explode = parameter.get("explode").and_then(Value::as_bool);
        let explode = explode.unwrap_or(style == "form");
        let (schema, form) = match (parameter.get("schema"), parameter.get("content")) {
            (Some(_), None) => {
                let schema = format!("{}/schema", place.pointer);
                let form = self.form(&schema, explode && style == "form")?;
                (schema, form)
            }
            (None, Some(Value::Object(content))) => match content.keys().next() {
                Some(media) if content.len() == 1 && media.starts_with("application/json") => (
                    format!("{}/content/{}/schema", place.pointer, escaped(media)),
                    Form::Json,
                ),
                Some(_) | None => {
                    return fault("only `application/json` is supported as its content");
                }
            },
            _ => return fault("expected either `schema` or `content`"),
        };
        if matches!(form, Form::List { explode: true, .. }) && place.part == Part::Cookie {
            return fault("a list in a cookie needs `explode: false`");
        }
        let required = parameter.get("required").and_then(Value::as_bool) == Some(true);
        Ok(Parameter {
            part: place.part,
            name: place.name.clone(),
            required,
            form,
            schema: self.library.schema(&schema)?,
        })
    }

    /// How the values of a schema are written in text.
    fn form(&self, schema: &str, explode: bool) -> Result<Form, ContractFault> {
        let place = resolve(self.document, schema)?;
        let types = self.types(&place);
        if types.iter().any(|name| name == "object") {
            return Err(self.fault(schema, "parameters that are objects are not supported"));
        }
        if !types.iter().any(|name| name == "array") {
            return Ok(Form::Scalar(scalar(&types)));
        }
        if types.len() > 1 {
            return Err(self.fault(schema, "a parameter is a list or a value, not either"));
        }
        let items = format!("{place}/items");
        let types = match self.document.root.pointer(&items) {
            Some(_) => self.types(&resolve(self.document, &items)?),
            None => vec!["string".to_owned()],
        };
        if types.iter().any(|name| name == "object" || name == "array") {
            return Err(self.fault(&items, "lists of lists or objects are not supported"));
        }
        Ok(Form::List {
            types: scalar(&types),
            explode,
        })
    }

    /// The types that a schema names; none when it names none.
    fn types(&self, pointer: &str) -> Vec<String> {
        let named = self
            .document
            .root
            .pointer(pointer)
            .and_then(|schema| schema.get("type"));
        let name = |value: &Value| value.as_str().map(str::to_owned);
        match named {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => several.iter().filter_map(name).collect(),
            Some(_) | None => Vec::new(),
        }
    }

    fn body(&self, pointer: &str) -> Result<RequestBody, ContractFault> {
        let pointer = resolve(self.document, pointer)?;
        let body = self.map(&pointer)?;
        let required = body.get("required").and_then(Value::as_bool) == Some(true);
        let mut content = Vec::new();
        for media in self.map(&format!("{pointer}/content"))?.keys() {
            let place = format!("{pointer}/content/{}", escaped(media));
            let range = media.split(';').next().unwrap_or_default().trim();
            let range: MediaRange =
                range.parse().map_err(|fault: super::super::NoMediaRange| {
                    self.fault(&place, fault.to_string())
                })?;
            let schema = format!("{place}/schema");
            let has_schema = self.document.root.pointer(&schema).is_some();
            let schema = has_schema
                .then(|| self.library.schema(&schema))
                .transpose()?;
            content.push((range, schema));
        }
        content.sort_by_key(|(range, _)| std::cmp::Reverse(range.specificity()));
        Ok(RequestBody { required, content })
    }
}

/// Where a parameter is described.
#[derive(Clone, Debug)]
struct Place {
    pointer: String,
    part: Part,
    name: String,
}

impl Place {
    fn is_same(&self, other: &Self) -> bool {
        self.part == other.part && self.name == other.name
    }
}

fn scalar(types: &[String]) -> Types {
    let has = |name: &str| types.iter().any(|known| known == name);
    if types.is_empty() {
        return Types::ANY;
    }
    Types {
        text: has("string"),
        number: has("number") || has("integer"),
        boolean: has("boolean"),
        null: has("null"),
    }
}

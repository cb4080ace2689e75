//! From the document to what requests are held against.
//!
//! What this version does not judge in a way that its author would expect is a fault, not a gap
//! that nobody knows of.

use http::header::HeaderName;
use serde_json::{Map, Value};

use super::super::closed;
use super::super::document::{ContractFault, Document, escaped};
use super::super::form;
use super::super::media::MediaRange;
use super::super::schema::Library;
use super::super::text::Types;
use super::super::violation::Part;
use super::super::{Unknown, takes_forms};
use super::Path;
use super::older;
use super::operation::{Content, Operation, RequestBody};
use super::parameter::{Form, Parameter};
use super::places::{METHODS, Version, bases, resolve, schemas, version};
use super::template::Template;

/// Header fields that are no parameters (OpenAPI 3.1.1 section 4.8.12.1).
const NO_PARAMETERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// Compiles the paths of a document.
pub(super) fn paths(
    mut document: Document,
    base: Option<&str>,
    fields: Unknown,
) -> Result<Vec<Path>, ContractFault> {
    if version(&document)? == Version::V3_0 {
        older::rewrite(&mut document)?;
    }
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
            return Ok(Form::Scalar(Types::named(&types)));
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
            types: Types::named(&types),
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
            let fields = (has_schema && takes_forms(std::slice::from_ref(&range)))
                .then(|| {
                    let encoding = format!("{place}/encoding");
                    form::fields(self.document, &schema, Some(&encoding))
                })
                .transpose()?;
            let schema = has_schema
                .then(|| self.library.schema(&schema))
                .transpose()?;
            content.push(Content {
                range,
                schema,
                fields,
            });
        }
        content.sort_by_key(|content| std::cmp::Reverse(content.range.specificity()));
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

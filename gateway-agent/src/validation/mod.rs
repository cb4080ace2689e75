//! What a route takes: media types, a JSON Schema, or the operations of an OpenAPI document.
//!
//! Everything that decides is pure: a request and a [`Contract`] go in, a [`Violation`] comes
//! out. Files are read when a contract is loaded, never while a request waits.
//!
//! ```text
//! document   a file of JSON or YAML, within bounds
//! closed     schemas that refuse fields they do not name
//! schema     JSON Schemas, compiled; words says what they say
//! openapi/   paths, operations and parameters of OpenAPI 3.1, and 3.0 made into it
//! json       bodies, read so that no other parser reads them otherwise
//! form/      bodies of forms, as values that a schema can judge; text says what a text stands for
//! ```

mod closed;
mod document;
mod form;
mod json;
mod media;
mod openapi;
mod recursion;
mod schema;
mod text;
mod violation;
mod words;

use std::path::PathBuf;

use gateway_policy::access::NormalPath;
use gateway_policy::bans::Mode;
use http::{HeaderMap, Method};
use serde::Deserialize;

pub use document::ContractFault;
pub use form::{FormFault, FormKind};
pub use json::JsonFault;
pub use media::{MediaRange, MediaType, NoMediaRange};
pub use violation::{Breach, Part, Violation};

use document::Document;
use form::Fields;
use openapi::Api;
use schema::Schema;

/// What a contract is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The media types that a body may have; none means any.
    pub types: Vec<MediaRange>,
    /// What describes the rest.
    pub described: Option<Described>,
    /// Fields of JSON bodies that no schema names.
    pub unknown_fields: Unknown,
    /// Query parameters that no operation names.
    pub unknown_parameters: Unknown,
    /// Whether violations are refused, or only noted.
    pub mode: Mode,
}

/// What describes requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Described {
    /// A JSON Schema for the body.
    Schema(PathBuf),
    /// An OpenAPI document.
    OpenApi {
        /// The file.
        file: PathBuf,
        /// What stands in front of its paths; `None` for what its servers say.
        base: Option<String>,
        /// Operations that it does not have.
        undocumented: Unknown,
    },
}

/// What becomes of what a description does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// It passes.
    #[default]
    Allow,
    /// The request is refused.
    Refuse,
}

/// What the requests of a route have to keep to.
#[derive(Debug)]
pub struct Contract {
    types: Vec<MediaRange>,
    body: Body,
    mode: Mode,
}

#[derive(Debug)]
enum Body {
    Any,
    Schema(Schema),
    /// Of a route that takes forms.
    Form(Schema, Fields),
    Api(Box<Api>),
}

/// A request as far as a contract looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'r> {
    /// The method.
    pub method: &'r Method,
    /// The path.
    pub path: &'r NormalPath,
    /// The query as sent, without the question mark.
    pub query: &'r str,
    /// The header fields.
    pub fields: &'r HeaderMap,
    /// Whether there is a body.
    pub has_body: bool,
}

/// What is left to look at behind the head of a request.
#[derive(Clone, Copy, Debug)]
pub enum Left<'c> {
    /// Nothing.
    Nothing,
    /// The body, which is JSON or a form.
    Body(BodyRule<'c>),
}

/// What a body has to keep to.
#[derive(Clone, Copy, Debug)]
pub struct BodyRule<'c> {
    schema: Option<&'c Schema>,
    /// How it is read, where it is a form.
    form: Option<(FormKind, &'c Fields)>,
    required: bool,
}

impl Contract {
    /// Reads the files that the terms name.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn load(terms: &Terms) -> Result<Self, ContractFault> {
        let mut types = terms.types.clone();
        let body = match &terms.described {
            None => Body::Any,
            Some(Described::Schema(file)) => {
                let mut document = Document::read(file)?;
                if terms.unknown_fields == Unknown::Refuse {
                    refuse_old_drafts(&document)?;
                    closed::close(&mut document, &[String::new()], &[])?;
                }
                if types.is_empty() {
                    types = vec![MediaRange::json(), MediaRange::json_suffix()];
                }
                match takes_forms(&types) {
                    true => {
                        let fields = form::fields(&document, "", None)?;
                        Body::Form(Schema::of(&document)?, fields)
                    }
                    false => Body::Schema(Schema::of(&document)?),
                }
            }
            Some(Described::OpenApi {
                file,
                base,
                undocumented,
            }) => {
                let document = Document::read(file)?;
                let policy = openapi::Policy {
                    undocumented: *undocumented,
                    parameters: terms.unknown_parameters,
                    fields: terms.unknown_fields,
                };
                Body::Api(Box::new(Api::load(document, base.as_deref(), policy)?))
            }
        };
        Ok(Self {
            types,
            body,
            mode: terms.mode,
        })
    }

    /// Whether violations are refused, or only noted.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Judges everything but the body, and says what is left to look at.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn head(&self, asked: &Asked<'_>) -> Result<Left<'_>, Violation> {
        let media = MediaType::of(asked.fields);
        if asked.has_body {
            expect_type(&self.types, media.as_ref())?;
        }
        let left = match &self.body {
            Body::Any => Left::Nothing,
            // Whatever its type says: that must be no way around the schema.
            Body::Schema(schema) => whole(asked, schema, None)?,
            Body::Form(schema, fields) => {
                let kind = media.as_ref().and_then(MediaType::form);
                whole(asked, schema, kind.map(|kind| (kind, fields)))?
            }
            Body::Api(api) => api.judge(asked, media.as_ref())?,
        };
        if matches!(left, Left::Body(_)) && !media::is_utf8(asked.fields) {
            return Err(Violation::Charset);
        }
        Ok(left)
    }
}

impl BodyRule<'_> {
    /// Judges a body, as it is without its content codings; `fields` are the request's.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn body(self, fields: &HeaderMap, text: &[u8]) -> Result<(), Violation> {
        if text.is_empty() {
            return match self.required {
                true => Err(Violation::BodyMissing),
                false => Ok(()),
            };
        }
        if let (Some((kind, read)), Some(schema)) = (self.form, self.schema) {
            return read.judge(kind, schema, fields, text);
        }
        let (value, values) = json::parse(text).map_err(Violation::Json)?;
        let breaches = self
            .schema
            .map(|schema| schema.breaches(&value, values))
            .unwrap_or_default();
        if breaches.is_empty() {
            Ok(())
        } else {
            Err(Violation::Body(breaches))
        }
    }
}

/// What is left of a request whose body is held against one schema.
fn whole<'c>(
    asked: &Asked<'_>,
    schema: &'c Schema,
    form: Option<(FormKind, &'c Fields)>,
) -> Result<Left<'c>, Violation> {
    let needs = [Method::POST, Method::PUT, Method::PATCH].contains(asked.method);
    match (asked.has_body, needs) {
        (true, _) => Ok(Left::Body(BodyRule {
            schema: Some(schema),
            form,
            required: needs,
        })),
        (false, true) => Err(Violation::BodyMissing),
        (false, false) => Ok(Left::Nothing),
    }
}

/// Whether forms are among the types that a route takes.
fn takes_forms(types: &[MediaRange]) -> bool {
    let mut forms = FormKind::ALL.into_iter().filter_map(FormKind::media);
    forms.any(|form| types.iter().any(|range| range.holds(&form)))
}

/// Refuses a body of a type that is not among those that do; none means any.
fn expect_type(types: &[MediaRange], media: Option<&MediaType>) -> Result<(), Violation> {
    let accept = || {
        let names: Vec<String> = types.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    match media {
        _ if types.is_empty() => Ok(()),
        None => Err(Violation::TypeMissing { accept: accept() }),
        Some(media) if types.iter().any(|range| range.holds(media)) => Ok(()),
        Some(_) => Err(Violation::TypeRefused { accept: accept() }),
    }
}

/// Closing needs a keyword that came with draft 2019-09.
fn refuse_old_drafts(document: &Document) -> Result<(), ContractFault> {
    let named = document.root.get("$schema").and_then(|name| name.as_str());
    let knows = [
        "https://json-schema.org/draft/2020-12/",
        "https://json-schema.org/draft/2019-09/",
    ];
    match named {
        Some(name) if !knows.iter().any(|known| name.starts_with(known)) => Err(document.fault(
            "/$schema",
            "`unknown_fields: refuse` needs draft 2019-09 or 2020-12; \
             write `additionalProperties: false` into the schemas instead",
        )),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

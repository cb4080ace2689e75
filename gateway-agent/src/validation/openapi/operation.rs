//! One operation: its parameters and its body.

use std::collections::HashMap;

use http::header;

use super::super::form::Fields;
use super::super::media::{MediaRange, MediaType};
use super::super::schema::Schema;
use super::super::violation::{Breach, MAX_BREACHES, Part, Violation};
use super::super::{Asked, BodyRule, Left, Unknown, expect_type};
use super::parameter::{Form, Parameter};
use super::query;

/// An operation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
}

/// What the body of an operation may be.
#[derive(Debug)]
pub(super) struct RequestBody {
    pub(super) required: bool,
    /// The more specific first.
    pub(super) content: Vec<Content>,
}

/// What a body of certain media types may be.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) range: MediaRange,
    pub(super) schema: Option<Schema>,
    /// How forms are read, where they are among the types and there is a schema.
    pub(super) fields: Option<Fields>,
}

/// The values of parameters by their names.
type Values<'r> = HashMap<String, Vec<&'r str>>;

impl Operation {
    /// Judges the parameters; `path` has those of the path, decoded.
    pub(super) fn parameters(
        &self,
        asked: &Asked<'_>,
        path: &[(&str, &str)],
        unknown: Unknown,
    ) -> Result<(), Violation> {
        let query = named(query::pairs(asked.query)).map_err(refused)?;
        let mut breaches = Vec::new();
        for parameter in &self.parameters {
            let values = match parameter.part {
                Part::Query => query.get(&parameter.name).map_or(Ok(Vec::new()), |raw| {
                    raw.iter()
                        .map(|text| decoded(parameter, text))
                        .collect::<Result<_, _>>()
                }),
                Part::Path => Ok(values_of(path.iter().copied(), &parameter.name)),
                Part::Header => header_values(asked, parameter),
                Part::Cookie => {
                    let fields = asked.fields.get_all(header::COOKIE).iter();
                    let texts: Vec<&str> = fields.filter_map(|field| field.to_str().ok()).collect();
                    let pairs = texts.iter().flat_map(|text| query::cookies(text));
                    Ok(values_of(pairs, &parameter.name))
                }
                Part::Body => Ok(Vec::new()),
            };
            let judged = values.and_then(|values| parameter.judge(&values));
            breaches.extend(judged.err());
            if breaches.len() >= MAX_BREACHES {
                break;
            }
        }
        if unknown == Unknown::Refuse {
            let room = MAX_BREACHES.saturating_sub(breaches.len());
            let strangers = query.keys().filter(|name| !self.knows(name));
            let strange =
                |name: &String| Breach::of(Part::Query, name, "is a parameter that is not known");
            breaches.extend(strangers.take(room).map(strange));
        }
        if breaches.is_empty() {
            Ok(())
        } else {
            Err(Violation::Parameters(breaches))
        }
    }

    /// Judges that there is a body, and its type, and says what is left.
    pub(super) fn body(
        &self,
        asked: &Asked<'_>,
        media: Option<&MediaType>,
        unknown: Unknown,
    ) -> Result<Left<'_>, Violation> {
        let Some(body) = &self.body else {
            return match (asked.has_body, unknown) {
                (true, Unknown::Refuse) => Err(Violation::BodyUnexpected),
                (true, Unknown::Allow) | (false, _) => Ok(Left::Nothing),
            };
        };
        if !asked.has_body {
            return match body.required {
                true => Err(Violation::BodyMissing),
                false => Ok(Left::Nothing),
            };
        }
        let ranges = body.content.iter().map(|content| content.range.clone());
        expect_type(&ranges.collect::<Vec<_>>(), media)?;
        let Some(media) = media else {
            return Ok(Left::Nothing);
        };
        let mut all = body.content.iter();
        let content = all.find(|content| content.range.holds(media));
        let schema = content.and_then(|content| content.schema.as_ref());
        let fields = content.and_then(|content| content.fields.as_ref());
        let form = media.form().zip(fields);
        Ok(match media.is_json() || form.is_some() {
            true => Left::Body(BodyRule {
                schema,
                form,
                required: body.required,
            }),
            false => Left::Nothing,
        })
    }

    fn knows(&self, name: &str) -> bool {
        let mut all = self.parameters.iter();
        all.any(|known| known.part == Part::Query && known.name == name)
    }
}

fn refused(breach: Breach) -> Violation {
    Violation::Parameters(vec![breach])
}

/// The pairs by their decoded names.
fn named<'r>(pairs: impl Iterator<Item = (&'r str, &'r str)>) -> Result<Values<'r>, Breach> {
    let mut values = Values::new();
    for (name, value) in pairs {
        let name = query::decoded(name)
            .ok_or_else(|| Breach::of(Part::Query, "", "has a name that is not encoded right"))?;
        values.entry(name).or_default().push(value);
    }
    Ok(values)
}

/// The value of a query parameter. Commas that part a list are those that stand unencoded.
fn decoded(parameter: &Parameter, text: &str) -> Result<String, Breach> {
    let fault = || Breach::of(parameter.part, &parameter.name, "is not encoded right");
    let parts = matches!(parameter.form, Form::List { explode: false, .. });
    let value = query::decoded(text).ok_or_else(fault)?;
    let commas = |text: &str| text.matches(',').count();
    // A comma inside an item would read as two items here and as one elsewhere, or the reverse.
    if parts && commas(text) != commas(&value) {
        return Err(fault());
    }
    Ok(value)
}

fn header_values(asked: &Asked<'_>, parameter: &Parameter) -> Result<Vec<String>, Breach> {
    let fault = || Breach::of(Part::Header, &parameter.name, "must be printable ASCII");
    let fields = asked.fields.get_all(parameter.name.as_str()).iter();
    fields
        .map(|field| Ok(spaceless(parameter, field.to_str().map_err(|_| fault())?)))
        .collect()
}

/// A field's value; around the commas of a list white space means nothing (RFC 9110
/// section 5.6.1).
fn spaceless(parameter: &Parameter, text: &str) -> String {
    match parameter.form {
        Form::List { .. } => {
            let items: Vec<&str> = text.split(',').map(str::trim).collect();
            items.join(",")
        }
        Form::Scalar(_) | Form::Json => text.trim().to_owned(),
    }
}

fn values_of<'r>(pairs: impl Iterator<Item = (&'r str, &'r str)>, name: &str) -> Vec<String> {
    pairs
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
        .collect()
}

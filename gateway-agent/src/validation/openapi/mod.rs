//! The operations of an OpenAPI document, of version 3.1 or 3.0.
//!
//! Judged are the path, the method, the parameters, and bodies of JSON and of forms; of other
//! bodies only the media type. Not judged: `security`, `readOnly`, callbacks, responses.

mod load;
mod older;
mod operation;
mod parameter;
mod places;
pub(super) mod query;
mod template;

use http::Method;

use super::document::{ContractFault, Document};
use super::media::MediaType;
use super::{Asked, Left, Unknown, Violation};
use operation::Operation;
use template::Template;

/// What becomes of what a document does not name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) undocumented: Unknown,
    pub(super) parameters: Unknown,
    pub(super) fields: Unknown,
}

/// An OpenAPI document, compiled.
#[derive(Debug)]
pub(super) struct Api {
    /// The more specific first.
    paths: Vec<Path>,
    policy: Policy,
}

/// A path and its operations.
#[derive(Debug)]
struct Path {
    template: Template,
    operations: Vec<(&'static str, Operation)>,
}

impl Api {
    /// Compiles a document; its paths begin behind `base`, or behind what its servers say.
    ///
    /// # Errors
    /// What is wrong with it, or not supported, with the place.
    pub(super) fn load(
        document: Document,
        base: Option<&str>,
        policy: Policy,
    ) -> Result<Self, ContractFault> {
        let mut paths = load::paths(document, base, policy.fields)?;
        // A stable sort: equals stay in their order.
        paths.sort_by(|a, b| b.template.cmp_specificity(&a.template));
        Ok(Self { paths, policy })
    }

    /// Judges everything but the body.
    pub(super) fn judge(
        &self,
        asked: &Asked<'_>,
        media: Option<&MediaType>,
    ) -> Result<Left<'_>, Violation> {
        let found = self
            .paths
            .iter()
            .find_map(|path| Some((path, path.template.values(asked.path)?)));
        let Some((path, values)) = found else {
            return self.undocumented(Violation::PathUnknown);
        };
        let Some(operation) = path.operation(asked.method) else {
            // A browser's question for CORS is of no document (Fetch section 3.2.2).
            if is_preflight(asked) {
                return Ok(Left::Nothing);
            }
            let allow = path.allow();
            return self.undocumented(Violation::MethodUnknown { allow });
        };
        operation.parameters(asked, &values, self.policy.parameters)?;
        operation.body(asked, media, self.policy.fields)
    }

    fn undocumented(&self, violation: Violation) -> Result<Left<'_>, Violation> {
        match self.policy.undocumented {
            Unknown::Allow => Ok(Left::Nothing),
            Unknown::Refuse => Err(violation),
        }
    }
}

impl Path {
    /// Who may `GET` may `HEAD`.
    fn operation(&self, method: &Method) -> Option<&Operation> {
        let named = |name: &str| {
            let mut all = self.operations.iter();
            all.find(|(known, _)| *known == name)
                .map(|(_, operation)| operation)
        };
        named(method.as_str()).or_else(|| named("GET").filter(|_| method == Method::HEAD))
    }

    fn allow(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.operations.iter().map(|(name, _)| *name).collect();
        if names.contains(&"GET") && !names.contains(&"HEAD") {
            names.push("HEAD");
        }
        names.sort_unstable();
        names
    }
}

fn is_preflight(asked: &Asked<'_>) -> bool {
    asked.method == Method::OPTIONS
        && !asked.has_body
        && asked.fields.contains_key(http::header::ORIGIN)
        && asked
            .fields
            .contains_key(http::header::ACCESS_CONTROL_REQUEST_METHOD)
}

#[cfg(test)]
mod tests;

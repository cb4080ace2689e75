//! Roles.

use std::collections::{BTreeMap, HashMap};

use gateway_policy::access::{RoleError, RoleSpec, Roles};
use gateway_policy::grammar::RoleName;

use super::Context;
use crate::config::raw;
use crate::config::report::Place;
use crate::config::tree::{At, Entries};

/// Where a role is written, and the roles it inherits.
struct Written {
    place: Place,
    inherits: Vec<(RoleName, Place)>,
    /// Whether it has rights or parents, readable or not.
    empty: bool,
}

/// The roles as they are written, and what they come to unless there is a fault in them.
pub(super) fn check(
    raw: Entries<raw::Role>,
    cx: &Context<'_>,
) -> (BTreeMap<RoleName, RoleSpec>, Option<Roles>) {
    let mut specs = BTreeMap::new();
    let mut written = HashMap::new();
    for (key, raw) in raw.0 {
        let name = key
            .get()
            .and_then(|text| cx.report.take(key.place(), text.parse::<RoleName>()));
        let Some(name) = name else {
            continue;
        };
        // Where it could not be read, its fault is told, and the name stands.
        let readable = raw.get().is_some();
        let raw = raw.take().unwrap_or_default();
        let empty = readable && raw.allow.0.is_empty() && raw.inherits.0.is_empty();
        let inherits: Vec<(RoleName, Place)> = raw
            .inherits
            .0
            .into_iter()
            .filter_map(|parent| Some((parent.place(), parent.take()?)))
            .map(|(place, parent)| (parent, place))
            .collect();
        let spec = RoleSpec {
            allow: raw.allow.0.into_iter().filter_map(At::take).collect(),
            inherits: inherits.iter().map(|(parent, _)| parent.clone()).collect(),
        };
        written.insert(
            name.clone(),
            Written {
                place: key.place(),
                inherits,
                empty,
            },
        );
        specs.insert(name, spec);
    }
    let roles = match Roles::resolve(&specs) {
        Ok(roles) => Some(roles),
        Err(errors) => {
            errors
                .iter()
                .for_each(|error| tell(error, &specs, &written, cx));
            None
        }
    };
    (specs, roles)
}

fn tell(
    error: &RoleError,
    specs: &BTreeMap<RoleName, RoleSpec>,
    written: &HashMap<RoleName, Written>,
    cx: &Context<'_>,
) {
    match error {
        RoleError::UnknownParent { role, parent } => {
            let place = written.get(role).and_then(|w| {
                w.inherits
                    .iter()
                    .find(|(name, _)| name == parent)
                    .map(|(_, place)| *place)
            });
            if let Some(place) = place {
                cx.report.fault(place, unknown(parent, specs));
            }
        }
        RoleError::Cycle { cycle } => {
            if let Some(written) = cycle.first().and_then(|role| written.get(role)) {
                cx.report.fault(written.place, error.to_string());
            }
        }
        RoleError::Empty { role } => {
            if let Some(written) = written.get(role).filter(|w| w.empty) {
                cx.report.fault(written.place, error.to_string());
            }
        }
    }
}

/// What to say of a role that nobody defined.
pub(super) fn unknown(name: &RoleName, specs: &BTreeMap<RoleName, RoleSpec>) -> String {
    super::unknown_name(
        "role",
        name.as_str(),
        "roles",
        specs.keys().map(RoleName::as_str),
    )
}

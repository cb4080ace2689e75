//! Roles and what they allow.

use std::collections::{BTreeMap, BTreeSet};

use super::{NormalPath, Permission};
use crate::grammar::RoleName;

/// A role as it is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleSpec {
    /// The roles whose permissions it has as well.
    pub inherits: Vec<RoleName>,
    /// Its own permissions.
    pub allow: Vec<Permission>,
}

/// The roles with everything they inherit.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    roles: BTreeMap<RoleName, Role>,
}

#[derive(Clone, Debug)]
struct Role {
    /// Itself and all that it inherits from.
    includes: BTreeSet<RoleName>,
    allow: Vec<Permission>,
}

/// A fault in the configured roles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// A parent that is not there.
    #[error("role {role} inherits from {parent}, which does not exist")]
    UnknownParent {
        /// The role.
        role: RoleName,
        /// The parent that it names.
        parent: RoleName,
    },
    /// Roles that inherit from each other.
    #[error("role {} inherits from itself: {}", .cycle.first().map_or("", |r| r.as_str()), arrows(.cycle))]
    Cycle {
        /// The roles, each inheriting from the next and the last from the first.
        cycle: Vec<RoleName>,
    },
    /// A role that lets its holder do nothing.
    #[error("role {role} allows nothing; give it `allow` or `inherits`")]
    Empty {
        /// The role.
        role: RoleName,
    },
}

impl Roles {
    /// Works out what each role allows with everything it inherits.
    ///
    /// # Errors
    /// All faults at once: unknown parents, cycles (each told once), roles that allow nothing.
    pub fn resolve(specs: &BTreeMap<RoleName, RoleSpec>) -> Result<Self, Vec<RoleError>> {
        let faults = faults(specs);
        if !faults.is_empty() {
            return Err(faults);
        }
        let resolved = |name: &RoleName| {
            let includes = ancestry(specs, name);
            let own = includes.iter().filter_map(|role| specs.get(role));
            let allow = own.flat_map(|spec| spec.allow.iter().cloned()).collect();
            (name.clone(), Role { includes, allow })
        };
        Ok(Self {
            roles: specs.keys().map(resolved).collect(),
        })
    }

    /// Whether there is a role of that name.
    #[must_use]
    pub fn exists(&self, name: &RoleName) -> bool {
        self.roles.contains_key(name)
    }

    /// The names of all roles.
    pub fn names(&self) -> impl Iterator<Item = &RoleName> {
        self.roles.keys()
    }

    /// Whether one who holds `held` has the role `wanted`, directly or by inheritance. Names that
    /// are no role, as tokens may carry them, count for nothing.
    pub fn include<S: AsRef<str>>(&self, held: &[S], wanted: &RoleName) -> bool {
        self.known(held).any(|role| role.includes.contains(wanted))
    }

    /// Whether one who holds `held` may use `method` on `path`.
    pub fn permit<S: AsRef<str>>(&self, held: &[S], method: &str, path: &NormalPath) -> bool {
        self.known(held)
            .any(|role| role.allow.iter().any(|p| p.matches(method, path)))
    }

    fn known<S: AsRef<str>>(&self, held: &[S]) -> impl Iterator<Item = &Role> {
        held.iter().filter_map(|name| self.roles.get(name.as_ref()))
    }
}

fn faults(specs: &BTreeMap<RoleName, RoleSpec>) -> Vec<RoleError> {
    let mut faults = Vec::new();
    for (role, spec) in specs {
        let unknown = spec
            .inherits
            .iter()
            .filter(|parent| !specs.contains_key(*parent));
        faults.extend(unknown.map(|parent| RoleError::UnknownParent {
            role: role.clone(),
            parent: parent.clone(),
        }));
        if spec.allow.is_empty() && spec.inherits.is_empty() {
            faults.push(RoleError::Empty { role: role.clone() });
        }
    }
    // Of the roles of a cycle, the one that comes first in order tells it.
    let mut told = BTreeSet::new();
    for role in specs.keys() {
        if !told.contains(role)
            && let Some(cycle) = cycle_through(specs, role)
        {
            told.extend(cycle.iter().cloned());
            faults.push(RoleError::Cycle { cycle });
        }
    }
    faults
}

/// The shortest way from a role back to itself.
fn cycle_through(specs: &BTreeMap<RoleName, RoleSpec>, start: &RoleName) -> Option<Vec<RoleName>> {
    let mut seen = BTreeSet::new();
    let mut ways = std::collections::VecDeque::from([vec![start.clone()]]);
    while let Some(way) = ways.pop_front() {
        for parent in way
            .last()
            .and_then(|role| specs.get(role))
            .iter()
            .flat_map(|s| &s.inherits)
        {
            if parent == start {
                return Some(way);
            }
            if seen.insert(parent.clone()) {
                let mut longer = way.clone();
                longer.push(parent.clone());
                ways.push_back(longer);
            }
        }
    }
    None
}

/// A role and all that it inherits from.
fn ancestry(specs: &BTreeMap<RoleName, RoleSpec>, name: &RoleName) -> BTreeSet<RoleName> {
    let mut all = BTreeSet::new();
    let mut next = vec![name.clone()];
    while let Some(role) = next.pop() {
        if all.insert(role.clone()) {
            next.extend(
                specs
                    .get(&role)
                    .iter()
                    .flat_map(|spec| spec.inherits.iter().cloned()),
            );
        }
    }
    all
}

fn arrows(cycle: &[RoleName]) -> String {
    let around = cycle.iter().chain(cycle.first()).map(RoleName::as_str);
    around.collect::<Vec<_>>().join(" -> ")
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::pattern::tests::{small_path, small_pattern};
    use super::*;

    /// `(name, inherits, allow)`.
    pub(in crate::access) fn specs(
        roles: &[(&str, &[&str], &[&str])],
    ) -> BTreeMap<RoleName, RoleSpec> {
        let spec = |(name, inherits, allow): &(&str, &[&str], &[&str])| {
            let inherits = inherits.iter().map(|r| r.parse().unwrap()).collect();
            let allow = allow.iter().map(|p| p.parse().unwrap()).collect();
            (name.parse().unwrap(), RoleSpec { inherits, allow })
        };
        roles.iter().map(spec).collect()
    }

    fn faults_of(roles: &[(&str, &[&str], &[&str])]) -> Vec<String> {
        Roles::resolve(&specs(roles))
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn permissions_are_inherited() {
        let roles = Roles::resolve(&specs(&[
            ("reader", &[], &["GET /api/**"]),
            ("writer", &["reader"], &["POST /api/items"]),
            ("admin", &["writer"], &["* /admin/**"]),
        ]))
        .unwrap();
        let may = |held: &[&str], method: &str, path: &str| {
            roles.permit(held, method, &NormalPath::parse(path).unwrap())
        };
        assert!(may(&["admin"], "GET", "/api/x"));
        assert!(may(&["admin"], "DELETE", "/admin/x"));
        assert!(may(&["writer"], "POST", "/api/items"));
        assert!(!may(&["writer"], "POST", "/api/other"));
        assert!(!may(&["reader"], "POST", "/api/items"));
        assert!(may(&["nobody", "reader"], "HEAD", "/api"));
        assert!(!may(&["nobody"], "GET", "/api"));
        assert!(!may(&[], "GET", "/api"));

        let reader = "reader".parse().unwrap();
        assert!(roles.include(&["admin"], &reader));
        assert!(!roles.include(&["reader"], &"admin".parse().unwrap()));
        assert!(roles.exists(&reader) && !roles.exists(&"nobody".parse().unwrap()));
        assert_eq!(roles.names().count(), 3);
    }

    #[test]
    fn all_faults_are_told_with_names() {
        assert_eq!(
            faults_of(&[
                ("a", &["b"], &[]),
                ("b", &["c"], &[]),
                ("c", &["a"], &[]),
                ("d", &["d"], &[]),
                ("e", &["nobody"], &[]),
                ("f", &[], &[]),
                ("g", &["a"], &[]),
            ]),
            [
                "role e inherits from nobody, which does not exist",
                "role f allows nothing; give it `allow` or `inherits`",
                "role a inherits from itself: a -> b -> c -> a",
                "role d inherits from itself: d -> d",
            ]
        );
    }

    #[test]
    fn a_diamond_is_no_cycle() {
        let all: &[&str] = &["* /**"];
        let roles = specs(&[
            ("base", &[], all),
            ("left", &["base"], &[]),
            ("right", &["base"], &[]),
            ("top", &["left", "right"], &[]),
        ]);
        assert!(Roles::resolve(&roles).is_ok());
    }

    proptest! {
        /// What a role permits is what it or, recursively, a parent allows.
        #[test]
        fn agrees_with_its_definition(
            graph in prop::collection::vec(
                (prop::collection::vec(0usize..6, 0..3), prop::collection::vec(small_pattern(), 0..3)), 1..6),
            path in small_path(),
        ) {
            let name = |n: usize| -> RoleName { format!("r{n}").parse().unwrap() };
            let specs: BTreeMap<RoleName, RoleSpec> = graph.iter().enumerate().map(|(n, (parents, paths))| {
                let inherits = parents.iter().map(|p| name(*p)).collect();
                let allow = paths.iter().map(|path| {
                    Permission { methods: "GET".parse().unwrap(), path: path.clone() }
                }).collect();
                (name(n), RoleSpec { inherits, allow })
            }).collect();

            fn permits(specs: &BTreeMap<RoleName, RoleSpec>, role: &RoleName, path: &NormalPath, depth: u32) -> Option<bool> {
                let spec = specs.get(role)?;
                let mut any = spec.allow.iter().any(|p| p.matches("GET", path));
                for parent in &spec.inherits {
                    any |= permits(specs, parent, path, depth.checked_sub(1)?)?;
                }
                Some(any)
            }
            let expected: Option<Vec<bool>> =
                specs.keys().map(|role| permits(&specs, role, &path, 6)).collect();
            let empty = specs.values().any(|s| s.allow.is_empty() && s.inherits.is_empty());
            match Roles::resolve(&specs) {
                Ok(roles) => {
                    let found: Vec<bool> =
                        specs.keys().map(|role| roles.permit(&[role], "GET", &path)).collect();
                    prop_assert_eq!(expected, Some(found));
                }
                Err(faults) => prop_assert!(expected.is_none() || empty, "{:?}", faults),
            }
        }
    }
}

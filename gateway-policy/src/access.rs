//! Who may ask for what: routes, roles and the paths they are written for.
//!
//! A request's path becomes a [`NormalPath`] or is refused; what a [`NormalPath`] is compared
//! with therefore has only one spelling. The [`RouteTable`] finds the one route that is meant,
//! and [`decide`] says whether the caller may go there. Nothing here knows HTTP types: methods,
//! hosts and paths come in as text.

mod decision;
mod host;
mod method;
mod path;
mod pattern;
mod permission;
mod roles;
mod routes;

pub use decision::{Caller, Refusal, Requirement, decide};
pub use host::{Host, HostFault, HostPattern, HostPatternError};
pub use method::{MethodPattern, MethodPatternError};
pub use path::{MAX_PATH, NormalPath, PathFault};
pub use pattern::{PathPattern, PathPatternError, PathPatternFault};
pub use permission::{Permission, PermissionError};
pub use roles::{RoleError, RoleSpec, Roles};
pub use routes::{NoRoute, Route, RouteError, RouteMatch, RouteTable};

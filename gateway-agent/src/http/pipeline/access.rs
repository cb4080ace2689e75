//! The fourth stage: where the request leads, and whether the caller may go there.

use std::sync::Arc;

use gateway_policy::access::{Caller, Refusal as Denial, decide};

use super::form::Formed;
use super::identity::Identified;
use crate::http::destination::Destination;
use crate::http::refusal::Refusal;
use crate::http::settings::Settings;
use crate::http::stage::Stage;
use crate::identity::Identity;

/// A request that may go on. Only [`permit`] makes one, and only such a request is inspected
/// and sent to an upstream.
#[derive(Debug)]
pub(super) struct Permitted<T> {
    request: T,
    identity: Option<Identity>,
    destination: Arc<Destination>,
}

impl<T> Permitted<T> {
    /// The request, and the permission by itself for the time that something is done to it.
    pub(super) fn split(self) -> (T, Permitted<()>) {
        let permission = Permitted {
            request: (),
            identity: self.identity,
            destination: self.destination,
        };
        (self.request, permission)
    }

    /// The same permission for what became of the request.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Permitted<U> {
        Permitted {
            request: change(self.request),
            identity: self.identity,
            destination: self.destination,
        }
    }

    /// Where it leads.
    pub(super) fn destination(&self) -> &Arc<Destination> {
        &self.destination
    }

    /// Who asks, where it leads, and the request.
    pub(super) fn into_parts(self) -> (Option<Identity>, Arc<Destination>, T) {
        (self.identity, self.destination, self.request)
    }
}

/// Finds the route and asks what it requires.
///
/// # Errors
/// When there is no route, or the caller may not take it.
pub(super) fn permit(
    settings: &Settings,
    request: Identified,
) -> Result<Permitted<Formed>, Refusal> {
    let Identified { request, identity } = request;
    let destination = settings
        .fail
        .guard(Stage::Access, || {
            judge(settings, &request, identity.as_ref())
        })?
        .ok_or(Refusal::StageFailed(Stage::Access))?;
    Ok(Permitted {
        request,
        identity,
        destination,
    })
}

fn judge(
    settings: &Settings,
    request: &Formed,
    identity: Option<&Identity>,
) -> Result<Arc<Destination>, Refusal> {
    let method = request.head.method.as_str();
    let route = settings
        .routes
        .find(Some(&request.host), method, &request.path)
        .map_err(Refusal::NoRoute)?;
    let caller = match identity {
        Some(identity) => Caller::Known {
            roles: &identity.roles,
        },
        None => Caller::Anonymous,
    };
    decide(
        &route.require,
        &settings.roles,
        caller,
        method,
        &request.path,
    )
    .map_err(|denial| match denial {
        Denial::TokenRequired => Refusal::TokenRequired,
        Denial::RoleRequired(_) => Refusal::RoleRequired,
        Denial::NotPermitted => Refusal::NotPermitted,
    })?;
    Ok(route.target.clone())
}

//! What is refused because it makes no sense, or unless it is forced.

use gateway_common::tables::List;
use gateway_policy::grammar::Prefix;

use super::Service;
use crate::control::api::{AddRequest, MAX_PREFIXES, MAX_REASON};
use crate::control::{Fault, FaultKind};
use crate::store::ListName;

/// Each prefix once, in the order in which they were named.
pub(super) fn distinct(prefixes: &[Prefix]) -> Result<Vec<Prefix>, Fault> {
    if prefixes.is_empty() {
        return Err(invalid("no prefix was named"));
    }
    if prefixes.len() > MAX_PREFIXES {
        return Err(invalid(format!(
            "{} prefixes were named, at most {MAX_PREFIXES} go into one call",
            prefixes.len()
        )));
    }
    let mut seen = std::collections::HashSet::with_capacity(prefixes.len());
    Ok(prefixes
        .iter()
        .copied()
        .filter(|p| seen.insert(*p))
        .collect())
}

impl Service {
    /// Checks a request to add entries; returns its prefixes, each once.
    pub(super) fn check_add(
        &self,
        list: ListName,
        request: &AddRequest,
    ) -> Result<Vec<Prefix>, Fault> {
        let prefixes = distinct(&request.prefixes)?;
        if request.ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Err(invalid(
                "an entry cannot last 0s; leave the ttl out for one that stays",
            ));
        }
        if request.reason.len() > MAX_REASON {
            return Err(invalid(format!(
                "the reason has {} bytes, at most {MAX_REASON} are kept",
                request.reason.len()
            )));
        }
        if request.reason.chars().any(char::is_control) {
            return Err(invalid(
                "the reason has control characters; write it on one line",
            ));
        }
        if request.shadow && list == ListName::Allow {
            return Err(invalid(
                "the safelist has no shadow mode; only deny entries do",
            ));
        }
        let harmless = request.force || request.shadow;
        if !harmless {
            self.check_lockout(list, request, &prefixes)?;
        }
        Ok(prefixes)
    }

    /// Refuses what would lock somebody out, or let everybody in.
    fn check_lockout(
        &self,
        list: ListName,
        request: &AddRequest,
        prefixes: &[Prefix],
    ) -> Result<(), Fault> {
        if let Some(all) = prefixes.iter().find(|p| p.is_everything()) {
            return Err(needs_force(match list {
                ListName::Deny => format!("{all} is every address there is"),
                ListName::Allow => format!("{all} on the safelist turns the filter off"),
            }));
        }
        if list == ListName::Allow {
            return Ok(());
        }
        if let Some(session) = request.session
            && let Some(prefix) = prefixes.iter().find(|p| p.contains(session))
        {
            return Err(needs_force(format!(
                "{prefix} holds {session}, from where you are logged in"
            )));
        }
        let mut protected = self.hooks.protected();
        let zones = self.lists.entries(List::Zone)?;
        protected.extend(
            zones
                .into_iter()
                .map(|(p, _)| (p, "a trusted network".to_owned())),
        );
        for prefix in prefixes {
            if let Some((covered, what)) = protected.iter().find(|(p, _)| prefix.covers(*p)) {
                return Err(needs_force(format!("{prefix} holds {covered}, {what}")));
            }
        }
        Ok(())
    }
}

fn invalid(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, detail)
}

fn needs_force(why: String) -> Fault {
    Fault::new(
        FaultKind::NeedsForce,
        format!("{why}; nothing was changed: repeat it with --force if you mean it"),
    )
}

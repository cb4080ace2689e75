//! What is refused because it makes no sense, or unless it is forced.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gateway_common::tables::List;
use gateway_policy::grammar::{Period, Prefix};
use gateway_policy::import;

use super::Service;
use super::limited::is_limited;
use crate::control::api::{AddRequest, ImportRequest, MAX_PREFIXES, MAX_REASON, MAX_TAG};
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
    let mut seen = HashSet::with_capacity(prefixes.len());
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
        check_words(request.ttl, &request.reason, request.shadow, list)?;
        let harmless = request.force || request.shadow;
        if !harmless {
            self.check_lockout(list, request.session, &prefixes)?;
        }
        Ok(prefixes)
    }

    /// Checks a request to import; its entries are told by their lines.
    pub(super) fn check_import(
        &self,
        list: ListName,
        request: &ImportRequest,
    ) -> Result<(), Fault> {
        let tag = &request.tag;
        if tag.is_empty() || tag.len() > MAX_TAG || tag.chars().any(char::is_control) {
            return Err(invalid(format!(
                "a tag has 1 to {MAX_TAG} bytes and no control characters; name one with --tag"
            )));
        }
        check_words(request.ttl, &request.reason, request.shadow, list)?;
        if request.confirm.is_some_and(|confirm| confirm.is_zero()) {
            return Err(invalid("a trial cannot last 0s"));
        }
        let prefixes: Vec<Prefix> = request.entries.iter().map(|entry| entry.prefix).collect();
        if !prefixes.windows(2).all(|two| two.first() < two.last()) {
            return Err(invalid("the entries are not in order, each prefix once"));
        }
        if request.force || request.shadow {
            return Ok(());
        }
        let Err(mut refused) = self.check_lockout(list, request.session, &prefixes) else {
            return Ok(());
        };
        let named = |entry: &&import::Entry| {
            let prefix = refused.detail.strip_prefix(&entry.prefix.to_string());
            prefix.is_some_and(|rest| rest.starts_with(' '))
        };
        if let Some(entry) = request.entries.iter().find(named) {
            refused.detail = format!("line {}: {}", entry.line, refused.detail);
        }
        Err(refused)
    }

    /// Refuses what would lock somebody out, or let everybody in.
    fn check_lockout(
        &self,
        list: ListName,
        session: Option<IpAddr>,
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
        if let Some(session) = session
            && let Some(prefix) = prefixes.iter().find(|p| p.contains(session))
        {
            return Err(needs_force(format!(
                "{prefix} holds {session}, from where you are logged in"
            )));
        }
        let named: HashSet<Prefix> = prefixes.iter().copied().collect();
        for (covered, what) in self.protected()? {
            let mut around =
                (0..=covered.len()).filter_map(|len| Prefix::holding(covered.network(), len).ok());
            if let Some(prefix) = around.find(|prefix| named.contains(prefix)) {
                return Err(needs_force(format!("{prefix} holds {covered}, {what}")));
            }
        }
        Ok(())
    }

    /// Whom nobody should deny by mistake, each with what it is.
    pub(super) fn protected(&self) -> Result<Vec<(Prefix, String)>, Fault> {
        let mut protected = self.hooks.protected();
        let loopback = [
            Prefix::v4::<8>(Ipv4Addr::LOCALHOST),
            Prefix::v6::<128>(Ipv6Addr::LOCALHOST),
        ];
        protected.extend(loopback.map(|prefix| (prefix, "the host itself".to_owned())));
        let mut zones = self.lists.entries(List::Zone)?;
        zones.retain(|(_, zone)| !is_limited(zone));
        protected.extend(
            zones
                .into_iter()
                .map(|(p, _)| (p, "a trusted network".to_owned())),
        );
        Ok(protected)
    }
}

fn check_words(
    ttl: Option<Period>,
    reason: &str,
    shadow: bool,
    list: ListName,
) -> Result<(), Fault> {
    if ttl.is_some_and(|ttl| ttl.is_zero()) {
        return Err(invalid(
            "an entry cannot last 0s; leave the ttl out for one that stays",
        ));
    }
    if reason.len() > MAX_REASON {
        return Err(invalid(format!(
            "the reason has {} bytes, at most {MAX_REASON} are kept",
            reason.len()
        )));
    }
    if reason.chars().any(char::is_control) {
        return Err(invalid(
            "the reason has control characters; write it on one line",
        ));
    }
    if shadow && list == ListName::Allow {
        return Err(invalid(
            "the safelist has no shadow mode; only deny entries do",
        ));
    }
    Ok(())
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

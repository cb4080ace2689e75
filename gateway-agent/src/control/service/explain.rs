//! Why packets from an address are dropped, or not: the verdict from the loaded program, the
//! entry from the kernel's lists, the words from the store.

use std::net::IpAddr;

use gateway_common::Verdict;
use gateway_common::lists::{Entry, MODE_ENFORCE};
use gateway_common::rule::{LimitKind, Rule, block};
use gateway_common::tables::List;
use gateway_common::time::Nanos;
use gateway_policy::grammar::Prefix;

use super::Service;
use super::limited::is_limited;
use crate::config::CountryCode;
use crate::control::Fault;
use crate::control::api::{CountryView, EntryView, Explanation, HitsView};
use crate::control::lists::Probe;
use crate::control::now::Now;
use crate::datapath::RuleHits;
use crate::store::{ListName, Mode, Origin, Reader, RuleId};

/// The length of the blocks that the program denies at a glance.
const BLOCK: u8 = 24;

/// Changes shown.
const HISTORY: u32 = 10;

/// An entry of the kernel's lists around the address.
struct Around {
    list: ListName,
    prefix: Prefix,
    entry: Entry,
}

impl Service {
    pub(super) fn explain(&self, address: IpAddr) -> Result<Explanation, Fault> {
        let address = address.to_canonical();
        let host = Prefix::host(address);
        let probe = self.lists.probe(address)?;
        let around = self.around(host)?;
        let (zone, country) = self.zone(host)?;
        let now = self.now();
        let known_until = self.lists.known_until(address)?;
        let known_until = known_until.filter(|until| now.monotonic < *until);
        let attack = self.lists.attack()?.on != 0;
        let store = self.store();
        let reader = store.read();
        let mut notes = Vec::new();

        let mut decided_by = match decider(probe, &around, now) {
            None => None,
            Some((at, rule)) => view(&reader, at, rule, now, &mut notes)?,
        };
        let is_host = |entry: &EntryView| entry.prefix == host;
        if probe.verdict == Verdict::DeniedPrefix && decided_by.as_ref().is_some_and(is_host) {
            notes.push(
                "entries fill its /24 from end to end, so the program drops the whole of it \
                 without looking for one; the one that is meant for the address is shown"
                    .to_owned(),
            );
        }
        let mut others = Vec::new();
        for list in ListName::ALL {
            let records = reader.covering(*list, host, now.wall)?;
            others.extend(records.into_iter().map(|r| EntryView::of(r, now)));
        }
        others.retain(|view| decided_by.as_ref().is_none_or(|d| d.rule != view.rule));
        others.sort_by_key(|view| std::cmp::Reverse(view.prefix.len()));
        for view in decided_by.iter_mut().chain(&mut others) {
            self.count(view)?;
        }
        if let Some(view) = &mut decided_by {
            view.hits = self.hits(view, now)?;
        }
        let unknown = others
            .iter()
            .filter(|v| {
                !around
                    .iter()
                    .any(|a| a.list == v.list && a.prefix == v.prefix)
            })
            .map(|v| {
                format!(
                    "rule {} ({}) is in the store but not in the kernel's list: restart the \
                     agent to bring them in step",
                    v.rule, v.prefix
                )
            });
        notes.extend(unknown);
        let history = reader.changes_about(host, HISTORY)?;
        Ok(Explanation {
            address,
            verdict: probe.verdict.name().to_owned(),
            action: probe.verdict.action().name().to_owned(),
            meaning: probe.verdict.describe().to_owned(),
            decided_by,
            limit: self.limit(probe.rule),
            others,
            zone,
            country,
            known_until_unix_ms: known_until.and_then(|until| now.to_wall(until)),
            attack,
            history: history.into_iter().map(Into::into).collect(),
            notes,
        })
    }

    /// What an entry in force has dropped at least. What the index denies is counted by its /24: a
    /// longer entry is told the count of that, and for others it is that of the longest entry
    /// around its first address.
    fn hits(&self, view: &EntryView, now: Now) -> Result<Option<HitsView>, Fault> {
        if view.list != ListName::Deny || view.mode != Mode::Enforce {
            return Ok(None);
        }
        let mut found: Vec<RuleHits> = self.lists.hits(view.rule.get())?.into_iter().collect();
        if view.prefix.len() <= BLOCK {
            for hits in self.lists.all_hits()? {
                let Rule::Block([a, b, c]) = hits.rule else {
                    continue;
                };
                let first = IpAddr::from([a, b, c, 0]);
                if view.prefix.contains(first) && self.is_longest(view.prefix, first, now)? {
                    found.push(hits);
                }
            }
        }
        // Nor is the entry of a host looked up that the index denies.
        let mut within = None;
        if let IpAddr::V4(address) = view.prefix.network()
            && view.prefix.len() > BLOCK
            && found.is_empty()
        {
            within = Prefix::holding(address.into(), BLOCK).ok();
            found.extend(self.lists.hits(block(address.octets()))?);
        }
        let since = found.iter().map(|hits| hits.since.max(Nanos(1))).min();
        Ok(Some(HitsView {
            at_least: found.iter().map(|hits| hits.packets).sum(),
            since_unix_ms: since.and_then(|since| now.to_wall(since)),
            within: within.filter(|_| since.is_some()),
        }))
    }

    /// Whether no deny entry in force is longer than `prefix` and holds `address` too.
    fn is_longest(&self, prefix: Prefix, address: IpAddr, now: Now) -> Result<bool, Fault> {
        let around = prefixes(Prefix::host(address));
        for longer in around.take_while(|around| around.len() > prefix.len()) {
            let entry = self.lists.get(List::Deny, longer)?;
            if entry.is_some_and(|entry| acts(&entry, now)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The limit with this number, as the configuration names it, or its kind when no agent runs.
    fn limit(&self, rule: u32) -> Option<String> {
        let kind = match Rule::of(rule) {
            Rule::Limit(kind, _) => kind,
            Rule::None | Rule::Entry(_) | Rule::Block(_) => return None,
        };
        let name = self.hooks.limit_name(rule);
        Some(name.unwrap_or_else(|| kind_in_words(kind).to_owned()))
    }

    /// The kernel's entries around `host`, the longest prefix first, the safelist first among
    /// equals, as the program looks at them.
    fn around(&self, host: Prefix) -> Result<Vec<Around>, Fault> {
        let mut around = Vec::new();
        for prefix in prefixes(host) {
            for list in [ListName::Allow, ListName::Deny] {
                if let Some(entry) = self.lists.get(list.list(), prefix)? {
                    around.push(Around {
                        list,
                        prefix,
                        entry,
                    });
                }
            }
        }
        Ok(around)
    }

    /// The trusted network around `host`, or the country that has a limit: the longer of both.
    fn zone(&self, host: Prefix) -> Result<(Option<Prefix>, Option<CountryView>), Fault> {
        for prefix in prefixes(host) {
            let Some(zone) = self.lists.get(List::Zone, prefix)? else {
                continue;
            };
            if !is_limited(&zone) {
                return Ok((Some(prefix), None));
            }
            let code = CountryCode::from_number(zone.rule);
            let code = code.map_or_else(|| "?".to_owned(), |code| code.to_string());
            return Ok((None, Some(CountryView { code, prefix })));
        }
        Ok((None, None))
    }
}

/// Where the configuration has limits of a kind.
const fn kind_in_words(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::Packets => "packet_limits",
        LimitKind::Bytes => "packet_limits.bytes",
        LimitKind::Connections => "packet_limits.connections",
        LimitKind::Sites => "packet_limits.sites",
        LimitKind::Destinations => "packet_limits.destinations",
        LimitKind::Ports => "packet_limits.ports",
        LimitKind::Cookies => "syn_cookies.threshold",
        LimitKind::Countries => "countries.limit",
    }
}

/// Every prefix around `host`, longest first.
fn prefixes(host: Prefix) -> impl Iterator<Item = Prefix> {
    (0..=host.len())
        .rev()
        .filter_map(move |len| Prefix::holding(host.network(), len).ok())
}

/// The entry that led to the verdict. The program names its rule, except where it denies a
/// whole block at a glance: then it is the first that acts.
fn decider(probe: Probe, around: &[Around], now: Now) -> Option<(Option<&Around>, RuleId)> {
    let list = list_of(probe.verdict)?;
    let shadow = probe.verdict == Verdict::WouldDeny;
    let found = around.iter().find(|a| {
        a.list == list
            && a.entry.is_live(now.monotonic)
            && (a.entry.mode == MODE_ENFORCE) != shadow
            && (probe.rule == 0 || a.entry.rule == probe.rule)
    });
    let rule = RuleId::new(probe.rule).or_else(|| RuleId::new(found?.entry.rule))?;
    Some((found, rule))
}

/// Whether an entry does what its list is for.
fn acts(entry: &Entry, now: Now) -> bool {
    entry.mode == MODE_ENFORCE && entry.is_live(now.monotonic)
}

/// The list that a verdict comes from.
const fn list_of(verdict: Verdict) -> Option<ListName> {
    match verdict {
        Verdict::Safelisted => Some(ListName::Allow),
        Verdict::WouldDeny | Verdict::DeniedExact | Verdict::DeniedPrefix | Verdict::Banned => {
            Some(ListName::Deny)
        }
        Verdict::Pass
        | Verdict::NotIp
        | Verdict::Neighbour
        | Verdict::WouldLimit
        | Verdict::Unconfigured
        | Verdict::RateLimited
        | Verdict::PenaltyBox
        | Verdict::ByteLimited
        | Verdict::ConnectionLimited
        | Verdict::SiteLimited
        | Verdict::PortLimited
        | Verdict::DestinationLimited
        | Verdict::SynCookie
        | Verdict::UnknownLimited
        | Verdict::CountryLimited
        | Verdict::Truncated
        | Verdict::BadHeader
        | Verdict::BadLength
        | Verdict::BadSource
        | Verdict::Land
        | Verdict::BadTcpFlags
        | Verdict::TooManyVlans
        | Verdict::TooManyExtensions => None,
    }
}

/// The words for a rule, or what the kernel's entry alone tells.
fn view(
    reader: &Reader<'_>,
    at: Option<&Around>,
    rule: RuleId,
    now: Now,
    notes: &mut Vec<String>,
) -> Result<Option<EntryView>, Fault> {
    if let Some(record) = reader.by_rule(rule)? {
        return Ok(Some(EntryView::of(record, now)));
    }
    let Some(Around {
        list,
        prefix,
        entry,
    }) = at
    else {
        notes.push(format!(
            "rule {rule} decided, but is gone from the kernel's list and the store: ask again"
        ));
        return Ok(None);
    };
    notes.push(format!(
        "the store has no words for rule {rule}; what is shown is the kernel's entry"
    ));
    let expires = now.to_wall(entry.expires);
    Ok(Some(EntryView {
        rule,
        list: *list,
        prefix: *prefix,
        origin: Origin::try_from(entry.origin).unwrap_or(Origin::Operator),
        mode: Mode::try_from(entry.mode).unwrap_or(Mode::Enforce),
        expires_unix_ms: expires,
        left_ms: expires.map(|at| at.0.saturating_sub(now.wall.0)),
        created_unix_ms: None,
        created_by: None,
        reason: String::new(),
        ban: None,
        import: None,
        would_drop: None,
        hits: None,
    }))
}

//! The words for the rules that decide: asked for once, however many packets a rule decides on.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use gateway_common::Verdict;
use gateway_common::lists::{Entry, MODE_ENFORCE};
use gateway_common::tables::List;
use gateway_policy::grammar::Prefix;

use crate::cli::error::CliError;
use crate::cli::reach::Reached;
use crate::clock;
use crate::control::api::EntryView;
use crate::control::lists::Probe;
use crate::control::{Fault, Lists};

/// Rules and sources that are remembered; past that, they are asked for again.
const REMEMBERED: usize = 1 << 16;

/// What is known of rules.
pub(super) struct Words {
    control: Reached,
    lists: Arc<dyn Lists>,
    rules: HashMap<u32, Option<Rc<EntryView>>>,
    /// The rules of sources that are denied without naming it.
    found: HashMap<Prefix, u32>,
}

impl Words {
    pub(super) fn new(control: Reached, lists: Arc<dyn Lists>) -> Self {
        Self {
            control,
            lists,
            rules: HashMap::new(),
            found: HashMap::new(),
        }
    }

    /// The entry that led to the verdict on a packet from `source`; none when no list did, or it
    /// is gone by now.
    pub(super) fn of(
        &mut self,
        probe: Probe,
        source: Option<IpAddr>,
    ) -> Result<Option<Rc<EntryView>>, CliError> {
        let Some(source) = source.map(|source| source.to_canonical()) else {
            return Ok(None);
        };
        let rule = match (probe.rule, probe.verdict) {
            (0, Verdict::DeniedPrefix | Verdict::DeniedExact) => self.found(source)?,
            (rule, _) => rule,
        };
        if rule == 0 {
            return Ok(None);
        }
        if let Some(known) = self.rules.get(&rule) {
            return Ok(known.clone());
        }
        let explained = self.control.explain(source)?.decided_by;
        let entry = explained
            .filter(|entry| entry.rule.get() == rule)
            .map(Rc::new);
        remember(&mut self.rules, rule, entry.clone());
        Ok(entry)
    }

    /// The rule that denies `source` where the program did not look for one: that of the longest
    /// prefix that acts. 0 when it is gone by now.
    fn found(&mut self, source: IpAddr) -> Result<u32, CliError> {
        let host = Prefix::host(source);
        if let Some(rule) = self.found.get(&host) {
            return Ok(*rule);
        }
        let now = clock::monotonic();
        let around = (0..=host.len())
            .rev()
            .filter_map(|length| Prefix::holding(source, length).ok());
        let mut rule = 0;
        for prefix in around {
            let entry = self.lists.get(List::Deny, prefix).map_err(Fault::from)?;
            let acts = |entry: &Entry| entry.mode == MODE_ENFORCE && entry.is_live(now);
            if let Some(entry) = entry.filter(acts) {
                rule = entry.rule;
                break;
            }
        }
        remember(&mut self.found, host, rule);
        Ok(rule)
    }
}

fn remember<K: Eq + std::hash::Hash, V>(known: &mut HashMap<K, V>, key: K, value: V) {
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(key, value);
}

//! Exclusions for false alarms, out of what rules found in the past.
//!
//! Whoever can send requests can make rules match, so what is proposed must not follow from what
//! strangers send: only requests with a verified token count, of several holders, and none of a
//! client that is banned, that scans, or that makes rules match all over the place. Where those
//! make a rule match the same field more often than the others do, nothing is proposed for it.

mod propose;
mod scope;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use gateway_policy::grammar::Prefix;

pub use propose::{FIRST_ID, Proposal, Refused, Suggestions, propose};

use crate::records::{Record, Text};

/// What evidence must be.
#[derive(Clone, Debug)]
pub struct Demands {
    /// In how many requests the rule must have matched the field.
    pub requests: u64,
    /// Of how many holders of tokens, or networks, they must come.
    pub clients: u64,
    /// Whether clients without a token count too, by their networks.
    pub anonymous: bool,
    /// Who is banned.
    pub banned: Vec<Prefix>,
}

/// A client that makes rules match more fields than this, each on each path, is probing.
const MOST_FIELDS: usize = 8;
/// The most clients that are remembered; none beyond counts.
const MOST_CLIENTS: usize = 100_000;
/// The most groups of matches; none beyond is looked at.
const MOST_GROUPS: usize = 10_000;
/// The most paths of a group that are told apart.
const MOST_PATHS: usize = 64;
/// The most values that are shown of a group.
const MOST_SAMPLES: usize = 3;

/// What clients did, all rules together.
#[derive(Debug, Default)]
pub struct Conduct {
    /// Which fields each made rules match, each on each path, as hashes.
    clients: HashMap<Client, HashSet<u64>>,
    scanners: HashSet<Client>,
    hasher: RandomState,
}

/// Whom a request counts for: the holder of a token, or a network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Client {
    Holder(String),
    Network(Prefix),
}

/// The network of a client: an IPv4 /24 or an IPv6 /48, which one party may well have as a whole.
fn network(client: IpAddr) -> Option<Prefix> {
    let bits = if client.is_ipv4() { 24 } else { 48 };
    Prefix::holding(client, bits).ok()
}

impl Conduct {
    /// Notes a request.
    pub fn see(&mut self, record: &Record) {
        let who = [holder(record), network(record.client).map(Client::Network)];
        for client in who.into_iter().flatten() {
            let full = self.clients.len() >= MOST_CLIENTS;
            if full && !self.clients.contains_key(&client) {
                continue;
            }
            if record.matches.iter().any(is_scanner) {
                self.scanners.insert(client.clone());
            }
            let fields = self.clients.entry(client).or_default();
            for hit in &record.matches {
                if fields.len() > MOST_FIELDS {
                    break;
                }
                fields.insert(self.hasher.hash_one((path_of(record), &hit.variable)));
            }
        }
    }

    fn is_clean(&self, client: &Client) -> bool {
        let fields = self.clients.get(client);
        fields.is_some_and(|fields| fields.len() <= MOST_FIELDS) && !self.scanners.contains(client)
    }
}

fn holder(record: &Record) -> Option<Client> {
    record.subject.clone().map(Client::Holder)
}

/// Whether the rule knows tools of attackers by their names.
fn is_scanner(hit: &crate::records::Hit) -> bool {
    hit.tags.iter().any(|tag| tag.contains("scanner"))
}

/// The path of the target as it was sent.
fn path_of(record: &Record) -> String {
    let target = String::from_utf8_lossy(&record.copy.target.0).into_owned();
    let end = target.find('?').unwrap_or(target.len());
    target.get(..end).unwrap_or_default().to_owned()
}

/// A rule, the field that it matched, and the route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    rule: u64,
    variable: String,
    route: String,
}

/// What speaks for an exclusion, and against it.
#[derive(Clone, Debug, Default)]
struct Evidence {
    requests: u64,
    authenticated: u64,
    clients: BTreeSet<Client>,
    /// The first two addresses that they came from.
    addresses: BTreeSet<IpAddr>,
    /// Requests of clients that do not count.
    left_out: u64,
    paths: BTreeSet<String>,
    /// Whether there were more paths than are told apart.
    more_paths: bool,
    hosts: BTreeSet<Vec<u8>>,
    samples: BTreeSet<Text>,
    message: String,
    first: u64,
    last: u64,
}

/// What was found, by rule, field and route.
#[derive(Debug, Default)]
pub struct Tally {
    groups: BTreeMap<Key, Evidence>,
}

impl Tally {
    /// Adds a request, after [`Conduct`] has seen them all.
    pub fn add(&mut self, record: &Record, conduct: &Conduct, demands: &Demands) {
        let Some(route) = &record.route else { return };
        let client = counted(record, conduct, demands);
        let mut seen = BTreeSet::new();
        for hit in &record.matches {
            let key = Key {
                rule: hit.id,
                variable: hit.variable.clone(),
                route: route.clone(),
            };
            let full = self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&key);
            // What sums up others is no field.
            let sum = hit.variable.starts_with("TX:");
            if hit.phase > 2 || sum || full || !seen.insert(key.clone()) {
                continue;
            }
            let evidence = self.groups.entry(key).or_default();
            evidence.message.clone_from(&hit.msg);
            match &client {
                Some(client) => evidence.add(record, client, hit),
                None => evidence.left_out += 1,
            }
        }
    }
}

impl Evidence {
    fn add(&mut self, record: &Record, client: &Client, hit: &crate::records::Hit) {
        if self.requests == 0 {
            self.first = record.time_unix_ms;
        }
        self.first = self.first.min(record.time_unix_ms);
        self.last = self.last.max(record.time_unix_ms);
        self.requests += 1;
        self.authenticated += u64::from(record.subject.is_some());
        if self.clients.len() < MOST_CLIENTS {
            self.clients.insert(client.clone());
        }
        if self.addresses.len() < 2 {
            self.addresses.insert(record.client);
        }
        let path = path_of(record);
        if self.paths.len() < MOST_PATHS || self.paths.contains(&path) {
            self.paths.insert(path);
        } else {
            self.more_paths = true;
        }
        let mut headers = record.copy.headers.iter();
        let host = headers.find(|(name, _)| name.0.eq_ignore_ascii_case(b"host"));
        if self.hosts.len() < 2 {
            let host = host.map(|(_, value)| value.0.to_ascii_lowercase());
            self.hosts.insert(host.unwrap_or_default());
        }
        let looks = hit.looks.last().and_then(|look| look.matched.as_ref());
        if let Some(matched) = looks.filter(|_| self.samples.len() < MOST_SAMPLES) {
            self.samples.insert(matched.text.clone());
        }
    }
}

/// Whom the request counts for, if it does.
fn counted(record: &Record, conduct: &Conduct, demands: &Demands) -> Option<Client> {
    let network = Client::Network(network(record.client)?);
    let banned = demands.banned.iter().any(|p| p.contains(record.client));
    if banned || !conduct.is_clean(&network) {
        return None;
    }
    match holder(record) {
        Some(holder) => conduct.is_clean(&holder).then_some(holder),
        None => demands.anonymous.then_some(network),
    }
}

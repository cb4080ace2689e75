//! One request on its way through the rules.

mod body;
mod clock;
mod computed;
mod copy;
mod decision;
mod deeper;
mod effects;
mod eval;
mod expand;
mod explain;
mod items;
mod matched;
mod pool;
mod record;
mod request;
mod response;
mod secret;
mod shadow;
mod tx;

use std::{net::IpAddr, sync::Arc};

pub use copy::RequestCopy;
pub use decision::{BodyState, Decision};
pub use explain::{Excerpt, Explanation, Inspected, Step};
pub use matched::{Effect, RequestSummary, RuleMatch, Shadow};
pub(crate) use secret::is_secret_name;

use crate::{
    decode::Steps,
    persist::Key,
    ruleset::{
        AuditEngine, Exclusion, Masked, Phase, Rule, RuleBits, RuleEngine, Ruleset, Severity,
    },
    variable::{Flag, Persistent, Store, Variable},
};
use explain::{Seen, Trace};
use pool::{Data, Pool};
use tx::Tx;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub u64);

/// What the gateway knows of a request before it has read it.
#[derive(Clone, Debug)]
pub struct TxContext<'a> {
    /// When the request came in.
    pub now: UnixMillis,
    /// The gateway's id for the request (`UNIQUE_ID`).
    pub request_id: &'a str,
    /// The client's address.
    pub client: IpAddr,
    /// The client's port.
    pub client_port: u16,
    /// The address the client connected to.
    pub server: IpAddr,
    /// The port the client connected to.
    pub server_port: u16,
}

/// A request being inspected. Feed it in order: request line, headers, `phase1`, body, `phase2`.
#[derive(Debug)]
pub struct Transaction<'w> {
    rules: &'w Ruleset,
    engine: RuleEngine,
    pool: Pool,
    stores: [Vec<Item>; Store::COUNT],
    /// What decoders found inside the values of the stores.
    inner: [Vec<Item>; Store::COUNT],
    tx: Tx,
    /// The rule at hand.
    at: Option<&'w Rule>,
    /// What the last operator that matched found, newest last.
    matched: Vec<Candidate>,
    /// How the values of `matched` came to be.
    seen: Vec<Seen<'w>>,
    /// What `explain` needs of the first matches.
    traces: Vec<Trace<'w>>,
    /// Whether the rule at hand only watches, and where it does.
    in_shadow: Option<Shadow>,
    /// Rules that only watch on the request's route.
    shadow_here: Option<&'w RuleBits>,
    /// `TX` as it was before the rule in shadow changed it.
    before_shadow: Option<Tx>,
    /// Whether rules may not switch the engine on.
    only_watch: bool,
    /// Rules taken out by `ctl` actions.
    removed: RuleBits,
    /// Targets taken out by `ctl` actions, and of which rules.
    hidden: Vec<(&'w RuleBits, &'w [Exclusion])>,
    /// The part of `hidden` that concerns the rule at hand.
    hidden_here: Vec<&'w [Exclusion]>,
    response_access: bool,
    /// `SecResponseBodyLimit`, as changed by rules.
    response_limit: usize,
    audit: AuditEngine,
    audit_parts: Option<&'w str>,
    allowed: Option<Phase>,
    decision: Decision,
    matches: Vec<RuleMatch>,
    summary: Option<Arc<RequestSummary>>,
    client: IpAddr,
    body: body::Body,
    response_body: Vec<u8>,
    started: UnixMillis,
    now: UnixMillis,
    highest: Option<Severity>,
    /// One bit per `Flag` that is raised.
    flags: u32,
    /// The persistent collections opened so far.
    keys: [Option<Key>; Persistent::COUNT],
    /// Names whose values no log shows, beside those known to hold secrets.
    masks: Vec<(Masked, &'w str)>,
    masked_items: Vec<(Variable, Data)>,
    candidates: Vec<Candidate>,
    /// Counts the changes of stores: what was worked out of them before holds no more.
    generation: u64,
    /// The values of each shared list of targets, and the generation they are of.
    lists: Vec<(u64, Vec<Candidate>)>,
    /// For each group the prefilter's bits of all its values, and their generation.
    unions: Vec<(u64, Vec<u64>)>,
}

/// A named value of a collection; a single value has the empty name.
#[derive(Clone, Copy, Debug)]
struct Item {
    name: Data,
    value: Data,
    /// How it was found inside another value.
    steps: Steps,
    /// Whether it is a secret whatever its name.
    secret: bool,
}

impl Item {
    /// A value as it came.
    fn new(name: Data, value: Data) -> Self {
        Self {
            name,
            value,
            steps: Steps::default(),
            secret: false,
        }
    }
}

/// A value that a rule looks at.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    variable: Variable,
    count: bool,
    name: Data,
    value: Data,
    /// How it was found inside another value.
    steps: Steps,
    /// Whether it is a secret whatever its name.
    secret: bool,
}

impl Candidate {
    /// A value as it came.
    fn new(variable: Variable, name: Data, value: Data) -> Self {
        Self {
            variable,
            count: false,
            name,
            value,
            steps: Steps::default(),
            secret: false,
        }
    }
}

impl<'w> Transaction<'w> {
    pub(crate) fn new(rules: &'w Ruleset, context: &TxContext<'_>) -> Self {
        let mut transaction = Self {
            rules,
            engine: rules.settings.engine,
            pool: Pool::new(rules.shares.chains, rules.prefilter.words()),
            stores: std::array::from_fn(|_| Vec::new()),
            inner: std::array::from_fn(|_| Vec::new()),
            tx: Tx::new(&rules.tx),
            at: None,
            matched: Vec::new(),
            seen: Vec::new(),
            traces: Vec::new(),
            in_shadow: None,
            shadow_here: None,
            before_shadow: None,
            only_watch: rules.only_watch,
            removed: RuleBits::default(),
            hidden: Vec::new(),
            hidden_here: Vec::new(),
            response_access: rules.settings.response_access,
            response_limit: rules.settings.response_limit,
            audit: rules.settings.audit.engine,
            audit_parts: None,
            allowed: None,
            decision: Decision::Pass,
            matches: Vec::new(),
            summary: None,
            client: context.client,
            body: body::Body::new(&rules.settings),
            response_body: Vec::new(),
            started: context.now,
            now: context.now,
            highest: None,
            flags: 0,
            keys: std::array::from_fn(|_| None),
            masks: Vec::new(),
            masked_items: Vec::new(),
            candidates: Vec::new(),
            generation: 1,
            lists: vec![(0, Vec::new()); rules.shares.target_lists],
            unions: vec![(0, Vec::new()); rules.shares.groups],
        };
        let client = context.client.to_canonical().to_string();
        let server = context.server.to_canonical().to_string();
        transaction.put(Store::RemoteAddr, client.as_bytes());
        transaction.put(
            Store::RemotePort,
            context.client_port.to_string().as_bytes(),
        );
        transaction.put(Store::ServerAddr, server.as_bytes());
        transaction.put(
            Store::ServerPort,
            context.server_port.to_string().as_bytes(),
        );
        transaction.put(Store::UniqueId, context.request_id.as_bytes());
        transaction
    }

    /// Runs the rules of phase 1; call it once, after the last header.
    pub fn phase1(&mut self) -> Decision {
        self.announce_processor();
        self.look_into_head();
        self.run(Phase::RequestHeaders)
    }

    /// Reads the body that was appended and runs the rules of phase 2; call it once, after the
    /// last byte of the body, also where there is none.
    pub fn phase2(&mut self) -> Decision {
        self.decode_uri();
        self.process_body();
        self.run(Phase::RequestBody)
    }

    /// Tells the transaction what time it is now, for `TIME`, `DURATION` and the collections.
    pub fn tick(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
    }

    /// The variables that rules set with `setenv`, as names and values.
    pub fn environment(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let items = self.items(Store::Environment).iter();
        items.map(|item| (self.pool.get(item.name), self.pool.get(item.value)))
    }

    /// Says which route the request takes, before its first phase: rules that are in shadow there
    /// ([`Waf::shadow_on`](crate::Waf::shadow_on)) only watch.
    pub fn set_route(&mut self, route: &str) {
        self.shadow_here = self.rules.shadow_on.get(route);
    }

    /// Overrides `SecRuleEngine` for this request, before its first phase. When it is
    /// `DetectionOnly`, no rule can switch it on by `ctl:ruleEngine`.
    pub fn set_engine(&mut self, engine: RuleEngine) {
        self.engine = engine;
        self.only_watch = engine == RuleEngine::DetectionOnly;
    }

    /// Whether rules run, and whether they may interrupt, as things stand.
    #[must_use]
    pub fn engine(&self) -> RuleEngine {
        self.engine
    }

    /// What was decided so far.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Every match so far, in the order they happened.
    #[must_use]
    pub fn matches(&self) -> &[RuleMatch] {
        &self.matches
    }

    /// What the audit log is to record of this transaction, and which parts
    /// (`SecAuditEngine`, `SecAuditLogParts`, as changed by rules).
    #[must_use]
    pub fn audit(&self) -> (AuditEngine, &str) {
        (
            self.audit,
            self.audit_parts.unwrap_or(&self.rules.settings.audit.parts),
        )
    }

    /// Whether the request's body is to be appended at all.
    #[must_use]
    pub fn wants_body(&self) -> bool {
        self.engine != RuleEngine::Off && self.body.access
    }

    /// Replaces the value of a single-valued store.
    fn put(&mut self, store: Store, value: &[u8]) {
        self.generation += 1;
        let value = self.pool.add(value);
        if let Some(items) = self.stores.get_mut(store as usize) {
            items.clear();
            items.push(Item::new(Data::EMPTY, value));
        }
    }

    /// Adds an item to a collection.
    fn push(&mut self, store: Store, name: &[u8], value: &[u8]) {
        self.generation += 1;
        let item = Item::new(self.pool.add(name), self.pool.add(value));
        if let Some(items) = self.stores.get_mut(store as usize) {
            items.push(item);
        }
    }

    fn items(&self, store: Store) -> &[Item] {
        self.stores.get(store as usize).map_or(&[], Vec::as_slice)
    }

    /// The first value of a store; empty where there is none.
    fn first(&self, store: Store) -> &[u8] {
        self.items(store)
            .first()
            .map_or(&[], |item| self.pool.get(item.value))
    }

    /// The first header of this name.
    fn header(&self, name: &[u8]) -> Option<&[u8]> {
        let mut items = self.items(Store::Headers).iter();
        let found = items.find(|item| self.pool.get(item.name).eq_ignore_ascii_case(name));
        found.map(|item| self.pool.get(item.value))
    }

    /// Sets the item of this name, adding it where there is none.
    fn replace(&mut self, store: Store, name: &[u8], value: &[u8]) {
        self.generation += 1;
        let value = self.pool.add(value);
        let pool = &self.pool;
        let items = self.stores.get_mut(store as usize);
        let held = items.and_then(|items| items.iter_mut().find(|i| pool.get(i.name) == name));
        match held {
            Some(item) => item.value = value,
            None => {
                let item = Item::new(self.pool.add(name), value);
                if let Some(items) = self.stores.get_mut(store as usize) {
                    items.push(item);
                }
            }
        }
    }

    fn raise(&mut self, flag: Flag) {
        self.flags |= 1 << flag as u32;
    }

    fn is_raised(&self, flag: Flag) -> bool {
        self.flags >> flag as u32 & 1 == 1
    }
}

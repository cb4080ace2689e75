//! The compiled form of a rule set: what a transaction runs.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    compile::{Choice, Finding},
    decode::Decoders,
    operator::{Operator, Patterns, Rx},
    persist::Collections,
    prefilter::Prefilter,
    share::Shares,
    template::{Template, TxNames, TxSlot},
    transform::{Transform, UnicodeMap},
    variable::{Persistent, Selector, Variable},
};

/// The processing phases, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    RequestHeaders,
    RequestBody,
    ResponseHeaders,
    ResponseBody,
    Logging,
}

/// Whether rules run, and whether they may interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleEngine {
    /// Rules run and interrupt.
    On,
    /// Nothing runs.
    Off,
    /// Rules run and report; nothing is interrupted.
    DetectionOnly,
}

/// What happens to a request body beyond its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitAction {
    Reject,
    ProcessPartial,
}

/// The values of the setting directives.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) engine: RuleEngine,
    pub(crate) body_access: bool,
    /// Bytes of request body kept for inspection.
    pub(crate) body_limit: usize,
    /// As `body_limit`, for bodies that are not file uploads.
    pub(crate) body_no_files_limit: usize,
    pub(crate) body_limit_action: LimitAction,
    pub(crate) json_depth: usize,
    pub(crate) arguments_limit: usize,
    pub(crate) argument_separator: u8,
    pub(crate) signatures: Vec<String>,
    pub(crate) audit: AuditSettings,
    /// Seconds after which an unused collection is forgotten.
    pub(crate) collection_timeout: u64,
    pub(crate) response_access: bool,
    pub(crate) response_limit: usize,
    pub(crate) response_limit_action: LimitAction,
    /// Media types whose bodies are inspected, in lower case.
    pub(crate) response_types: Vec<String>,
    pub(crate) upload_file_limit: usize,
    pub(crate) web_app_id: String,
}

/// Which transactions the audit log records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditEngine {
    /// All of them.
    On,
    /// None.
    Off,
    /// Those in which a rule with `auditlog` matched, or whose status is relevant.
    RelevantOnly,
}

/// What the rules say about the audit log; the gateway writes it.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// `SecAuditEngine`.
    pub engine: AuditEngine,
    /// `SecAuditLogParts`, for instance `ABCFHZ`.
    pub parts: String,
    /// `SecAuditLog`.
    pub path: Option<String>,
    /// `SecAuditLogFormat`, for instance `JSON`.
    pub format: Option<String>,
    /// `SecAuditLogStorageDir`.
    pub storage: Option<String>,
    /// `SecAuditLogType`, for instance `Serial`.
    pub kind: Option<String>,
    pub(crate) relevant_status: Option<Arc<Rx>>,
}

impl AuditSettings {
    /// Whether a response with this status is relevant by `SecAuditLogRelevantStatus`.
    #[must_use]
    pub fn is_relevant(&self, status: u16) -> bool {
        let rx = self.relevant_status.as_ref();
        rx.is_some_and(|rx| rx.is_match(status.to_string().as_bytes()))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: RuleEngine::On,
            body_access: true,
            body_limit: 131_072 * 100,
            body_no_files_limit: 1_048_576,
            body_limit_action: LimitAction::Reject,
            json_depth: 512,
            arguments_limit: 1000,
            argument_separator: b'&',
            signatures: Vec::new(),
            audit: AuditSettings {
                engine: AuditEngine::Off,
                parts: "ABCFHZ".to_owned(),
                path: None,
                format: None,
                storage: None,
                kind: None,
                relevant_status: None,
            },
            collection_timeout: 3600,
            response_access: false,
            response_limit: 524_288,
            response_limit_action: LimitAction::Reject,
            response_types: vec!["text/plain".to_owned(), "text/html".to_owned()],
            upload_file_limit: 100,
            web_app_id: "default".to_owned(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Ruleset {
    pub(crate) settings: Settings,
    pub(crate) rules: Vec<Rule>,
    /// For each phase the indexes into `rules`, in the order of the files.
    pub(crate) phases: [Vec<usize>; 5],
    pub(crate) tx: TxNames,
    pub(crate) unicode_map: Option<UnicodeMap>,
    pub(crate) notices: Vec<Finding>,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) collections: Arc<Collections>,
    pub(crate) patterns: Patterns,
    pub(crate) prefilter: Prefilter,
    /// Whether the prefilter is used.
    pub(crate) prefilter_on: bool,
    /// What is looked for inside values.
    pub(crate) decoders: Decoders,
    pub(crate) shares: Shares,
    /// Rules whose matches are recorded and have no effect.
    pub(crate) shadow: RuleBits,
    /// The same for the requests of single routes, by the route.
    pub(crate) shadow_on: BTreeMap<Box<str>, RuleBits>,
    /// Whether no rule may switch the engine on by `ctl:ruleEngine`.
    pub(crate) only_watch: bool,
}

/// A rule with the rules chained to it.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The rule's place in `Ruleset::rules`.
    pub(crate) index: usize,
    pub(crate) id: u64,
    pub(crate) phase: Phase,
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
    pub(crate) meta: Meta,
    pub(crate) disruptive: Disruptive,
    pub(crate) log: bool,
    pub(crate) audit_log: bool,
    /// How many rules of the phase to leave out after a match.
    pub(crate) skip: usize,
    /// The index into the phase's list where to go on after a match.
    pub(crate) skip_to: Option<usize>,
    /// Never empty; the first is the rule itself.
    pub(crate) links: Vec<Link>,
}

#[derive(Debug, Default)]
pub(crate) struct Meta {
    pub(crate) message: Option<Template>,
    pub(crate) logdata: Option<Template>,
    pub(crate) tags: Vec<Template>,
    pub(crate) severity: Option<Severity>,
    pub(crate) revision: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) maturity: Option<u8>,
    pub(crate) accuracy: Option<u8>,
}

/// How grave a match is, as syslog grades it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// 0.
    Emergency,
    /// 1.
    Alert,
    /// 2.
    Critical,
    /// 3.
    Error,
    /// 4.
    Warning,
    /// 5.
    Notice,
    /// 6.
    Info,
    /// 7.
    Debug,
}

impl Severity {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Emergency, "EMERGENCY"),
        (Self::Alert, "ALERT"),
        (Self::Critical, "CRITICAL"),
        (Self::Error, "ERROR"),
        (Self::Warning, "WARNING"),
        (Self::Notice, "NOTICE"),
        (Self::Info, "INFO"),
        (Self::Debug, "DEBUG"),
    ];

    /// Its name in capitals.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(severity, _)| *severity == self)
            .map_or("", |&(_, name)| name)
    }

    /// Reads a name, any case, or a number from 0 to 7.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let number = text.parse::<usize>().ok();
        let found = match number {
            Some(number) => Self::ALL.get(number),
            None => Self::ALL
                .iter()
                .find(|(_, name)| name.eq_ignore_ascii_case(text)),
        };
        found.map(|&(severity, _)| severity)
    }
}

/// What a match does to the transaction.
#[derive(Clone, Debug)]
pub(crate) enum Disruptive {
    Pass,
    Deny { status: u16 },
    Drop,
    Redirect { status: u16, location: Template },
    Allow(AllowScope),
}

/// How much of the transaction `allow` lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AllowScope {
    /// The phase at hand.
    Phase,
    /// The phases of the request.
    Request,
    /// Everything but logging.
    Transaction,
}

/// One rule of a chain.
#[derive(Debug)]
pub(crate) struct Link {
    /// `None` for `SecAction`, which always matches.
    pub(crate) test: Option<Test>,
    pub(crate) capture: bool,
    pub(crate) controls: Vec<Control>,
    pub(crate) effects: Vec<Effect>,
}

#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) targets: Vec<Target>,
    pub(crate) exclusions: Vec<Exclusion>,
    pub(crate) transforms: Vec<Transform>,
    /// The number of this chain of transformations; the same for every test that has it.
    pub(crate) chain: usize,
    /// The number of this list of targets, where it can be worked out once for many tests.
    pub(crate) target_list: Option<usize>,
    /// The number of this pair of targets and transformations, where the test may be left out
    /// for all values at once.
    pub(crate) group: Option<usize>,
    /// The test's bit in the prefilter, where it has one.
    pub(crate) slot: Option<usize>,
    pub(crate) multi_match: bool,
    pub(crate) negated: bool,
    /// Whether it also looks at what decoders found inside its values.
    pub(crate) looks_deeper: bool,
    pub(crate) operator: Operator,
    /// The operator as written, for logs.
    pub(crate) operator_name: String,
    pub(crate) operator_text: String,
}

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) variable: Variable,
    pub(crate) selector: Selector,
    pub(crate) count: bool,
    /// The slot, where the target is one named transaction variable.
    pub(crate) slot: Option<TxSlot>,
}

#[derive(Debug)]
pub(crate) struct Exclusion {
    pub(crate) variable: Variable,
    pub(crate) selector: Selector,
}

/// `setvar:tx.name=…`.
#[derive(Debug)]
pub(crate) struct SetVar {
    pub(crate) name: VarName,
    pub(crate) change: Change,
}

/// A variable that rules write.
#[derive(Debug)]
pub(crate) enum VarName {
    Slot(TxSlot),
    /// A transaction variable whose name has macros in it.
    Tx(Template),
    Persistent(Persistent, Template),
}

impl VarName {
    /// Whether the variable ends with the transaction.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Slot(_) | Self::Tx(_) => true,
            Self::Persistent(..) => false,
        }
    }
}

/// What a match does beside deciding, in the order written.
#[derive(Debug)]
pub(crate) enum Effect {
    Set(SetVar),
    /// `initcol`: opens a collection under a key.
    Open(Persistent, Template),
    /// `setsid`, `setuid`, `setrsc`: names the session, user or resource and opens its collection.
    Identify(Persistent, Template),
    /// `expirevar`: a variable ends after this many seconds.
    Expire(Persistent, Template, Template),
    /// `deprecatevar`: a counter loses `amount` for every so many seconds without a change.
    Deprecate {
        persistent: Persistent,
        name: Template,
        amount: Template,
        seconds: Template,
    },
    /// `setenv`.
    Environment(Template, Template),
    /// `sanitiseArg`, `sanitiseRequestHeader`, …: no log shows values of this name.
    Mask(Masked, Box<str>),
    /// `sanitiseMatched`: no log shows the value that matched.
    MaskMatched,
}

/// Where a masked name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Masked {
    Argument,
    Header,
}

#[derive(Debug)]
pub(crate) enum Change {
    Set(Template),
    Add(Template),
    Subtract(Template),
    Unset,
}

/// `ctl:…`: changes of course for the rest of the transaction.
#[derive(Debug)]
pub(crate) enum Control {
    RuleEngine(RuleEngine),
    RequestBodyAccess(bool),
    RequestBodyLimit(usize),
    RequestBodyProcessor(BodyProcessor),
    ForceRequestBodyVariable(bool),
    AuditEngine(AuditEngine),
    AuditLogParts(String),
    ResponseBodyAccess(bool),
    ResponseBodyLimit(usize),
    /// These rules do not run any more.
    Remove(Selection),
    /// These rules do not look at what is excluded any more.
    RemoveTarget(Selection, Vec<Exclusion>),
}

/// Rules chosen by id, tag or message, worked out once all rules are known.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) choice: Choice,
    pub(crate) rules: RuleBits,
}

/// A set of indexes into the list of rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleBits(Vec<u64>);

impl RuleBits {
    pub(crate) fn of(indexes: impl Iterator<Item = usize>) -> Self {
        let mut bits = Self::default();
        indexes.for_each(|index| bits.insert(index));
        bits
    }

    pub(crate) fn insert(&mut self, index: usize) {
        let word = index / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (index % 64);
        }
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        self.0
            .get(index / 64)
            .is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(word, more)| *word |= more);
    }
}

/// How a request body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyProcessor {
    UrlEncoded,
    Json,
    Multipart,
    Xml,
}

impl BodyProcessor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UrlEncoded => "URLENCODED",
            Self::Json => "JSON",
            Self::Multipart => "MULTIPART",
            Self::Xml => "XML",
        }
    }
}

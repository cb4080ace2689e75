//! The compiled form of a rule set: what a transaction runs.

use std::sync::Arc;

use crate::{
    operator::Operator,
    template::{Template, TxNames, TxSlot},
    transform::Transform,
    variable::{Selector, Variable},
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
}

/// A rule with the rules chained to it.
#[derive(Debug)]
pub(crate) struct Rule {
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
    pub(crate) set_vars: Vec<SetVar>,
    pub(crate) controls: Vec<Control>,
}

#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) targets: Vec<Target>,
    pub(crate) exclusions: Vec<Exclusion>,
    pub(crate) transforms: Vec<Transform>,
    pub(crate) multi_match: bool,
    pub(crate) negated: bool,
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
    pub(crate) name: TxName,
    pub(crate) change: Change,
}

#[derive(Debug)]
pub(crate) enum TxName {
    Slot(TxSlot),
    /// A name with macros in it.
    Template(Template),
}

#[derive(Debug)]
pub(crate) enum Change {
    Set(Template),
    Add(Template),
    Subtract(Template),
    Unset,
}

/// `ctl:…`: changes of course for the rest of the transaction.
#[derive(Clone, Debug)]
pub(crate) enum Control {
    RuleEngine(RuleEngine),
    RequestBodyAccess(bool),
    RequestBodyProcessor(BodyProcessor),
    ForceRequestBodyVariable(bool),
    /// Rules with ids in this inclusive range do not run any more.
    RemoveById(u64, u64),
}

/// How a request body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyProcessor {
    UrlEncoded,
    Json,
}

impl BodyProcessor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UrlEncoded => "URLENCODED",
            Self::Json => "JSON",
        }
    }
}

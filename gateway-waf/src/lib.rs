//! A web application firewall for the rule language SecLang, as a pure library.
//!
//! Rules come in as text, requests as bytes, time as an argument; verdicts and matches go out.
//! Nothing here opens a file or a socket or reads a clock.
//!
//! - `seclang` reads the grammar, `compile` resolves names and reports every fault,
//! - `transform`, `operator`, `variable` and `body` are the language's vocabulary,
//! - `transaction` runs the compiled rules on one request.
//!
//! ```
//! use gateway_waf::{DEFAULT_RULES, Embedded, TxContext, UnixMillis, Waf};
//!
//! let names: Vec<&str> = DEFAULT_RULES.iter().map(|(name, _)| *name).collect();
//! let waf = Waf::load(&names, &Embedded).unwrap();
//! let mut request = waf.transaction(&TxContext {
//!     now: UnixMillis(0),
//!     request_id: "1",
//!     client: [192, 0, 2, 1].into(),
//!     client_port: 40000,
//!     server: [192, 0, 2, 2].into(),
//!     server_port: 443,
//! });
//! request.request_line(b"GET", b"/?q=1%27+UNION+SELECT+password+FROM+users--+", b"HTTP/1.1");
//! request.request_header(b"Host", b"shop.example");
//! assert!(request.phase1().is_pass());
//! assert!(!request.phase2().is_pass());
//! ```

#![forbid(unsafe_code)]

mod body;
mod compile;
mod decode;
pub mod form;
pub mod injection;
pub mod leaks;
mod nearest;
mod operator;
mod persist;
mod prefilter;
mod rules;
mod ruleset;
mod seclang;
mod share;
mod template;
mod transaction;
mod transform;
mod variable;

pub use compile::{Finding, LoadErrors, SourceError, Sources};
pub use decode::{Decoder, Decoders};
pub use rules::{DEFAULT_RULES, Embedded};
pub use ruleset::{AuditEngine, AuditSettings, RuleEngine, Severity};
pub use seclang::span::{Location, Position};
pub use transaction::{
    BodyState, Decision, Effect, Excerpt, Explanation, Inspected, RequestCopy, RequestSummary,
    RuleMatch, Shadow, Step, Transaction, TxContext, UnixMillis,
};

/// A loaded rule set, shared by all transactions.
#[derive(Debug)]
pub struct Waf {
    rules: ruleset::Ruleset,
}

impl Waf {
    /// Loads rule files in order; an entry with `*`, `?` or `[…]` stands for the files it
    /// matches. Until a directive says otherwise the engine is on, request bodies are inspected,
    /// and 1 MiB of a body is kept.
    ///
    /// # Errors
    /// Every fault in the files, each with file, line and column.
    pub fn load(entry_files: &[&str], sources: &dyn Sources) -> Result<Self, LoadErrors> {
        Ok(Self {
            rules: compile::load(entry_files, sources)?,
        })
    }

    /// Goes on with the persistent collections (`IP`, `SESSION`, …) of the rule set that this one
    /// replaces.
    pub fn carry_over(&mut self, replaced: &Self) {
        self.rules.collections = std::sync::Arc::clone(&replaced.rules.collections);
    }

    /// How many rules were loaded; a chain counts as one.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.rules.rules.len()
    }

    /// What `SecRuleEngine` says.
    #[must_use]
    pub fn engine(&self) -> RuleEngine {
        self.rules.settings.engine
    }

    /// Overrides `SecRuleEngine`, for instance to try a rule set without blocking.
    pub fn set_engine(&mut self, engine: RuleEngine) {
        self.rules.settings.engine = engine;
        self.rules.only_watch = engine == RuleEngine::DetectionOnly;
    }

    /// Puts rules in shadow: they are evaluated and their matches recorded, and nothing that they
    /// do has an effect, neither on the verdict nor on what later rules see. `choice` is an id, a
    /// range of ids (`942100-942199`), or `tag:` or `msg:` with a pattern. Returns how many rules
    /// are meant.
    ///
    /// # Errors
    /// Says what is wrong with `choice`.
    pub fn shadow(&mut self, choice: &str) -> Result<usize, String> {
        let meant = compile::Choice::parse(choice)?;
        let rules = &self.rules.rules;
        self.rules.shadow.extend(&meant.among(rules));
        Ok(rules.iter().filter(|rule| meant.admits(rule)).count())
    }

    /// As [`Waf::shadow`], for the requests of one route: those of which
    /// [`Transaction::set_route`] says that they are.
    ///
    /// # Errors
    /// Says what is wrong with `choice`.
    pub fn shadow_on(&mut self, route: &str, choice: &str) -> Result<usize, String> {
        let meant = compile::Choice::parse(choice)?;
        let rules = &self.rules.rules;
        let bits = self.rules.shadow_on.entry(route.into()).or_default();
        bits.extend(&meant.among(rules));
        Ok(rules.iter().filter(|rule| meant.admits(rule)).count())
    }

    /// How many rules are in shadow, on every route.
    #[must_use]
    pub fn in_shadow(&self) -> usize {
        let rules = self.rules.rules.iter();
        rules
            .filter(|rule| self.rules.shadow.contains(rule.index))
            .count()
    }

    /// The routes with rules that are in shadow there and not everywhere, and how many these are.
    pub fn routes_in_shadow(&self) -> impl Iterator<Item = (&str, usize)> {
        let routes = self.rules.shadow_on.iter().map(|(route, bits)| {
            let rules = self.rules.rules.iter().map(|rule| rule.index);
            let here = rules.filter(|&at| bits.contains(at) && !self.rules.shadow.contains(at));
            (&**route, here.count())
        });
        routes.filter(|(_, rules)| *rules > 0)
    }

    /// Whether `choice` is one that [`Waf::shadow`] takes.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check_choice(choice: &str) -> Result<(), String> {
        compile::Choice::parse(choice).map(drop)
    }

    /// Whether a rule with this id was loaded.
    #[must_use]
    pub fn has_rule(&self, id: u64) -> bool {
        self.rules.rules.iter().any(|rule| rule.id == id)
    }

    /// The `SecComponentSignature`s of the rule files, in order.
    #[must_use]
    pub fn signatures(&self) -> &[String] {
        &self.rules.settings.signatures
    }

    /// What the rules say about the audit log.
    #[must_use]
    pub fn audit(&self) -> &AuditSettings {
        &self.rules.settings.audit
    }

    /// What the rule files hold that is accepted but has no effect here, each with its place and
    /// the reason.
    #[must_use]
    pub fn notices(&self) -> &[Finding] {
        &self.rules.notices
    }

    /// What the rule files hold that has an effect which is probably not meant, each with its
    /// place: a `skipAfter` whose marker is nowhere.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.rules.warnings
    }

    /// Switches the prefilter, which leaves out tests that cannot match. It is on to begin with
    /// and changes no verdict; off, it is there to be compared with.
    pub fn set_prefilter(&mut self, on: bool) {
        self.rules.prefilter_on = on;
    }

    /// What is looked for inside the values of requests. Rules that look for something in
    /// arguments, cookies, header fields, the path, attributes of XML or an unparsed body then see
    /// what is decoded from them too, under the same names. To begin with there is nothing.
    pub fn set_decoders(&mut self, decoders: Decoders) {
        self.rules.decoders = decoders;
    }

    /// Starts inspecting a request.
    #[must_use]
    pub fn transaction(&self, context: &TxContext<'_>) -> Transaction<'_> {
        Transaction::new(&self.rules, context)
    }
}

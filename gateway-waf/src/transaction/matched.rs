//! The record of a rule that matched.

use std::{fmt, sync::Arc};

use crate::ruleset::Severity;

/// One match: which rule, where it stands, what it found. Prints as one log line in
/// ModSecurity's form, with every byte outside printable ASCII escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMatch {
    /// The rule.
    pub rule_id: u64,
    /// The phase it ran in, 1 to 5.
    pub phase: u8,
    /// `msg`, macros expanded; empty where the rule has none.
    pub msg: String,
    /// `severity`.
    pub severity: Option<Severity>,
    /// `tag`s, macros expanded.
    pub tags: Vec<String>,
    /// `rev`.
    pub revision: Option<String>,
    /// `ver`.
    pub version: Option<String>,
    /// `maturity`, 1 to 9.
    pub maturity: Option<u8>,
    /// `accuracy`, 1 to 9.
    pub accuracy: Option<u8>,
    /// The rule's file.
    pub file: Arc<str>,
    /// The rule's line in it, from 1.
    pub line: u32,
    /// The operator as written, for instance `@rx ^a`; negation included. Bounded.
    pub operator: String,
    /// The variable that matched, for instance `ARGS:q`. Bounded; empty for `SecAction`.
    pub variable: String,
    /// How the value was decoded that the variable's value holds, outermost first, for instance
    /// `base64,json`; empty where the value is as it came.
    pub decoded: String,
    /// What a detector says that it found, for instance `detected XSS using libinjection`.
    pub finding: Option<String>,
    /// The bytes that matched, after transformations: at most [`RuleMatch::MAX_MATCHED`] bytes,
    /// and asterisks where the variable's name says that it holds a secret.
    pub matched: Vec<u8>,
    /// `logdata`, macros expanded; bounded and masked as `matched` is.
    pub logdata: Option<Vec<u8>>,
    /// What the rule's action did or, under `DetectionOnly`, would have done.
    pub effect: Effect,
    /// Where the rule is in shadow, if it is: then this record is all that it does, and `effect`
    /// is what it would have done.
    pub shadow: Option<Shadow>,
    /// Whether the rule wants this in the log (`log`, the default, or `nolog`).
    pub log: bool,
    /// Whether the rule wants this in the audit log.
    pub audit_log: bool,
    /// What the request was.
    pub request: Arc<RequestSummary>,
}

/// Where a rule only watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shadow {
    /// For all requests.
    Everywhere,
    /// For those of the request's route.
    Route,
}

impl Shadow {
    /// The tags by which log lines tell the matches of rules in shadow.
    const fn tags(self) -> &'static [&'static str] {
        match self {
            Self::Everywhere => &["gateway-shadow"],
            Self::Route => &["gateway-shadow", "gateway-shadow-route"],
        }
    }
}

/// The request's part of a log line.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RequestSummary {
    /// The client's address.
    pub client: String,
    /// The host the request named.
    pub host: Vec<u8>,
    /// The path, bounded.
    pub path: Vec<u8>,
    /// The request id.
    pub id: String,
}

/// What a match did to the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing but this record.
    Warning,
    /// The request was refused with this status.
    Denied(u16),
    /// The connection was dropped.
    Dropped,
    /// The client was redirected with this status.
    Redirected(u16),
    /// The rest of the phase, the request or the transaction was let through.
    Allowed,
}

impl RuleMatch {
    /// The most bytes that `matched` holds.
    pub const MAX_MATCHED: usize = 256;
    /// The most bytes that `logdata` and `msg` hold.
    pub const MAX_LOGDATA: usize = 512;
}

impl fmt::Display for RuleMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.effect {
            _ if self.shadow.is_some() => f.write_str("ModSecurity: Warning.")?,
            Effect::Warning => f.write_str("ModSecurity: Warning.")?,
            Effect::Denied(status) => {
                write!(
                    f,
                    "ModSecurity: Access denied with code {status} (phase {}).",
                    self.phase
                )?;
            }
            Effect::Dropped => {
                write!(
                    f,
                    "ModSecurity: Access denied with connection close (phase {}).",
                    self.phase
                )?;
            }
            Effect::Redirected(status) => write!(
                f,
                "ModSecurity: Access denied with redirection using status {status} (phase {}).",
                self.phase
            )?,
            Effect::Allowed => {
                write!(f, "ModSecurity: Access allowed (phase {}).", self.phase)?;
            }
        }
        if self.variable.is_empty() {
            f.write_str(" Unconditional match in SecAction.")?;
        } else if let Some(finding) = &self.finding {
            let variable = Quoted(self.variable.as_bytes());
            write!(f, " {finding} at {variable}.")?;
        } else {
            let (operator, variable) = (
                Quoted(self.operator.as_bytes()),
                Quoted(self.variable.as_bytes()),
            );
            write!(f, " Matched \"{operator}\" at {variable}.")?;
        }
        field(f, "file", self.file.as_bytes())?;
        write!(f, " [line \"{}\"] [id \"{}\"]", self.line, self.rule_id)?;
        optional(f, "rev", self.revision.as_deref().map(str::as_bytes))?;
        if !self.msg.is_empty() {
            field(f, "msg", self.msg.as_bytes())?;
        }
        optional(f, "data", self.logdata.as_deref())?;
        optional(f, "severity", self.severity.map(|s| s.name().as_bytes()))?;
        optional(f, "ver", self.version.as_deref().map(str::as_bytes))?;
        optional(
            f,
            "maturity",
            self.maturity
                .map(|m| m.to_string())
                .as_deref()
                .map(str::as_bytes),
        )?;
        optional(
            f,
            "accuracy",
            self.accuracy
                .map(|a| a.to_string())
                .as_deref()
                .map(str::as_bytes),
        )?;
        for tag in &self.tags {
            field(f, "tag", tag.as_bytes())?;
        }
        for tag in self.shadow.map_or(&[][..], Shadow::tags) {
            field(f, "tag", tag.as_bytes())?;
        }
        field(f, "client", self.request.client.as_bytes())?;
        field(f, "hostname", &self.request.host)?;
        field(f, "uri", &self.request.path)?;
        field(f, "unique_id", self.request.id.as_bytes())?;
        if self.decoded.is_empty() {
            return Ok(());
        }
        field(f, "decoded", self.decoded.as_bytes())
    }
}

fn field(f: &mut fmt::Formatter<'_>, name: &str, value: &[u8]) -> fmt::Result {
    write!(f, " [{name} \"{}\"]", Quoted(value))
}

fn optional(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&[u8]>) -> fmt::Result {
    value.map_or(Ok(()), |value| field(f, name, value))
}

/// Bytes that cannot end the quotes or the line they are printed in.
struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for &b in self.0 {
            match b {
                b'"' | b'\\' => write!(f, "\\{}", char::from(b))?,
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\t' => f.write_str("\\t")?,
                b' '..=b'~' => f.write_char(char::from(b))?,
                _ => write!(f, "\\x{b:02x}")?,
            }
        }
        Ok(())
    }
}

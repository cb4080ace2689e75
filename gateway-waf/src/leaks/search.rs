//! What the kinds look like.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

use super::{Action, Kind, card};

/// The most bytes of a match: as many are held back.
pub(super) const LONGEST: usize = 512;

/// A card in one piece or in groups; `card` looks closer.
const CARD: &str =
    r"[2-6][0-9]{3}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{3})?|3[0-9]{3}[ -]?[0-9]{6}[ -]?[0-9]{4,5}";

/// Credentials that say of themselves what they are. Left out is what pages publish on purpose,
/// such as the keys of maps in a browser, and tokens that logins answer with.
const KEY: &str = r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,2}PRIVATE KEY(?: BLOCK)?-----|\b(?:AKIA|ASIA)[A-Z2-7]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{82}\b|\bglpat-[A-Za-z0-9_-]{20}\b|\bxox[abeprs]-[0-9]{8,14}-[0-9A-Za-z-]{10,120}|hooks\.slack\.com/services/T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{20,32}|\bGOCSPX-[A-Za-z0-9_-]{28}|\b[sr]k_live_[0-9A-Za-z]{24,128}\b|\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b|\bnpm_[A-Za-z0-9]{36}\b";

/// Frames and headings of stack traces: Java and its kin, Python, Node, .NET, PHP, Go, Rust, Ruby.
const STACK_TRACE: &str = r#"(?:\b|\\[nt])at [\w$.<>/]{1,160}\([\w$]{1,80}\.(?:java|kt|scala|groovy):[0-9]{1,6}\)|Traceback \(most recent call last\):|\bFile \\?"[^"\r\n]{1,200}\.py\\?", line [0-9]{1,6}, in [\w<>]{1,80}|(?:\b|\\[nt])at (?:[\w$.<> \[\]]{1,120} \()?(?:file://|node:)?[^\s()"]{1,160}\.[cm]?[jt]s:[0-9]{1,6}:[0-9]{1,6}\)?|(?:\b|\\[nt])at [\w.`<>]{1,120}\([^)\r\n]{0,100}\) in [^\r\n"]{1,160}\.(?:cs|vb|fs):line [0-9]{1,6}|PHP (?:Fatal error|Warning|Notice|Parse error):  |#[0-9]{1,3} [^\s"]{1,160}\.php\([0-9]{1,6}\): |\bgoroutine [0-9]{1,9} \[[a-z ,0-9]{1,40}\]:|thread '[^'\r\n]{1,80}' (?:\([0-9]{1,9}\) )?panicked at |\b[\w/.-]{1,160}\.rb:[0-9]{1,6}:in [`'][\w ?!<>.#:]{1,80}'"#;

/// What databases and their drivers say when a query is wrong.
const SQL_ERROR: &str = r"You have an error in your SQL syntax|\bSQLSTATE\[[0-9A-Z]{5}\]|\bORA-[0-9]{5}: |Unclosed quotation mark after the character string|unterminated quoted string at or near|PG::SyntaxError|\bpg_query\(\)|\bmysqli?_(?:query|fetch_[a-z]{3,10})\(\)|SQLite3::SQLException|sqlite3\.OperationalError|org\.postgresql\.util\.PSQLException|java\.sql\.SQL[A-Za-z]{0,30}Exception|com\.mysql\.(?:cj\.)?jdbc\.|System\.Data\.SqlClient\.SqlException|Microsoft OLE DB Provider for|\[ODBC [A-Za-z ]{1,30} Driver\]";

/// What is looked for, and what is done about it.
#[derive(Clone, Debug)]
pub struct Search {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    kind: Kind,
    action: Action,
    regex: Regex,
}

/// One match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) kind: Kind,
    pub(super) action: Action,
    pub(super) range: Range<usize>,
    /// Whether what follows is a key, up to its own end.
    pub(super) opens: bool,
}

impl Search {
    /// Looks for the kinds whose action is not [`Action::Off`]; `None` when there is none.
    ///
    /// # Errors
    /// When a pattern does not compile, which no input can bring about.
    pub fn new(actions: impl Fn(Kind) -> Action) -> Result<Option<Self>, regex::Error> {
        let mut patterns = Vec::new();
        for kind in Kind::ALL {
            let action = actions(kind);
            if action == Action::Off {
                continue;
            }
            let pattern = match kind {
                Kind::Card => CARD,
                Kind::Key => KEY,
                Kind::StackTrace => STACK_TRACE,
                Kind::SqlError => SQL_ERROR,
            };
            patterns.push(Pattern {
                kind,
                action,
                regex: RegexBuilder::new(pattern).unicode(false).build()?,
            });
        }
        Ok((!patterns.is_empty()).then_some(Self { patterns }))
    }

    /// Whether anything is done this way.
    #[must_use]
    pub fn does(&self, action: Action) -> bool {
        self.patterns.iter().any(|pattern| pattern.action == action)
    }

    /// The matches that begin at `from` or behind, by where they begin.
    pub(super) fn hits(&self, text: &[u8], from: usize) -> Vec<Hit> {
        let mut hits = Vec::new();
        for pattern in &self.patterns {
            let mut at = from;
            while let Some(found) = pattern.regex.find_at(text, at) {
                let mut range = found.range();
                if pattern.kind == Kind::Card {
                    let Some(number) = card::number(text, &range) else {
                        // Another may begin inside of what looked like one.
                        at = range.start + 1;
                        continue;
                    };
                    range = number;
                }
                at = range.end;
                hits.push(Hit {
                    kind: pattern.kind,
                    action: pattern.action,
                    opens: found.as_bytes().starts_with(b"-----BEGIN"),
                    range,
                });
            }
        }
        hits.sort_by_key(|hit| hit.range.start);
        hits
    }
}

//! Evidence to rules.

use serde::Serialize;

use super::{Demands, Evidence, Key, Tally, scope};
use crate::observe::rfc3339;
use crate::records::Text;

/// The first id of proposed rules; those up to 9119998 are theirs.
pub const FIRST_ID: u64 = 9_110_001;
/// The last.
const LAST_ID: u64 = 9_119_998;

/// What is proposed, and what is not.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Suggestions {
    /// Exclusions.
    pub proposals: Vec<Proposal>,
    /// Matches that look like false alarms, and are not proposed to be left out.
    pub refused: Vec<Refused>,
}

/// An exclusion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The id of the proposed rule.
    pub id: u64,
    /// The rule that no longer looks.
    pub rule: u64,
    /// At what it no longer looks.
    pub field: String,
    /// The route of the requests.
    pub route: String,
    /// For which paths, as an operator of `REQUEST_FILENAME`.
    pub path: String,
    /// For which host; null for any.
    pub host: Option<String>,
    /// In how many requests it matched.
    pub requests: u64,
    /// Of how many holders of tokens, or networks, they came.
    pub clients: u64,
    /// In how many of them there was a token.
    pub authenticated: u64,
    /// How many requests of other clients are left out of this.
    pub left_out: u64,
    /// The rule, with its evidence as comments.
    pub text: String,
}

/// A field for which nothing is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The rule that matched.
    pub rule: u64,
    /// What it matched.
    pub variable: String,
    /// The route of the requests.
    pub route: String,
    /// In how many requests that count.
    pub requests: u64,
    /// Why.
    pub why: &'static str,
}

/// Proposes exclusions; `is_taken` says which ids there are already.
#[must_use]
pub fn propose(tally: &Tally, demands: &Demands, is_taken: &dyn Fn(u64) -> bool) -> Suggestions {
    let mut suggestions = Suggestions::default();
    let mut ids = (FIRST_ID..=LAST_ID).filter(|id| !is_taken(*id));
    let groups = tally.groups.iter();
    for (key, evidence) in groups.filter(|(_, evidence)| evidence.requests >= demands.requests) {
        match judge(key, evidence, demands) {
            Ok((field, path)) => {
                let Some(id) = ids.next() else { break };
                let proposal = proposal(id, key, evidence, field, path);
                suggestions.proposals.push(proposal);
            }
            Err(why) => suggestions.refused.push(Refused {
                rule: key.rule,
                variable: key.variable.clone(),
                route: key.route.clone(),
                requests: evidence.requests,
                why,
            }),
        }
    }
    suggestions
}

fn judge<'k>(
    key: &'k Key,
    evidence: &Evidence,
    demands: &Demands,
) -> Result<(&'k str, String), &'static str> {
    let clients = evidence.clients.len() as u64;
    if clients < demands.clients {
        return Err("too few clients");
    }
    if evidence.addresses.len() < 2 {
        return Err("all of them come from one address");
    }
    if evidence.left_out > evidence.requests {
        return Err("clients that do not count make it match more often");
    }
    let field = scope::of_field(&key.variable).ok_or("it is no single field with a plain name")?;
    let path = scope::of_paths(&evidence.paths, evidence.more_paths)
        .ok_or("the paths have nothing in common")?;
    Ok((field, path))
}

fn proposal(id: u64, key: &Key, evidence: &Evidence, field: &str, path: String) -> Proposal {
    let host = scope::of_hosts(&evidence.hosts);
    let mut proposal = Proposal {
        id,
        rule: key.rule,
        field: field.to_owned(),
        route: key.route.clone(),
        path,
        host,
        requests: evidence.requests,
        clients: evidence.clients.len() as u64,
        authenticated: evidence.authenticated,
        left_out: evidence.left_out,
        text: String::new(),
    };
    proposal.text = text(&proposal, evidence);
    proposal
}

/// The rule. `ctl` stands at the end of the chain: it acts as soon as its own rule matches.
fn text(proposal: &Proposal, evidence: &Evidence) -> String {
    let Proposal {
        id,
        rule,
        field,
        path,
        requests,
        clients,
        left_out,
        ..
    } = proposal;
    let share = evidence.authenticated * 100 / evidence.requests.max(1);
    let (first, last) = (rfc3339(evidence.first), rfc3339(evidence.last));
    let quoted = |text: &str| Text::from(text.as_bytes()).to_string();
    let (message, route) = (quoted(&evidence.message), quoted(&proposal.route));
    let mut lines = vec![
        format!("# Rule {rule} matched {field} on the route '{route}': '{message}'"),
        format!(
            "# {requests} requests of {clients} clients, {share}% with a token, {first} to {last}; \
             {left_out} of others left out"
        ),
    ];
    let samples = evidence.samples.iter();
    lines.extend(samples.map(|sample| format!("# matched: '{sample}'")));
    let control = format!("ctl:ruleRemoveTargetById={rule};{field}");
    let head = format!("SecRule REQUEST_FILENAME \"{path}\" \\");
    // A folder must not be entered and left again.
    let actions = format!("id:{id},phase:1,pass,nolog,t:none,t:normalizePath");
    lines.push(head);
    match &proposal.host {
        Some(host) => {
            lines.push(format!("    \"{actions},chain\""));
            lines.push(format!("    SecRule SERVER_NAME \"@streq {host}\" \\"));
            lines.push(format!("        \"t:none,t:lowercase,{control}\""));
        }
        None => lines.push(format!("    \"{actions},{control}\"")),
    }
    lines.push(String::new());
    lines.join("\n")
}

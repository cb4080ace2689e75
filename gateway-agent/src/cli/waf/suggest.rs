//! `gateway waf suggest`.

use std::io::Write;

use gateway_policy::grammar::Prefix;
use gateway_waf::{SourceError, Sources};

use super::candidate::{configuration, present};
use super::{archive, stock, unreadable};
use crate::agent::{RuleFiles, load_files, rule_files};
use crate::cli::args::{Global, SuggestArgs};
use crate::cli::error::CliError;
use crate::cli::host::Host;
use crate::cli::paths::paths;
use crate::cli::show::{self, counted, plain};
use crate::cli::{DONE, reach};
use crate::clock;
use crate::config::Config;
use crate::control::api::PageQuery;
use crate::store::{ListName, Origin};
use crate::suggest::{Conduct, Demands, Suggestions, Tally, propose};

/// The most bans that are asked for.
const MOST_BANS: usize = 1_000_000;
/// Whatever is refused is told up to here.
const TOLD: usize = 20;

pub(super) fn suggest(
    global: &Global,
    args: &SuggestArgs,
    host: &dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, CliError> {
    let config = configuration(global)?;
    let rules = present(&config)?;
    let demands = Demands {
        requests: args.min_requests,
        clients: args.min_clients,
        anonymous: args.anonymous,
        banned: banned(global, host)?,
    };
    let from = args.since.map_or(0, |since| {
        let millis = u64::try_from(since.as_duration().as_millis()).unwrap_or(u64::MAX);
        clock::unix_millis().saturating_sub(millis)
    });
    let archive = archive(global)?;
    let mut conduct = Conduct::default();
    let mut tally = Tally::default();
    // What a client does at any time tells of what it did before.
    let first = archive.each(|record| {
        conduct.see(&record);
        true
    });
    let kept = first.map_err(|error| unreadable(&archive, &error))?;
    let second = archive.each(|record| {
        if record.time_unix_ms >= from {
            tally.add(&record, &conduct, &demands);
        }
        true
    });
    second.map_err(|error| unreadable(&archive, &error))?;
    let suggestions = propose(&tally, &demands, &|id| rules.has_rule(id));
    verify(&config, &suggestions)?;
    if args.shape.json {
        show::json(out, &suggestions)?;
    } else {
        print(out, &suggestions)?;
    }
    let mut notes = vec![stock(&archive, kept)];
    notes.extend(refusals(&suggestions));
    if !args.anonymous && suggestions.proposals.is_empty() {
        notes.push(
            "only requests with a verified token count; --anonymous counts others too, by their \
             networks"
                .to_owned(),
        );
    }
    show::notes(err, &notes)?;
    Ok(DONE)
}

/// Who is banned now.
fn banned(global: &Global, host: &dyn Host) -> Result<Vec<Prefix>, CliError> {
    let reached = reach::look(&paths(global)?, host)?;
    let mut banned = Vec::new();
    let mut query = PageQuery {
        origin: Some(Origin::Ban),
        ..PageQuery::default()
    };
    loop {
        let page = reached.page(ListName::Deny, &query)?;
        banned.extend(page.entries.iter().map(|entry| entry.prefix));
        query.after = page.next;
        if query.after.is_none() || banned.len() >= MOST_BANS {
            return Ok(banned);
        }
    }
}

/// The proposals as a file beside those of the configuration.
struct Proposed<'a>(&'a str);

/// The name of that file.
const PROPOSED: &str = "proposed.before.conf";

impl Sources for Proposed<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        match path {
            PROPOSED => Ok(self.0.as_bytes().to_vec()),
            path => RuleFiles.read(path),
        }
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        RuleFiles.glob(pattern)
    }
}

/// What is proposed loads before the rules in force.
fn verify(config: &Config, suggestions: &Suggestions) -> Result<(), CliError> {
    let proposals = suggestions.proposals.iter();
    let text: String = proposals.map(|proposal| proposal.text.as_str()).collect();
    let mut files = vec![PROPOSED.to_owned()];
    files.extend(rule_files(&config.waf).map_err(anyhow::Error::from)?);
    load_files(&files, &Proposed(&text), config)
        .map(drop)
        .map_err(|fault| anyhow::anyhow!("the proposals do not load: {fault}").into())
}

fn print(out: &mut dyn Write, suggestions: &Suggestions) -> std::io::Result<()> {
    if suggestions.proposals.is_empty() {
        return writeln!(out, "# Nothing to propose.");
    }
    writeln!(
        out,
        "# Each of these keeps one rule from looking at one field. Read them; try them with\n\
         # `gateway waf replay --add FILE`; then put the file into waf.conf_d under a name that\n\
         # ends in .before.conf."
    )?;
    for proposal in &suggestions.proposals {
        write!(out, "\n{}", proposal.text)?;
    }
    Ok(())
}

fn refusals(suggestions: &Suggestions) -> Vec<String> {
    let refused = &suggestions.refused;
    let mut told: Vec<String> = refused
        .iter()
        .take(TOLD)
        .map(|refused| {
            format!(
                "nothing for rule {} on {} of {} ({}): {}",
                refused.rule,
                plain(&refused.variable),
                plain(&refused.route),
                counted(refused.requests, "request", "requests"),
                refused.why
            )
        })
        .collect();
    if refused.len() > TOLD {
        told.push(format!("and {} more like these", refused.len() - TOLD));
    }
    told
}

//! Holds what happened against what a test expects.

use crate::{
    drive::Outcome,
    suite::{Output, Stage, Statuses},
};

/// How a test ended.
pub(crate) enum Verdict {
    Passed,
    Failed(String),
}

/// Judges all stages of a test; the first that fails decides.
pub(crate) fn all<'a>(
    stages: impl Iterator<Item = (&'a Stage, &'a Outcome)>,
    verbose: bool,
) -> Verdict {
    for (stage, outcome) in stages {
        if let Err(mut why) = one(&stage.output, outcome) {
            if verbose {
                why.push('\n');
                why.push_str(&outcome.log);
            }
            return Verdict::Failed(why);
        }
    }
    Verdict::Passed
}

fn one(expected: &Output, outcome: &Outcome) -> Result<(), String> {
    let log = &outcome.log;
    let ids = outcome.ids();
    let refused = outcome.status == 400 && outcome.logged.is_empty();
    if expected.expect_error == Some(true) && refused {
        return Ok(());
    }
    let wanted = match &expected.status {
        None => &[][..],
        Some(Statuses::One(status)) => std::slice::from_ref(status),
        Some(Statuses::Any(statuses)) => statuses,
    };
    if !wanted.is_empty() && !wanted.contains(&outcome.status) {
        return Err(format!(
            "expected status {wanted:?}, got {}",
            outcome.status
        ));
    }
    if let Some(text) = &expected.log_contains
        && !contains(log, text)?
    {
        return Err(format!("the log should hold {text}, logged were {ids:?}"));
    }
    if let Some(text) = &expected.no_log_contains
        && contains(log, text)?
    {
        return Err(format!("the log should not hold {text}"));
    }
    let rules = &expected.log;
    if let Some(missing) = rules.expect_ids.iter().find(|id| !ids.contains(id)) {
        return Err(format!(
            "{missing} should have matched, logged were {ids:?}"
        ));
    }
    if let Some(extra) = rules.no_expect_ids.iter().find(|id| ids.contains(id)) {
        return Err(format!("{extra} should not have matched"));
    }
    if expected.isolated && ids.len() != 1 {
        return Err(format!("one rule alone should match, logged were {ids:?}"));
    }
    if let Some(pattern) = &rules.match_regex
        && !contains(log, pattern)?
    {
        return Err(format!(
            "the log should match {pattern}, logged were {ids:?}"
        ));
    }
    if let Some(pattern) = &rules.no_match_regex
        && contains(log, pattern)?
    {
        return Err(format!("the log should not match {pattern}"));
    }
    Ok(())
}

/// Whether the log holds a pattern, any case.
fn contains(log: &str, pattern: &str) -> Result<bool, String> {
    let pattern = regex::RegexBuilder::new(pattern)
        .case_insensitive(true)
        .build();
    Ok(pattern.map_err(|error| error.to_string())?.is_match(log))
}

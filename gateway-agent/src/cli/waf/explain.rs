//! `gateway waf explain`.

use std::io::{self, Write};

use super::{archive, stock, unreadable};
use crate::cli::DONE;
use crate::cli::args::{Global, Shape};
use crate::cli::error::CliError;
use crate::cli::show::{self, date, plain};
use crate::http::RequestId;
use crate::records::{Hit, Look, Part, Record};
use crate::store::UnixMillis;

pub(in crate::cli) fn explain(
    global: &Global,
    request: &RequestId,
    shape: Shape,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let archive = archive(global)?;
    let (found, kept) = archive
        .find(&request.to_string())
        .map_err(|error| unreadable(&archive, &error))?;
    let Some(record) = found else {
        let stock = stock(&archive, kept);
        return Err(CliError::Other(anyhow::anyhow!(
            "nothing is kept of request {request}: only those in which rules of the WAF find \
             something are, as long as `waf.keep` says; {stock}"
        )));
    };
    if shape.json {
        show::json(out, &record)?;
    } else {
        print(out, &record)?;
    }
    Ok(DONE)
}

fn print(out: &mut dyn Write, record: &Record) -> io::Result<()> {
    let verdict = match record.rule {
        Some(rule) => format!("blocked by rule {rule}"),
        None => "let through by the WAF".to_owned(),
    };
    writeln!(
        out,
        "Request {} of {} was {verdict} and answered with {}.",
        plain(&record.request),
        date(UnixMillis(record.time_unix_ms)),
        record.status,
    )?;
    let copy = &record.copy;
    line(
        out,
        "request",
        &format!("{} {} {}", copy.method, copy.target, copy.protocol),
    )?;
    let subject = match &record.subject {
        Some(subject) => format!(", with a token of {}", plain(subject)),
        None => String::new(),
    };
    line(out, "client", &format!("{}{subject}", record.client))?;
    let route = record.route.as_deref().map_or("none".into(), plain);
    line(
        out,
        "route",
        &format!("{route}, WAF mode {}", plain(&record.mode)),
    )?;
    if let Some(score) = record.score {
        line(out, "score", &score.to_string())?;
    }
    for hit in &record.matches {
        matched(out, hit)?;
    }
    Ok(())
}

fn matched(out: &mut dyn Write, hit: &Hit) -> io::Result<()> {
    let severity = hit
        .severity
        .as_deref()
        .map_or(String::new(), |severity| format!(", {}", plain(severity)));
    let file = plain(&hit.file);
    writeln!(
        out,
        "\nRule {} at {file}:{}, phase {}{severity}",
        hit.id, hit.line, hit.phase
    )?;
    if !hit.msg.is_empty() {
        line(out, "message", &plain(&hit.msg))?;
    }
    let here = if hit.shadow_route {
        " on this route"
    } else {
        ""
    };
    let effect = match (hit.shadow, hit.effect.as_str()) {
        (true, "none") => format!("nothing, for it is in shadow{here}"),
        (true, effect) => format!("nothing, for it is in shadow{here}; else {}", plain(effect)),
        (false, "none") => "nothing but what it sets".to_owned(),
        (false, effect) => plain(effect),
    };
    line(out, "did", &effect)?;
    if hit.looks.is_empty() {
        line(out, "variable", &plain(&hit.variable))?;
    }
    hit.looks.iter().try_for_each(|look| looked(out, look))
}

fn looked(out: &mut dyn Write, look: &Look) -> io::Result<()> {
    line(out, "variable", &plain(&look.variable))?;
    match &look.value {
        Some(value) => step(out, "as sent", &shown(value))?,
        None => step(out, "as sent", "not shown: it may hold a secret")?,
    }
    for made in &look.steps {
        let value = made.value.as_ref();
        let value = value.map_or_else(|| "no change".to_owned(), shown);
        step(out, &format!("t:{}", plain(&made.transform)), &value)?;
    }
    line(out, "operator", &plain(&look.operator))?;
    if let Some(argument) = &look.argument {
        line(out, "argument", &argument.to_string())?;
    }
    if let Some(matched) = &look.matched {
        let cut = if matched.text.0.len() < matched.length {
            ", cut here"
        } else {
            ""
        };
        let (from, length) = (matched.offset, matched.length);
        line(
            out,
            "matched",
            &format!("'{}' ({length} bytes from byte {from}{cut})", matched.text),
        )?;
    }
    Ok(())
}

/// A value, and how much of it is not shown.
fn shown(part: &Part) -> String {
    let (before, text) = (part.offset, &part.text);
    let after = part.length.saturating_sub(before + text.0.len());
    let mut shown = format!("'{text}'");
    if before > 0 || after > 0 {
        shown.push_str(&format!(" ({before} bytes before, {after} behind)"));
    }
    shown
}

fn line(out: &mut dyn Write, name: &str, words: &str) -> io::Result<()> {
    writeln!(out, "  {name:<9} {words}")
}

fn step(out: &mut dyn Write, name: &str, words: &str) -> io::Result<()> {
    writeln!(out, "    {name:<22} {words}")
}

//! Why somebody is dropped, for the person who is asked.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};
use gateway_lab::Host;
use serde_json::Value;

use super::deny::{DENIED, PREFIX, REASON};
use crate::demo::figures::Told;
use crate::demo::stage::Stage;

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    let request = &stage.ban.as_ref().context("nobody was banned")?.request;
    let banned = Host::Attacker.ip4().into();
    let why = explain(stage, banned)?;
    expect(&why, "/verdict", "banned")?;
    expect(&why, "/action", "drop")?;
    expect(&why, "/decided_by/origin", "ban")?;
    expect(&why, "/decided_by/ban/offence", "waf-block")?;
    expect(&why, "/decided_by/ban/request", request)?;

    let why = explain(stage, DENIED)?;
    expect(&why, "/verdict", "denied-prefix")?;
    expect(&why, "/decided_by/origin", "operator")?;
    expect(&why, "/decided_by/prefix", PREFIX)?;
    expect(&why, "/decided_by/reason", REASON)?;

    let (first, second) = (words(stage, banned)?, words(stage, DENIED)?);
    let line = format!("{first} {second}");
    Ok(Told::new(line).with("banned", first).with("denied", second))
}

fn explain(stage: &Stage, address: IpAddr) -> Result<Value> {
    stage.agent.json(["explain", &address.to_string()])
}

fn expect(why: &Value, field: &str, wanted: &str) -> Result<()> {
    let found = why
        .pointer(field)
        .and_then(Value::as_str)
        .unwrap_or_default();
    ensure!(
        found == wanted,
        "explain says {found:?} at {field}, not {wanted:?}: {why}"
    );
    Ok(())
}

/// What a person is told: what happens, and what for.
fn words(stage: &Stage, address: IpAddr) -> Result<String> {
    let text = stage
        .agent
        .gateway(["explain", &address.to_string()])?
        .done()?
        .out;
    let mut lines = text.lines().map(str::trim);
    let mut told = lines.next().context("explain says nothing")?.to_owned();
    for line in lines {
        if let Some((name @ ("offence" | "reason"), rest)) = line.split_once(' ') {
            told.push_str(&format!(" {name}: {}.", rest.trim()));
        }
    }
    Ok(told)
}

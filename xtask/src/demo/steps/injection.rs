//! The loop: a request at layer 7, and packets dropped at the NIC because of it.

use std::thread;

use anyhow::{Context, Result, bail, ensure};
use gateway_lab::curl::Response;
use gateway_lab::{Host, wait};
use serde_json::Value;

use crate::demo::figures::{Told, count};
use crate::demo::stage::{Ban, SOON, Stage};

/// An SQL injection on a route that is open to all.
const TARGET: &str = "/search?q=1%27%20UNION%20SELECT%20password%20FROM%20users--%20";
/// Packets that the attacker goes on sending, so that the first drop comes when the ban does.
const MEANWHILE: u64 = 600;
const MEANWHILE_PER_SECOND: u64 = 400;
/// Packets that must all be dropped afterwards.
const AFTERWARDS: u64 = 1_000;

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    let attacker = Host::Attacker.ip4();
    let response = under_way(stage)?;
    let status = response.status;
    ensure!(
        status == 403,
        "status {status} for an SQL injection: {}",
        response.text()
    );
    let request = response
        .header("x-request-id")
        .context("no X-Request-Id")?
        .to_owned();
    let rule = rule_of(stage, &request)?;

    let client = attacker.to_string();
    let banned = stage.agent.logged(SOON, &["banned", &request, &client])?;
    let in_force = banned
        .number("in_force_after_us")
        .context("no in_force_after_us")?;
    let bitten = stage
        .agent
        .logged(SOON, &["first packet dropped by this ban", &request])?;
    let first_drop = bitten.number("after_us").context("no after_us")?;
    counted_by_metrics(stage)?;

    let dropped = stage.expect_verdict(attacker.into(), AFTERWARDS, "banned")?;
    stage.ban = Some(Ban {
        until_unix_ms: until(stage, &client)?,
        request,
    });
    let line = format!(
        "an SQL injection gets {status} by WAF rule {rule}; its sender is banned in the kernel \
         {in_force} µs after the request ended, its next packet is dropped at {first_drop} µs, \
         and the {} packets it sends then are all counted dropped",
        count(AFTERWARDS),
    );
    Ok(Told::new(line)
        .with("status", status)
        .with("waf_rule", rule)
        .with("in_force_us", in_force)
        .with("first_drop_us", first_drop)
        .with("packets_sent", AFTERWARDS)
        .with("packets_banned", dropped))
}

/// Sends the injection while the attacker's other packets go on.
fn under_way(stage: &Stage) -> Result<Response> {
    let source = Host::Attacker.ip4().into();
    thread::scope(|scope| {
        let meanwhile = scope.spawn(|| stage.attack(source, MEANWHILE, MEANWHILE_PER_SECOND));
        let response = stage
            .request(source, TARGET)
            .run(stage.host(Host::Attacker));
        match meanwhile.join() {
            Ok(sent) => sent.and(response),
            Err(_) => bail!("the attacker's other packets were not sent"),
        }
    })
}

/// The WAF rule that the access log names for a request.
fn rule_of(stage: &Stage, request: &str) -> Result<u64> {
    let line = stage.agent.access_log_of(request)?;
    line.pointer("/rules/0/id")
        .and_then(Value::as_u64)
        .with_context(|| format!("the access log names no WAF rule: {line}"))
}

fn counted_by_metrics(stage: &Stage) -> Result<()> {
    let name = "gateway_ban_first_drop_seconds_count";
    wait::until(SOON, &format!("{name} in /metrics"), || {
        let (_, metrics) = stage.agent.admin("/metrics").ok()?;
        let line = metrics.lines().find(|line| line.starts_with(name))?;
        let value: f64 = line.rsplit(' ').next()?.parse().ok()?;
        (value >= 1.0).then_some(())
    })
}

/// When the ban ends, as `gateway bans list` has it.
fn until(stage: &Stage, client: &str) -> Result<u64> {
    let bans = stage.agent.json(["bans", "list"])?;
    let entries = bans.get("entries").and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
        .find(|entry| {
            entry
                .get("prefix")
                .and_then(Value::as_str)
                .is_some_and(|prefix| prefix.split('/').next() == Some(client))
        })
        .and_then(|entry| entry.get("expires_unix_ms")?.as_u64())
        .with_context(|| format!("{client} is not among the bans: {bans}"))
}

//! The agent dies; the filter does not, and bans still end on time.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use gateway_lab::{Host, probe, wait};
use serde_json::Value;

use super::deny::DENIED;
use crate::demo::figures::{Told, count};
use crate::demo::stage::{BAN_SECONDS, SOON, Stage};

const PACKETS: u64 = 1_000;
/// How long each probe of a banned host waits for an answer.
const PROBE: Duration = Duration::from_millis(10);
/// How far the end of the ban may be from what was promised: the kernel's clock moves in steps
/// of up to 10 ms, and the promise is in milliseconds of another clock.
const EARLY_MS: i64 = 20;
/// A probe may be late on a busy machine.
const LATE_MS: i64 = 500;

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    let until = stage
        .ban
        .as_ref()
        .context("nobody was banned")?
        .until_unix_ms;
    let left = until.saturating_sub(unix_ms());
    ensure!(
        left > 2_000,
        "the ban of {BAN_SECONDS} s has only {left} ms left: a slow machine"
    );
    // Nobody serves requests now, and nobody should count that as a fault.
    stage.visitor()?.pause();
    let ended = stage.agent.kill()?;
    ensure!(
        ended.signal == Some(9),
        "the agent ended otherwise: {ended:?}"
    );

    let attacker = Host::Attacker.ip4();
    let banned = stage.expect_verdict(attacker.into(), PACKETS, "banned")?;
    let denied = stage.expect_verdict(DENIED, PACKETS, "denied-prefix")?;
    let to = SocketAddr::from((Host::Gateway.ip4(), 443));
    let refused = probe::tcp(stage.host(Host::Client), to, SOON);
    ensure!(
        refused.is_err(),
        "somebody accepts connections without an agent"
    );

    let passed = first_passing(stage, until)?;
    let off = i64::try_from(passed)? - i64::try_from(until)?;
    ensure!(
        (-EARLY_MS..=LATE_MS).contains(&off),
        "the ban ended {off} ms after its time"
    );
    let why = stage.agent.json(["explain", &attacker.to_string()])?;
    let verdict = why
        .get("verdict")
        .and_then(Value::as_str)
        .unwrap_or_default();
    ensure!(
        verdict == "pass",
        "the ban is over, and explain says {verdict:?}"
    );

    let line = format!(
        "kill -9 of the agent (the client rests meanwhile): the filter drops {} of {} banned and \
         {} of {} denied packets by itself, TCP is refused, and the ban of {BAN_SECONDS} s ends \
         with no agent {off} ms after its time",
        count(banned),
        count(PACKETS),
        count(denied),
        count(PACKETS),
    );
    Ok(Told::new(line)
        .with("packets_sent", 2 * PACKETS)
        .with("packets_banned", banned)
        .with("packets_denied", denied)
        .with("ban_seconds", BAN_SECONDS)
        .with("ban_end_off_ms", off))
}

/// When the first packet of the attacker was answered, which no packet was before.
fn first_passing(stage: &Stage, until: u64) -> Result<u64> {
    let attacker = stage.host(Host::Attacker);
    let left = Duration::from_millis(until.saturating_sub(unix_ms()));
    wait::until(left + SOON, "the ban to end", || {
        let pings = probe::ping_within(attacker, Host::Gateway.ip4().into(), 1, PROBE).ok()?;
        (pings.received == 1).then(unix_ms)
    })
}

fn unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

//! The agent comes back and takes over what it finds.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gateway_lab::wait;
use serde_json::Value;

use super::deny::{DENIED, PREFIX};
use crate::demo::figures::{Told, count, ms};
use crate::demo::stage::{SOON, Stage, all_well};

/// Packets of a denied source during the start; a gap would let some of them through.
const PACKETS: u64 = 3_000;
const PER_SECOND: u64 = 1_500;
/// Visits that show that the client is served again.
const VISITS: usize = 10;

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    let before = stage.stats()?.packets("denied-prefix");
    let ready = start_under_fire(stage)?;
    let what = format!("{PACKETS} packets of {DENIED} to be dropped during the start");
    let dropped = || {
        Some(
            stage
                .stats()
                .ok()?
                .packets("denied-prefix")
                .saturating_sub(before),
        )
    };
    let dropped = wait::until(SOON, &what, || {
        dropped().filter(|dropped| *dropped >= PACKETS)
    })
    .with_context(|| format!("{:?} were: there was a gap", dropped()))?;
    stage
        .agent
        .logged(SOON, &["filtering packets", r#""took_over":true"#])?;

    let list = stage.agent.json(["deny", "list"])?;
    let entries = list
        .get("entries")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let there = entries
        .iter()
        .any(|one| one.get("prefix").and_then(Value::as_str) == Some(PREFIX));
    ensure!(there, "{PREFIX} is no longer on the deny list: {list}");

    stage.visitor()?.resume();
    let visits = stage.next_visits(VISITS)?;
    all_well(&visits, "after the restart")?;
    let line = format!(
        "the agent is back after {} ms and takes the filter over with no gap: {} of {} packets of \
         {DENIED} sent meanwhile are dropped; {PREFIX} is still denied, and the client gets 200s \
         again",
        ms(ready),
        count(dropped),
        count(PACKETS),
    );
    Ok(Told::new(line)
        .with("ready_ms", ms(ready))
        .with("packets_sent", PACKETS)
        .with("packets_denied", dropped)
        .with("requests", visits.count()))
}

/// Starts the agent while packets of a denied source come in.
fn start_under_fire(stage: &mut Stage) -> Result<Duration> {
    let host = stage.host(gateway_lab::Host::Attacker).clone();
    let fire = Stage::fire(DENIED, PACKETS, PER_SECOND);
    thread::scope(|scope| {
        let fire = scope.spawn(move || fire.run(&host));
        let ready = stage.agent.start();
        match fire.join() {
            Ok(sent) => sent.and(ready),
            Err(_) => bail!("the packets were not sent"),
        }
    })
}

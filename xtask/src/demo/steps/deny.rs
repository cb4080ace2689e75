//! An operator denies a prefix, and lets one host in it through.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Result, ensure};
use gateway_lab::curl::NoAnswer;
use gateway_lab::{Curl, Host};

use crate::demo::figures::{Told, count};
use crate::demo::stage::Stage;

/// The prefix that is denied, some of what the attacker may send from.
pub(super) const PREFIX: &str = "198.19.7.0/24";
/// Why.
pub(super) const REASON: &str = "abuse report 4711";
/// A host in the prefix.
pub(super) const DENIED: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 19, 7, 9));
/// The host in the prefix that is let through.
const ALLOWED: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 19, 7, 7));

const PACKETS: u64 = 1_000;
/// How long an answer is awaited that must not come.
const SILENCE: Duration = Duration::from_millis(300);

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    ensure!(visit(stage, DENIED).run(stage.host(Host::Attacker))?.status == 200);
    let agent = &stage.agent;
    agent
        .gateway(["deny", "add", PREFIX, "--reason", REASON, "--ttl", "10m"])?
        .done()?;
    let dropped = stage.expect_verdict(DENIED, PACKETS, "denied-prefix")?;
    silent(stage, DENIED)?;
    silent(stage, ALLOWED)?;

    let allowed = ALLOWED.to_string();
    agent
        .gateway(["allow", "add", &allowed, "--reason", "the reporter"])?
        .done()?;
    let passed = stage.stats()?.packets("safelisted");
    let status = visit(stage, ALLOWED)
        .run(stage.host(Host::Attacker))?
        .status;
    ensure!(
        status == 200,
        "status {status} for {ALLOWED}, which is on the safelist"
    );
    let passed = stage.stats()?.packets("safelisted") - passed;
    ensure!(
        passed > 0,
        "no packet of {ALLOWED} was counted as safelisted"
    );
    silent(stage, DENIED)?;
    let line = format!(
        "deny add {PREFIX}: {} of {} packets of {DENIED} are counted dropped and it gets no \
         answer; allow add {ALLOWED}: that one gets {status} again",
        count(dropped),
        count(PACKETS),
    );
    Ok(Told::new(line)
        .with("packets_sent", PACKETS)
        .with("packets_denied", dropped)
        .with("packets_safelisted", passed)
        .with("allowed_status", status))
}

fn visit(stage: &Stage, source: IpAddr) -> Curl {
    stage.request(source, "/").from_address(source)
}

fn silent(stage: &Stage, source: IpAddr) -> Result<()> {
    let visit = visit(stage, source).within(SILENCE);
    match visit.run(stage.host(Host::Attacker)) {
        Ok(response) => anyhow::bail!("{source} is denied and got {}", response.status),
        Err(error) => match error.downcast_ref::<NoAnswer>() {
            Some(none) if none.code == NoAnswer::TIMEOUT => Ok(()),
            _ => Err(error.context(format!("{source} is denied and should get no answer"))),
        },
    }
}

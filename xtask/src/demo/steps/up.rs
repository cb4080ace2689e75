//! The network, the certificate, the keys, the gateway.

use anyhow::{Context, Result, ensure};
use gateway_lab::net::WAN;
use serde_json::Value;

use crate::demo::figures::{Told, ms};
use crate::demo::stage::Stage;

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    let ready = ms(stage.agent.start()?);
    let status = stage.agent.json(["status"])?;
    let interfaces = status
        .pointer("/filter/interfaces")
        .and_then(Value::as_array);
    let mode = interfaces
        .into_iter()
        .flatten()
        .find(|one| one.get("name").and_then(Value::as_str) == Some(WAN))
        .and_then(|one| one.get("mode")?.as_str())
        .with_context(|| format!("the status does not list {WAN}: {status}"))?;
    ensure!(
        mode == "native",
        "{WAN} is filtered in {mode} mode; veth has native XDP"
    );
    let line = format!(
        "client, attacker, gateway and upstream are up; the gateway is ready after {ready} ms \
         and filters {WAN} in {mode} mode"
    );
    Ok(Told::new(line)
        .with("ready_ms", ready)
        .with("interface", WAN)
        .with("mode", mode))
}

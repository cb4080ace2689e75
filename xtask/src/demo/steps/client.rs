//! A legitimate client, from now on all the time.

use anyhow::{Result, ensure};
use gateway_lab::Host;

use crate::demo::figures::{Told, ms};
use crate::demo::stage::{Stage, all_well};

/// Visits that show how fast the gateway is when nothing else happens.
const VISITS: usize = 50;

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    for request in stage.visits()? {
        let served = stage.origin.requests();
        let response = request.run(stage.host(Host::Client))?;
        let status = response.status;
        ensure!(
            status == 200,
            "status {status} for a valid token: {}",
            response.text()
        );
        ensure!(
            response.version == "2",
            "HTTP/{} instead of HTTP/2",
            response.version
        );
        let arrived = stage.origin.requests() - served;
        ensure!(
            arrived == 1,
            "the upstream saw {arrived} requests for one of the client"
        );
    }
    stage.begin_visits()?;
    stage.before = stage.next_visits(VISITS)?;
    all_well(&stage.before, "in peace")?;
    let (p50, p99) = (
        ms(stage.before.percentile(50)),
        ms(stage.before.percentile(99)),
    );
    let line = format!(
        "a valid ES256 token gets 200 from the upstream over TLS 1.3 and HTTP/2, IPv4 and IPv6; \
         {VISITS} requests on fresh connections take {p50} ms (p50) and {p99} ms (p99)"
    );
    Ok(Told::new(line)
        .with("status", 200)
        .with("requests", VISITS)
        .with("p50_ms", p50)
        .with("p99_ms", p99))
}

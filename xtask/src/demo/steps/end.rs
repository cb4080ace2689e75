//! The sum of it all.

use anyhow::{Context, Result, ensure};

use super::super::report::Report;
use crate::demo::figures::{Told, count, ms};
use crate::demo::stage::{Stage, all_well};

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    let visitor = stage.visitor.take().context("the client has not begun")?;
    visitor.pause();
    let visits = visitor.visits();
    drop(visitor);
    all_well(&visits, "in the whole demo")?;
    let stats = stage.stats()?;
    let (passed, dropped) = (
        stats.total("passed_packets"),
        stats.total("dropped_packets"),
    );
    ensure!(
        passed > 0 && dropped > 0,
        "the maps count {passed} passed and {dropped} dropped"
    );
    let (p50, p99) = (ms(visits.percentile(50)), ms(visits.percentile(99)));
    let line = format!(
        "the client got 200 for all of its {} requests, p50 {p50} ms, p99 {p99} ms; the filter \
         passed {} packets and dropped {}",
        count(u64::try_from(visits.count())?),
        count(passed),
        count(dropped),
    );
    Ok(Told::new(line)
        .with("requests", visits.count())
        .with("failed", visits.failures.len())
        .with("p50_ms", p50)
        .with("p99_ms", p99)
        .with("packets_passed", passed)
        .with("packets_dropped", dropped))
}

/// The block statistics as `gateway stats` prints them, from the maps.
pub(super) fn show_stats(stage: &Stage, report: &mut Report) -> Result<()> {
    let table = stage.agent.gateway(["stats"])?.done()?.out;
    report.say(&format!("\n{}", table.trim_end()));
    report.stats(stage.stats()?.into_value());
    Ok(())
}

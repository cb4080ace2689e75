//! The feeds' numbers for `/metrics`.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

use super::Handle;
use super::board::Standing;
use crate::control::api::FeedState;

/// Says how each feed does, when it is asked.
#[derive(Debug)]
pub struct FeedCollector(pub Handle);

/// A number of a feed: its name, what it is, and where it stands.
type Number = (&'static str, &'static str, fn(&Standing) -> i64);

const GAUGES: [Number; 6] = [
    ("feed_entries", "Entries of a feed on its list", |feed| {
        signed(feed.entries)
    }),
    (
        "feed_last_success_timestamp_seconds",
        "When a feed was last read well, changed or not; 0 when not since the start",
        |feed| signed(feed.success.map_or(0, |at| at.0 / 1_000)),
    ),
    (
        "feed_held_back",
        "Whether a feed has lost most of its entries and waits to be accepted",
        |feed| i64::from(feed.state == FeedState::HeldBack),
    ),
    (
        "feed_failing",
        "Failures of a feed since its last success",
        |feed| i64::from(feed.failures),
    ),
    (
        "feed_bad_lines",
        "Bad lines of a feed that were passed over",
        |feed| signed(feed.bad_lines),
    ),
    (
        "feed_left_out",
        "Entries of a feed that no feed may bring",
        |feed| signed(feed.left_out),
    ),
];

impl Collector for FeedCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let feeds = self.0.standings();
        would_drop(&mut encoder, &self.0)?;
        for (name, help, number) in GAUGES {
            let kind = ConstGauge::new(0_i64).metric_type();
            let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
            for feed in &feeds {
                let labels = [("feed", feed.feed.name.as_str())];
                ConstGauge::new(number(feed)).encode(metric.encode_family(&labels)?)?;
            }
        }
        let kind = ConstCounter::new(0_u64).metric_type();
        let help = "Times a feed was not taken: it could not be read, or was broken or too large";
        let mut metric = encoder.encode_descriptor("feed_failures", help, None, kind)?;
        for feed in &feeds {
            let labels = [("feed", feed.feed.name.as_str())];
            ConstCounter::new(feed.failures_ever).encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// What feeds in shadow mode would have dropped. A gauge: what the entries that are gone had counted
/// goes with them.
fn would_drop(encoder: &mut DescriptorEncoder<'_>, feeds: &Handle) -> Result<(), std::fmt::Error> {
    let mut counted = feeds.status();
    let gauge = ConstGauge::new(0_i64);
    if feeds.sum(&mut counted).is_err() {
        return Ok(());
    }
    let mut metric = encoder.encode_descriptor(
        "feed_would_drop_packets",
        "Packets that the entries of a feed in shadow mode would have dropped",
        None,
        gauge.metric_type(),
    )?;
    for feed in &counted {
        let Some(would) = feed.would_drop else {
            continue;
        };
        let labels = [("feed", feed.name.as_str())];
        ConstGauge::new(signed(would.packets)).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

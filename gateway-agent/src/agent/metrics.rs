//! The data path's numbers for `/metrics`, read from the maps when they are asked for.

use std::sync::Arc;

use gateway_common::{lists::MODE_ENFORCE, tables::List};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

use super::hooks::Running;
use crate::{
    control::{Hooks, Kernel, Lists, api::WouldDrop},
    datapath::{Datapath, name_of},
};

/// Reads the kernel's counters, the sizes of the lists, and which interfaces are filtered.
pub(super) struct DatapathCollector {
    pub(super) kernel: Arc<Kernel>,
    pub(super) running: Arc<Running>,
}

impl std::fmt::Debug for DatapathCollector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatapathCollector")
    }
}

impl Collector for DatapathCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        interfaces(&mut encoder, &self.kernel, &self.running)?;
        limits(&mut encoder, &self.running)?;
        let mut datapath = self.kernel.datapath();
        if let Ok(counters) = datapath.counters() {
            verdicts(&mut encoder, &counters)?;
        }
        cookies(&mut encoder, &datapath)?;
        entries(&mut encoder, &mut datapath)
    }
}

fn interfaces(
    encoder: &mut DescriptorEncoder<'_>,
    kernel: &Kernel,
    running: &Running,
) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(0_i64);
    let mut metric = encoder.encode_descriptor(
        "interface_filtered",
        "Interfaces of the configuration, with the mode: 1 where the packet filter runs",
        None,
        gauge.metric_type(),
    )?;
    let unfiltered = running.unfiltered();
    let filtered = kernel.interfaces().unwrap_or_default();
    let filtered = filtered
        .into_iter()
        .filter(|one| unfiltered.iter().all(|other| other.name != one.name))
        .map(|one| (i64::from(one.mode != "detached"), one));
    let unfiltered = unfiltered.iter().cloned().map(|one| (0, one));
    for (value, one) in filtered.chain(unfiltered) {
        let labels = [
            ("interface", one.name.as_str()),
            ("mode", one.mode.as_str()),
        ];
        ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

fn limits(encoder: &mut DescriptorEncoder<'_>, running: &Running) -> Result<(), std::fmt::Error> {
    let counted = running.limits(&running.config());
    for (name, help, number) in WOULD_DROP {
        let total = ConstCounter::new(0_u64);
        let mut metric = encoder.encode_descriptor(name, help, None, total.metric_type())?;
        for limit in &counted {
            let Some(would) = limit.would_drop else {
                continue;
            };
            let labels = [("limit", limit.name.as_str())];
            ConstCounter::new(number(would)).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

/// A number of a limit in shadow mode: its name, what it is, and where it stands.
type Number = (&'static str, &'static str, fn(WouldDrop) -> u64);

const WOULD_DROP: [Number; 2] = [
    (
        "limit_would_drop_packets",
        "Packets that a limit in shadow mode would have dropped",
        |would| would.packets,
    ),
    (
        "limit_would_drop_bytes",
        "Bytes that a limit in shadow mode would have dropped",
        |would| would.bytes,
    ),
];

fn verdicts(
    encoder: &mut DescriptorEncoder<'_>,
    counters: &[crate::datapath::InterfaceCounters],
) -> Result<(), std::fmt::Error> {
    let family = [
        (
            "packets",
            "Packets by interface and verdict of the packet filter",
        ),
        (
            "packet_bytes",
            "Bytes by interface and verdict of the packet filter",
        ),
        (
            "events_lost",
            "Sampled drops that found the ring buffer full",
        ),
    ];
    for (which, (name, help)) in family.into_iter().enumerate() {
        let total = ConstCounter::new(0_u64);
        let mut metric = encoder.encode_descriptor(name, help, None, total.metric_type())?;
        for counted in counters {
            for count in &counted.verdicts {
                let value = match which {
                    0 => count.packets,
                    1 => count.bytes,
                    _ => count.events_lost,
                };
                let labels = [
                    ("interface", counted.interface.name.as_str()),
                    ("verdict", count.verdict.name()),
                    ("action", count.verdict.action().name()),
                ];
                ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
            }
        }
    }
    Ok(())
}

fn cookies(
    encoder: &mut DescriptorEncoder<'_>,
    datapath: &Datapath,
) -> Result<(), std::fmt::Error> {
    let threshold = datapath.settings().cookies;
    let answers = threshold.interval != 0 && threshold.mode == u64::from(MODE_ENFORCE);
    let gauge = ConstGauge::new(i64::from(answers));
    gauge.encode(encoder.encode_descriptor(
        "syn_cookies",
        "Whether the packet filter answers SYNs above the threshold with SYN cookies",
        None,
        gauge.metric_type(),
    )?)
}

fn entries(
    encoder: &mut DescriptorEncoder<'_>,
    datapath: &mut Datapath,
) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(0_i64);
    let mut metric = encoder.encode_descriptor(
        "list_entries",
        "Entries in the kernel's lists; a list takes no more than its capacity",
        None,
        gauge.metric_type(),
    )?;
    for list in [List::Deny, List::Allow, List::Zone] {
        // The agent has the lists in memory, so this cannot fail there.
        let Ok((v4, v6)) = datapath.count(list) else {
            continue;
        };
        for (family, count) in [("ipv4", v4), ("ipv6", v6)] {
            let labels = [("list", name_of(list)), ("family", family)];
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            ConstGauge::new(count).encode(metric.encode_family(&labels)?)?;
        }
    }
    let mut metric = encoder.encode_descriptor(
        "list_capacity",
        "Entries per address family that a list takes",
        None,
        gauge.metric_type(),
    )?;
    for list in [List::Deny, List::Allow, List::Zone] {
        let labels = [("list", name_of(list))];
        ConstGauge::new(i64::from(Datapath::capacity(list)))
            .encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

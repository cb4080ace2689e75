//! VLAN tags, one upon another, and what is neither a tag nor IP.

use gateway_common::Verdict;

use super::{
    Row, Table,
    sources::{self, CLEAN4, CLEAN6, TO4, TO6},
};
use crate::packet::{Ipv4, Ipv6, Network, Packet, Tag, Transport};

const KINDS: [Tag; 3] = [Tag::CUSTOMER, Tag::SERVICE, Tag::STACKED];

pub(super) fn table() -> Table {
    let mut rows = Vec::new();
    for (name, source, verdict, rule) in [
        ("clean", CLEAN4, Verdict::Pass, 0),
        ("denied", [198, 51, 100, 7].into(), Verdict::DeniedExact, 11),
    ] {
        for stack in stacks(4) {
            let packet = Packet::from(Ipv4::new(source, TO4, Transport::syn())).tagged(&stack);
            let name = format!("{name} IPv4 behind {}", words(&stack));
            rows.push(match stack.len() {
                0..=2 => Row::new(name, packet, verdict).by(rule),
                _ => Row::new(name, packet, Verdict::TooManyVlans),
            });
        }
    }
    for stack in stacks(3) {
        let arp = Packet::from(Network::Arp(CLEAN4, TO4)).tagged(&stack);
        let deep = stack.len() > 2;
        let verdict = |shallow| if deep { Verdict::TooManyVlans } else { shallow };
        let behind = words(&stack);
        rows.push(Row::new(
            format!("ARP behind {behind}"),
            arp,
            verdict(Verdict::NotIp),
        ));
        let packet = Packet::from(Ipv6::new(CLEAN6, TO6, Transport::syn())).tagged(&stack);
        rows.push(Row::new(
            format!("IPv6 behind {behind}"),
            packet.clone(),
            verdict(Verdict::Pass),
        ));
        for length in 12..14 + 4 * stack.len().min(2) {
            rows.push(Row::new(
                format!("the first {length} bytes behind {behind}"),
                packet.clone().cut(length),
                Verdict::Truncated,
            ));
        }
    }
    // The priority tag of no VLAN, and tags with every bit set.
    for control in [0, 0xffff] {
        let tag = Tag {
            control,
            ..Tag::CUSTOMER
        };
        let packet = Packet::from(Ipv4::new([198, 51, 100, 7], TO4, Transport::syn()));
        let name = format!("a tag of {control:#x}");
        rows.push(Row::new(name, packet.tagged(&[tag, tag]), Verdict::DeniedExact).by(11));
    }
    for ethertype in [
        0x0026, 0x0806, 0x8035, 0x8847, 0x8864, 0x88cc, 0x9200, 0xffff,
    ] {
        let packet = Packet::from(Network::Other {
            ethertype,
            bytes: vec![0x45; 60],
        });
        let name = format!("ethertype {ethertype:#06x}");
        rows.push(Row::new(name, packet, Verdict::NotIp));
    }
    Table {
        name: "VLANs",
        setup: sources::lists(),
        rows,
    }
}

/// Every stack of up to `depth` tags.
fn stacks(depth: usize) -> Vec<Vec<Tag>> {
    let mut all = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..depth {
        last = last
            .iter()
            .flat_map(|stack| KINDS.map(|tag| [stack.as_slice(), &[tag]].concat()))
            .collect();
        all.extend(last.clone());
    }
    all
}

fn words(stack: &[Tag]) -> String {
    let tags: Vec<_> = stack
        .iter()
        .map(|tag| format!("{:04x}", tag.protocol))
        .collect();
    format!("[{}]", tags.join(" "))
}

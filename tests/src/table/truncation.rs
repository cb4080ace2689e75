//! Frames that end at any byte: a denied source is denied as soon as its header is whole, and
//! nobody passes before.

use gateway_common::Verdict;

use super::{
    Row, Table,
    sources::{self, CLEAN4, CLEAN6, TO4, TO6},
};
use crate::packet::{Extension, Ipv4, Ipv6, Packet, Tag, Transport};

const TAGS: [&[Tag]; 3] = [&[], &[Tag::CUSTOMER], &[Tag::SERVICE, Tag::CUSTOMER]];

pub(super) fn table() -> Table {
    let mut rows = Vec::new();
    let chain = Extension::each();
    for tags in TAGS {
        for (source, listed) in [
            (CLEAN4, None),
            ([198, 51, 100, 7].into(), Some((Verdict::DeniedExact, 11))),
            ([203, 0, 113, 9].into(), Some((Verdict::DeniedPrefix, 0))),
        ] {
            let packet = Ipv4::new(source, TO4, Transport::syn()).options(&[1; 12]);
            let header = 14 + 4 * tags.len() + 20;
            rows.extend(every_end(Packet::from(packet).tagged(tags), header, listed));
        }
        for (source, listed) in [
            (CLEAN6, None),
            (
                [0x2001, 0xdb8, 7, 0, 0, 0, 0, 7].into(),
                Some((Verdict::DeniedExact, 21)),
            ),
        ] {
            let packet = Ipv6::new(source, TO6, Transport::syn()).extensions(&chain);
            let header = 14 + 4 * tags.len() + 40;
            rows.extend(every_end(Packet::from(packet).tagged(tags), header, listed));
        }
    }
    Table {
        name: "truncation",
        setup: sources::lists(),
        rows,
    }
}

/// The frame, ended at every byte. `header` is where the fixed IP header ends.
fn every_end(packet: Packet, header: usize, listed: Option<(Verdict, u32)>) -> Vec<Row> {
    let length = packet.bytes().len();
    let source = if listed.is_some() { "denied" } else { "clean" };
    let row = |end| {
        let name = format!("{end} of {length} bytes, {source}");
        let packet = packet.clone().cut(end);
        match listed {
            _ if end < header => Row::new(name, packet, Verdict::Truncated),
            Some((verdict, rule)) => Row::new(name, packet, verdict).by(rule),
            None if end < length => Row::new(name, packet, Verdict::BadLength),
            None => Row::new(name, packet, Verdict::Pass),
        }
    };
    (0..=length).map(row).collect()
}

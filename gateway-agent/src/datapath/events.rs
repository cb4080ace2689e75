//! Sampled drops, as they come out of the ring buffer.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::{AsFd, BorrowedFd},
};

use aya::maps::{Map, MapData, RingBuf};
use gateway_common::{
    Verdict,
    abi::maps,
    event::{DropEvent, FAMILY_IPV4, FAMILY_IPV6},
    rule::without_blocks,
    time::Nanos,
};

use super::{Datapath, error::DatapathError, object};

/// The reading end of the ring buffer. The kernel allows one reader at a time to make progress.
pub struct Events(RingBuf<MapData>);

/// One sampled drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// When the packet was dropped.
    pub at: Nanos,
    /// Why.
    pub verdict: Verdict,
    /// The rule that decided; 0 when no single one did.
    pub rule: u32,
    /// Source and port, when they could be read.
    pub source: Option<(IpAddr, u16)>,
    /// Destination and port, when they could be read.
    pub destination: Option<(IpAddr, u16)>,
    /// IP protocol number.
    pub protocol: u8,
    /// Length of the frame.
    pub length: u32,
    /// Interface slot.
    pub slot: u32,
}

impl Datapath {
    /// Opens the ring buffer of sampled drops.
    ///
    /// # Errors
    ///
    /// When its pin cannot be opened.
    pub fn events(&self) -> Result<Events, DatapathError> {
        object::open(&self.pins, maps::EVENTS, Map::RingBuf).map(Events)
    }
}

impl Events {
    /// The next event, or `None` when the buffer is empty for now.
    pub fn next_event(&mut self) -> Option<Sampled> {
        loop {
            let item = self.0.next()?;
            // An event of an unknown shape is skipped: the ABI version rules it out.
            if let Some(event) = parse(&item) {
                return Some(event);
            }
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Reads a [`DropEvent`] field by field, as its `repr(C)` layout has them.
fn parse(bytes: &[u8]) -> Option<Sampled> {
    if bytes.len() < size_of::<DropEvent>() {
        return None;
    }
    let u64_at = |at| {
        bytes
            .get(at..)
            .and_then(|b| b.first_chunk())
            .map(|b| u64::from_ne_bytes(*b))
    };
    let u32_at = |at| {
        bytes
            .get(at..)
            .and_then(|b| b.first_chunk())
            .map(|b| u32::from_ne_bytes(*b))
    };
    let u16_at = |at| {
        bytes
            .get(at..)
            .and_then(|b| b.first_chunk())
            .map(|b| u16::from_ne_bytes(*b))
    };
    let [family, protocol, verdict, slot] = *bytes.get(52..)?.first_chunk()?;
    let address = |at: usize| -> Option<IpAddr> {
        match family {
            FAMILY_IPV4 => Some(Ipv4Addr::from(*bytes.get(at..)?.first_chunk::<4>()?).into()),
            FAMILY_IPV6 => Some(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?).into()),
            _ => None,
        }
    };
    let with_port = |at, port| Some((address(at)?, u16_at(port)?));
    Some(Sampled {
        at: Nanos(u64_at(0)?),
        source: with_port(8, 48),
        destination: with_port(24, 50),
        rule: without_blocks(u32_at(40)?),
        length: u32_at(44)?,
        verdict: Verdict::from_index(verdict)?,
        protocol,
        slot: slot.into(),
    })
}

#[cfg(test)]
mod tests {
    use core::mem::offset_of;

    use super::*;

    #[test]
    fn offsets_are_those_of_the_struct() {
        assert_eq!(offset_of!(DropEvent, at), 0);
        assert_eq!(offset_of!(DropEvent, source), 8);
        assert_eq!(offset_of!(DropEvent, destination), 24);
        assert_eq!(offset_of!(DropEvent, rule), 40);
        assert_eq!(offset_of!(DropEvent, length), 44);
        assert_eq!(offset_of!(DropEvent, source_port), 48);
        assert_eq!(offset_of!(DropEvent, destination_port), 50);
        assert_eq!(offset_of!(DropEvent, family), 52);
        assert_eq!(offset_of!(DropEvent, slot), 55);
    }

    #[test]
    fn short_or_odd_events_are_refused() {
        assert_eq!(parse(&[0; 55]), None);
        let mut bytes = [0; 56];
        bytes[54] = 200;
        assert_eq!(parse(&bytes), None);
    }
}

//! Sampled drops, sent to the agent through the ring buffer.

use crate::time::Nanos;

/// Address family of an event's addresses.
pub const FAMILY_IPV4: u8 = 4;
/// Address family of an event's addresses.
pub const FAMILY_IPV6: u8 = 6;

/// One sampled drop. A CPU sends at most one per verdict and sampling interval
/// ([`crate::settings::Settings::sample_interval`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct DropEvent {
    /// When the packet was dropped, on the fine clock.
    pub at: Nanos,
    /// Source address; IPv4 in the first four bytes.
    pub source: [u8; 16],
    /// Destination address; IPv4 in the first four bytes.
    pub destination: [u8; 16],
    /// Id of the list entry's rule; 0 when no single entry decided.
    pub rule: u32,
    /// Length of the frame in bytes.
    pub length: u32,
    /// Source port, host order; 0 when there is none.
    pub source_port: u16,
    /// Destination port, host order; 0 when there is none.
    pub destination_port: u16,
    /// [`FAMILY_IPV4`], [`FAMILY_IPV6`], or 0 when no address could be read.
    pub family: u8,
    /// IP protocol number.
    pub protocol: u8,
    /// The [`crate::Verdict`], by index.
    pub verdict: u8,
    /// Interface slot.
    pub slot: u8,
}

const _: () = assert!(size_of::<DropEvent>() == 56);

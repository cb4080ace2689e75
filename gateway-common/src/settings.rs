//! The knobs that the agent writes and every packet reads: one element of one array map.

use crate::{lists::Lengths, time::Nanos};

/// Rate classes: 0 is for sources in no zone, the others for zones, but for the last two.
pub const LIMIT_CLASSES: usize = 16;

/// Sources of class 0 in countries that have a limit of their own: whatever holds for class 0 holds
/// for them too.
pub const CLASS_LIMITED: usize = 2;

/// The classes of sources in no trusted network; in attack mode there are others. A set of bits,
/// for the verifier would follow what comes after a comparison once for each class.
const UNTRUSTED: u64 = 1 | 1 << CLASS_LIMITED;

/// Whether sources of `class` are in no trusted network, 0 or 1.
#[inline(always)]
#[must_use]
pub const fn untrusted(class: usize) -> u64 {
    UNTRUSTED >> (class % LIMIT_CLASSES) & 1
}

/// What class 0 becomes in attack mode for sources that have proven themselves.
pub const CLASS_KNOWN: usize = LIMIT_CLASSES - 1;

/// Whose packet rate the other sources of class 0 are held to in attack mode.
pub const CLASS_UNKNOWN: usize = LIMIT_CLASSES - 2;

/// A packet rate in the limiter's units ([`crate::limiter::TICK_NANOS`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Limit {
    /// Ticks that one packet costs; 0 means no limit.
    pub interval: u64,
    /// Ticks a source may run ahead of its rate: the burst.
    pub tolerance: u64,
    /// [`crate::lists::MODE_ENFORCE`] or [`crate::lists::MODE_SHADOW`].
    pub mode: u64,
}

/// Everything the pipeline needs to know besides the lists.
///
/// Fields are read without a lock while the agent writes them. Each is sound on its own: a
/// reader that sees one field old and the next one new decides as the old or the new settings
/// would, never in a third way that lets a denied source through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Settings {
    /// [`crate::abi::ABI_VERSION`] of whoever wrote this; 0 until the agent has.
    pub abi: u32,
    /// Nanoseconds of one jiffy, by which packet rates are told cheaply; 0 when unknown, then the
    /// clock itself is asked. Written once, with the maps: limiter cells hold times of this clock.
    pub jiffy: u32,
    /// Secret that keys every hash, so that nobody outside can aim for a collision.
    pub seed: u64,
    /// Least time between two events of one verdict on one CPU.
    pub sample_interval: Nanos,
    /// By how much a block's number is shifted to find its bucket in the
    /// [index](crate::lists::index4); 0 while there is none to go by.
    pub index_shift: u32,
    /// Zero.
    pub reserved: u32,
    /// Prefix lengths present in the IPv4 and IPv6 deny lists.
    pub deny: Lengths,
    /// Prefix lengths present in the safelists.
    pub allow: Lengths,
    /// Prefix lengths present in the zone lists.
    pub zone: Lengths,
    /// Packet rate per class.
    pub limits: [Limit; LIMIT_CLASSES],
    /// Whether the host is under attack.
    pub attack: Attack,
    /// What holds besides.
    pub further: Further,
    /// SYNs to one [`crate::syncookie::Endpoint`] that the stack gets; those above are answered
    /// with cookies. No limit: none is.
    pub cookies: Limit,
}

const _: () =
    assert!(size_of::<Settings>() == 32 + 3 * 32 + LIMIT_CLASSES * 24 + 16 + FURTHER_BYTES + 24);

/// Attack mode: sources of class 0 keep their limits only if they have proven themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Attack {
    /// Whether it is on, 0 or 1.
    pub on: u32,
    /// What an operator ordered: one of [`ORDER_NONE`], [`ORDER_ON`], [`ORDER_OFF`]. It is kept
    /// here because it shall outlive the agent.
    pub order: u32,
    /// Since when it is on, or off.
    pub since: Nanos,
}

const _: () = assert!(size_of::<Attack>() == 16);

/// [`Attack::order`]: the agent decides.
pub const ORDER_NONE: u32 = 0;

/// [`Attack::order`]: attack mode is to be on.
pub const ORDER_ON: u32 = 1;

/// [`Attack::order`]: attack mode is to be off.
pub const ORDER_OFF: u32 = 2;

/// Groups of destination ports that can have a limit.
pub const PORT_GROUPS: usize = 8;

/// The limits besides the packet rate of a source. See [`crate::limiter::further`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Further {
    /// Whether any of the limits below is one for sources of every class, 0 or 1: the common packet
    /// looks no further.
    pub any: u64,
    /// Ticks for which a source of class 0 that exceeds its packet rate is shut out.
    pub penalty: u64,
    /// Bytes of a source per class; intervals are those of [`crate::limiter::BYTES_UNIT`] bytes.
    pub bytes: [Limit; LIMIT_CLASSES],
    /// TCP connections that a source may open, per class.
    pub connections: [Limit; LIMIT_CLASSES],
    /// Packets of all sources of an IPv6 /56, and of a /48, in class 0.
    pub sites: [Limit; 2],
    /// Packets from all sources of class 0 to one IPv4 /24 or IPv6 /64.
    pub destinations: Limit,
    /// Packets of a source of [`CLASS_LIMITED`].
    pub countries: Limit,
    /// Packets of a source of class 0 to groups of ports.
    pub ports: [PortLimit; PORT_GROUPS],
}

const FURTHER_BYTES: usize = 16 + 2 * LIMIT_CLASSES * 24 + 4 * 24 + PORT_GROUPS * 32;

const _: () = assert!(size_of::<Further>() == FURTHER_BYTES);

impl Further {
    /// The same, with [`Further::any`] set as the limits have it.
    #[must_use]
    pub fn settled(mut self) -> Self {
        let ports = self.ports.iter().map(|group| &group.limit);
        let mut all = self
            .bytes
            .iter()
            .chain(&self.connections)
            .chain(&self.sites)
            .chain(ports)
            .chain([&self.destinations]);
        self.any = u64::from(all.any(|limit| limit.interval != 0));
        self
    }
}

/// A limit for a range of destination ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct PortLimit {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
    /// The protocol they are ports of.
    pub protocol: u32,
    /// Packets of one source to any of them.
    pub limit: Limit,
}

const _: () = assert!(size_of::<PortLimit>() == 32);

impl Default for Settings {
    fn default() -> Self {
        Self {
            abi: 0,
            jiffy: 0,
            seed: 0,
            sample_interval: Nanos::from_millis(10),
            index_shift: 0,
            reserved: 0,
            deny: Lengths::default(),
            allow: Lengths::default(),
            zone: Lengths::default(),
            limits: [Limit::default(); LIMIT_CLASSES],
            attack: Attack::default(),
            further: Further::default(),
            cookies: Limit::default(),
        }
    }
}

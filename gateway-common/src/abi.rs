//! What the loaded program and the agent must agree on: the version, and the names and sizes
//! of the maps.

/// Version of every struct and map shared with the kernel; raised whenever one changes shape.
/// The agent refuses pins of another version rather than misread them.
pub const ABI_VERSION: u32 = 4;

/// Interfaces that can be filtered at once; each has a block of counters of its own.
pub const MAX_INTERFACES: u32 = 16;

/// Deny entries per address family that fit the kernel's map.
pub const DENY_CAPACITY: u32 = 1 << 21;

/// Safelist entries per address family that fit the kernel's map.
pub const ALLOW_CAPACITY: u32 = 1 << 18;

/// Zone prefixes (trusted networks, and countries with a limit of their own) per address family
/// that fit the kernel's map.
pub const ZONE_CAPACITY: u32 = 1 << 18;

/// Sources that have proven themselves that fit the kernel's map, of both families together.
pub const KNOWN_CAPACITY: u32 = 1 << 16;

/// Addresses with a port whose SYNs may be answered with cookies.
pub const LISTENING_CAPACITY: u32 = 4096;

/// Entries and limits in shadow mode whose matches are counted each by itself.
pub const WOULD_CAPACITY: u32 = 1 << 16;

/// Bytes of the ring buffer of sampled drops; a power of two and a multiple of the page size.
pub const EVENT_RING_BYTES: u32 = 1 << 18;

/// Metadata in front of a frame that marks a test run as a probe; see [`probe_answer`]. Frames
/// that another program redirects to an interface may carry metadata too.
pub const PROBE_MARK: [u8; 8] = *b"gw-probe";

/// Set in what the program returns to a probe, so that no action of XDP can be mistaken for it.
const PROBE_FLAG: u32 = 1 << 31;

/// What the program returns for a test run that carries [`PROBE_MARK`] as metadata: the verdict
/// itself. The rule's id stands in the first four bytes of the frame, in the host's
/// byte order.
#[must_use]
pub const fn probe_answer(verdict: crate::Verdict) -> u32 {
    PROBE_FLAG | verdict as u32
}

/// The verdict in a probe's answer; `None` when the program gave none.
#[must_use]
pub const fn probe_verdict(answer: u32) -> Option<crate::Verdict> {
    if answer & PROBE_FLAG == 0 {
        return None;
    }
    crate::Verdict::from_index(answer as u8)
}

/// Names of the maps, as the kernel and the pin directory show them.
pub mod maps {
    /// One [`crate::settings::Settings`].
    pub const SETTINGS: &str = "SETTINGS";
    /// Packed [`crate::lists::cells::Cell`]s of IPv4, 32 to a word.
    pub const CELLS4: &str = "CELLS4";
    /// Packed cells of IPv6, 32 to a word, three regions.
    pub const CELLS6: &str = "CELLS6";
    /// [`Bucket`](crate::lists::index4::Bucket)s of the index of denied IPv4 addresses.
    pub const INDEX4: &str = "INDEX4";
    /// Deny entries, IPv4.
    pub const DENY4: &str = "DENY4";
    /// Deny entries, IPv6.
    pub const DENY6: &str = "DENY6";
    /// Safelist entries, IPv4.
    pub const ALLOW4: &str = "ALLOW4";
    /// Safelist entries, IPv6.
    pub const ALLOW6: &str = "ALLOW6";
    /// Zone prefixes, IPv4.
    pub const ZONE4: &str = "ZONE4";
    /// Zone prefixes, IPv6.
    pub const ZONE6: &str = "ZONE6";
    /// The [`crate::syncookie::Endpoint`]s whose SYNs may be answered, with the MSS to announce.
    pub const LISTENING: &str = "LISTENING";
    /// Rate limiter cells.
    pub const LIMITER: &str = "LIMITER";
    /// Sources that have proven themselves, by identity: until when each is known.
    pub const KNOWN: &str = "KNOWN";
    /// Per-CPU counters, one per interface slot and verdict.
    pub const COUNTERS: &str = "COUNTERS";
    /// Per-CPU counts of what rules in shadow mode would have dropped, by rule.
    pub const WOULD: &str = "WOULD";
    /// Per-CPU [`crate::hits::Bucket`]s: what rules in force have dropped.
    pub const HITS: &str = "HITS";
    /// Ring buffer of sampled drops.
    pub const EVENTS: &str = "EVENTS";

    /// Every map that is pinned.
    pub const ALL: [&str; 17] = [
        SETTINGS, CELLS4, CELLS6, INDEX4, DENY4, DENY6, ALLOW4, ALLOW6, ZONE4, ZONE6, LISTENING,
        LIMITER, KNOWN, COUNTERS, WOULD, HITS, EVENTS,
    ];
}

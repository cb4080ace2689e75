//! Ethernet frames, built field by field. Whatever a field says can be made wrong: lengths,
//! versions, header lengths, and where the frame ends.
//!
//! Checksums are left zero, but for that of the IPv4 header: no filter in the kernel reads them.

mod ethernet;
mod ipv4;
mod ipv6;
mod transport;

pub use ethernet::{Network, Packet, Tag};
pub use ipv4::Ipv4;
pub use ipv6::{Extension, Ipv6, Options};
pub use transport::{Transport, flags, icmpv6, protocol};

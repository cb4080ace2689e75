//! SYN cookies (RFC 4987, 3.6): above a threshold, SYNs are answered here and the stack never
//! sees them. It sees the ACK alone, from those who got the answer, and takes the connection up.
//!
//! The stack believes a cookie only where a SYN has reached it within the last minutes. So SYNs
//! up to the threshold go on to it, and the account that tells which those are is kept for each
//! [`Endpoint`], as the stack remembers by listening socket.

mod answer;
mod opening;

pub use answer::{Answerable, WINDOW, answer, answer4, answer6, cookie};
pub use opening::{MAX_OPTIONS, Opening};

use crate::{
    Frame, Tables,
    event::{FAMILY_IPV4, FAMILY_IPV6},
    limiter::{Admission, Charge, SYNS},
    lists::{cells::mix, halves},
};

/// An address of this host and a TCP port: what a SYN may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct Endpoint {
    /// The address; IPv4 in the first four bytes.
    pub address: [u8; 16],
    /// The port, host order.
    pub port: u16,
    /// [`FAMILY_IPV4`] or [`FAMILY_IPV6`].
    pub family: u16,
}

const _: () = assert!(size_of::<Endpoint>() == 20);

impl Endpoint {
    /// A port of an IPv4 address.
    #[inline(always)]
    #[must_use]
    pub const fn v4([a, b, c, d]: [u8; 4], port: u16) -> Self {
        Self {
            address: [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            port,
            family: FAMILY_IPV4 as u16,
        }
    }

    /// A port of an IPv6 address.
    #[inline(always)]
    #[must_use]
    pub const fn v6(address: [u8; 16], port: u16) -> Self {
        Self {
            address,
            port,
            family: FAMILY_IPV6 as u16,
        }
    }
}

/// Charges a SYN to the account of where it goes. Says whether it is above the threshold and can
/// be answered; one that cannot be is charged to nobody.
#[inline(always)]
pub fn is_due<F: Frame + ?Sized, T: Tables>(frame: &F, tables: &T) -> bool {
    let Some(opening) = Opening::of(frame) else {
        return false;
    };
    if tables.listening(&opening.to) == 0 {
        return false;
    }
    let threshold = &tables.settings().cookies;
    let admission = tables.charge(Charge {
        hash: account(tables.settings().seed, &opening.to),
        interval: threshold.interval,
        tolerance: threshold.tolerance,
        penalty: 0,
    });
    match admission {
        Admission::Within => false,
        Admission::Over | Admission::Penalty => true,
    }
}

/// Keyed hash of an endpoint.
#[inline(always)]
const fn account(seed: u64, endpoint: &Endpoint) -> u64 {
    let (high, low) = halves(endpoint.address);
    let port = (endpoint.port as u64) << 16 | endpoint.family as u64;
    mix(mix(mix(mix(seed, SYNS), high), low), port)
}

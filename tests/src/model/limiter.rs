//! A limit per address, each in a bucket of its own.

use std::{collections::HashMap, net::IpAddr};

use gateway_common::{limiter::TICK_NANOS, settings::Limit, time::Nanos};

/// Whose packets are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// An IPv4 address.
    V4([u8; 4]),
    /// An IPv6 /64.
    Net([u8; 8]),
    /// The interface identifier of an address of the link, where a /64 is everybody.
    Link([u8; 8]),
}

impl Client {
    /// Who an address belongs to.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, interface @ ..] = address.octets();
                if address.is_unicast_link_local() {
                    Self::Link(interface)
                } else {
                    Self::Net([a, b, c, d, e, f, g, h])
                }
            }
        }
    }
}

/// One client's account: when the next packet would be due if it kept exactly to its rate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    due: u128,
}

impl Bucket {
    /// Charges one packet that costs `interval`, if that puts the client at most `tolerance`
    /// ahead of its rate. All in the same unit, whichever that is.
    pub fn admit(&mut self, interval: u128, tolerance: u128, now: u128) -> bool {
        let due = self.due.max(now);
        let within = due - now <= tolerance;
        if within {
            self.due = due + interval;
        }
        within
    }
}

/// The accounts of all clients.
#[derive(Clone, Debug, Default)]
pub struct Limiter(HashMap<Client, Bucket>);

impl Limiter {
    /// Whether a packet of this client is within its limit, and charges it if so. Time is cut to
    /// whole ticks, as the kernel's is.
    pub fn admit(&mut self, client: Client, limit: &Limit, now: Nanos) -> bool {
        if limit.interval == 0 {
            return true;
        }
        self.0.entry(client).or_default().admit(
            limit.interval.into(),
            limit.tolerance.into(),
            u128::from(now.0 / TICK_NANOS),
        )
    }
}

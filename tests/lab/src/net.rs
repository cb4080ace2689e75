//! The addresses and names of the lab, the same in every lab: each has its own namespaces.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The gateway's outside interface, on which XDP is attached.
pub const WAN: &str = "wan0";
/// The gateway's inside interface, towards the upstream.
pub const LAN: &str = "lan0";
/// The one interface of the client, the attacker and the upstream.
pub const ETH: &str = "eth0";

/// The network in front of the gateway.
pub const WAN_NET4: &str = "10.77.1.0/24";
/// The network in front of the gateway.
pub const WAN_NET6: &str = "fd77:0:0:1::/64";
/// The network behind the gateway.
pub const LAN_NET4: &str = "10.77.2.0/24";
/// The network behind the gateway.
pub const LAN_NET6: &str = "fd77:0:0:2::/64";

/// The gateway's inside address.
pub const GATEWAY_LAN4: Ipv4Addr = Ipv4Addr::new(10, 77, 2, 1);
/// The gateway's inside address.
pub const GATEWAY_LAN6: Ipv6Addr = lan6(1);

/// The link-layer address of [`LAN`].
pub const LAN_MAC: [u8; 6] = [0x02, 0x77, 0, 0, 0, 5];

/// The sources that the attacker may spoof or own: the benchmark range of RFC 2544.
pub const SPOOF4: &str = "198.18.0.0/15";
/// The sources that the attacker may spoof or own: the benchmark range of RFC 5180.
pub const SPOOF6: &str = "2001:2::/48";

pub(crate) const fn wan4(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 1, host)
}

pub(crate) const fn wan6(host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd77, 0, 0, 1, 0, 0, 0, host)
}

pub(crate) const fn lan4(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 2, host)
}

pub(crate) const fn lan6(host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd77, 0, 0, 2, 0, 0, 0, host)
}

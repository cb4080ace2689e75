//! Where SYNs may be answered: at the addresses of this host, on ports that somebody listens on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::{IpAddr, SocketAddr},
};

use gateway_common::{abi::LISTENING_CAPACITY, syncookie::Endpoint};
use nix::ifaddrs::getifaddrs;

/// Bytes of the IPv4 and the IPv6 header, each with TCP's.
const HEADERS: (u16, u16) = (40, 60);

/// The largest packet that any interface takes (RFC 8200, 5), where it is not known.
const LEAST_MTU: u16 = 1280;

/// The endpoints, each with the maximum segment size to announce.
pub(super) type Endpoints = BTreeMap<Endpoint, u16>;

/// The endpoints of `ports`, or of all that is `bound` when there are none; `local` are the
/// addresses of the host and `mtu` is the size of its packets. At most as many as the kernel's map
/// takes; says how many there would be.
pub(super) fn of(
    bound: &[SocketAddr],
    ports: &BTreeSet<u16>,
    local: &BTreeSet<IpAddr>,
    mtu: u16,
) -> (Endpoints, usize) {
    let all: BTreeSet<u16> = bound.iter().map(SocketAddr::port).collect();
    let ports = if ports.is_empty() { &all } else { ports };
    let mut found = Endpoints::new();
    for port in ports {
        for address in local.iter().filter(|one| is_open(bound, *port, **one)) {
            let (endpoint, headers) = match address {
                IpAddr::V4(address) => (Endpoint::v4(address.octets(), *port), HEADERS.0),
                IpAddr::V6(address) => (Endpoint::v6(address.octets(), *port), HEADERS.1),
            };
            found.insert(endpoint, mtu.max(LEAST_MTU) - headers);
        }
    }
    let wanted = found.len();
    let most = usize::try_from(LISTENING_CAPACITY).unwrap_or(usize::MAX);
    (found.into_iter().take(most).collect(), wanted)
}

/// Whether somebody listens there. A port of no listener is somebody else's, who is taken to
/// listen everywhere.
fn is_open(bound: &[SocketAddr], port: u16, address: IpAddr) -> bool {
    let mut here = bound.iter().filter(|one| one.port() == port).peekable();
    // A listener for IPv6 takes IPv4 too, unless that has one of its own.
    let twin = bound.iter().any(|one| one.port() == port && one.is_ipv4());
    here.peek().is_none()
        || here.any(|one| match (one.ip(), address) {
            (IpAddr::V6(ip), IpAddr::V4(_)) if ip.is_unspecified() => !twin,
            (ip, _) if ip.is_unspecified() => ip.is_ipv4() == address.is_ipv4(),
            (ip, _) => ip.to_canonical() == address,
        })
}

/// The addresses of this host that packets can come to from outside.
pub(super) fn local() -> io::Result<BTreeSet<IpAddr>> {
    let addresses = getifaddrs()?.filter_map(|one| {
        let address = one.address?;
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
    });
    Ok(addresses.filter(|one| !one.is_loopback()).collect())
}

/// The largest packet that all of these interfaces take. It is IPv6's, which the kernel tells for
/// the caller's network namespace and which is no larger than the link's.
pub(super) fn mtu<'a>(interfaces: impl Iterator<Item = &'a str>) -> u16 {
    interfaces
        .map(|name| {
            let text = fs::read_to_string(format!("/proc/sys/net/ipv6/conf/{name}/mtu"));
            let mtu = text.ok().and_then(|text| text.trim().parse::<u32>().ok());
            mtu.map_or(LEAST_MTU, |mtu| u16::try_from(mtu).unwrap_or(u16::MAX))
        })
        .min()
        .unwrap_or(LEAST_MTU)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bound: &[&str], ports: &[u16], local: &[&str]) -> Vec<String> {
        let bound: Vec<SocketAddr> = bound.iter().map(|one| one.parse().unwrap()).collect();
        let local = local.iter().map(|one| one.parse().unwrap()).collect();
        let ports = ports.iter().copied().collect();
        let (found, _) = of(&bound, &ports, &local, 1500);
        let name = |(endpoint, mss): (&Endpoint, &u16)| {
            let ip = match (endpoint.family, endpoint.address) {
                (4, [a, b, c, d, ..]) => IpAddr::from([a, b, c, d]),
                (_, address) => IpAddr::from(address),
            };
            assert_eq!(*mss, if ip.is_ipv4() { 1460 } else { 1440 });
            SocketAddr::new(ip, endpoint.port).to_string()
        };
        let mut names: Vec<_> = found.iter().map(name).collect();
        names.sort();
        names
    }

    const LOCAL: &[&str] = &["192.0.2.1", "192.0.2.2", "2001:db8::1"];

    #[test]
    fn wildcards_are_every_address_of_their_families() {
        assert_eq!(
            found(&["[::]:443"], &[], LOCAL),
            ["192.0.2.1:443", "192.0.2.2:443", "[2001:db8::1]:443"]
        );
        assert_eq!(
            found(&["0.0.0.0:443"], &[], LOCAL),
            ["192.0.2.1:443", "192.0.2.2:443"]
        );
        // IPv4 has a listener of its own, which is on one address.
        assert_eq!(
            found(&["[::]:443", "192.0.2.2:443"], &[], LOCAL),
            ["192.0.2.2:443", "[2001:db8::1]:443"]
        );
    }

    #[test]
    fn a_bound_address_is_that_one_and_only_while_it_is_there() {
        assert_eq!(found(&["192.0.2.1:80"], &[], LOCAL), ["192.0.2.1:80"]);
        assert_eq!(found(&["127.0.0.1:80"], &[], LOCAL), [""; 0]);
        assert_eq!(found(&["192.0.2.9:80"], &[], LOCAL), [""; 0]);
    }

    #[test]
    fn named_ports_are_the_only_ones() {
        let bound = ["[2001:db8::1]:443", "[::]:80"];
        assert_eq!(found(&bound, &[443], LOCAL), ["[2001:db8::1]:443"]);
        assert_eq!(
            found(&bound, &[8080], LOCAL),
            ["192.0.2.1:8080", "192.0.2.2:8080", "[2001:db8::1]:8080"]
        );
    }

    #[test]
    fn what_the_map_does_not_take_is_told() {
        let bound = ["0.0.0.0:443".parse().unwrap()];
        let local = (0..5000_u16).map(|n| {
            let [high, low] = n.to_be_bytes();
            IpAddr::from([10, 0, high, low])
        });
        let (found, wanted) = of(&bound, &BTreeSet::new(), &local.collect(), 60);
        assert_eq!((found.len(), wanted), (4096, 5000));
        assert!(found.values().all(|mss| *mss == LEAST_MTU - 40));
    }
}

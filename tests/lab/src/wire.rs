//! Makes the namespaces of a lab and the links, addresses and routes in them, by `ip -batch`.

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::host::{self, Host, Node};
use crate::lifetime::names;
use crate::net::{GATEWAY_LAN4, GATEWAY_LAN6, LAN, LAN_MAC, SPOOF4, SPOOF6};
use crate::{probe, wait, xdp};

/// Makes the network of the lab `id` and waits until every host is reached by both families.
pub(crate) fn up(id: &str, nodes: &[Node; 4]) -> Result<()> {
    let mut script = String::new();
    for namespace in names::netns_all(id) {
        writeln!(script, "netns add {namespace}")?;
    }
    feed(ip(&["-batch", "-"]), &script).context("making the lab's namespaces")?;

    for node in nodes {
        // Set before any interface exists, which takes its own values from `default`.
        node.sysctl("net/ipv6/conf/all/disable_ipv6", "0")?;
        node.sysctl("net/ipv6/conf/default/disable_ipv6", "0")?;
        node.sysctl("net/ipv6/conf/default/accept_dad", "0")?;
        node.sysctl("net/ipv6/conf/default/accept_ra", "0")?;
        node.sysctl("net/ipv4/conf/default/rp_filter", "0")?;
        node.sysctl("net/ipv4/conf/all/rp_filter", "0")?;
    }
    // All links are made from inside the switch, so that none ever shows on the machine.
    let switch = names::netns(id, names::SWITCH);
    forward_anything(&names::netns_path(&switch))?;
    feed(ip(&["-netns", &switch, "-batch", "-"]), &links(id)?).context("making the lab's links")?;
    xdp::receive(id, Host::Gateway.name()).context("making the switch take answers of XDP")?;
    for node in nodes {
        node.ip_batch(&addresses(node.host())?)?;
        if node.host() == Host::Attacker {
            node.sysctl("net/ipv6/ip_nonlocal_bind", "1")?;
        }
    }
    ready(nodes)
}

/// Sets the largest packet of everything in front of the gateway. The switch's own program takes
/// no large ones: it goes.
pub(crate) fn set_mtu(id: &str, nodes: &[Node; 4], mtu: u16) -> Result<()> {
    let switch = names::netns(id, names::SWITCH);
    let switched = |script: &str| feed(ip(&["-netns", &switch, "-batch", "-"]), script);
    let own = format!("link set {} xdpdrv off\n", Host::Gateway.name());
    switched(&own).context("removing the switch's program")?;
    let mut script = format!("link set br0 mtu {mtu}\n");
    for node in nodes.iter().filter(|node| node.host() != Host::Upstream) {
        writeln!(script, "link set {} mtu {mtu}", node.host().name())?;
        let interface = node.host().interface();
        node.ip_batch(&format!("link set {interface} mtu {mtu}\n"))?;
    }
    switched(&script).context("setting the lab's MTU")
}

/// Keeps the bridge from showing packets to netfilter, where the kernel has that: it would drop
/// what is malformed before the gateway sees it.
fn forward_anything(switch: &Path) -> Result<()> {
    let set = || -> Result<()> {
        for key in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
            match fs::write(Path::new("/proc/sys/net/bridge").join(key), "0") {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    };
    host::in_netns(switch, names::SWITCH, set)?.context("keeping the bridge from netfilter")
}

/// Runs a command with `script` on its standard input.
pub(crate) fn feed(mut command: Command, script: &str) -> Result<()> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .context("cannot run ip: install the package iproute2")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(script.as_bytes())?;
    }
    let out = child.wait_with_output()?;
    if !out.status.success() {
        bail!("{}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}

fn ip(args: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(args);
    command
}

fn links(id: &str) -> Result<String> {
    let mut script = String::from(
        "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n\
         link set br0 addrgenmode none up\n",
    );
    for host in [Host::Gateway, Host::Client, Host::Attacker] {
        let (name, interface, mac) = (host.name(), host.interface(), mac(host.mac()));
        let peer = names::netns(id, name);
        writeln!(
            script,
            "link add {name} type veth peer name {interface} address {mac} netns {peer}\n\
             link set {name} addrgenmode none master br0 up"
        )?;
    }
    let (gateway, upstream) = (
        names::netns(id, Host::Gateway.name()),
        names::netns(id, Host::Upstream.name()),
    );
    let lan_mac = mac(LAN_MAC);
    let (interface, mac) = (Host::Upstream.interface(), mac(Host::Upstream.mac()));
    writeln!(
        script,
        "link add {LAN} address {lan_mac} netns {gateway} type veth \
         peer name {interface} address {mac} netns {upstream}"
    )?;
    Ok(script)
}

fn addresses(host: Host) -> Result<String> {
    let (ip4, ip6, interface) = (host.ip4(), host.ip6(), host.interface());
    let mut script = format!(
        "link set lo up\n\
         address add {ip4}/24 dev {interface}\n\
         address add {ip6}/64 dev {interface} nodad\n\
         link set {interface} up\n"
    );
    match host {
        Host::Gateway => write!(
            script,
            "address add {GATEWAY_LAN4}/24 dev {LAN}\n\
             address add {GATEWAY_LAN6}/64 dev {LAN} nodad\n\
             link set {LAN} up\n\
             route add {SPOOF4} via {}\n\
             route add {SPOOF6} via {}\n",
            Host::Attacker.ip4(),
            Host::Attacker.ip6(),
        )?,
        Host::Attacker => {
            write!(
                script,
                "route add local {SPOOF4} dev lo\nroute add local {SPOOF6} dev lo\n"
            )?;
        }
        Host::Upstream => write!(
            script,
            "route add default via {GATEWAY_LAN4}\nroute add default via {GATEWAY_LAN6}\n"
        )?,
        Host::Client => {}
    }
    Ok(script)
}

fn mac(octets: [u8; 6]) -> String {
    octets.map(|octet| format!("{octet:02x}")).join(":")
}

/// Waits until the gateway reaches each of the others: links come up in their own time.
fn ready(nodes: &[Node; 4]) -> Result<()> {
    let gateway = nodes
        .iter()
        .find(|node| node.host() == Host::Gateway)
        .context("no gateway")?;
    for host in [Host::Client, Host::Attacker, Host::Upstream] {
        for address in [IpAddr::V4(host.ip4()), IpAddr::V6(host.ip6())] {
            wait::until(
                Duration::from_secs(5),
                &format!("{host} at {address}"),
                || {
                    probe::ping_within(gateway, address, 1, Duration::from_millis(50))
                        .is_ok_and(|pings| pings.received == 1)
                        .then_some(())
                },
            )?;
        }
    }
    Ok(())
}

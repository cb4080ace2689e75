//! A small network of namespaces in which the gateway is tested and shown.
//!
//! ```text
//!  client   10.77.1.2 ─┐
//!                      ├─ switch ── wan0 gateway lan0 ── upstream
//!  attacker 10.77.1.3 ─┘       10.77.1.1    10.77.2.1    10.77.2.2
//! ```
//!
//! Each host is a network namespace, `switch` is a fifth one that holds the bridge, and every host
//! has an IPv6 address of the same shape (`fd77:0:0:1::2` beside `10.77.1.2`). No interface and no
//! address is ever made outside these namespaces. The attacker also owns every address of the
//! benchmark ranges [`net::SPOOF4`] and [`net::SPOOF6`]: it may bind a socket to any of them, and
//! the gateway routes its answers there.
//!
//! ```no_run
//! use gateway_lab::{Host, Lab};
//!
//! # fn main() -> anyhow::Result<()> {
//! let lab = Lab::up("example")?;
//! let origin = lab.origin(9000)?;
//! let url = format!("http://{}:9000/hello", Host::Upstream.ip4());
//! let out = lab.host(Host::Gateway).command("curl").args(["-s", &url]).output()?;
//! assert!(out.status.success());
//! assert_eq!(origin.requests(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Entering a host
//!
//! [`Node::command`] runs a program in a host and [`Node::in_ns`] runs a closure there, both by
//! `setns` of the network namespace alone. `ip netns exec` is not used: it remounts `/sys` in a
//! private mount namespace, in which bpffs pins vanish with the process. What follows from that is
//! that `/sys/class/net` shows the interfaces of the machine, not of the host.
//!
//! # How a lab ends
//!
//! Dropping a [`Lab`] removes its namespaces, the processes that live in them, its pins and its
//! state; so do SIGINT, SIGTERM and SIGHUP, which then end the process as ever. A run that was
//! killed outright, or left by `std::process::exit`, leaves remains: a file
//! `/run/gateway-lab/<id>.lock` on which nobody holds a lock any more. The next [`Lab::up`] removes
//! those, and leaves labs that live alone.

pub mod agent;
pub mod certificate;
pub mod curl;
pub mod flood;
mod host;
mod lab;
mod lifetime;
pub mod mmdb;
pub mod net;
mod openssl;
pub mod origin;
pub mod probe;
pub mod token;
pub mod visitor;
pub mod wait;
mod wire;
pub mod xdp;

pub use agent::Agent;
pub use certificate::Certificate;
pub use curl::Curl;
pub use flood::{Drawn, Flood, Flooded, Sources, Trafgen};
pub use host::{Counters, Host, Node};
pub use lab::Lab;
pub use origin::{Behaviour, Origin};
pub use visitor::Visitor;

//! A lab from its making to its removal.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::host::{self, Host, Node};
use crate::lifetime::{self, Claim, names};
use crate::net::{GATEWAY_LAN4, GATEWAY_LAN6, LAN, SPOOF4, SPOOF6, WAN};
use crate::origin::Origin;
use crate::wire;

/// A network of namespaces that is up, and removed on drop. See the crate's own words.
#[derive(Debug)]
pub struct Lab {
    id: String,
    nodes: [Node; 4],
    pins: PathBuf,
    state: PathBuf,
}

impl Lab {
    /// Removes what dead runs left, then makes a lab and waits until its hosts reach each other.
    ///
    /// `name` becomes the first part of the id, for people who look at `/run/netns`. Several labs
    /// may live at once, in one process or in many.
    ///
    /// # Errors
    ///
    /// When the caller is not root, a tool is missing, or the kernel refuses. Nothing is left.
    pub fn up(name: &str) -> Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            bail!("the lab makes network namespaces: run this as root");
        }
        let claim = Claim::take(name)?;
        let nodes = Host::ALL.map(|host| {
            Node::new(
                host,
                names::netns_path(&names::netns(claim.id(), host.name())),
            )
        });
        let id = lifetime::hold(claim, |id| {
            make_directories(id)?;
            wire::up(id, &nodes)
        })?;
        let (pins, state) = (names::pins(&id), names::state(&id));
        Ok(Self {
            id,
            nodes,
            pins,
            state,
        })
    }

    /// The id that names this lab's namespaces, directories and lock.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// One of the hosts.
    pub fn host(&self, host: Host) -> &Node {
        let [client, attacker, gateway, upstream] = &self.nodes;
        match host {
            Host::Client => client,
            Host::Attacker => attacker,
            Host::Gateway => gateway,
            Host::Upstream => upstream,
        }
    }

    /// Runs `work` on a fresh thread inside the switch, where each host in front of the gateway,
    /// and the gateway's [`WAN`], is at the other end of a port of the host's name. A frame that
    /// is put on a port there reaches its host without crossing the bridge.
    ///
    /// # Errors
    ///
    /// When the lab is gone.
    pub fn in_switch<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let switch = names::netns_path(&names::netns(&self.id, names::SWITCH));
        host::in_netns(&switch, names::SWITCH, work)
    }

    /// A directory on the bpf file system for this lab's pins, removed with the lab.
    pub fn pins(&self) -> &Path {
        &self.pins
    }

    /// A directory readable by root alone, for configs, sockets and databases; removed with the
    /// lab. `bpffs` in it is a link to [`Lab::pins`].
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Starts an origin in the upstream host, on all its addresses; port 0 lets the kernel choose.
    ///
    /// # Errors
    ///
    /// When the port is taken or the lab is gone.
    pub fn origin(&self, port: u16) -> Result<Origin> {
        let listener = self
            .host(Host::Upstream)
            .in_ns(|| std::net::TcpListener::bind(("::", port)))?;
        Origin::serve(listener.with_context(|| format!("an origin on port {port}"))?)
    }

    /// Sets the largest packet, in bytes, of the network in front of the gateway; 1500 before.
    ///
    /// # Errors
    ///
    /// When the kernel refuses it, as it does where an XDP program cannot take frames of that
    /// size.
    pub fn set_mtu(&self, mtu: u16) -> Result<()> {
        wire::set_mtu(&self.id, &self.nodes, mtu)
    }

    /// Environment variables that tell a program inside the lab where everything is.
    ///
    /// `LAB_CLIENT4`, `LAB_CLIENT6` and so on for each host, `LAB_GATEWAY_LAN4` and `…6`,
    /// `LAB_NETNS_CLIENT` and so on, `LAB_WAN`, `LAB_LAN`, `LAB_SPOOF4`, `LAB_SPOOF6`, `LAB_ID`,
    /// `LAB_PINS`, `LAB_STATE`.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut all = vec![
            ("LAB_ID".into(), self.id.clone()),
            ("LAB_PINS".into(), self.pins.display().to_string()),
            ("LAB_STATE".into(), self.state.display().to_string()),
            ("LAB_WAN".into(), WAN.into()),
            ("LAB_LAN".into(), LAN.into()),
            ("LAB_SPOOF4".into(), SPOOF4.into()),
            ("LAB_SPOOF6".into(), SPOOF6.into()),
            ("LAB_GATEWAY_LAN4".into(), GATEWAY_LAN4.to_string()),
            ("LAB_GATEWAY_LAN6".into(), GATEWAY_LAN6.to_string()),
        ];
        for node in &self.nodes {
            let (host, name) = (node.host(), node.host().name().to_uppercase());
            all.push((format!("LAB_{name}4"), host.ip4().to_string()));
            all.push((format!("LAB_{name}6"), host.ip6().to_string()));
            all.push((
                format!("LAB_NETNS_{name}"),
                node.netns().display().to_string(),
            ));
        }
        all
    }

    /// Removes the lab, as dropping it does, and says whether that went well.
    ///
    /// # Errors
    ///
    /// What would not go away.
    pub fn down(self) -> Result<()> {
        lifetime::release(&self.id)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = lifetime::release(&self.id) {
            eprintln!("{error:#}");
        }
    }
}

fn make_directories(id: &str) -> Result<()> {
    for directory in [names::pins(id), names::state(id)] {
        DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
    }
    std::os::unix::fs::symlink(names::pins(id), names::state(id).join("bpffs"))
        .context("cannot link the pins")?;
    fs::metadata(names::state(id).join("bpffs")).context("the pins cannot be reached")?;
    Ok(())
}

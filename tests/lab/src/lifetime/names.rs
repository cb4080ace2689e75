//! The names of everything a lab leaves outside the process, all derived from its id.

use std::path::{Path, PathBuf};

use crate::host::Host;

/// The fifth namespace, which holds the bridge.
pub(crate) const SWITCH: &str = "switch";
/// What the names of namespaces and pin directories begin with.
pub(crate) const PREFIX: &str = "gateway-lab-";
/// Where `ip netns` keeps its names.
pub(crate) const NETNS: &str = "/run/netns";
/// Where the bpf file system is expected by everybody.
pub(crate) const BPFFS: &str = "/sys/fs/bpf";
/// Where the locks and the state of labs are.
pub(crate) const STATE: &str = "/run/gateway-lab";

/// The name of one namespace of the lab `id`.
pub(crate) fn netns(id: &str, host: &str) -> String {
    format!("{PREFIX}{id}-{host}")
}

/// The names of all five namespaces of the lab `id`.
pub(crate) fn netns_all(id: &str) -> [String; 5] {
    let [client, attacker, gateway, upstream] = Host::ALL.map(|host| netns(id, host.name()));
    [client, attacker, gateway, upstream, netns(id, SWITCH)]
}

/// The id of the lab to which the namespace `name` belongs.
pub(crate) fn id_of_netns(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PREFIX)?;
    let (id, host) = rest.rsplit_once('-')?;
    let known = host == SWITCH || Host::ALL.iter().any(|one| one.name() == host);
    known.then_some(id)
}

/// The file that names a namespace.
pub(crate) fn netns_path(name: &str) -> PathBuf {
    Path::new(NETNS).join(name)
}

/// The directory for the pins of the lab `id`.
pub(crate) fn pins(id: &str) -> PathBuf {
    Path::new(BPFFS).join(format!("{PREFIX}{id}"))
}

/// The directory for everything else that the lab `id` keeps.
pub(crate) fn state(id: &str) -> PathBuf {
    Path::new(STATE).join(id)
}

/// The file that the owner of the lab `id` holds locked.
pub(crate) fn lock(id: &str) -> PathBuf {
    Path::new(STATE).join(format!("{id}.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_leads_back_to_its_lab_and_to_no_other() {
        for name in netns_all("demo-1-0a") {
            assert_eq!(id_of_netns(&name), Some("demo-1-0a"));
        }
        assert_eq!(id_of_netns("gateway-lab-demo-uplink"), None);
        assert_eq!(id_of_netns("somebody-elses"), None);
    }
}

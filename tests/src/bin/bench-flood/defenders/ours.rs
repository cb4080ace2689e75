//! The gateway's own program, with the limits of a stock configuration.

use std::time::Duration;

use anyhow::Result;
use gateway_agent::datapath::{Datapath, Mode};
use gateway_common::{
    Verdict,
    lists::{Entry, MODE_ENFORCE},
    settings::Limit,
    tables::List,
    time::Nanos,
};
use gateway_lab::{Host, Lab, net::WAN, wait};
use gateway_tests::bench::pins::PinDir;
use serde_json::Value;

use super::{Defender, tell};
use crate::shapes::Shape;

/// How long the kernel may take to let go of the program.
const SOON: Duration = Duration::from_secs(5);

pub(crate) struct Ours {
    datapath: Datapath,
    /// Goes last: the maps are pinned in it.
    _pins: PinDir,
}

impl Ours {
    pub(crate) const NAME: &str = "gateway";

    /// The program with a deny list for `shape`.
    pub(crate) fn new(shape: Shape) -> Result<Self> {
        let pins = PinDir::new()?;
        let mut datapath = Datapath::load(pins.path())?;
        let entries: Vec<_> = shape
            .prefixes()
            .into_iter()
            .zip(1..)
            .map(|(prefix, rule)| {
                let entry = Entry {
                    rule,
                    ..Entry::default()
                };
                (prefix, entry)
            })
            .collect();
        datapath.insert_all(List::Deny, &entries)?;
        let second = Nanos::from_secs(1);
        datapath.set_limits(&[Limit::new(5_000, second, second, MODE_ENFORCE)])?;
        Ok(Self {
            datapath,
            _pins: pins,
        })
    }
}

impl Defender for Ours {
    fn put_up(&mut self, lab: &Lab) -> Result<()> {
        let datapath = &mut self.datapath;
        let attach = || datapath.attach(WAN, Some(Mode::Native));
        lab.host(Host::Gateway).in_ns(attach)??;
        Ok(())
    }

    fn take_down(&mut self, lab: &Lab) -> Result<()> {
        self.datapath.detach_others(&[])?;
        // The kernel lets go of a pinned link some time after its pin is gone.
        wait::until(SOON, "the program to leave the interface", || {
            let args = ["-json", "-details", "link", "show", "dev", WAN];
            tell(lab, "ip", &args, "")
                .is_ok_and(|links| is_free(&links))
                .then_some(())
        })
    }

    /// Denied packets alone: one that a limit dropped would be a fault of the benchmark.
    fn dropped(&mut self, _: &Lab) -> Result<u64> {
        let counts = self.datapath.counters_of(0)?;
        let denied = |verdict| matches!(verdict, Verdict::DeniedExact | Verdict::DeniedPrefix);
        Ok(counts
            .iter()
            .filter(|count| denied(count.verdict))
            .map(|count| count.packets)
            .sum())
    }
}

/// Whether the one interface that `ip` has listed has no XDP program.
fn is_free(links: &str) -> bool {
    serde_json::from_str::<Value>(links)
        .is_ok_and(|links| links.pointer("/0").is_some() && links.pointer("/0/xdp").is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_with_a_program_is_not_free() {
        assert!(is_free(r#"[{"ifname": "wan0"}]"#));
        assert!(!is_free(r#"[{"ifname": "wan0", "xdp": {"mode": 1}}]"#));
        assert!(!is_free("[]"));
    }
}

//! Debian's `xdp-filter`: its program that drops listed addresses, attached directly, without the
//! dispatcher that its loader puts in front of it.

use anyhow::{Context, Result};
use aya::{Ebpf, maps::PerCpuArray, programs::xdp::XdpLinkId};
use gateway_lab::Lab;
use gateway_tests::bench::{pins::PinDir, xdp_filter};

use super::{Defender, xdp};
use crate::shapes::Shape;

/// Its counters by action; XDP_DROP is 1.
const COUNTERS: &str = "xdp_stats_map";
const DROPPED: u32 = 1;

pub(crate) struct XdpFilter {
    ebpf: Ebpf,
    link: Option<XdpLinkId>,
    /// Goes last: the maps are pinned in it.
    _pins: PinDir,
}

impl XdpFilter {
    pub(crate) const NAME: &str = "xdp-filter";

    pub(crate) fn new(shape: Shape) -> Result<Self> {
        let object = xdp_filter::object().context("not installed (package xdp-tools)")?;
        let pins = PinDir::new()?;
        std::fs::create_dir(pins.path())?;
        let hosts = shape.hosts().map(|host| host.octets());
        let mut ebpf = xdp_filter::open(&object, pins.path(), hosts)?;
        xdp_filter::program(&mut ebpf)?
            .load()
            .context("loading xdp-filter")?;
        Ok(Self {
            ebpf,
            link: None,
            _pins: pins,
        })
    }
}

impl Defender for XdpFilter {
    fn put_up(&mut self, lab: &Lab) -> Result<()> {
        self.link = Some(xdp::attach(lab, xdp_filter::program(&mut self.ebpf)?)?);
        Ok(())
    }

    fn take_down(&mut self, _: &Lab) -> Result<()> {
        if let Some(link) = self.link.take() {
            xdp_filter::program(&mut self.ebpf)?.detach(link)?;
        }
        Ok(())
    }

    fn dropped(&mut self, _: &Lab) -> Result<u64> {
        let map = self.ebpf.map(COUNTERS).context("it has no counters")?;
        let counters = PerCpuArray::<_, [u64; 2]>::try_from(map)?;
        let cpus = counters.get(&DROPPED, 0)?;
        Ok(cpus.iter().map(|[packets, _]| packets).sum())
    }
}

//! XDP programs in native mode on the gateway's outside interface.

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    programs::{
        Xdp,
        xdp::{XdpLinkId, XdpMode},
    },
};
use gateway_agent::datapath::FLOOD_OBJECT;
use gateway_lab::{Host, Lab, net::WAN};

use super::Defender;

/// A program that treats all packets alike.
pub(crate) struct Constant {
    program: &'static str,
    ebpf: Ebpf,
    link: Option<XdpLinkId>,
}

impl Constant {
    /// The bare `XDP_DROP`, which everybody is compared with.
    pub(crate) fn drop_all() -> Result<Self> {
        Self::new("drop_all")
    }

    /// Lets everything in. What comes as live frames reaches the stack this way only.
    pub(crate) fn pass_all() -> Result<Self> {
        Self::new("pass_all")
    }

    fn new(program: &'static str) -> Result<Self> {
        let mut ebpf = Ebpf::load(FLOOD_OBJECT).context("opening the programs of the benchmark")?;
        xdp(&mut ebpf, program)?
            .load()
            .with_context(|| format!("loading {program}"))?;
        Ok(Self {
            program,
            ebpf,
            link: None,
        })
    }
}

impl Defender for Constant {
    fn put_up(&mut self, lab: &Lab) -> Result<()> {
        let link = attach(lab, xdp(&mut self.ebpf, self.program)?)?;
        self.link = Some(link);
        Ok(())
    }

    fn take_down(&mut self, _: &Lab) -> Result<()> {
        if let Some(link) = self.link.take() {
            xdp(&mut self.ebpf, self.program)?.detach(link)?;
        }
        Ok(())
    }

    /// It counts nothing itself: what came has been dropped.
    fn dropped(&mut self, lab: &Lab) -> Result<u64> {
        Ok(lab.host(Host::Gateway).counters(WAN)?.rx_packets)
    }
}

/// Puts a loaded program on the gateway's outside interface.
pub(super) fn attach(lab: &Lab, xdp: &mut Xdp) -> Result<XdpLinkId> {
    let attached = lab
        .host(Host::Gateway)
        .in_ns(|| xdp.attach(WAN, XdpMode::Driver))?;
    attached.context("attaching an XDP program")
}

fn xdp<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut Xdp> {
    let program = ebpf
        .program_mut(name)
        .with_context(|| format!("no program {name}"))?;
    Ok(program.try_into()?)
}

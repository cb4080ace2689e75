//! Who drops the floods.

mod ipset;
mod nft;
mod ours;
mod xdp;
mod xdp_filter;

use std::{io::Write, process::Stdio};

use anyhow::{Context, Result, bail};
use gateway_lab::{Host, Lab};

pub(crate) use self::{ipset::IpSet, nft::Nft, ours::Ours, xdp::Constant, xdp_filter::XdpFilter};
use crate::shapes::Shape;

/// Something that drops what comes from a list of sources, ready to be put in front of the
/// gateway. Each is fair to itself: it holds the list in the form that it is quickest with.
pub(crate) trait Defender {
    /// Begins to drop what the gateway's outside interface receives.
    fn put_up(&mut self, lab: &Lab) -> Result<()>;

    /// Stops.
    fn take_down(&mut self, lab: &Lab) -> Result<()>;

    /// How many packets it has dropped since some time before it was put up.
    fn dropped(&mut self, lab: &Lab) -> Result<u64>;
}

/// A defender for a shape, or the reason why it is left out.
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) defender: Result<Box<dyn Defender>>,
}

/// Others that could drop a flood of this shape. Each has been put up once: a tool or a feature of
/// the kernel that is missing leaves out one of them, and not the others.
pub(crate) fn others(lab: &Lab, shape: Shape) -> Vec<Candidate> {
    vec![
        Candidate::tried(lab, XdpFilter::NAME, || XdpFilter::new(shape)),
        Candidate::tried(lab, Nft::NAME, || Nft::new(lab, shape)),
        Candidate::tried(lab, IpSet::NAME, || IpSet::new(lab, shape)),
    ]
}

impl Candidate {
    fn tried<D: Defender + 'static>(
        lab: &Lab,
        name: &'static str,
        make: impl FnOnce() -> Result<D>,
    ) -> Self {
        let attempt = || -> Result<Box<dyn Defender>> {
            let mut defender = make()?;
            let tried = defender.put_up(lab).and_then(|()| defender.dropped(lab));
            let ended = defender.take_down(lab);
            // What would not begin does not end well either.
            tried?;
            ended?;
            Ok(Box::new(defender))
        };
        Self {
            name,
            defender: attempt(),
        }
    }
}

/// Runs a program in the gateway host, with `script` on its standard input; returns what it
/// wrote.
fn tell(lab: &Lab, program: &str, args: &[&str], script: &str) -> Result<String> {
    let mut command = lab.host(Host::Gateway).command(program);
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot run nsenter")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin
            .write_all(script.as_bytes())
            .with_context(|| format!("{program} does not listen"))?;
    }
    let out = child.wait_with_output()?;
    if !out.status.success() {
        let complaint = String::from_utf8_lossy(&out.stderr);
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty());
        bail!("{program}: {}", last.unwrap_or("it gives no reason").trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

//! `ipset` with iptables in the table `raw`, the first place where iptables can drop.

use std::fmt::Write;

use anyhow::{Context, Result};
use gateway_lab::Lab;

use super::{Constant, Defender, tell};
use crate::shapes::Shape;

pub(crate) struct IpSet {
    /// The name of the set.
    set: &'static str,
    pass: Constant,
}

impl IpSet {
    pub(crate) const NAME: &str = "ipset raw";

    pub(crate) fn new(lab: &Lab, shape: Shape) -> Result<Self> {
        let set = shape.name();
        let mut script = format!("create {set} hash:ip hashsize 65536 maxelem 65536\n");
        for host in shape.hosts() {
            writeln!(script, "add {set} {host}")?;
        }
        tell(lab, "ipset", &["-exist", "restore"], &script)?;
        Ok(Self {
            set,
            pass: Constant::pass_all()?,
        })
    }

    fn rule(&self, lab: &Lab, action: &str) -> Result<()> {
        let args = [
            "-t",
            "raw",
            action,
            "PREROUTING",
            "-m",
            "set",
            "--match-set",
            self.set,
            "src",
            "-j",
            "DROP",
        ];
        tell(lab, "iptables", &args, "").map(drop)
    }
}

impl Defender for IpSet {
    fn put_up(&mut self, lab: &Lab) -> Result<()> {
        self.pass.put_up(lab)?;
        self.rule(lab, "-I")
    }

    fn take_down(&mut self, lab: &Lab) -> Result<()> {
        self.pass.take_down(lab)?;
        self.rule(lab, "-D")
    }

    fn dropped(&mut self, lab: &Lab) -> Result<u64> {
        let listed = tell(lab, "iptables", &["-t", "raw", "-nvxL", "PREROUTING"], "")?;
        packets(&listed).context("iptables shows no counter")
    }
}

/// The first number of the first rule, below two lines of headings.
fn packets(listed: &str) -> Option<u64> {
    listed
        .lines()
        .nth(2)?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_found() {
        let listed = "Chain PREROUTING (policy ACCEPT 3 packets, 120 bytes)\n    pkts      bytes target     prot opt in     out     source               destination\n      42     1680 DROP       all  --  *      *       0.0.0.0/0            0.0.0.0/0            match-set hosts src\n";
        assert_eq!(packets(listed), Some(42));
        assert_eq!(packets("Chain PREROUTING\n pkts\n"), None);
    }
}

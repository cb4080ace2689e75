//! nftables at the ingress hook, the first place after XDP: one rule on a set of addresses.
//!
//! A set of known size without intervals is its quickest: one look-up in a hash table.

use std::fmt::Write;

use anyhow::{Context, Result};
use gateway_lab::{Lab, net::WAN};
use serde_json::Value;

use super::{Constant, Defender, tell};
use crate::shapes::Shape;

const TABLE: &str = "netdev flood";

pub(crate) struct Nft {
    /// The name of the set.
    set: &'static str,
    pass: Constant,
}

impl Nft {
    pub(crate) const NAME: &str = "nft ingress";

    pub(crate) fn new(lab: &Lab, shape: Shape) -> Result<Self> {
        let set = shape.name();
        let mut script = format!(
            "add table {TABLE}\n\
             add set {TABLE} {set} {{ type ipv4_addr; size 65536; }}\n\
             add element {TABLE} {set} {{"
        );
        for host in shape.hosts() {
            write!(script, "{host},")?;
        }
        script.push_str("}\n");
        tell(lab, "nft", &["-f", "-"], &script)?;
        Ok(Self {
            set,
            pass: Constant::pass_all()?,
        })
    }
}

impl Defender for Nft {
    fn put_up(&mut self, lab: &Lab) -> Result<()> {
        self.pass.put_up(lab)?;
        let script = format!(
            "add chain {TABLE} drops {{ type filter hook ingress device {WAN} priority -500; }}\n\
             add rule {TABLE} drops ip saddr @{} counter drop\n",
            self.set
        );
        tell(lab, "nft", &["-f", "-"], &script).map(drop)
    }

    fn take_down(&mut self, lab: &Lab) -> Result<()> {
        let script = format!("flush chain {TABLE} drops\ndelete chain {TABLE} drops\n");
        self.pass.take_down(lab)?;
        tell(lab, "nft", &["-f", "-"], &script).map(drop)
    }

    fn dropped(&mut self, lab: &Lab) -> Result<u64> {
        let listed = tell(
            lab,
            "nft",
            &["-j", "list", "chain", "netdev", "flood", "drops"],
            "",
        )?;
        packets(&serde_json::from_str(&listed)?).context("nft shows no counter")
    }
}

/// The count of the first counter in what `nft -j` lists.
fn packets(listed: &Value) -> Option<u64> {
    let objects = listed.get("nftables")?.as_array()?;
    let expressions = objects
        .iter()
        .filter_map(|object| object.pointer("/rule/expr")?.as_array());
    expressions
        .flatten()
        .find_map(|expression| expression.pointer("/counter/packets")?.as_u64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_counter_is_found() {
        let listed = json!({"nftables": [{"metainfo": {}}, {"rule": {"expr": [
            {"match": {}}, {"counter": {"packets": 7, "bytes": 420}}, {"drop": null},
        ]}}]});
        assert_eq!(packets(&listed), Some(7));
        assert_eq!(packets(&json!({"nftables": []})), None);
    }
}

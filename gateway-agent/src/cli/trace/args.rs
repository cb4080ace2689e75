//! What may be typed behind `gateway trace`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use gateway_common::{Action, Verdict};

use super::described::{Flags, Fragment, Protocol};
use crate::cli::args::Shape;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("packets").required(true).args(["capture", "from"])))]
pub(in crate::cli) struct TraceArgs {
    /// A capture in pcap or pcapng format; - reads the standard input
    #[arg(value_name = "FILE")]
    pub(super) capture: Option<PathBuf>,
    /// Show only what is dropped, passed or answered, or comes to one verdict, such as rate-limited
    #[arg(long, value_name = "WHAT", value_parser = only, conflicts_with = "from")]
    pub(super) only: Option<Only>,
    /// Show the sums alone
    #[arg(long, conflicts_with_all = ["from", "only"])]
    pub(super) summary: bool,
    #[command(flatten)]
    pub(super) shape: Shape,
    #[command(flatten)]
    pub(super) described: Described,
}

/// A packet in words.
#[derive(Debug, Args)]
#[command(next_help_heading = "A described packet")]
pub(in crate::cli) struct Described {
    /// The source of a packet to make up
    #[arg(long, value_name = "IP")]
    pub(super) from: Option<IpAddr>,
    /// Its source port
    #[arg(long, value_name = "PORT", requires = "from")]
    pub(super) from_port: Option<u16>,
    /// Its destination; a documentation address when left out
    #[arg(long, value_name = "IP", requires = "from")]
    pub(super) to: Option<IpAddr>,
    /// Its destination port; 443 when left out
    #[arg(long, value_name = "PORT", requires = "from")]
    pub(super) port: Option<u16>,
    /// Its protocol: tcp, udp, icmp, or a number; tcp when left out
    #[arg(long, value_name = "PROTOCOL", requires = "from")]
    pub(super) proto: Option<Protocol>,
    /// Its TCP flags, such as syn,ack, or none; syn when left out
    #[arg(long, value_name = "FLAGS", requires = "from")]
    pub(super) flags: Option<Flags>,
    /// A VLAN tag in front of it, the outermost first; may be given more than once
    #[arg(long, value_name = "ID", requires = "from", value_parser = clap::value_parser!(u16).range(..4096))]
    pub(super) vlan: Vec<u16>,
    /// The bytes of the whole frame; as short as it can be when left out
    #[arg(long, value_name = "BYTES", requires = "from")]
    pub(super) length: Option<usize>,
    /// Makes it a fragment that begins at this byte of the packet; a + behind it says that more
    /// follow
    #[arg(long, value_name = "OFFSET[+]", requires = "from")]
    pub(super) fragment: Option<Fragment>,
}

/// Which packets to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Only {
    Action(Action),
    Verdict(Verdict),
}

impl Only {
    pub(super) fn covers(self, verdict: Option<Verdict>) -> bool {
        match self {
            Self::Action(action) => verdict.is_some_and(|v| v.action() == action),
            Self::Verdict(only) => verdict == Some(only),
        }
    }
}

fn only(text: &str) -> Result<Only, String> {
    let verdict = || Verdict::ALL.iter().find(|verdict| verdict.name() == text);
    match text {
        "dropped" => Ok(Only::Action(Action::Drop)),
        "passed" => Ok(Only::Action(Action::Pass)),
        "answered" => Ok(Only::Action(Action::Answer)),
        _ => verdict().copied().map(Only::Verdict).ok_or_else(|| {
            let names: Vec<_> = Verdict::ALL.iter().map(|verdict| verdict.name()).collect();
            format!(
                "it is dropped, passed, answered, or one of {}",
                names.join(", ")
            )
        }),
    }
}

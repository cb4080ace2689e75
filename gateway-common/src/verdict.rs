//! Every way a packet can leave the pipeline.

/// What the shell does with the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Hand it to the kernel's stack.
    Pass,
    /// Drop it at the driver.
    Drop,
    /// Send an answer back to where it came from; the stack never sees it.
    Answer,
}

impl Action {
    /// The stable name, for metrics, tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Drop => "drop",
            Self::Answer => "answer",
        }
    }

    /// What becomes of the packet, to stand behind "is".
    #[must_use]
    pub const fn fate(self) -> &'static str {
        match self {
            Self::Pass => "let in",
            Self::Drop => "dropped",
            Self::Answer => "answered",
        }
    }
}

macro_rules! verdicts {
    ($($variant:ident = $index:literal, $action:ident, $name:literal, $words:literal;)+) => {
        /// The verdict on one packet; the counter, the event, the metric label and the
        /// explanation all derive from it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Verdict {
            $(#[doc = $words] $variant = $index,)+
        }

        impl Verdict {
            /// Every verdict, in the order of their counters.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The verdict whose counter stands at `index`; `None` past the last.
            #[must_use]
            pub const fn from_index(index: u8) -> Option<Self> {
                match index {
                    $($index => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// What becomes of the packet.
            #[inline(always)]
            #[must_use]
            pub const fn action(self) -> Action {
                match self {
                    $(Self::$variant => Action::$action,)+
                }
            }

            /// The stable name, in kebab case, for metrics, logs and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// One sentence for a person.
            #[must_use]
            pub const fn describe(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)+
                }
            }
        }
    };
}

verdicts! {
    Pass = 0, Pass, "pass", "The packet broke no rule and kept to its rate.";
    Safelisted = 1, Pass, "safelisted", "The source is on the safelist.";
    NotIp = 2, Pass, "not-ip", "The frame carries neither IPv4 nor IPv6 (ARP and the like).";
    Neighbour = 3, Pass, "neighbour-discovery", "IPv6 neighbour discovery from this link.";
    WouldDeny = 4, Pass, "would-deny", "A deny entry in shadow mode matched: it would be dropped.";
    WouldLimit = 5, Pass, "would-limit", "A limit in shadow mode was exceeded: it would be dropped, or answered with a SYN cookie.";
    Unconfigured = 6, Pass, "unconfigured", "The agent has not written its settings yet.";
    DeniedExact = 7, Drop, "denied-exact", "The source address itself is on the deny list.";
    DeniedPrefix = 8, Drop, "denied-prefix", "The source lies in a prefix on the deny list.";
    Banned = 9, Drop, "banned", "The agent banned the source for what it did at layer 7.";
    RateLimited = 10, Drop, "rate-limited", "The source sent more packets than its limit.";
    Truncated = 11, Drop, "truncated", "The frame ends inside a header.";
    BadHeader = 12, Drop, "bad-header", "The IP version or header length is impossible.";
    BadLength = 13, Drop, "bad-length", "The IP length disagrees with the frame.";
    BadSource = 14, Drop, "bad-source", "No host may use this source address.";
    Land = 15, Drop, "land", "Source and destination are the same address.";
    BadTcpFlags = 16, Drop, "bad-tcp-flags", "The TCP flags contradict each other.";
    TooManyVlans = 17, Drop, "too-many-vlans", "More than two VLAN tags.";
    TooManyExtensions = 18, Drop, "too-many-extensions", "More IPv6 extension headers than are followed.";
    PenaltyBox = 19, Drop, "penalty-box", "The source exceeded its packet rate and is shut out for a time.";
    ByteLimited = 20, Drop, "byte-limited", "The source sent more bytes than its limit.";
    ConnectionLimited = 21, Drop, "connection-limited", "The source opened more TCP connections than its limit.";
    SiteLimited = 22, Drop, "site-limited", "The IPv6 site of the source sent more packets than its limit.";
    PortLimited = 23, Drop, "port-limited", "The source sent more packets to these ports than its limit.";
    DestinationLimited = 24, Drop, "destination-limited", "The destination's network receives more packets than its limit.";
    SynCookie = 25, Answer, "syn-cookie", "The port receives more SYNs than the threshold: it was answered with a SYN cookie.";
    UnknownLimited = 26, Drop, "unknown-limited", "Attack mode is on, and the source, which has not proven itself, sent more packets than such sources may.";
    CountryLimited = 27, Drop, "country-limited", "The source sent more packets than sources of its country may.";
}

/// Counters reserved per interface: the verdicts of today and room to grow without a new ABI.
pub const VERDICT_SLOTS: u32 = 32;

const _: () = assert!(Verdict::ALL.len() <= VERDICT_SLOTS as usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stand_in_declaration_order() {
        for (i, v) in Verdict::ALL.iter().enumerate() {
            assert_eq!(*v as usize, i);
            assert_eq!(Verdict::from_index(i as u8), Some(*v));
        }
        assert_eq!(Verdict::from_index(Verdict::ALL.len() as u8), None);
    }

    #[test]
    fn names_are_unique() {
        for (i, a) in Verdict::ALL.iter().enumerate() {
            assert!(
                Verdict::ALL
                    .iter()
                    .skip(i + 1)
                    .all(|b| a.name() != b.name())
            );
        }
    }
}

//! What is measured: a frame, the way it takes, and the verdict it must get.

use std::net::Ipv4Addr;

use gateway_common::{Verdict, lists::MODE_ENFORCE, settings::Limit, time::Nanos};

use gateway_tests::bench::sources::Sources;

use crate::frames;

/// One case.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) packet: Packet,
    pub(crate) rate: Rate,
    /// What every packet of it must come to.
    pub(crate) verdict: Verdict,
}

/// What the packets of a case look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// From one IPv4 source.
    From([u8; 4]),
    /// From one IPv6 source, by the last byte of its address.
    From6(u8),
    /// From IPv4 sources drawn at random.
    FromAny(Sources),
}

/// The packet limit in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    /// Nobody exceeds it, though every packet is charged to it.
    Ample,
    /// There is none.
    Unlimited,
    /// Used up by the first packet.
    Spent,
}

/// Blocks of 198.18.0.0/15 (RFC 2544) that the random part of the lists leaves alone.
pub(crate) mod blocks {
    /// On no list, and nothing of its /24 is.
    pub(crate) const CLEAN: [u8; 4] = [198, 18, 0, 1];
    /// On no list, but its /24 holds a denied host.
    pub(crate) const CLEAN_MIXED: [u8; 4] = [198, 18, 1, 1];
    /// The denied host of that /24.
    pub(crate) const NEIGHBOUR: [u8; 4] = [198, 18, 1, 200];
    /// Denied as a host.
    pub(crate) const EXACT: [u8; 4] = [198, 18, 2, 1];
    /// Inside a denied /20, in a /24 that holds nothing else.
    pub(crate) const PREFIX: [u8; 4] = [198, 18, 17, 1];
    /// Inside a denied /20, in a /24 that holds a denied host too.
    pub(crate) const PREFIX_MIXED: [u8; 4] = [198, 18, 33, 1];
    /// That denied host.
    pub(crate) const PREFIX_NEIGHBOUR: [u8; 4] = [198, 18, 33, 200];
    /// Over its limit.
    pub(crate) const LIMITED: [u8; 4] = [198, 18, 3, 1];
    /// On the safelist, when there is one.
    pub(crate) const SAFE: [u8; 4] = [198, 18, 4, 1];
}

/// Every case. Names without a number or a qualifier are those of the usual lists; others are
/// there to explain them.
pub(crate) const CASES: [Case; 13] = [
    case("clean-hot", Packet::From(blocks::CLEAN), Verdict::Pass),
    case(
        "clean-random",
        Packet::FromAny(Sources::CLEAN),
        Verdict::Pass,
    ),
    case(
        "denied-exact",
        Packet::From(blocks::EXACT),
        Verdict::DeniedExact,
    ),
    case(
        "denied-prefix",
        Packet::From(blocks::PREFIX),
        Verdict::DeniedPrefix,
    ),
    Case {
        rate: Rate::Spent,
        ..case(
            "rate-limited",
            Packet::From(blocks::LIMITED),
            Verdict::RateLimited,
        )
    },
    Case {
        rate: Rate::Unlimited,
        ..case(
            "clean-hot-unlimited",
            Packet::From(blocks::CLEAN),
            Verdict::Pass,
        )
    },
    Case {
        rate: Rate::Unlimited,
        ..case(
            "clean-random-unlimited",
            Packet::FromAny(Sources::CLEAN),
            Verdict::Pass,
        )
    },
    case(
        "clean-hot-mixed",
        Packet::From(blocks::CLEAN_MIXED),
        Verdict::Pass,
    ),
    case(
        "denied-prefix-mixed",
        Packet::From(blocks::PREFIX_MIXED),
        Verdict::DeniedPrefix,
    ),
    case(
        "denied-exact-random",
        Packet::FromAny(Sources::DENIED_EXACT),
        Verdict::DeniedExact,
    ),
    case(
        "denied-prefix-random",
        Packet::FromAny(Sources::DENIED_PREFIX),
        Verdict::DeniedPrefix,
    ),
    case(
        "safelisted",
        Packet::From(blocks::SAFE),
        Verdict::Safelisted,
    ),
    case("clean-hot-ipv6", Packet::From6(1), Verdict::Pass),
];

const fn case(name: &'static str, packet: Packet, verdict: Verdict) -> Case {
    Case {
        name,
        packet,
        rate: Rate::Ample,
        verdict,
    }
}

impl Packet {
    /// The frame that the program is handed.
    pub(crate) fn frame(self) -> Vec<u8> {
        match self {
            Self::From(source) => frames::syn4(source.into()),
            Self::From6(host) => frames::syn6(host),
            // The program overwrites the source.
            Self::FromAny(_) => frames::syn4(Ipv4Addr::UNSPECIFIED),
        }
    }
}

impl Rate {
    /// The limit to put in force.
    pub(crate) fn limit(self) -> Limit {
        let second = Nanos::from_secs(1);
        match self {
            // The highest rate there is, and a burst that outlasts the benchmark.
            Self::Ample => Limit::new(u64::MAX, second, Nanos::from_secs(86_400), MODE_ENFORCE),
            Self::Unlimited => Limit::default(),
            Self::Spent => Limit::new(1, Nanos::from_secs(86_400), Nanos::ZERO, MODE_ENFORCE),
        }
    }
}

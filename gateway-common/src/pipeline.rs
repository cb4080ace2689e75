//! The whole policy on one screen.

use crate::{
    Action, Frame, Tables, Verdict,
    limiter::{self, Admission, Traffic, admit, destination4, destination6, identity4, identity6},
    lists::{Listing, MODE_SHADOW, Packed, exact4, find4, find6},
    packet::{Address, Kind, Located, destination, inspect, locate, source},
    rule::{self, LimitKind},
    settings::{CLASS_KNOWN, CLASS_LIMITED, CLASS_UNKNOWN, LIMIT_CLASSES, untrusted},
};

/// The verdict on a packet, and the rule that led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of the packet.
    pub verdict: Verdict,
    /// Number of the rule that decided ([`crate::rule`]); 0 when none did. That of a block where
    /// the entry was not looked for ([`named`]).
    pub rule: u32,
}

impl Outcome {
    /// The outcome in one register, for the kernel's calling convention returns no more: the
    /// verdict's index, and the rule in the upper half.
    #[inline(always)]
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.verdict as u64 | (self.rule as u64) << 32
    }

    /// The outcome that [`Outcome::raw`] made this of.
    #[inline(always)]
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self {
            verdict: match Verdict::from_index(raw as u8) {
                Some(verdict) => verdict,
                None => Verdict::Pass,
            },
            rule: (raw >> 32) as u32,
        }
    }
}

/// Decides what becomes of a frame: source, safelist, deny, malformed, neighbour discovery,
/// zone, reputation, rate, further limits, SYN cookie, pass.
///
/// The lists are asked as soon as the source is known, before anything behind it is read, so
/// that no option, extension header, fragment or defect carries a denied source past them.
#[inline(always)]
pub fn decide<F: Frame + ?Sized, T: Tables>(frame: &F, tables: &T) -> Outcome {
    let located = locate(frame);
    match located.kind {
        Kind::V4 | Kind::V6 => {}
        Kind::NotIp => return end(Verdict::NotIp, 0),
        Kind::Truncated => return end(Verdict::Truncated, 0),
        Kind::TooManyVlans => return end(Verdict::TooManyVlans, 0),
    }
    let claim = claim(frame, tables, located);
    let (class, shadow) = match claim.listing.unpack() {
        Listing::NoSource => return end(Verdict::Truncated, 0),
        Listing::Allowed(rule) => return end(Verdict::Safelisted, rule),
        Listing::DeniedExact(rule) => return end(Verdict::DeniedExact, rule),
        Listing::DeniedPrefix(rule) => return end(Verdict::DeniedPrefix, rule),
        Listing::Banned(rule) => return end(Verdict::Banned, rule),
        Listing::Unlisted { class } => (class, 0),
        Listing::Shadowed { class, rule } => (class, rule),
    };
    let details = inspect(frame, located);
    if let Some(defect) = details.defect {
        return end(defect, 0);
    }
    if details.neighbour {
        return end(Verdict::Neighbour, 0);
    }

    if details.opens {
        tables.count_opening();
        if tables.settings().cookies.interval != 0 {
            return open(frame, tables, claim.identity, class, shadow);
        }
    }
    hold(frame, tables, claim.identity, class, shadow)
}

/// Decides on a SYN that no list has decided on: one that the limits let in and that is above the
/// threshold of where it goes is answered with a cookie.
///
/// It goes a way of its own, so that what is no SYN pays a comparison.
#[inline(always)]
fn open<F: Frame + ?Sized, T: Tables>(
    frame: &F,
    tables: &T,
    source: u64,
    class: u8,
    shadow: u32,
) -> Outcome {
    let held = frame.hold(tables, source, class, shadow);
    match held.verdict.action() {
        Action::Pass if frame.is_due(tables) => {}
        Action::Pass | Action::Drop | Action::Answer => return held,
    }
    if tables.settings().cookies.mode != MODE_SHADOW as u64 {
        end(Verdict::SynCookie, 0)
    } else if held.verdict == Verdict::Pass {
        end(Verdict::WouldLimit, rule::limit(LimitKind::Cookies, 0))
    } else {
        held
    }
}

/// Holds a packet to the limits of its source and class; `shadow` is the entry that would have
/// denied it. Of those in shadow mode the first is named that would have dropped the packet.
#[inline(always)]
pub fn hold<F: Frame + ?Sized, T: Tables>(
    frame: &F,
    tables: &T,
    source: u64,
    class: u8,
    shadow: u32,
) -> Outcome {
    let class = if (class as usize) < LIMIT_CLASSES {
        class as usize
    } else {
        0
    };
    // Bounded once more where it is used: the compiler compares one copy of it and adds another.
    let class = frame.settle(class as u64) as usize % LIMIT_CLASSES;
    let (class, rate) = match tables.settings().attack.on {
        0 => (class, class),
        _ => {
            let both = tables.under_attack(source, class as u64) as usize;
            (both % LIMIT_CLASSES, (both >> 8) % LIMIT_CLASSES)
        }
    };
    let Some(limit) = tables.settings().limits.get(rate) else {
        return end(Verdict::Unconfigured, 0);
    };
    let further = &tables.settings().further;
    // Without a branch, for the verifier would follow the limiter once for each.
    let penalty = further.penalty & 0u64.wrapping_sub(frame.settle(untrusted(class)));
    let mut outcome = match admit(tables, source, limit, penalty) {
        Admission::Within => end(Verdict::Pass, 0),
        Admission::Over if limit.mode == MODE_SHADOW as u64 => {
            end(Verdict::WouldLimit, rule::limit(LimitKind::Packets, rate))
        }
        Admission::Over if rate == CLASS_UNKNOWN => return end(Verdict::UnknownLimited, 0),
        Admission::Over => return end(Verdict::RateLimited, 0),
        Admission::Penalty => return end(Verdict::PenaltyBox, 0),
    };
    if further.any != 0 || class == CLASS_LIMITED {
        let besides = frame.weigh(tables, source, class as u8);
        if outcome.verdict == Verdict::Pass || besides.verdict.action() == Action::Drop {
            outcome = besides;
        }
    }
    if shadow != 0 && outcome.verdict.action() == Action::Pass {
        return end(Verdict::WouldDeny, shadow);
    }
    outcome
}

/// The class of a source in attack mode, and in bits 8 to 15 that whose packet rate it has: those
/// who have proven themselves keep what they may, and the other untrusted ones get less.
#[inline(always)]
pub fn under_attack<T: Tables>(tables: &T, source: u64, class: u64) -> u64 {
    let (class, rate) = if untrusted(class as usize) == 0 {
        (class, class)
    } else if !tables.is_known(source) {
        (class, CLASS_UNKNOWN as u64)
    } else if class == CLASS_LIMITED as u64 {
        // To be known changes nothing about the limit of the country.
        (class, CLASS_KNOWN as u64)
    } else {
        (CLASS_KNOWN as u64, CLASS_KNOWN as u64)
    };
    class | rate << 8
}

/// Number of the rule that led to an outcome: that of the entry where the verdict needed none, for
/// the index denied the source. That of the block where all of it is denied.
#[inline(always)]
pub fn named<F: Frame + ?Sized, T: Tables>(frame: &F, tables: &T, rule: u32) -> u32 {
    if rule::without_blocks(rule) != 0 || rule == 0 {
        return rule;
    }
    match source(frame, locate(frame)) {
        Some(Address::V4(address)) => {
            let found = exact4(tables, u32::from_be_bytes(address));
            // What decides by now may be another entry, or none.
            if found.denies() { found.rule() } else { rule }
        }
        Some(Address::V6(_)) | None => rule,
    }
}

/// Holds a packet of `source` and `class` against the limits besides its packet rate. It reads the
/// headers once more: what it needs of them would else be kept through the packet rate's limiter,
/// by every packet.
#[inline(always)]
pub fn weigh<F: Frame + ?Sized, T: Tables>(
    frame: &F,
    tables: &T,
    source: u64,
    class: u8,
) -> Outcome {
    let located = locate(frame);
    let details = inspect(frame, located);
    // Forgotten, for the verifier would follow the limits once for each kind of packet.
    let traffic = Traffic {
        source,
        destination: frame.forget(receiver(frame, located)),
        length: frame.len() as u32,
        class,
        protocol: frame.forget(details.protocol as u64) as u8,
        port: frame.forget(details.destination_port as u64) as u16,
        opens: frame.forget(details.opens as u64) != 0,
    };
    limiter::further(tables, traffic)
}

/// What the limit of the packet's destination is held against.
#[inline(always)]
fn receiver<F: Frame + ?Sized>(frame: &F, located: Located) -> u64 {
    match destination(frame, located) {
        Some(Address::V4(address)) => destination4(address),
        Some(Address::V6(address)) => destination6(address),
        None => 0,
    }
}

/// What the packet's source amounts to, in two registers.
struct Claim {
    /// What the lists say of it.
    listing: Packed,
    /// What its limit is held against.
    identity: u64,
}

/// Asks the lists about the source.
#[inline(always)]
fn claim<F: Frame + ?Sized, T: Tables>(frame: &F, tables: &T, located: Located) -> Claim {
    match source(frame, located) {
        Some(Address::V4(address)) => Claim {
            listing: find4(tables, &address),
            identity: identity4(address),
        },
        Some(Address::V6(address)) => Claim {
            listing: find6(tables, &address),
            identity: identity6(address),
        },
        None => Claim {
            listing: Packed::NO_SOURCE,
            identity: 0,
        },
    }
}

#[inline(always)]
pub(crate) const fn end(verdict: Verdict, rule: u32) -> Outcome {
    Outcome { verdict, rule }
}

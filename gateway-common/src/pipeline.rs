//! The whole policy on one screen.

use crate::{
    Action, Frame, Tables, Verdict,
    limiter::{self, Admission, Traffic, admit, destination4, destination6, identity4, identity6},
    lists::{Listing, MODE_SHADOW, Packed, exact4, find4, find6},
    packet::{Address, Kind, Located, destination, inspect, locate, source},
    settings::{CLASS_KNOWN, CLASS_UNKNOWN, LIMIT_CLASSES},
};

/// The verdict on a packet, and the rule that led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of the packet.
    pub verdict: Verdict,
    /// Id of the rule that decided; 0 when none did, or it was not looked for ([`rule`]).
    pub rule: u32,
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
    if tables.settings().cookies.mode == MODE_SHADOW as u64 {
        end(Verdict::WouldLimit, 0)
    } else {
        end(Verdict::SynCookie, 0)
    }
}

/// Holds a packet to the limits of its source and class; `shadow` is the entry that would have
/// denied it.
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
    // Under attack those who have proven themselves keep what they may, and the others get less.
    let (class, rate) = if class != 0 || tables.settings().attack.on == 0 {
        (class, class)
    } else if tables.is_known(source) {
        (CLASS_KNOWN, CLASS_KNOWN)
    } else {
        (0, CLASS_UNKNOWN)
    };
    let Some(limit) = tables.settings().limits.get(rate) else {
        return end(Verdict::Unconfigured, 0);
    };
    let further = &tables.settings().further;
    let penalty = if class == 0 { further.penalty } else { 0 };
    let mut verdict = match admit(tables, source, limit, penalty) {
        Admission::Within => Verdict::Pass,
        Admission::Over if limit.mode == MODE_SHADOW as u64 => Verdict::WouldLimit,
        Admission::Over if rate == CLASS_UNKNOWN => return end(Verdict::UnknownLimited, 0),
        Admission::Over => return end(Verdict::RateLimited, 0),
        Admission::Penalty => return end(Verdict::PenaltyBox, 0),
    };
    if further.any != 0 {
        let worse = frame.weigh(tables, source, class as u8);
        if worse != Verdict::Pass {
            verdict = worse;
        }
    }
    if verdict == Verdict::Pass && shadow != 0 {
        return end(Verdict::WouldDeny, shadow);
    }
    end(verdict, 0)
}

/// Id of the rule that led to an outcome, looked up where the verdict did not need it, for the
/// index denied the source. 0 when none did, or a whole block is denied.
#[inline(always)]
pub fn rule<F: Frame + ?Sized, T: Tables>(frame: &F, tables: &T, outcome: Outcome) -> u32 {
    let verdict = outcome.verdict as u8;
    let is_denied = verdict == Verdict::DeniedExact as u8 || verdict == Verdict::DeniedPrefix as u8;
    if outcome.rule != 0 || !is_denied {
        return outcome.rule;
    }
    match source(frame, locate(frame)) {
        Some(Address::V4(address)) => {
            let found = exact4(tables, u32::from_be_bytes(address));
            // What decides by now may be another entry, or none.
            if found.denies() { found.rule() } else { 0 }
        }
        Some(Address::V6(_)) | None => 0,
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
) -> Verdict {
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
const fn end(verdict: Verdict, rule: u32) -> Outcome {
    Outcome { verdict, rule }
}

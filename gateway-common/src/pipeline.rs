//! The whole policy on one screen.

use crate::{
    Frame, Tables, Verdict,
    limiter::{Admission, admit},
    lists::{Listing, MODE_SHADOW, find},
    packet::{Parsed, parse},
    settings::LIMIT_CLASSES,
};

/// The verdict on a packet, and the rule that led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of the packet.
    pub verdict: Verdict,
    /// Id of the rule that decided; 0 when none did.
    pub rule: u32,
}

/// Decides what becomes of a frame: parse, safelist, deny, malformed, zone, rate, pass.
///
/// The lists are asked before anything else can end the packet's way, so that no header, tag,
/// fragment or defect carries a denied source past them.
#[inline(always)]
pub fn decide<F: Frame + ?Sized, T: Tables>(frame: &F, tables: &T) -> Outcome {
    let packet = match parse(frame) {
        Parsed::Ip(packet) => packet,
        Parsed::NotIp => return end(Verdict::NotIp, 0),
        Parsed::Unreadable(verdict) => return end(verdict, 0),
    };

    let (class, shadow) = match find(tables, &packet.source) {
        Listing::Allowed(rule) => return end(Verdict::Safelisted, rule),
        Listing::DeniedExact(rule) => return end(Verdict::DeniedExact, rule),
        Listing::DeniedPrefix(rule) => return end(Verdict::DeniedPrefix, rule),
        Listing::Banned(rule) => return end(Verdict::Banned, rule),
        Listing::Unlisted { class, shadow } => (class as usize, shadow),
    };
    if packet.neighbour {
        return end(Verdict::Neighbour, 0);
    }
    if let Some(defect) = packet.defect {
        return end(defect, 0);
    }

    let class = if class < LIMIT_CLASSES { class } else { 0 };
    let Some(limit) = tables.settings().limits.get(class) else {
        return end(Verdict::Unconfigured, 0);
    };
    match (admit(tables, &packet.source, limit), shadow) {
        (Admission::Within, None) => end(Verdict::Pass, 0),
        (Admission::Within, Some(rule)) => end(Verdict::WouldDeny, rule),
        (Admission::Over, _) if limit.mode == MODE_SHADOW as u64 => end(Verdict::WouldLimit, 0),
        (Admission::Over, _) => end(Verdict::RateLimited, 0),
    }
}

#[inline(always)]
const fn end(verdict: Verdict, rule: u32) -> Outcome {
    Outcome { verdict, rule }
}

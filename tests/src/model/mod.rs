//! What the pipeline should do, written down as plainly as possible: lists are searched from end
//! to end, frames are sliced, limits are kept per address in a hash map.
//!
//! It shares no code with the pipeline but the types of its answers, and knows nothing of the
//! summary, of packed words or of hashes.

mod limiter;
mod lists;
mod parse;

use std::{collections::HashMap, net::IpAddr};

use gateway_common::{
    Outcome, Verdict,
    lists::MODE_SHADOW,
    rule::{LimitKind, limit as limit_rule},
    settings::{CLASS_KNOWN, CLASS_UNKNOWN, LIMIT_CLASSES, Limit, untrusted},
    time::Nanos,
};

use self::parse::Parsed;
pub use self::{
    limiter::{Bucket, Client, Limiter},
    lists::{Found, Lists},
};
use crate::setup::Setup;

/// The whole of it.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The lists.
    pub lists: Lists,
    /// Limits by class.
    pub limits: Vec<Limit>,
    /// Who sent how much.
    pub limiter: Limiter,
    /// Until when each source is known, in attack mode.
    pub attack: Option<HashMap<Client, Nanos>>,
    /// The time.
    pub now: Nanos,
}

impl Model {
    /// The lists and limits of a test.
    #[must_use]
    pub fn of(setup: &Setup, now: Nanos) -> Self {
        Self {
            lists: Lists::of(&setup.items),
            limits: setup.limits.clone(),
            limiter: Limiter::default(),
            attack: setup.attack.then(|| {
                let known = setup.known.iter();
                known
                    .map(|(source, until)| (Client::of(*source), *until))
                    .collect()
            }),
            now,
        }
    }

    /// What becomes of a frame.
    pub fn decide(&mut self, frame: &[u8]) -> Outcome {
        let packet = match parse::parse(frame) {
            Parsed::NotIp => return end(Verdict::NotIp, 0),
            Parsed::Truncated => return end(Verdict::Truncated, 0),
            Parsed::TooManyVlans => return end(Verdict::TooManyVlans, 0),
            Parsed::Ip(packet) => packet,
        };
        let (class, watched) = match self.lists.find(packet.source, self.now) {
            Found::Allowed(rule) => return end(Verdict::Safelisted, rule),
            Found::Denied(verdict, rule) => return end(verdict, rule),
            Found::Open { class, watched } => (class, watched),
        };
        if let Some(fault) = packet.fault {
            return end(fault, 0);
        }
        if packet.neighbour {
            return end(Verdict::Neighbour, 0);
        }
        let class = usize::from(class);
        let class = if class < LIMIT_CLASSES { class } else { 0 };
        let client = Client::of(packet.source);
        let class = match &self.attack {
            Some(known) if untrusted(class) != 0 => {
                match known.get(&client).is_some_and(|until| self.now < *until) {
                    true => CLASS_KNOWN,
                    false => CLASS_UNKNOWN,
                }
            }
            Some(_) | None => class,
        };
        let limit = self.limits.get(class).copied().unwrap_or_default();
        let within = self.limiter.admit(client, &limit, self.now);
        let passes = within || limit.mode == u64::from(MODE_SHADOW);
        match (passes, watched) {
            (true, Some(rule)) => end(Verdict::WouldDeny, rule),
            (true, None) if within => end(Verdict::Pass, 0),
            (true, None) => end(Verdict::WouldLimit, limit_rule(LimitKind::Packets, class)),
            (false, _) if class == CLASS_UNKNOWN => end(Verdict::UnknownLimited, 0),
            (false, _) => end(Verdict::RateLimited, 0),
        }
    }

    /// Whether `got` is what the model expects of this frame. The program may deny as a prefix
    /// without saying by which entry: the rule is 0 then.
    #[must_use]
    pub fn agrees(expected: Outcome, got: Outcome) -> bool {
        let anonymous = got.verdict == Verdict::DeniedPrefix && got.rule == 0;
        let denied = matches!(
            expected.verdict,
            Verdict::DeniedExact | Verdict::DeniedPrefix
        );
        expected == got || (anonymous && denied)
    }

    /// The address that the lists go by, when the frame has one.
    #[must_use]
    pub fn source(frame: &[u8]) -> Option<IpAddr> {
        match parse::parse(frame) {
            Parsed::Ip(packet) => Some(packet.source),
            Parsed::NotIp | Parsed::Truncated | Parsed::TooManyVlans => None,
        }
    }
}

const fn end(verdict: Verdict, rule: u32) -> Outcome {
    Outcome { verdict, rule }
}

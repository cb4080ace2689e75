//! When attack mode is on: by order, by configuration, or by what the packet filter counts.

use std::collections::VecDeque;
use std::fmt;

use gateway_common::time::Nanos;

/// The span over which rates are taken.
const WINDOW: Nanos = Nanos::from_secs(1);

/// The shortest span that a rate is told from.
const SHORTEST: Nanos = Nanos::from_millis(400);

/// Samples kept at most; a caller who asks more often than this in a window gets shorter ones.
const SAMPLES: usize = 64;

/// What begins attack mode, and ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttackPolicy {
    /// Whether it begins by itself.
    pub trigger: Trigger,
    /// Packets a second, dropped for a limit or a defect, above which it begins; `None`: whatever
    /// is dropped.
    pub dropped: Option<u64>,
    /// TCP connections a second that are begun, above which it begins.
    pub connections: Option<u64>,
    /// For how long both must have been below half of that before it ends.
    pub hold: Nanos,
}

/// Whether attack mode begins by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// When the counters say so.
    #[default]
    Auto,
    /// It is always on.
    On,
    /// Never.
    Off,
}

/// What an operator says, over what the configuration says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the configuration has it.
    #[default]
    Auto,
    /// On, until another order.
    On,
    /// Off, until another order.
    Off,
}

/// What the packet filter has counted, ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Packets dropped for a limit or a defect; those of denied sources are none of them, for
    /// they do no harm.
    pub dropped: u64,
    /// Packets that open a TCP connection.
    pub connections: u64,
}

/// Why attack mode begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An operator ordered it.
    Ordered,
    /// The configuration has it on.
    Configured,
    /// An earlier run of the agent left it on.
    Inherited,
    /// So many packets are dropped a second.
    Dropped {
        /// Packets a second.
        rate: u64,
        /// What there may be.
        limit: u64,
    },
    /// So many connections are opened a second.
    Connections {
        /// Connections a second.
        rate: u64,
        /// What there may be.
        limit: u64,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ordered => f.write_str("an operator ordered it"),
            Self::Configured => f.write_str("the configuration has it on"),
            Self::Inherited => f.write_str("it was on when the agent started"),
            Self::Dropped { rate, limit } => write!(
                f,
                "{rate} packets a second are dropped for a limit or a defect, above {limit}"
            ),
            Self::Connections { rate, limit } => {
                write!(f, "{rate} connections a second are opened, above {limit}")
            }
        }
    }
}

/// A change of mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It begins.
    Begins(Cause),
    /// It ends.
    Ends,
}

/// Decides whether attack mode is on.
#[derive(Debug)]
pub struct AttackMode {
    policy: AttackPolicy,
    /// Why it is on.
    cause: Option<Cause>,
    samples: VecDeque<(Nanos, Seen)>,
    /// Since when both rates are low.
    calm_since: Option<Nanos>,
}

impl AttackMode {
    /// Off, or on where an earlier run left it so.
    #[must_use]
    pub fn new(policy: AttackPolicy, is_on: bool) -> Self {
        Self {
            policy,
            cause: is_on.then_some(Cause::Inherited),
            samples: VecDeque::new(),
            calm_since: None,
        }
    }

    /// Replaces the policy; the next look goes by it.
    pub fn set_policy(&mut self, policy: AttackPolicy) {
        self.policy = policy;
    }

    /// Why it is on; `None` when it is off.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// Takes in what was counted, and the order that stands; says what changes.
    pub fn look(&mut self, now: Nanos, seen: Seen, order: Order) -> Option<Change> {
        let rates = self.rates(now, seen);
        let wanted = match (order, self.policy.trigger) {
            (Order::On, _) => Some(Cause::Ordered),
            (Order::Off, _) | (Order::Auto, Trigger::Off) => None,
            (Order::Auto, Trigger::On) => Some(Cause::Configured),
            (Order::Auto, Trigger::Auto) => self.by_rates(now, rates),
        };
        let was = std::mem::replace(&mut self.cause, wanted);
        match (was, wanted) {
            (None, Some(cause)) => Some(Change::Begins(cause)),
            (Some(_), None) => Some(Change::Ends),
            (None, None) | (Some(_), Some(_)) => None,
        }
    }

    /// What the rates want: the cause that stands goes on until they have been low for a while.
    fn by_rates(&mut self, now: Nanos, rates: Option<Seen>) -> Option<Cause> {
        let standing = self.cause.filter(|cause| match cause {
            Cause::Dropped { .. } | Cause::Connections { .. } | Cause::Inherited => true,
            Cause::Ordered | Cause::Configured => false,
        });
        let Some(rates) = rates else {
            return standing;
        };
        let AttackPolicy {
            dropped,
            connections,
            hold,
            ..
        } = self.policy;
        let above = |rate: u64, limit: Option<u64>| limit.filter(|limit| rate > *limit);
        let half = |limit: Option<u64>| limit.map(|limit| limit / 2);
        if let Some(limit) = above(rates.dropped, dropped) {
            self.calm_since = None;
            let rate = rates.dropped;
            return standing.or(Some(Cause::Dropped { rate, limit }));
        }
        if let Some(limit) = above(rates.connections, connections) {
            self.calm_since = None;
            let rate = rates.connections;
            return standing.or(Some(Cause::Connections { rate, limit }));
        }
        let is_high = above(rates.dropped, half(dropped)).is_some()
            || above(rates.connections, half(connections)).is_some();
        if is_high {
            self.calm_since = None;
            return standing;
        }
        let since = *self.calm_since.get_or_insert(now);
        standing.filter(|_| now.since(since) < hold)
    }

    /// Both rates, a second, over the last second or so.
    fn rates(&mut self, now: Nanos, seen: Seen) -> Option<Seen> {
        // The newest of those that are a window old is the one to look back to.
        while self
            .samples
            .get(1)
            .is_some_and(|(at, _)| now.since(*at) >= WINDOW)
            || self.samples.len() >= SAMPLES
        {
            self.samples.pop_front();
        }
        self.samples.push_back((now, seen));
        let (at, before) = *self.samples.front()?;
        let span = now.since(at);
        if span < SHORTEST {
            return None;
        }
        // Counters that fell were made anew: an interface went.
        let per_second = |after: u64, before: u64| {
            let counted = u128::from(after.saturating_sub(before)) * 1_000_000_000;
            u64::try_from(counted / u128::from(span.0)).unwrap_or(u64::MAX)
        };
        Some(Seen {
            dropped: per_second(seen.dropped, before.dropped),
            connections: per_second(seen.connections, before.connections),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: AttackPolicy = AttackPolicy {
        trigger: Trigger::Auto,
        dropped: Some(1_000),
        connections: Some(100),
        hold: Nanos::from_secs(10),
    };

    /// Looks every quarter of a second for so many seconds at these rates; the changes, with the
    /// milliseconds at which they came.
    struct Run {
        mode: AttackMode,
        millis: u64,
        seen: Seen,
        order: Order,
    }

    impl Run {
        fn new(policy: AttackPolicy) -> Self {
            Self {
                mode: AttackMode::new(policy, false),
                millis: 50_000,
                seen: Seen::default(),
                order: Order::Auto,
            }
        }

        fn on(&mut self, secs: u64, dropped: u64, connections: u64) -> Vec<(u64, Change)> {
            let mut changes = Vec::new();
            for step in 1..=secs * 4 {
                self.millis += 250;
                self.seen.dropped += dropped / 4;
                self.seen.connections += connections / 4;
                let now = Nanos::from_millis(self.millis);
                let change = self.mode.look(now, self.seen, self.order);
                changes.extend(change.map(|change| (step * 250, change)));
            }
            changes
        }
    }

    #[test]
    fn it_begins_within_a_second_and_ends_after_the_hold() {
        let mut run = Run::new(POLICY);
        assert_eq!(run.on(5, 900, 90), []);
        let begun = run.on(5, 4_000, 0);
        let [(at, Change::Begins(Cause::Dropped { rate, limit: 1_000 }))] = begun[..] else {
            panic!("{begun:?}");
        };
        assert!(at <= 1_000, "after {at} ms");
        assert!(rate > 1_000, "{rate}");
        // Between half and the whole it goes on.
        assert_eq!(run.on(30, 700, 0), []);
        let ended = run.on(30, 100, 0);
        let [(at, Change::Ends)] = ended[..] else {
            panic!("{ended:?}");
        };
        assert!((10_000..=12_000).contains(&at), "after {at} ms");
    }

    #[test]
    fn connections_begin_it_too() {
        let mut run = Run::new(POLICY);
        let begun = run.on(3, 0, 400);
        let [(_, Change::Begins(Cause::Connections { limit: 100, .. }))] = begun[..] else {
            panic!("{begun:?}");
        };
    }

    #[test]
    fn a_relapse_starts_the_hold_anew() {
        let mut run = Run::new(POLICY);
        run.on(2, 4_000, 0);
        assert_eq!(run.on(8, 0, 0), []);
        assert_eq!(run.on(2, 800, 0), []);
        assert_eq!(run.on(8, 0, 0), []);
        assert_eq!(run.on(5, 0, 0).len(), 1);
    }

    #[test]
    fn orders_come_before_everything() {
        let mut run = Run::new(POLICY);
        run.order = Order::On;
        assert_eq!(run.on(1, 0, 0), [(250, Change::Begins(Cause::Ordered))]);
        assert_eq!(run.on(60, 0, 0), []);
        run.order = Order::Off;
        assert_eq!(run.on(10, 9_000, 900), [(250, Change::Ends)]);
        // Without the order the rates count again.
        run.order = Order::Auto;
        assert_eq!(run.on(1, 9_000, 900).len(), 1);
    }

    #[test]
    fn an_order_taken_back_ends_what_no_rate_wants() {
        let mut run = Run::new(POLICY);
        run.order = Order::On;
        run.on(1, 0, 0);
        run.order = Order::Auto;
        assert_eq!(run.on(1, 0, 0), [(250, Change::Ends)]);
    }

    #[test]
    fn the_configuration_can_have_it_on_or_never() {
        let with = |trigger| Run::new(AttackPolicy { trigger, ..POLICY });
        let mut always = with(Trigger::On);
        let begun = Change::Begins(Cause::Configured);
        assert_eq!(always.on(20, 0, 0), [(250, begun)]);
        assert_eq!(with(Trigger::Off).on(20, 90_000, 9_000), []);
    }

    #[test]
    fn no_threshold_means_no_such_cause() {
        let mut run = Run::new(AttackPolicy {
            dropped: None,
            ..POLICY
        });
        assert_eq!(run.on(20, 90_000, 0), []);
    }

    #[test]
    fn what_an_earlier_run_began_ends_as_its_own_would() {
        let mut run = Run::new(POLICY);
        run.mode = AttackMode::new(POLICY, true);
        assert_eq!(run.on(8, 4_000, 0), []);
        assert_eq!(run.mode.cause(), Some(Cause::Inherited));
        assert_eq!(run.on(20, 0, 0).len(), 1);
    }

    #[test]
    fn counters_that_start_anew_are_no_attack() {
        let mut run = Run::new(POLICY);
        run.seen.dropped = 1 << 40;
        run.on(3, 0, 0);
        run.seen.dropped = 0;
        assert_eq!(run.on(3, 0, 0), []);
    }

    #[test]
    fn a_caller_in_a_hurry_is_bounded() {
        let mut mode = AttackMode::new(POLICY, false);
        for i in 0..10_000 {
            mode.look(Nanos(50_000_000_000 + i), Seen::default(), Order::Auto);
        }
        assert!(mode.samples.len() <= SAMPLES);
    }
}

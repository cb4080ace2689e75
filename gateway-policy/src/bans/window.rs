//! The sliding window: how many offences in the last so much time.

use std::collections::VecDeque;

use gateway_common::time::Nanos;

/// The number of instants that a window tells apart.
///
/// Up to this limit a window is exact: one instant per offence. Above it, offences within 1/64
/// of the window share the first one's instant and leave with it, so that the state of a client
/// stays at a kilobyte whatever the limit. The count is then never too high, and a ban may
/// come late by the offences that left up to 1/64 of the window early.
const INSTANTS: u32 = 64;

/// What a window is cut by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    length: Nanos,
    grain: Nanos,
}

impl Shape {
    /// The shape for counting up to `limit` within `length`.
    pub(super) fn new(length: Nanos, limit: u32) -> Self {
        let grain = if limit <= INSTANTS {
            0
        } else {
            length.0.div_ceil(u64::from(INSTANTS))
        };
        Self {
            length,
            grain: Nanos(grain),
        }
    }
}

/// The offences of one client and kind: instants in ascending order, each with its count.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    instants: VecDeque<(Nanos, u32)>,
    total: u32,
}

impl Window {
    /// Counts one offence at `now` and returns how many there were after `now - length`,
    /// including this one. `now` must not go back.
    pub(super) fn add(&mut self, now: Nanos, shape: Shape) -> u32 {
        self.drop_until(now, shape.length);
        match self.instants.back_mut() {
            Some((first, count)) if now.since(*first) < shape.grain => {
                *count = count.saturating_add(1);
            }
            Some(_) | None => {
                // Only a ban that found no room, or another rule, leaves a full window standing.
                if self.instants.len() >= INSTANTS as usize {
                    self.drop_first();
                }
                self.instants.push_back((now, 1));
            }
        }
        self.total = self.total.saturating_add(1);
        self.total
    }

    /// The number of offences it held when it was last counted.
    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// Forgets all offences.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn drop_until(&mut self, now: Nanos, length: Nanos) {
        while self
            .instants
            .front()
            .is_some_and(|(at, _)| at.saturating_add(length) <= now)
        {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, count)) = self.instants.pop_front() {
            self.total = self.total.saturating_sub(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The plain list of all offences.
    fn within(all: &[u64], now: u64, length: u64) -> u32 {
        all.iter().filter(|at| **at + length > now).count() as u32
    }

    proptest! {
        #[test]
        fn up_to_64_it_is_exact(
            limit in 1u32..=64, length in 1u64..200, steps in prop::collection::vec(0u64..20, 1..200),
        ) {
            let shape = Shape::new(Nanos(length), limit);
            let (mut window, mut all, mut now) = (Window::default(), Vec::new(), 0);
            for step in steps {
                now += step;
                all.push(now);
                let count = window.add(Nanos(now), shape);
                prop_assert_eq!(count, within(&all, now, length));
                if count >= limit {
                    window.clear();
                    all.clear();
                }
            }
        }

        #[test]
        fn above_64_it_is_never_too_high_and_misses_at_most_one_grain(
            limit in 65u32..1000, length in 64u64..5000, steps in prop::collection::vec(0u64..20, 1..2000),
        ) {
            let shape = Shape::new(Nanos(length), limit);
            let (mut window, mut all, mut now) = (Window::default(), Vec::new(), 0);
            for step in steps {
                now += step;
                all.push(now);
                let count = window.add(Nanos(now), shape);
                prop_assert!(count <= within(&all, now, length));
                prop_assert!(count >= within(&all, now, length - shape.grain.0));
                prop_assert!(window.instants.len() <= INSTANTS as usize);
                if count >= limit {
                    window.clear();
                    all.clear();
                }
            }
        }
    }

    #[test]
    fn a_window_that_nobody_clears_stays_bounded() {
        let shape = Shape::new(Nanos::MAX, 1);
        let mut window = Window::default();
        for now in 0..10_000 {
            window.add(Nanos(now), shape);
        }
        assert!(window.instants.len() <= INSTANTS as usize);
    }
}

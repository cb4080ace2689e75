//! The thread that reads the sampled drops.

use std::{os::fd::AsFd, sync::atomic::Ordering};

use gateway_common::Verdict;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Shared, lock};
use crate::datapath::{Events, Sampled};

/// How often the thread looks whether it shall stop, in milliseconds.
const LOOK: u16 = 250;

/// Reads until the agent stops.
pub(super) fn read(mut events: Events, shared: &Shared) {
    while !shared.stopping.load(Ordering::Acquire) {
        while let Some(event) = events.next_event() {
            note(&event, shared);
        }
        let mut fds = [PollFd::new(events.as_fd(), PollFlags::POLLIN)];
        if let Err(error) = poll(&mut fds, PollTimeout::from(LOOK))
            && error != nix::errno::Errno::EINTR
        {
            tracing::error!("the sampled drops can no longer be read: {error}");
            return;
        }
    }
}

fn note(event: &Sampled, shared: &Shared) {
    shared.metrics.sampled(event.verdict);
    tracing::debug!(
        verdict = event.verdict.name(),
        rule = event.rule,
        source = ?event.source,
        destination = ?event.destination,
        protocol = event.protocol,
        length = event.length,
        slot = event.slot,
        "sampled drop",
    );
    if event.verdict != Verdict::Banned {
        return;
    }
    let first = lock(&shared.awaiting).dropped(event);
    if let Some(first) = first {
        shared.metrics.bit(first.after);
        tracing::info!(
            client = %first.client,
            request = first.request,
            rule = event.rule,
            after_us = first.after.0 / 1_000,
            "first packet dropped by this ban",
        );
    }
}

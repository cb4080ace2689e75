//! Counting and reporting.

use aya_ebpf::helpers::{bpf_ktime_get_ns, generated::bpf_ktime_get_coarse_ns};
use gateway_common::{
    Action, Frame, Outcome, Verdict,
    counter::{self, Counter},
    event::{DropEvent, FAMILY_IPV4, FAMILY_IPV6},
    packet::{Address, destination, inspect, locate, source},
    time::Nanos,
};

use crate::{
    frame::XdpFrame,
    maps::{COUNTERS, EVENTS, slot},
};

/// Counts the verdict on this CPU, and sends an event for a drop that is due for sampling.
#[inline(always)]
pub(crate) fn record(frame: &XdpFrame, outcome: Outcome, sample_interval: Nanos) {
    let Some(counter) = COUNTERS.get_ptr_mut(counter::index(slot(), outcome.verdict)) else {
        return;
    };
    // SAFETY: an element of a per-CPU map, and a program that is not preempted by itself: this
    // is the only reference.
    let counter = unsafe { &mut *counter };
    counter.packets += 1;
    counter.bytes += frame.len() as u64;
    match outcome.verdict.action() {
        Action::Pass => {}
        Action::Drop => {
            // SAFETY: a helper without arguments.
            let now = Nanos(unsafe { bpf_ktime_get_coarse_ns() });
            if now.since(counter.sampled_at) >= sample_interval {
                counter.sampled_at = now;
                send(frame, outcome.verdict, outcome.rule, counter);
            }
        }
    }
}

/// Sends one event. Not inlined, to keep the event off the stack of the common path.
#[inline(never)]
fn send(frame: &XdpFrame, verdict: Verdict, rule: u32, counter: &mut Counter) {
    let mut event = DropEvent {
        // SAFETY: a helper without arguments.
        at: Nanos(unsafe { bpf_ktime_get_ns() }),
        rule,
        length: frame.len() as u32,
        verdict: verdict as u8,
        slot: slot() as u8,
        ..DropEvent::default()
    };
    // The packet is parsed once more rather than carried along: few drops come this far.
    let located = locate(frame);
    let details = inspect(frame, located);
    event.source_port = details.source_port;
    event.destination_port = details.destination_port;
    event.protocol = details.protocol;
    if let Some(address) = source(frame, located) {
        event.family = write(&address, &mut event.source);
    }
    if let Some(address) = destination(frame, located) {
        write(&address, &mut event.destination);
    }
    let Some(mut entry) = EVENTS.reserve_untyped::<DropEvent>(0) else {
        counter.events_lost += 1;
        return;
    };
    entry.write(event);
    entry.submit(0);
}

#[inline(always)]
fn write(address: &Address, to: &mut [u8; 16]) -> u8 {
    match *address {
        Address::V4([a, b, c, d]) => {
            *to = [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            FAMILY_IPV4
        }
        Address::V6(bytes) => {
            *to = bytes;
            FAMILY_IPV6
        }
    }
}

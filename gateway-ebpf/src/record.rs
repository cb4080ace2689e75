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

/// Sends one event. Not inlined, and written in place, to keep it off the stack of the common
/// path: all calls of a program share 512 bytes.
#[inline(never)]
fn send(frame: &XdpFrame, verdict: Verdict, rule: u32, counter: &mut Counter) {
    let Some(mut entry) = EVENTS.reserve_untyped::<DropEvent>(0) else {
        counter.events_lost += 1;
        return;
    };
    let event = entry.as_mut_ptr();
    // SAFETY: the entry is reserved for one event and aligned for it; every field is written.
    // One by one, for the compiler turns a whole event into a call that no program can make.
    unsafe {
        (*event).at = Nanos(bpf_ktime_get_ns());
        (*event).rule = rule;
        (*event).length = frame.len() as u32;
        (*event).verdict = verdict as u8;
        (*event).slot = slot() as u8;
        // The packet is parsed once more rather than carried along: few drops come this far.
        let located = locate(frame);
        let (family, address) = plain(source(frame, located));
        (*event).family = family;
        (*event).source = address;
        (*event).destination = plain(destination(frame, located)).1;
        let details = inspect(frame, located);
        (*event).protocol = details.protocol;
        (*event).source_port = details.source_port;
        (*event).destination_port = details.destination_port;
    }
    entry.submit(0);
}

/// An address as an event holds it: family and bytes.
#[inline(always)]
fn plain(address: Option<Address>) -> (u8, [u8; 16]) {
    match address {
        Some(Address::V4([a, b, c, d])) => (
            FAMILY_IPV4,
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        Some(Address::V6(bytes)) => (FAMILY_IPV6, bytes),
        None => (0, [0; 16]),
    }
}

//! Counting and reporting.

use aya_ebpf::{bindings::xdp_md, helpers::bpf_ktime_get_ns, programs::XdpContext};
use gateway_common::{
    Action, Frame, Outcome, Verdict,
    counter::{self, Hits},
    event::{DropEvent, FAMILY_IPV4, FAMILY_IPV6},
    hits,
    packet::{Address, destination, inspect, locate, source},
    pipeline::named,
    settings::Settings,
    time::Nanos,
};

use crate::{
    clock,
    frame::XdpFrame,
    maps::{COUNTERS, EVENTS, HITS, SETTINGS, WOULD, slot},
    tables::KernelTables,
};

/// Counts the verdict on a frame of `length` bytes on this CPU, and sends an event for a drop that
/// is due for sampling.
#[inline(always)]
pub(crate) fn record(ctx: &XdpContext, outcome: Outcome, length: usize, settings: &Settings) {
    let Some(counter) = COUNTERS.get_ptr_mut(counter::index(slot(), outcome.verdict)) else {
        return;
    };
    // SAFETY: an element of a per-CPU map, and a program that is not preempted by itself: this
    // is the only reference.
    let counter = unsafe { &mut *counter };
    counter.packets += 1;
    counter.bytes += length as u64;
    match outcome.verdict.action() {
        Action::Answer => {}
        Action::Pass => {
            if matches!(outcome.verdict, Verdict::WouldDeny | Verdict::WouldLimit) {
                gateway_would(outcome.rule, length as u64);
            }
        }
        Action::Drop => {
            // Only list entries and the blocks that they fill have numbers here.
            if outcome.rule != 0 {
                gateway_hit(outcome.rule);
            }
            let now = clock::elapsed(settings);
            if now.since(counter.sampled_at) >= settings.sample_interval {
                counter.sampled_at = now;
                // SAFETY: the context of the running program.
                let sent = unsafe { gateway_report(ctx.ctx, outcome.verdict as u32, outcome.rule) };
                if sent == 0 {
                    counter.events_lost += 1;
                }
            }
        }
    }
}

/// Counts what a rule in shadow mode would have dropped; behind a global function's boundary, as
/// it keeps off the stack of the common path. A rule that finds the map full is not counted by
/// itself: the verdict's counter has it all the same. Returns whether it was.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn gateway_would(rule: u32, bytes: u64) -> u64 {
    if let Some(hits) = WOULD.get_ptr_mut(rule) {
        // SAFETY: an element of a per-CPU map, and a program that is not preempted by itself:
        // this is the only reference.
        let hits = unsafe { &mut *hits };
        hits.packets += 1;
        hits.bytes += bytes;
        return 1;
    }
    // Another CPU may have made it meanwhile: then this one sets its own part of it.
    let first = Hits { packets: 1, bytes };
    WOULD.insert(rule, first, 0).is_ok() as u64
}

/// Counts what a rule has dropped, likewise. Returns whether it could.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn gateway_hit(rule: u32) -> u64 {
    let Some(settings) = SETTINGS.get(0) else {
        return 0;
    };
    let Some(bucket) = HITS.get_ptr_mut(hits::bucket(settings.seed, rule)) else {
        return 0;
    };
    // SAFETY: as in `record`.
    unsafe { (*bucket).add(rule, clock::coarse) };
    1
}

/// [`send`] behind a global function's boundary: the verifier checks it once and not once for
/// every way that leads to a drop, and it keeps off the stack of the common path. Returns
/// whether there was room for the event.
///
/// # Safety
///
/// `ctx` is the context of the running program.
#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn gateway_report(ctx: *mut xdp_md, verdict: u32, rule: u32) -> u64 {
    let frame = XdpFrame::new(&XdpContext::new(ctx));
    let rule = look_up(&frame, rule);
    send(&frame, verdict as u8, rule) as u64
}

/// [`named`], of what the maps hold.
#[inline(always)]
fn look_up(frame: &XdpFrame, rule: u32) -> u32 {
    match SETTINGS.get(0) {
        Some(settings) => {
            let tables = KernelTables {
                settings,
                probe: true,
            };
            named(frame, &tables, rule)
        }
        None => rule,
    }
}

/// [`look_up`] behind a global function's boundary, for probes.
///
/// # Safety
///
/// `ctx` is the context of the running program.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) unsafe extern "C" fn gateway_name(ctx: *mut xdp_md, rule: u32) -> u64 {
    look_up(&XdpFrame::new(&XdpContext::new(ctx)), rule) as u64
}

/// Sends the event of one drop; says whether there was room for it.
#[inline(always)]
fn send(frame: &XdpFrame, verdict: u8, rule: u32) -> bool {
    let Some(mut entry) = EVENTS.reserve_untyped::<DropEvent>(0) else {
        return false;
    };
    let event = entry.as_mut_ptr();
    // SAFETY: the entry is reserved for one event and aligned for it; every field is written.
    // One by one, for the compiler turns a whole event into a call that no program can make.
    unsafe {
        (*event).at = Nanos(bpf_ktime_get_ns());
        (*event).rule = rule;
        (*event).length = frame.len() as u32;
        (*event).verdict = verdict;
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
    true
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

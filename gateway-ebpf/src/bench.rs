//! Programs for `cargo xtask bench xdp`: the floor under the pipeline, and the pipeline under
//! ever-changing sources. None of them is ever attached to an interface.
#![no_std]
#![no_main]

use aya_ebpf::{
    bindings::xdp_action,
    btf_maps::{LpmTrie, LruHashMap, ProgramArray, lpm_trie::Key},
    helpers::generated::bpf_ktime_get_coarse_ns,
    macros::{btf_map, xdp},
    programs::XdpContext,
};
use gateway_common::{
    limiter::{identity4, identity6},
    packet::{Address, inspect, locate, source},
};
use gateway_ebpf::XdpFrame;

mod sources;

/// A program of somebody else's, run behind one of ours that makes sources.
#[btf_map]
static BEHIND: ProgramArray<1> = ProgramArray::new();

/// The deny list as one trie.
#[btf_map]
static TRIE: LpmTrie<[u8; 4], u32, { 1 << 21 }> = LpmTrie::new();

/// A token bucket for each source: packets left, and when that was so. Twice as many as there are
/// random sources.
#[btf_map]
static BUCKETS: LruHashMap<[u8; 4], [u64; 2], { 1 << 19 }> = LruHashMap::new();

/// Returns at once: the cost of the test run itself.
#[xdp(frags)]
pub fn empty(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}

/// Parses and decides nothing: the floor that every pipeline stands on.
#[xdp(frags)]
pub fn parse_only(ctx: XdpContext) -> u32 {
    parsed(&ctx)
}

/// [`parse_only`] with a new source each time.
#[xdp(frags)]
pub fn parse_only_random(ctx: XdpContext) -> u32 {
    let _sources = sources::put_next(&ctx);
    parsed(&ctx)
}

/// The whole pipeline on the frame as it is.
#[xdp(frags)]
pub fn pipeline(ctx: XdpContext) -> u32 {
    gateway_ebpf::run(&ctx)
}

/// The whole pipeline with a new source each time.
#[xdp(frags)]
pub fn pipeline_random(ctx: XdpContext) -> u32 {
    let _sources = sources::put_next(&ctx);
    gateway_ebpf::run(&ctx)
}

/// [`parse_only`] for frames of one buffer: programs that take more cannot be run behind one that
/// does not.
#[xdp]
pub fn parse_only_behind(ctx: XdpContext) -> u32 {
    parsed(&ctx)
}

/// Somebody else's program on the frame as it is.
#[xdp]
pub fn behind(ctx: XdpContext) -> u32 {
    run_behind(&ctx)
}

/// Somebody else's program with a new source each time.
#[xdp]
pub fn behind_random(ctx: XdpContext) -> u32 {
    let _sources = sources::put_next(&ctx);
    run_behind(&ctx)
}

/// What the usual tutorial builds: one trie for the list, one bucket in an LRU map per source.
#[xdp(frags)]
pub fn lpm_lru(ctx: XdpContext) -> u32 {
    trie_and_bucket(&ctx)
}

/// [`lpm_lru`] with a new source each time.
#[xdp(frags)]
pub fn lpm_lru_random(ctx: XdpContext) -> u32 {
    let _sources = sources::put_next(&ctx);
    trie_and_bucket(&ctx)
}

#[inline(always)]
fn run_behind(ctx: &XdpContext) -> u32 {
    // SAFETY: nothing here is left to be dropped.
    unsafe { BEHIND.tail_call(ctx, 0) };
    xdp_action::XDP_ABORTED
}

#[inline(always)]
fn trie_and_bucket(ctx: &XdpContext) -> u32 {
    /// Packets that a source may send at once, and nanoseconds until it may send one more.
    const BURST: u64 = 1 << 40;
    const INTERVAL: u64 = 1;

    let frame = XdpFrame::new(ctx);
    let located = locate(&frame);
    let Some(Address::V4(address)) = source(&frame, located) else {
        return xdp_action::XDP_PASS;
    };
    if TRIE.get(&Key::new(32, address)).is_some() {
        return xdp_action::XDP_DROP;
    }
    if inspect(&frame, located).defect.is_some() {
        return xdp_action::XDP_DROP;
    }
    // SAFETY: a helper without arguments.
    let now = unsafe { bpf_ktime_get_coarse_ns() };
    let Some(bucket) = BUCKETS.get_ptr_mut(address) else {
        // A full map makes room; another CPU that was first has done the same.
        let _added = BUCKETS.insert(address, [BURST - 1, now], 0);
        return xdp_action::XDP_PASS;
    };
    // SAFETY: an element of a map, which stays memory of the map. Another CPU may write to it at
    // the same time, and then a packet goes uncharged.
    let [left, last] = unsafe { &mut *bucket };
    let refilled = *left + now.wrapping_sub(*last) / INTERVAL;
    *left = if refilled > BURST { BURST } else { refilled };
    *last = now;
    if *left == 0 {
        return xdp_action::XDP_DROP;
    }
    *left -= 1;
    xdp_action::XDP_PASS
}

#[inline(always)]
fn parsed(ctx: &XdpContext) -> u32 {
    let frame = XdpFrame::new(ctx);
    let located = locate(&frame);
    let details = inspect(&frame, located);
    let identity = match source(&frame, located) {
        Some(Address::V4(address)) => identity4(address),
        Some(Address::V6(address)) => identity6(address),
        None => return xdp_action::XDP_DROP,
    };
    // The action depends on what was parsed, so that nothing of it is optimised away.
    if identity as u32 == 0 || details.defect.is_some() || details.neighbour {
        xdp_action::XDP_DROP
    } else {
        xdp_action::XDP_PASS
    }
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

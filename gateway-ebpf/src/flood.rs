//! Programs for `cargo xtask bench flood`: what sends, and what stands at the other end when no
//! filter does.
#![no_std]
#![no_main]

use aya_ebpf::{
    bindings::xdp_action,
    btf_maps::Array,
    helpers::generated::bpf_redirect,
    macros::{btf_map, xdp},
    programs::XdpContext,
};

mod sources;

/// Offsets of the checksums in an untagged frame with TCP over IPv4 without options.
const IP_CHECKSUM: usize = 24;
const TCP_CHECKSUM: usize = 50;

/// The index of the interface that frames are sent to.
#[btf_map]
static GOAL: Array<u32, 1> = Array::new();

/// Makes a frame of a new source and sends it.
#[xdp]
pub fn send(ctx: XdpContext) -> u32 {
    make(&ctx);
    let Some(goal) = GOAL.get(0) else {
        return xdp_action::XDP_ABORTED;
    };
    // SAFETY: a helper that takes numbers.
    unsafe { bpf_redirect(*goal, 0) as u32 }
}

/// Makes the same frame and sends nothing: what making it costs.
#[xdp]
pub fn make_only(ctx: XdpContext) -> u32 {
    make(&ctx);
    xdp_action::XDP_DROP
}

/// Drops everything.
#[xdp]
pub fn drop_all(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_DROP
}

/// Lets everything in.
#[xdp]
pub fn pass_all(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}

/// Puts the next source into the frame and sets its checksums right (RFC 1624).
#[inline(always)]
fn make(ctx: &XdpContext) {
    let Some((before, after)) = sources::put_next(ctx) else {
        return;
    };
    // Equation 3: HC' = ~(~HC + ~m + m'), for both halves of the address at once.
    let change = (!before >> 16) + (!before & 0xffff) + (after >> 16) + (after & 0xffff);
    for place in [IP_CHECKSUM, TCP_CHECKSUM] {
        let start = ctx.data() + place;
        if start + 2 > ctx.data_end() {
            return;
        }
        let place = start as *mut [u8; 2];
        // SAFETY: `start..start + 2` lies within the frame, as was just checked.
        let old = u16::from_be_bytes(unsafe { place.read_unaligned() });
        let sum = (!old as u32) + change;
        let sum = (sum & 0xffff) + (sum >> 16);
        let sum = (sum & 0xffff) + (sum >> 16);
        // SAFETY: the same bytes.
        unsafe { place.write_unaligned((!sum as u16).to_be_bytes()) };
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

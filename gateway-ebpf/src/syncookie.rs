//! The stack's SYN cookies, and frames turned into their answers.

use aya_ebpf::{
    bindings::xdp_md,
    helpers::generated::{bpf_tcp_raw_gen_syncookie_ipv4, bpf_tcp_raw_gen_syncookie_ipv6},
    programs::XdpContext,
};
use gateway_common::{
    Frame,
    packet::frame::MAX_OFFSET,
    syncookie::{Answerable, answer4, answer6, cookie},
};

use crate::{
    frame::{XdpFrame, bounded},
    maps::{SETTINGS, makes_syn_cookies},
    tables::KernelTables,
};

/// Turns the frame into its answer; says whether it did. Every frame that was made of the context
/// before is void afterwards.
#[inline(always)]
pub(crate) fn answer(ctx: &XdpContext) -> bool {
    let ctx = ctx.ctx;
    // SAFETY: the context of the running program.
    unsafe {
        match gateway_cookie(ctx) {
            NO_COOKIE => false,
            cookie => gateway_answer4(ctx, cookie) != 0 || gateway_answer6(ctx, cookie) != 0,
        }
    }
}

/// [`answer4`] behind a global function's boundary: it has a stack of its own, and the verifier
/// checks it once.
///
/// # Safety
///
/// `ctx` is the context of the running program.
#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn gateway_answer4(ctx: *mut xdp_md, cookie: u64) -> u64 {
    match tables() {
        Some(tables) => {
            let frame = &mut XdpFrame::new(&XdpContext::new(ctx));
            answer4(frame, &tables, cookie as u32) as u64
        }
        None => 0,
    }
}

/// [`answer6`], likewise: both would not fit one stack.
///
/// # Safety
///
/// As for `gateway_answer4`.
#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn gateway_answer6(ctx: *mut xdp_md, cookie: u64) -> u64 {
    match tables() {
        Some(tables) => {
            let frame = &mut XdpFrame::new(&XdpContext::new(ctx));
            answer6(frame, &tables, cookie as u32) as u64
        }
        None => 0,
    }
}

/// No cookie: those have 32 bits.
const NO_COOKIE: u64 = u64::MAX;

/// [`cookie`], likewise.
///
/// # Safety
///
/// As for `gateway_answer4`.
#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn gateway_cookie(ctx: *mut xdp_md) -> u64 {
    if !makes_syn_cookies() {
        return NO_COOKIE;
    }
    match cookie(&XdpFrame::new(&XdpContext::new(ctx))) {
        Some(cookie) => cookie as u64,
        None => NO_COOKIE,
    }
}

/// The maps; `None` where the kernel makes no cookies, and nothing behind that is verified.
#[inline(always)]
fn tables() -> Option<KernelTables> {
    if !makes_syn_cookies() {
        return None;
    }
    SETTINGS.get(0).map(|settings| KernelTables {
        settings,
        probe: false,
    })
}

impl Answerable for XdpFrame {
    #[inline(always)]
    fn make4(&self, ip: &[u8; 20], tcp: &[u8; 24]) -> Option<u32> {
        // SAFETY: the helper reads an IPv4 header without options and a TCP header of the length
        // it is told, which is the one that the header tells.
        let cookie = unsafe {
            bpf_tcp_raw_gen_syncookie_ipv4(
                ip.as_ptr().cast_mut().cast(),
                tcp.as_ptr().cast_mut().cast(),
                tcp.len() as u32,
            )
        };
        made(cookie)
    }

    #[inline(always)]
    fn make6(&self, ip: &[u8; 40], tcp: &[u8; 24]) -> Option<u32> {
        // SAFETY: as in `make4`.
        let cookie = unsafe {
            bpf_tcp_raw_gen_syncookie_ipv6(
                ip.as_ptr().cast_mut().cast(),
                tcp.as_ptr().cast_mut().cast(),
                tcp.len() as u32,
            )
        };
        made(cookie)
    }

    #[inline(always)]
    fn resize(&mut self, length: usize) -> bool {
        let now = self.len();
        if length != now && !self.adjust(length as i32 - now as i32) {
            return false;
        }
        self.renew();
        true
    }

    #[inline(always)]
    fn write<const N: usize>(&mut self, offset: usize, bytes: [u8; N]) -> bool {
        if offset > MAX_OFFSET {
            return false;
        }
        let start = self.start + bounded(offset);
        if start + N > self.end {
            return false;
        }
        // SAFETY: `start..start + N` lies within the frame, as was just checked.
        unsafe { (start as *mut [u8; N]).write_unaligned(bytes) };
        true
    }
}

/// What the helper returns: an error, or the cookie in the lower half.
#[inline(always)]
const fn made(returned: i64) -> Option<u32> {
    if returned < 0 {
        return None;
    }
    Some(returned as u32)
}

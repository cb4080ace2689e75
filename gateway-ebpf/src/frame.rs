//! The only raw packet access.

use aya_ebpf::{
    bindings::xdp_md,
    helpers::generated::{bpf_xdp_adjust_tail, bpf_xdp_get_buff_len},
    programs::XdpContext,
};
use gateway_common::{
    Frame, Outcome, Tables, Verdict,
    abi::PROBE_MARK,
    packet::{follow, frame::MAX_OFFSET},
    pipeline::{hold, weigh},
    syncookie::is_due,
};

use crate::{maps::SETTINGS, tables::KernelTables};

/// A received frame. A large one may lie in several buffers: the first, which drivers fill with at
/// least the headers, is what can be read.
pub struct XdpFrame {
    ctx: *mut xdp_md,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl XdpFrame {
    /// The frame behind `ctx`.
    #[inline(always)]
    pub fn new(ctx: &XdpContext) -> Self {
        Self {
            ctx: ctx.ctx,
            start: ctx.data(),
            end: ctx.data_end(),
        }
    }
}

impl XdpFrame {
    /// The frame as it is now, after its length has changed.
    #[inline(always)]
    pub(crate) fn renew(&mut self) {
        *self = Self::new(&XdpContext::new(self.ctx));
    }

    /// Makes the last buffer longer or shorter by `delta` bytes; says whether it could.
    #[inline(always)]
    pub(crate) fn adjust(&mut self, delta: i32) -> bool {
        // SAFETY: the context this frame was made of, which lives as long as the program runs.
        unsafe { bpf_xdp_adjust_tail(self.ctx, delta) == 0 }
    }

    /// Writes the rule that decided over the first bytes of the frame, for a probe's asker.
    #[inline(always)]
    pub(crate) fn answer(&self, rule: u32) {
        if self.start + 4 <= self.end {
            // SAFETY: `start..start + 4` lies within the frame, as was just checked.
            unsafe { (self.start as *mut [u8; 4]).write_unaligned(rule.to_ne_bytes()) };
        }
    }
}

/// Whether the frame is a test run of the agent's, which carries its mark.
#[inline(always)]
pub(crate) fn is_probe(ctx: &XdpContext) -> bool {
    let mark = ctx.metadata();
    if mark + PROBE_MARK.len() > ctx.data() {
        return false;
    }
    // SAFETY: the metadata ends where the frame starts, which is no earlier than the end of the
    // mark, as was just checked.
    unsafe { (mark as *const [u8; 8]).read_unaligned() == PROBE_MARK }
}

impl Frame for XdpFrame {
    #[inline(always)]
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        if offset > MAX_OFFSET {
            return None;
        }
        let start = self.start + bounded(offset);
        if start + N > self.end {
            return None;
        }
        // SAFETY: `start..start + N` lies between the frame's start and end, which the kernel
        // keeps readable while the program runs; the verifier proves the same of this load.
        Some(unsafe { (start as *const [u8; N]).read_unaligned() })
    }

    #[inline(always)]
    fn len(&self) -> usize {
        // SAFETY: the context this frame was made of, which lives as long as the program runs.
        unsafe { bpf_xdp_get_buff_len(self.ctx) as usize }
    }

    #[inline(always)]
    fn holds(&self, end: usize) -> bool {
        end <= self.end - self.start || end <= self.len()
    }

    #[inline(always)]
    fn follow(&self, first: u64) -> u64 {
        // SAFETY: the context this frame was made of, which lives as long as the program runs.
        unsafe { gateway_follow(self.ctx, first) }
    }

    #[inline(always)]
    fn weigh<T: Tables>(&self, _: &T, source: u64, class: u8) -> Outcome {
        // SAFETY: as in `follow`.
        Outcome::from_raw(unsafe { gateway_weigh(self.ctx, source, class as u32) })
    }

    #[inline(always)]
    fn is_whole(&self) -> bool {
        self.end - self.start == self.len()
    }

    #[inline(always)]
    fn hold<T: Tables>(&self, _: &T, source: u64, class: u8, shadow: u32) -> Outcome {
        // SAFETY: as in `follow`.
        Outcome::from_raw(unsafe { gateway_hold(self.ctx, source, class as u32, shadow) })
    }

    #[inline(always)]
    fn is_due<T: Tables>(&self, _: &T) -> bool {
        // SAFETY: as in `follow`.
        unsafe { gateway_is_due(self.ctx) != 0 }
    }

    #[inline(always)]
    fn forget(&self, value: u64) -> u64 {
        opaque(value)
    }

    #[inline(always)]
    fn settle(&self, value: u64) -> u64 {
        settled(value)
    }
}

/// Returns `value`. A function with global linkage is verified on its own, and its callers know
/// nothing of what it returns (kernel documentation, "BPF global functions").
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn opaque(value: u64) -> u64 {
    settled(value)
}

/// Returns `value`, computed here and now: the compiler cannot see through it, nor move what
/// leads to it further down.
#[inline(always)]
pub(crate) fn settled(value: u64) -> u64 {
    let mut value = value;
    // SAFETY: adds zero.
    unsafe { core::arch::asm!("{0} += 0", inout(reg) value, options(nomem, nostack)) };
    value
}

/// Returns `offset`, at most [`MAX_OFFSET`], bounded once more where it is used: Linux 6.1 forgets
/// what was compared with a number when that is read back from the stack.
#[inline(always)]
pub(crate) fn bounded(offset: usize) -> usize {
    const { assert!((MAX_OFFSET + 1).is_power_of_two()) };
    let mut offset = offset;
    // SAFETY: clears bits above those that MAX_OFFSET has.
    unsafe {
        core::arch::asm!(
            "{0} &= {most}",
            inout(reg) offset,
            most = const MAX_OFFSET,
            options(nomem, nostack),
        );
    };
    offset
}

/// [`follow`] behind a global function's boundary: it has a stack of its own, and the verifier
/// checks it once. The frame is found anew through the context, for a global function takes no
/// pointers into a packet.
///
/// # Safety
///
/// `ctx` is the context of the running program.
#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn gateway_follow(ctx: *mut xdp_md, first: u64) -> u64 {
    follow(&XdpFrame::new(&XdpContext::new(ctx)), first)
}

/// [`weigh`], likewise; it returns [`Outcome::raw`].
///
/// # Safety
///
/// As for `gateway_follow`.
#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn gateway_weigh(ctx: *mut xdp_md, source: u64, class: u32) -> u64 {
    let Some(settings) = SETTINGS.get(0) else {
        return Verdict::Pass as u64;
    };
    let ctx = XdpContext::new(ctx);
    let probe = settled(is_probe(&ctx) as u64) != 0;
    let tables = KernelTables { settings, probe };
    weigh(&XdpFrame::new(&ctx), &tables, source, class as u8).raw()
}

/// [`hold`], likewise; it returns [`Outcome::raw`].
///
/// # Safety
///
/// As for `gateway_follow`.
#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn gateway_hold(ctx: *mut xdp_md, source: u64, class: u32, shadow: u32) -> u64 {
    let Some(settings) = SETTINGS.get(0) else {
        return Verdict::Pass as u64;
    };
    let ctx = XdpContext::new(ctx);
    let probe = settled(is_probe(&ctx) as u64) != 0;
    let tables = KernelTables { settings, probe };
    hold(&XdpFrame::new(&ctx), &tables, source, class as u8, shadow).raw()
}

/// [`is_due`], likewise.
///
/// # Safety
///
/// As for `gateway_follow`.
#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn gateway_is_due(ctx: *mut xdp_md) -> u64 {
    let Some(settings) = SETTINGS.get(0) else {
        return 0;
    };
    let ctx = XdpContext::new(ctx);
    let probe = settled(is_probe(&ctx) as u64) != 0;
    is_due(&XdpFrame::new(&ctx), &KernelTables { settings, probe }) as u64
}

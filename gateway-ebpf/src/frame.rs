//! The only raw packet access.

use aya_ebpf::programs::XdpContext;
use gateway_common::{Frame, packet::frame::MAX_OFFSET};

/// The linear part of a received frame.
pub struct XdpFrame {
    start: usize,
    end: usize,
}

impl XdpFrame {
    /// The frame behind `ctx`.
    #[inline(always)]
    pub fn new(ctx: &XdpContext) -> Self {
        Self {
            start: ctx.data(),
            end: ctx.data_end(),
        }
    }
}

impl Frame for XdpFrame {
    #[inline(always)]
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        if offset > MAX_OFFSET {
            return None;
        }
        let start = self.start + offset;
        if start + N > self.end {
            return None;
        }
        // SAFETY: `start..start + N` lies between the frame's start and end, which the kernel
        // keeps readable while the program runs; the verifier proves the same of this load.
        Some(unsafe { (start as *const [u8; N]).read_unaligned() })
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.end - self.start
    }

    #[inline(always)]
    fn forget(&self, value: u64) -> u64 {
        opaque(value)
    }
}

/// Returns `value`. A function with global linkage is verified on its own, and its callers know
/// nothing of what it returns (kernel documentation, "BPF global functions").
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn opaque(value: u64) -> u64 {
    let mut value = value;
    // SAFETY: adds zero; it only keeps the compiler from seeing through the call.
    unsafe { core::arch::asm!("{0} += 0", inout(reg) value, options(nomem, nostack)) };
    value
}

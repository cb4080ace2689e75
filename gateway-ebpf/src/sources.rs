//! Ever-changing IPv4 sources for the frames of benchmarks.

use aya_ebpf::{btf_maps::PerCpuArray, macros::btf_map, programs::XdpContext};

/// Offset of the IPv4 source address in an untagged frame.
const SOURCE: usize = 26;

/// The source generator: its state, the mask of the bits that tell sources apart, the first
/// address and how many there are to spread them over. Addresses are counted without 127.0.0.0/8.
#[btf_map]
static SOURCES: PerCpuArray<[u64; 4], 1> = PerCpuArray::new();

/// Writes the next source of a xorshift sequence into the frame, and returns the one before it
/// with the new one, in host order. `None` where nothing was written.
#[inline(always)]
pub(crate) fn put_next(ctx: &XdpContext) -> Option<(u32, u32)> {
    let state = SOURCES.get_ptr_mut(0)?;
    // SAFETY: an element of a per-CPU map: this is the only reference.
    let [state, mask, first, span] = unsafe { &mut *state };
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    // A multiple of the golden ratio lands far from its neighbours, as real sources do.
    let spread = ((*state & *mask).wrapping_mul(0x9e37_79b1) as u32) as u64;
    let counted = *first + (spread.wrapping_mul(*span) >> 32);
    let loopback = (counted >= 127 << 24) as u64;
    let source = (counted + (loopback << 24)) as u32;
    let start = ctx.data() + SOURCE;
    if start + 4 > ctx.data_end() {
        return None;
    }
    let place = start as *mut [u8; 4];
    // SAFETY: `start..start + 4` lies within the frame, as was just checked.
    let before = unsafe { place.read_unaligned() };
    // SAFETY: the same bytes.
    unsafe { place.write_unaligned(source.to_be_bytes()) };
    Some((u32::from_be_bytes(before), source))
}

//! Access to the bytes of a frame.

use crate::{
    Outcome, Tables,
    pipeline::{hold, weigh},
    syncookie::is_due,
};

/// Offsets past this are never read: two VLAN tags, the longest IPv4 header or the longest
/// chain of extension headers that is followed, and a TCP header lie well before it.
pub const MAX_OFFSET: usize = 0x7fff;

/// A received Ethernet frame.
pub trait Frame {
    /// The `N` bytes at `offset`; `None` when the frame ends before, or past [`MAX_OFFSET`].
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]>;

    /// Length of the frame in bytes, with what [`Frame::read`] does not reach.
    fn len(&self) -> usize;

    /// Whether the frame is at least `end` bytes long.
    fn holds(&self, end: usize) -> bool {
        end <= self.len()
    }

    /// Returns `value`; the verifier forgets it, as with [`crate::Tables::forget`].
    fn forget(&self, value: u64) -> u64 {
        value
    }

    /// Returns `value`; the compiler forgets what was compared with it before. What it concludes
    /// from two comparisons, the verifier does not: a check of bounds that it leaves out for that
    /// is one that the verifier misses.
    fn settle(&self, value: u64) -> u64 {
        value
    }

    /// Calls [`super::follow`]; the kernel's shell puts a function boundary around it, so that the
    /// verifier checks it once and the common packet's stack stays small.
    fn follow(&self, first: u64) -> u64 {
        super::follow(self, first)
    }

    /// Calls [`crate::pipeline::weigh`], likewise.
    fn weigh<T: Tables>(&self, tables: &T, source: u64, class: u8) -> Outcome {
        weigh(self, tables, source, class)
    }

    /// Whether [`Frame::read`] reaches all of the frame.
    fn is_whole(&self) -> bool {
        true
    }

    /// Calls [`crate::pipeline::hold`], likewise.
    fn hold<T: Tables>(&self, tables: &T, source: u64, class: u8, shadow: u32) -> Outcome {
        hold(self, tables, source, class, shadow)
    }

    /// Calls [`crate::syncookie::is_due`], likewise.
    fn is_due<T: Tables>(&self, tables: &T) -> bool {
        is_due(self, tables)
    }

    /// Whether the frame has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Frame for [u8] {
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        if offset > MAX_OFFSET {
            return None;
        }
        self.get(offset..)?.first_chunk().copied()
    }

    fn len(&self) -> usize {
        <[u8]>::len(self)
    }
}

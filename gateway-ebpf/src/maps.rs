//! The maps, in the BTF form that `bpftool` and libbpf read too.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    btf_maps::{Array, HashMap, PerCpuArray, PerCpuHashMap, RingBuf},
    macros::btf_map,
};
use gateway_common::{
    abi::{
        ALLOW_CAPACITY, DENY_CAPACITY, EVENT_RING_BYTES, KNOWN_CAPACITY, LISTENING_CAPACITY,
        WOULD_CAPACITY, ZONE_CAPACITY,
    },
    counter::{COUNTERS as COUNTER_SLOTS, Counter, Hits},
    hits, limiter,
    lists::{
        Entry, Key4, Key6, cells,
        index4::{Bucket, MOST_INDEX_BITS},
    },
    settings::Settings,
    syncookie::Endpoint,
    time::Nanos,
};

const SPARSE: usize = BPF_F_NO_PREALLOC as usize;
const DENY: usize = DENY_CAPACITY as usize;
const ALLOW: usize = ALLOW_CAPACITY as usize;
const WOULDS: usize = WOULD_CAPACITY as usize;
const ZONE: usize = ZONE_CAPACITY as usize;

#[btf_map]
pub static SETTINGS: Array<Settings, 1> = Array::new();

#[btf_map]
pub static CELLS4: Array<u64, { cells::WORDS4 as usize }> = Array::new();

#[btf_map]
pub static CELLS6: Array<u64, { cells::WORDS6 as usize }> = Array::new();

/// Mapped memory starts at a page, so that no bucket lies in two cache lines.
#[btf_map]
pub static INDEX4: Array<Bucket, { 1 << MOST_INDEX_BITS }, { BPF_F_MMAPABLE as usize }> =
    Array::new();

#[btf_map]
pub static DENY4: HashMap<Key4, Entry, DENY, SPARSE> = HashMap::new();

#[btf_map]
pub static DENY6: HashMap<Key6, Entry, DENY, SPARSE> = HashMap::new();

#[btf_map]
pub static ALLOW4: HashMap<Key4, Entry, ALLOW, SPARSE> = HashMap::new();

#[btf_map]
pub static ALLOW6: HashMap<Key6, Entry, ALLOW, SPARSE> = HashMap::new();

#[btf_map]
pub static ZONE4: HashMap<Key4, Entry, ZONE, SPARSE> = HashMap::new();

#[btf_map]
pub static ZONE6: HashMap<Key6, Entry, ZONE, SPARSE> = HashMap::new();

/// Holds the maximum segment size to announce.
#[btf_map]
pub static LISTENING: HashMap<Endpoint, u32, { LISTENING_CAPACITY as usize }, SPARSE> =
    HashMap::new();

#[btf_map]
pub static LIMITER: Array<u64, { limiter::CELLS as usize }> = Array::new();

#[btf_map]
pub static KNOWN: HashMap<u64, Nanos, { KNOWN_CAPACITY as usize }, SPARSE> = HashMap::new();

#[btf_map]
pub static COUNTERS: PerCpuArray<Counter, { COUNTER_SLOTS as usize }> = PerCpuArray::new();

#[btf_map]
pub static WOULD: PerCpuHashMap<u32, Hits, WOULDS, SPARSE> = PerCpuHashMap::new();

#[btf_map]
pub static HITS: PerCpuArray<hits::Bucket, { hits::BUCKETS as usize }> = PerCpuArray::new();

#[btf_map]
/// Holds [`gateway_common::event::DropEvent`]s; untyped, for libbpf refuses a value size here.
pub static EVENTS: RingBuf<(), { EVENT_RING_BYTES as usize }> = RingBuf::new();

/// The block of counters this program writes to; the agent sets it before loading.
#[unsafe(no_mangle)]
static SLOT: u32 = 0;

/// The interface slot of this program.
#[inline(always)]
pub fn slot() -> u32 {
    // SAFETY: a plain integer in read-only data. The volatile read keeps the compiler from
    // folding in the value above, which the loader replaces.
    unsafe { core::ptr::read_volatile(&raw const SLOT) }
}

/// Whether the kernel makes SYN cookies for programs, 0 or 1; the agent sets it before loading.
#[unsafe(no_mangle)]
static SYN_COOKIES: u32 = 0;

/// Whether the helpers that make SYN cookies may be called. The verifier knows the value, and does
/// not look at what it rules out.
#[inline(always)]
pub(crate) fn makes_syn_cookies() -> bool {
    // SAFETY: as in `slot`.
    unsafe { core::ptr::read_volatile(&raw const SYN_COOKIES) != 0 }
}

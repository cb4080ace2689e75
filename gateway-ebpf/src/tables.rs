//! The pipeline's questions, answered by the kernel's maps.

use gateway_common::{
    Tables, counter,
    limiter::{self, Attempt, Charge},
    lists::{self, Entry, Key4, Key6, Lists, Packed, index4::Bucket},
    pipeline,
    settings::Settings,
    syncookie::Endpoint,
    tables::List,
    time::Nanos,
};

use crate::{
    clock,
    frame::opaque,
    maps::{
        ALLOW4, ALLOW6, CELLS4, CELLS6, COUNTERS, DENY4, DENY6, INDEX4, KNOWN, LIMITER, LISTENING,
        SETTINGS, ZONE4, ZONE6, slot,
    },
};

/// The maps, with the settings looked up once per packet.
pub(crate) struct KernelTables {
    pub(crate) settings: &'static Settings,
    /// Whether this is a test run that must charge nobody.
    pub(crate) probe: bool,
}

impl Tables for KernelTables {
    #[inline(always)]
    fn settings(&self) -> &Settings {
        self.settings
    }

    #[inline(always)]
    fn now(&self) -> Nanos {
        clock::coarse()
    }

    #[inline(always)]
    fn elapsed(&self) -> Nanos {
        clock::elapsed(self.settings)
    }

    #[inline(always)]
    fn forget(&self, value: u64) -> u64 {
        opaque(value)
    }

    #[inline(always)]
    fn listed4(&self, address: u32, all: bool) -> Packed {
        Packed::from_raw(gateway_listed4(address, all as u32))
    }

    #[inline(always)]
    fn walk4(&self, address: u32, all: bool) -> Packed {
        Packed::from_raw(gateway_walk4(address, all as u32))
    }

    #[inline(always)]
    fn walk6(&self, high: u64, low: u64, all: bool) -> Packed {
        Packed::from_raw(gateway_walk6(high, low, all as u32))
    }

    #[inline(always)]
    fn probe4(&self, address: u32, length: u32, lists: Lists) -> Packed {
        Packed::from_raw(gateway_probe4(address, length, lists.raw()))
    }

    #[inline(always)]
    fn probe6(&self, high: u64, low: u64, length: u32, lists: Lists) -> Packed {
        Packed::from_raw(gateway_probe6(high, low, length, lists.raw()))
    }

    #[inline(always)]
    fn cells4(&self, index: u32) -> u64 {
        CELLS4.get(index).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn bucket4(&self, index: u32) -> Option<&Bucket> {
        INDEX4.get(index)
    }

    #[inline(always)]
    fn cells6(&self, index: u32) -> u64 {
        CELLS6.get(index).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn entry4(&self, list: List, key: &Key4) -> Option<Entry> {
        // SAFETY: the entry is copied out at once. The program never writes these maps; when
        // the agent replaces or removes an entry meanwhile, the kernel frees the old element
        // after an RCU grace period, which cannot end while this program runs.
        unsafe {
            match list {
                List::Deny => DENY4.get(key),
                List::Allow => ALLOW4.get(key),
                List::Zone => ZONE4.get(key),
            }
        }
        .copied()
    }

    #[inline(always)]
    fn entry6(&self, list: List, key: &Key6) -> Option<Entry> {
        // SAFETY: as in `entry4`.
        unsafe {
            match list {
                List::Deny => DENY6.get(key),
                List::Allow => ALLOW6.get(key),
                List::Zone => ZONE6.get(key),
            }
        }
        .copied()
    }

    #[inline(always)]
    fn is_known(&self, identity: u64) -> bool {
        // SAFETY: as in `entry4`.
        match unsafe { KNOWN.get(&identity) } {
            Some(until) => clock::coarse() < *until,
            None => false,
        }
    }

    #[inline(always)]
    fn under_attack(&self, source: u64, class: u64) -> u64 {
        gateway_under_attack(source, class)
    }

    #[inline(always)]
    fn count_opening(&self) {
        if self.probe {
            return;
        }
        if let Some(counter) = COUNTERS.get_ptr_mut(counter::openings(slot())) {
            // SAFETY: as in `record`: this CPU's own, and nothing else refers to it.
            unsafe { (*counter).packets += 1 };
        }
    }

    #[inline(always)]
    fn listening(&self, endpoint: &Endpoint) -> u16 {
        // SAFETY: as in `entry4`; the value is no wider than the kernel writes at once.
        match unsafe { LISTENING.get(endpoint) } {
            Some(mss) => *mss as u16,
            None => 0,
        }
    }

    #[inline(always)]
    fn limiter(&self, slot: u32) -> u64 {
        match LIMITER.get_ptr(slot) {
            // SAFETY: an aligned, live element of an array map. The volatile read keeps the
            // compiler from reading it a second time after the value was checked.
            Some(cell) => unsafe { core::ptr::read_volatile(cell) },
            None => 0,
        }
    }

    #[inline(always)]
    fn attempt(&self, charge: Charge) -> Attempt {
        let Charge {
            hash,
            interval,
            tolerance,
            penalty,
        } = charge;
        let probe = self.probe as u32;
        Attempt::from_raw(gateway_attempt(hash, interval, tolerance, penalty, probe))
    }

    #[inline(always)]
    fn limiter_swap(&self, slot: u32, old: u64, new: u64) -> bool {
        if self.probe {
            return true;
        }
        use core::intrinsics::{AtomicOrdering, atomic_cxchg};
        match LIMITER.get_ptr_mut(slot) {
            Some(cell) => {
                // SAFETY: an aligned, live element of an array map, only ever written this way.
                let (_, swapped) = unsafe {
                    atomic_cxchg::<u64, { AtomicOrdering::SeqCst }, { AtomicOrdering::SeqCst }>(
                        cell, old, new,
                    )
                };
                swapped
            }
            None => false,
        }
    }
}

/// [`pipeline::under_attack`] behind a global function's boundary: the verifier checks it once, and
/// follows the limiter once whatever comes of it.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn gateway_under_attack(source: u64, class: u64) -> u64 {
    match SETTINGS.get(0) {
        Some(settings) => {
            let tables = KernelTables {
                settings,
                probe: false,
            };
            pipeline::under_attack(&tables, source, class)
        }
        None => 0,
    }
}

/// [`limiter::attempt`] behind a global function's boundary: it has a stack of its own, and the
/// verifier checks it once.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn gateway_attempt(
    hash: u64,
    interval: u64,
    tolerance: u64,
    penalty: u64,
    probe: u32,
) -> u64 {
    let charge = Charge {
        hash,
        interval,
        tolerance,
        penalty,
    };
    let Some(settings) = SETTINGS.get(0) else {
        return Attempt::Over as u64;
    };
    let probe = probe != 0;
    limiter::attempt(&KernelTables { settings, probe }, charge) as u64
}

/// [`lists::listed4`], likewise.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn gateway_listed4(address: u32, all: u32) -> u64 {
    match SETTINGS.get(0) {
        Some(settings) => {
            let tables = KernelTables {
                settings,
                probe: false,
            };
            lists::listed4(&tables, address, all != 0).raw()
        }
        None => 0,
    }
}

/// [`lists::walk4`], likewise.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn gateway_walk4(address: u32, all: u32) -> u64 {
    match SETTINGS.get(0) {
        Some(settings) => lists::walk4(
            &KernelTables {
                settings,
                probe: false,
            },
            address,
            all != 0,
        )
        .raw(),
        None => 0,
    }
}

/// [`lists::walk6`], likewise.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn gateway_walk6(high: u64, low: u64, all: u32) -> u64 {
    match SETTINGS.get(0) {
        Some(settings) => lists::walk6(
            &KernelTables {
                settings,
                probe: false,
            },
            high,
            low,
            all != 0,
        )
        .raw(),
        None => 0,
    }
}

/// [`lists::probe4`], likewise.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn gateway_probe4(address: u32, length: u32, which: u32) -> u64 {
    match SETTINGS.get(0) {
        Some(settings) => {
            let tables = KernelTables {
                settings,
                probe: false,
            };
            lists::probe4(&tables, address, length, Lists::from_raw(which)).raw()
        }
        None => 0,
    }
}

/// [`lists::probe6`], likewise.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn gateway_probe6(high: u64, low: u64, length: u32, which: u32) -> u64 {
    match SETTINGS.get(0) {
        Some(settings) => {
            let tables = KernelTables {
                settings,
                probe: false,
            };
            lists::probe6(&tables, high, low, length, Lists::from_raw(which)).raw()
        }
        None => 0,
    }
}

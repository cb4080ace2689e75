//! The in-kernel shell of the packet pipeline: map definitions, the only raw packet access, map
//! answers, counters and sampled events. It takes no decisions: those are in `gateway-common`.
#![no_std]
#![feature(asm_experimental_arch, core_intrinsics)]
#![allow(
    internal_features,
    reason = "a real compare-and-swap has no stable name on this target"
)]

mod clock;
mod frame;
pub mod maps;
mod record;
mod run;
mod syncookie;
mod tables;

pub use frame::XdpFrame;
pub use run::run;

//! The packet pipeline and the wire structs shared by the kernel and the agent.
//!
//! Everything here runs in two homes: inside the eBPF program and, unchanged, on the host,
//! where tests and fuzzers reach it. It has no allocator, no clock and no I/O: a packet comes
//! in through [`Frame`], the maps through [`Tables`], and [`decide`] says what becomes of it.
#![no_std]
#![cfg_attr(not(feature = "user"), forbid(unsafe_code))]

pub mod abi;
pub mod counter;
pub mod event;
pub mod hits;
pub mod limiter;
pub mod lists;
pub mod packet;
pub mod pipeline;
#[cfg(feature = "user")]
mod pod;
pub mod rule;
pub mod settings;
pub mod syncookie;
pub mod tables;
pub mod time;
pub mod verdict;

pub use packet::frame::Frame;
pub use pipeline::{Outcome, decide};
pub use tables::Tables;
pub use verdict::{Action, Verdict};

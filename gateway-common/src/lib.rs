//! The packet pipeline and the wire structs shared by the kernel and the agent.
//!
//! Everything here runs in two homes: inside the eBPF program and, unchanged, on the host,
//! where tests and fuzzers reach it. It has no allocator, no clock and no I/O.
#![no_std]

pub mod time;

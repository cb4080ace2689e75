//! The loaded program: everything that takes a kernel and nothing that takes a network. One
//! binary, which also runs as root of a bare machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod audit;
mod budgets;
mod bulk;
mod capacity;
mod counts;
mod differential;
mod expiry;
mod further;
mod hits;
mod limiter;
mod mirror;
mod pins;
mod probes;
mod reputation;
mod smoke;
mod syncookies;
mod tables;

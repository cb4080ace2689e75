//! The packet pipeline on the host: tables of frames, and properties held against a plain model.
//! Needs neither root nor a kernel with BPF.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod bounds;
mod clock;
mod collisions;
mod flood;
mod limiter;
mod model;
mod tables;

//! What the benchmarks share.

pub mod clock;
pub mod limiter;
pub mod machine;
pub mod pins;
pub mod sources;
pub mod stats;
pub mod xdp_filter;

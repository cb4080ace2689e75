//! Request limits per client.
//!
//! A [`RateLimiter`] remembers for each client one instant (GCRA, the generic cell rate algorithm
//! of ITU-T I.371), in a table of fixed size. Worker threads share one by [`Shards`], so that two
//! of them rarely ask for the same lock.

mod limiter;
mod quota;
mod shards;

pub use limiter::{Counters, RateLimiter};
pub use quota::{Quota, Verdict, ceil_secs};
pub use shards::Shards;

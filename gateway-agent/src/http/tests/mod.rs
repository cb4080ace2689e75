//! The server whole: real sockets, real TLS, a real upstream, and clients that misbehave.

mod access;
mod bodies;
mod cases;
pub(crate) mod client;
mod coded;
mod connections;
mod headers;
mod leaks;
mod limits;
mod messages;
mod noise;
mod origin;
mod responses;
mod shutdown;
mod unread;
mod upstreams;
mod validation;
mod waf;
pub(crate) mod world;

use std::time::{Duration, Instant};

/// Polls until a condition holds.
///
/// # Panics
/// When it does not hold within thirty seconds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

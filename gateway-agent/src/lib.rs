//! The userspace agent: configuration, data path, listeners, pipeline, store, admin, CLI.
//!
//! Data flows one way: `datapath` knows no HTTP, `http` knows no maps, `feedback` joins them.

pub mod clock;
pub mod http;
pub mod identity;
pub mod observe;

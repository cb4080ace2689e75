//! The userspace agent: configuration, data path, listeners, pipeline, store, admin, CLI.
//!
//! Data flows one way: `datapath` knows no HTTP, `http` knows no maps, `feedback` and
//! `reputation` join them, and `agent` is the only module that knows them all.

pub mod agent;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod datapath;
pub mod feedback;
pub mod feeds;
pub mod http;
pub mod identity;
pub mod observe;
pub mod records;
pub mod replay;
pub mod reputation;
pub mod store;
pub mod suggest;
pub mod tls;
pub mod validation;

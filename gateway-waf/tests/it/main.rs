//! The engine from the outside: rule files in, requests in, verdicts and matches out.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod bodies;
mod common;
mod crs;
mod crs4;
mod decoders;
mod default_rules;
mod explain;
mod injection;
mod language;
mod lifecycle;
mod load;
mod properties;
mod shadow;
mod tables;
mod tuning;
mod vocabulary;

//! The userspace decisions of the gateway, without its effects.
//!
//! Everything here takes data and the time as arguments and returns values: who is banned and
//! for how long, whether a client may send one more request, who is known as a
//! good one, which zone an address is in,
//! which route and role a request needs. Nothing reads a clock, a file or a socket, so all of
//! it can be replayed, modelled and fuzzed.
#![forbid(unsafe_code)]

pub mod access;
pub mod bans;
pub mod client;
pub mod feeds;
pub mod grammar;
pub mod import;
pub mod limits;
pub mod prefix_map;
pub mod reputation;
pub mod zones;

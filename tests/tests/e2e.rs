//! The released binary from outside: real clients, a real upstream, a real kernel, each test in
//! a lab of its own.
//!
//! `cargo xtask test` runs them as root, with the binary's path in `GATEWAY_BIN`; by themselves
//! they take `target/release/gateway`. At most two run at a time.
#![cfg(test)]

mod e2e {
    mod attack;
    mod bans;
    mod bans_spared;
    mod feeds;
    mod flood;
    mod imports;
    mod interfaces;
    mod life;
    mod limits;
    mod lists;
    mod noise;
    mod observe;
    mod reconcile;
    mod refusals;
    mod reload;
    mod syncookies;
    mod tls;
    mod tokens;
    mod trace;
    mod trial;
    mod upgrade;
    mod upstream;
    mod validation;
    mod waf;
    mod waf_tuning;
    mod world;
    mod xdp_mode;
}

//! The released binary from outside: real clients, a real upstream, a real kernel, each test in
//! a lab of its own.
//!
//! `cargo xtask test` runs them as root, with the binary's path in `GATEWAY_BIN`; by themselves
//! they take `target/release/gateway`. At most two run at a time.
#![cfg(test)]

mod e2e {
    mod bans;
    mod bans_spared;
    mod flood;
    mod imports;
    mod life;
    mod limits;
    mod lists;
    mod noise;
    mod observe;
    mod refusals;
    mod reload;
    mod tls;
    mod tokens;
    mod trace;
    mod upstream;
    mod validation;
    mod waf;
    mod world;
    mod xdp_mode;
}

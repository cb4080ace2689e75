//! Who a request speaks for: bearer tokens (RFC 6750) that are signed JWTs (RFC 7519, RFC 8725).
//!
//! Everything that decides is pure: a token, the keys and the time go in, an [`Identity`] or a
//! [`TokenFault`] comes out. Key files are read when a [`Verifier`] is made, and again by
//! [`Verifier::refresh`]; never while a request waits.

mod algorithm;
mod bearer;
mod claims;
mod fault;
mod issuer;
mod keys;
mod token;
mod verifier;

#[cfg(test)]
pub mod testing;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use bearer::{Bearer, bearer};
pub use claims::{ClaimPath, Identity};
pub use fault::{KeyFault, TokenFault};
pub use issuer::{IssuerSettings, KeyFile};
pub use verifier::{Refresh, Verifier};

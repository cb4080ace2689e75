//! What the tests of the data plane share: frames, lists, the host's and the kernel's tables, a
//! plain model of both, and tables of frames with the verdicts they deserve.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests are made of this: a broken assumption is a failed test"
)]

pub mod bench;
pub mod capture;
pub mod differential;
pub mod fuzz;
pub mod kernel;
pub mod model;
pub mod oracle;
pub mod packet;
pub mod random;
pub mod setup;
pub mod table;

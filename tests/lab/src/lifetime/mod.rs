//! Who owns a lab, and how what it made goes away, however the run ends.

pub(crate) mod bpffs;
mod claim;
pub(crate) mod names;
mod registry;
mod remains;

pub(crate) use claim::Claim;
pub(crate) use registry::{hold, release};

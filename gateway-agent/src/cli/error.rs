//! Why a command failed.

use std::io;

use crate::control::Fault;
use crate::control::lock::LockError;
use crate::store::StoreError;

/// Why a command failed, in one sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The gateway refused, or could not be asked.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The answer could not be written.
    #[error("the answer cannot be written: {0}")]
    Output(#[from] io::Error),
    /// What was typed makes no sense here.
    #[error("{0}")]
    Usage(String),
    /// Anything else.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<LockError> for CliError {
    fn from(error: LockError) -> Self {
        Self::Other(error.into())
    }
}

//! Statements to the engine's form: names resolved, patterns compiled, every fault collected.

mod action;
mod builder;
mod choice;
mod deeper;
mod error;
mod loader;
mod setting;
mod test;
mod tune;

pub use error::{Finding, LoadErrors};
pub use loader::{SourceError, Sources};

pub(crate) use choice::Choice;
pub(crate) use loader::load;

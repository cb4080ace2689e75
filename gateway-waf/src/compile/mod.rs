//! Statements to the engine's form: names resolved, patterns compiled, every fault collected.

mod action;
mod builder;
mod error;
mod loader;
mod setting;
mod test;

pub use error::{LoadError, LoadErrors};
pub use loader::{SourceError, Sources};

pub(crate) use loader::load;

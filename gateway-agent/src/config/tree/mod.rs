//! The files as one tree of values that know their places.
//!
//! [`read`] makes a tree of one file, [`merge`] lays trees over one another, and [`Values`] hands
//! a tree to serde so that the structs in `raw` can be derived. That is what lets every fault be
//! reported with its place, several at once: where serde's derived code would stop at the first
//! one, an [`At`] notes it and goes on.

mod at;
mod error;
mod merge;
mod node;
mod values;
mod words;
mod yaml;

pub(crate) use at::{At, Entries, OneOrMany, OrOff, WordOrMap};
pub(crate) use merge::merge;
pub(crate) use node::{Node, Value};
pub(crate) use values::decode;
pub(crate) use words::nearest;
pub(crate) use yaml::{MAX_BYTES, read};

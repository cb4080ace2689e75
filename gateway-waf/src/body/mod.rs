//! Request bodies to arguments.

pub(crate) mod json;
pub(crate) mod urlencoded;

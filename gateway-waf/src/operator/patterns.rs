//! Patterns whose macros are filled in at run time, compiled once for each text they become.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::Rx;

/// How many are kept. Beyond that all are forgotten: rules that fill patterns with what a client
/// sends make ever new ones.
const MAX_PATTERNS: usize = 256;

/// Compiled patterns by their text; `None` for a text that does not compile.
#[derive(Debug, Default)]
pub(crate) struct Patterns(Mutex<Kept>);

type Kept = HashMap<Box<[u8]>, Option<Arc<Rx>>>;

impl Patterns {
    /// The compiled pattern, or nothing where it does not compile.
    pub(crate) fn get(&self, pattern: &[u8]) -> Option<Arc<Rx>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.get(pattern) {
            return found.clone();
        }
        if kept.len() >= MAX_PATTERNS {
            kept.clear();
        }
        let compiled = Rx::new(pattern, false).ok().map(Arc::new);
        kept.insert(pattern.into(), compiled.clone());
        compiled
    }
}

//! The `TX` collection of one transaction.

use super::pool::Data;
use crate::template::{TxNames, TxSlot};

/// A transaction variable's value; scores stay integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TxValue {
    Integer(i64),
    Bytes(Data),
}

/// Variables the rules name live in slots, the few with computed names beside them.
#[derive(Clone, Debug)]
pub(super) struct Tx {
    slots: Vec<Option<TxValue>>,
    others: Vec<(Box<[u8]>, TxValue)>,
}

/// How many variables with computed names one transaction may make.
const MAX_OTHERS: usize = 1024;

impl Tx {
    pub(super) fn new(names: &TxNames) -> Self {
        Self {
            slots: vec![None; names.names().len()],
            others: Vec::new(),
        }
    }

    pub(super) fn get(&self, slot: TxSlot) -> Option<TxValue> {
        self.slots.get(slot.0).copied().flatten()
    }

    pub(super) fn set(&mut self, slot: TxSlot, value: Option<TxValue>) {
        if let Some(held) = self.slots.get_mut(slot.0) {
            *held = value;
        }
    }

    /// As `get`, by name.
    pub(super) fn get_named(&self, names: &TxNames, name: &[u8]) -> Option<TxValue> {
        match names.find(name) {
            Some(slot) => self.get(slot),
            None => {
                let found = self
                    .others
                    .iter()
                    .find(|(n, _)| n.eq_ignore_ascii_case(name));
                found.map(|(_, value)| *value)
            }
        }
    }

    /// As `set`, by name.
    pub(super) fn set_named(&mut self, names: &TxNames, name: &[u8], value: Option<TxValue>) {
        if let Some(slot) = names.find(name) {
            return self.set(slot, value);
        }
        self.others.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        if let Some(value) = value
            && self.others.len() < MAX_OTHERS
        {
            self.others.push((name.into(), value));
        }
    }

    /// Every variable that has a value.
    pub(super) fn iter<'a>(
        &'a self,
        names: &'a TxNames,
    ) -> impl Iterator<Item = (&'a [u8], TxValue)> {
        let slots = names.names().iter().zip(&self.slots);
        let named = slots.filter_map(|(name, value)| value.map(|value| (&**name, value)));
        named.chain(self.others.iter().map(|(name, value)| (&**name, *value)))
    }
}

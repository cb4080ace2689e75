//! Text with macros: `%{VARIABLE}`, `%{COLLECTION.key}`.

use std::collections::HashMap;

use crate::{
    nearest,
    variable::{self, Found, Source, Variable},
};

/// Text whose macros are resolved to what they name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template {
    pieces: Box<[Piece]>,
    source: Box<[u8]>,
}

#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text(Box<[u8]>),
    Macro {
        variable: Variable,
        key: Option<Box<[u8]>>,
    },
    Tx(TxSlot),
}

/// A transaction variable that the rules name outright, known by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TxSlot(pub(crate) usize);

/// Gives each `TX` name one slot; names differ by more than ASCII case.
#[derive(Debug)]
pub(crate) struct TxNames {
    slots: HashMap<Box<[u8]>, TxSlot>,
    names: Vec<Box<[u8]>>,
}

impl TxNames {
    /// How many groups a match can capture: `TX:0` to `TX:9` hold the first slots.
    pub(crate) const GROUPS: usize = 10;

    pub(crate) fn new() -> Self {
        let mut names = Self {
            slots: HashMap::new(),
            names: Vec::new(),
        };
        for group in b'0'..=b'9' {
            names.slot(&[group]);
        }
        names
    }

    /// The slot of `name`, made if need be.
    pub(crate) fn slot(&mut self, name: &[u8]) -> TxSlot {
        let folded: Box<[u8]> = name.to_ascii_lowercase().into();
        let next = TxSlot(self.names.len());
        let slot = *self.slots.entry(folded.clone()).or_insert(next);
        if slot == next {
            self.names.push(folded);
        }
        slot
    }

    /// The slot of `name` where the rules name it.
    pub(crate) fn find(&self, name: &[u8]) -> Option<TxSlot> {
        match self.slots.get(name) {
            Some(slot) => Some(*slot),
            None => self
                .slots
                .get(name.to_ascii_lowercase().as_slice())
                .copied(),
        }
    }

    /// The name of every slot, in slot order.
    pub(crate) fn names(&self) -> &[Box<[u8]>] {
        &self.names
    }
}

impl Template {
    /// Reads `text`, resolving its macros.
    ///
    /// # Errors
    /// Names the macro that means nothing here.
    pub(crate) fn new(text: &[u8], tx: &mut TxNames) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let Some((&b, tail)) = rest.split_first() {
            let inside = rest.strip_prefix(b"%{");
            let end = inside.and_then(|inside| inside.iter().position(|&b| b == b'}'));
            if let (Some(inside), Some(end)) = (inside, end) {
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
                }
                let (name, after) = inside.split_at(end);
                pieces.push(resolve(name, tx)?);
                rest = after.get(1..).unwrap_or_default();
            } else {
                literal.push(b);
                rest = tail;
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal.into()));
        }
        Ok(Self {
            pieces: pieces.into(),
            source: text.into(),
        })
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The text as written.
    pub(crate) fn source(&self) -> &[u8] {
        &self.source
    }

    /// The text, when there is no macro in it.
    pub(crate) fn literal(&self) -> Option<&[u8]> {
        match &*self.pieces {
            [] => Some(b""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

fn resolve(text: &[u8], tx: &mut TxNames) -> Result<Piece, String> {
    let text = String::from_utf8_lossy(text);
    let (name, key) = match text.split_once(['.', ':']) {
        Some((name, key)) => (name.trim(), Some(key)),
        None => (text.trim(), None),
    };
    let found = variable::find(name);
    let source = match found {
        Some(Found::Variable(variable)) => Some(variable.source()),
        Some(Found::Refused) | None => None,
    };
    match (found, source, key) {
        (_, Some(Source::Tx), Some(key)) => Ok(Piece::Tx(tx.slot(key.as_bytes()))),
        (_, Some(Source::Matched { .. }), _) => Err(format!(
            "the macro %{{{text}}} names many values; MATCHED_VAR is the last of them"
        )),
        (Some(Found::Variable(variable)), _, None) if variable.is_collection() => Err(format!(
            "the macro %{{{text}}} names a collection and needs a key, as in %{{{name}.key}}"
        )),
        (Some(Found::Variable(variable)), _, key) => Ok(Piece::Macro {
            variable,
            key: key.map(|k| k.as_bytes().into()),
        }),
        (Some(Found::Refused), ..) => Err(format!(
            "the macro %{{{text}}} names a variable that this engine does not fill yet"
        )),
        (None, ..) => {
            let hint = nearest::hint(name, variable::names());
            Err(format!("the macro %{{{text}}} names no variable{hint}"))
        }
    }
}

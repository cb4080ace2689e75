//! A PCRE pattern over bytes, flags already worked into the nodes.

use super::set::ByteSet;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Empty,
    Set(ByteSet),
    Assert(Assertion),
    /// A capturing group; numbered from 1 in the order the groups open.
    Capture(u32, Box<Node>),
    Atomic(Box<Node>),
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        mode: Mode,
    },
    Look {
        ahead: bool,
        negated: bool,
        node: Box<Node>,
    },
    BackReference {
        group: u32,
        fold_case: bool,
    },
}

/// Assertions that look at one position only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    /// `\A`, and `^` without multi-line mode.
    TextStart,
    /// `\z`.
    TextEnd,
    /// `\Z`, and `$` without multi-line mode: the end, or before a newline that ends the text.
    TextEndOrNewline,
    LineStart,
    LineEnd,
    WordBoundary,
    NotWordBoundary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Greedy,
    Lazy,
    Possessive,
}

//! Patterns that no linear-time automaton can express: look-around, back references, atomic
//! groups, possessive repeats.
//!
//! A backtracking machine decides them. It is asked only where a linear-time pattern that admits
//! more (`emit::relaxed`) has found a place to start, and it counts its steps: beyond the budget
//! it gives up, and the rule that asked takes that for a match.

mod compile;
mod machine;

pub(super) use compile::compile;
pub(super) use machine::{GaveUp, search};

use super::{ast::Assertion, set::ByteSet};

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
    /// Positions the machine keeps: two per group, then one per loop.
    slots: usize,
}

#[derive(Debug)]
enum Instruction {
    Match,
    Byte(Box<ByteSet>),
    Assert(Assertion),
    /// Goes on at the first place, and at the second where that fails.
    Split(usize, usize),
    Jump(usize),
    /// Notes the position.
    Save(usize),
    /// Fails where a loop's body has taken nothing since its `Save`.
    Progress(usize),
    BackReference {
        group: usize,
        fold_case: bool,
    },
    /// Matches the program once and never comes back into it.
    Atomic(Program),
    Ahead {
        negated: bool,
        program: Program,
    },
    /// Each alternative with its length in bytes.
    Behind {
        negated: bool,
        alternatives: Vec<(usize, Program)>,
    },
}

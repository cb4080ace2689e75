//! Runs a program by backtracking, within a budget of steps.

use super::{Instruction, Program};
use crate::operator::rx::{ast::Assertion, class};

/// The budget was spent before there was an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::operator::rx) struct GaveUp;

/// Positions noted during a match; the first two bound the whole.
pub(in crate::operator::rx) type Slots = Vec<Option<usize>>;

/// How many choices may be open at once.
const MAX_OPEN: usize = 100_000;

/// Matches the program with its start at `at`, taking steps from `budget`.
///
/// # Errors
/// When the budget is spent.
pub(in crate::operator::rx) fn search(
    program: &Program,
    input: &[u8],
    at: usize,
    budget: &mut usize,
) -> Result<Option<Slots>, GaveUp> {
    let mut slots = vec![None; program.slots];
    let end = run(program, input, at, &mut slots, budget)?;
    Ok(end.map(|end| {
        if let [start, stop, ..] = slots.as_mut_slice() {
            *start = Some(at);
            *stop = Some(end);
        }
        slots
    }))
}

/// What to do when the way taken fails.
enum Open {
    Branch { instruction: usize, at: usize },
    Restore { slot: usize, held: Option<usize> },
}

/// Runs to the program's end and returns the position there.
fn run(
    program: &Program,
    input: &[u8],
    at: usize,
    slots: &mut Slots,
    budget: &mut usize,
) -> Result<Option<usize>, GaveUp> {
    let mut open: Vec<Open> = Vec::new();
    let (mut pc, mut at) = (0, at);
    loop {
        *budget = budget.checked_sub(1).ok_or(GaveUp)?;
        if open.len() > MAX_OPEN {
            return Err(GaveUp);
        }
        let Some(instruction) = program.instructions.get(pc) else {
            return Ok(None);
        };
        let next = match instruction {
            Instruction::Match => return Ok(Some(at)),
            Instruction::Byte(set) => {
                let taken = input.get(at).is_some_and(|b| set.contains(*b));
                at += usize::from(taken);
                taken.then_some(pc + 1)
            }
            Instruction::Assert(assertion) => holds(*assertion, input, at).then_some(pc + 1),
            Instruction::Split(first, second) => {
                open.push(Open::Branch {
                    instruction: *second,
                    at,
                });
                Some(*first)
            }
            Instruction::Jump(to) => Some(*to),
            Instruction::Save(slot) => {
                if let Some(held) = slots.get_mut(*slot) {
                    open.push(Open::Restore {
                        slot: *slot,
                        held: *held,
                    });
                    *held = Some(at);
                }
                Some(pc + 1)
            }
            Instruction::Progress(slot) => {
                let before = slots.get(*slot).copied().flatten();
                (before != Some(at)).then_some(pc + 1)
            }
            Instruction::BackReference { group, fold_case } => {
                let taken = referenced(input, slots, *group, at, *fold_case);
                at += taken.unwrap_or(0);
                taken.map(|_| pc + 1)
            }
            Instruction::Atomic(inner) => {
                let held = slots.clone();
                match run(inner, input, at, slots, budget)? {
                    Some(end) => {
                        note_changes(&held, slots, &mut open);
                        at = end;
                        Some(pc + 1)
                    }
                    None => {
                        *slots = held;
                        None
                    }
                }
            }
            Instruction::Ahead { negated, program } => {
                let held = slots.clone();
                let found = run(program, input, at, slots, budget)?.is_some();
                if *negated || !found {
                    *slots = held;
                } else {
                    note_changes(&held, slots, &mut open);
                }
                (found != *negated).then_some(pc + 1)
            }
            Instruction::Behind {
                negated,
                alternatives,
            } => {
                let mut found = false;
                for (length, program) in alternatives {
                    if let Some(start) = at.checked_sub(*length) {
                        let mut inner = slots.clone();
                        found |= run(program, input, start, &mut inner, budget)? == Some(at);
                    }
                }
                (found != *negated).then_some(pc + 1)
            }
        };
        match next {
            Some(next) => pc = next,
            None => match back(&mut open, slots) {
                Some((instruction, position)) => (pc, at) = (instruction, position),
                None => return Ok(None),
            },
        }
    }
}

/// Undoes what the failed way noted and returns to the last open choice.
fn back(open: &mut Vec<Open>, slots: &mut Slots) -> Option<(usize, usize)> {
    loop {
        match open.pop()? {
            Open::Branch { instruction, at } => return Some((instruction, at)),
            Open::Restore { slot, held } => {
                if let Some(place) = slots.get_mut(slot) {
                    *place = held;
                }
            }
        }
    }
}

fn note_changes(held: &Slots, slots: &Slots, open: &mut Vec<Open>) {
    for (slot, (before, after)) in held.iter().zip(slots).enumerate() {
        if before != after {
            open.push(Open::Restore {
                slot,
                held: *before,
            });
        }
    }
}

/// How many bytes a back reference takes; a group that has not matched fails, as in PCRE.
fn referenced(
    input: &[u8],
    slots: &Slots,
    group: usize,
    at: usize,
    fold_case: bool,
) -> Option<usize> {
    let start = slots.get(group * 2).copied().flatten()?;
    let end = slots.get(group * 2 + 1).copied().flatten()?;
    let text = input.get(start..end)?;
    let here = input.get(at..at + text.len())?;
    let same = if fold_case {
        here.eq_ignore_ascii_case(text)
    } else {
        here == text
    };
    same.then_some(text.len())
}

fn holds(assertion: Assertion, input: &[u8], at: usize) -> bool {
    let word = class::word();
    let before = at.checked_sub(1).and_then(|at| input.get(at)).copied();
    let after = input.get(at).copied();
    let at_boundary =
        || before.is_some_and(|b| word.contains(b)) != after.is_some_and(|b| word.contains(b));
    match assertion {
        Assertion::TextStart => at == 0,
        Assertion::TextEnd => after.is_none(),
        Assertion::TextEndOrNewline => {
            after.is_none() || (after == Some(b'\n') && at + 1 == input.len())
        }
        Assertion::LineStart => before.is_none_or(|b| b == b'\n'),
        Assertion::LineEnd => after.is_none_or(|b| b == b'\n'),
        Assertion::WordBoundary => at_boundary(),
        Assertion::NotWordBoundary => !at_boundary(),
    }
}

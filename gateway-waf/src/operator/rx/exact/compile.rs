//! Nodes to instructions.

use super::{Instruction, Program};
use crate::operator::rx::ast::{Mode, Node};

/// How many instructions one pattern may take.
const MAX_INSTRUCTIONS: usize = 20_000;

/// Compiles a pattern.
///
/// # Errors
/// Says why it cannot be compiled.
pub(in crate::operator::rx) fn compile(node: &Node) -> Result<Program, &'static str> {
    let groups = groups(node);
    let mut loops = 0;
    let mut program = part(node, groups, &mut loops)?;
    program.resize((groups + 1) * 2 + loops);
    Ok(program)
}

impl Program {
    /// Gives every part the same slots, since they share the machine's.
    fn resize(&mut self, slots: usize) {
        self.slots = slots;
        for instruction in &mut self.instructions {
            match instruction {
                Instruction::Atomic(program) | Instruction::Ahead { program, .. } => {
                    program.resize(slots);
                }
                Instruction::Behind { alternatives, .. } => {
                    alternatives
                        .iter_mut()
                        .for_each(|(_, program)| program.resize(slots));
                }
                Instruction::Match
                | Instruction::Byte(_)
                | Instruction::Assert(_)
                | Instruction::Split(..)
                | Instruction::Jump(_)
                | Instruction::Save(_)
                | Instruction::Progress(_)
                | Instruction::BackReference { .. } => {}
            }
        }
    }
}

fn part(node: &Node, groups: usize, loops: &mut usize) -> Result<Program, &'static str> {
    let mut compiler = Compiler {
        instructions: Vec::new(),
        groups,
        loops,
    };
    compiler.node(node)?;
    compiler.push(Instruction::Match)?;
    Ok(Program {
        instructions: compiler.instructions,
        slots: 0,
    })
}

struct Compiler<'a> {
    instructions: Vec<Instruction>,
    groups: usize,
    loops: &'a mut usize,
}

impl Compiler<'_> {
    fn here(&self) -> usize {
        self.instructions.len()
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, &'static str> {
        if self.here() >= MAX_INSTRUCTIONS {
            return Err("so much repetition that it grows too large");
        }
        self.instructions.push(instruction);
        Ok(self.here() - 1)
    }

    fn set(&mut self, at: usize, instruction: Instruction) {
        if let Some(slot) = self.instructions.get_mut(at) {
            *slot = instruction;
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), &'static str> {
        match node {
            Node::Empty => {}
            Node::Set(set) => {
                self.push(Instruction::Byte(Box::new(*set)))?;
            }
            Node::Assert(assertion) => {
                self.push(Instruction::Assert(*assertion))?;
            }
            Node::Capture(group, node) => {
                let slot = *group as usize * 2;
                self.push(Instruction::Save(slot))?;
                self.node(node)?;
                self.push(Instruction::Save(slot + 1))?;
            }
            Node::Atomic(node) => {
                let program = part(node, self.groups, self.loops)?;
                self.push(Instruction::Atomic(program))?;
            }
            Node::Concat(nodes) => nodes.iter().try_for_each(|node| self.node(node))?,
            Node::Alternate(nodes) => self.alternate(nodes)?,
            Node::Repeat {
                node,
                min,
                max,
                mode: Mode::Possessive,
            } => {
                let greedy = Node::Repeat {
                    node: node.clone(),
                    min: *min,
                    max: *max,
                    mode: Mode::Greedy,
                };
                let program = part(&greedy, self.groups, self.loops)?;
                self.push(Instruction::Atomic(program))?;
            }
            Node::Repeat {
                node,
                min,
                max,
                mode,
            } => {
                self.repeat(node, *min, *max, *mode == Mode::Lazy)?;
            }
            Node::Look {
                ahead: true,
                negated,
                node,
            } => {
                let program = part(node, self.groups, self.loops)?;
                self.push(Instruction::Ahead {
                    negated: *negated,
                    program,
                })?;
            }
            Node::Look {
                ahead: false,
                negated,
                node,
            } => {
                let nodes = if let Node::Alternate(nodes) = &**node {
                    nodes.as_slice()
                } else {
                    std::slice::from_ref(&**node)
                };
                let mut alternatives = Vec::new();
                for node in nodes {
                    let length = length(node).ok_or("look-behind of no fixed length")?;
                    alternatives.push((length, part(node, self.groups, self.loops)?));
                }
                self.push(Instruction::Behind {
                    negated: *negated,
                    alternatives,
                })?;
            }
            Node::BackReference { group, fold_case } => {
                let (group, fold_case) = (*group as usize, *fold_case);
                if group == 0 || group > self.groups {
                    return Err("a reference to a group that does not exist");
                }
                self.push(Instruction::BackReference { group, fold_case })?;
            }
        }
        Ok(())
    }

    fn alternate(&mut self, nodes: &[Node]) -> Result<(), &'static str> {
        let mut ends = Vec::new();
        for (i, node) in nodes.iter().enumerate() {
            if i + 1 == nodes.len() {
                self.node(node)?;
                break;
            }
            let split = self.push(Instruction::Match)?;
            self.node(node)?;
            ends.push(self.push(Instruction::Match)?);
            let next = self.here();
            self.set(split, Instruction::Split(split + 1, next));
        }
        let end = self.here();
        for at in ends {
            self.set(at, Instruction::Jump(end));
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        node: &Node,
        min: u32,
        max: Option<u32>,
        lazy: bool,
    ) -> Result<(), &'static str> {
        for _ in 0..min {
            self.node(node)?;
        }
        let split = |body: usize, out: usize| {
            if lazy {
                Instruction::Split(out, body)
            } else {
                Instruction::Split(body, out)
            }
        };
        match max {
            None => {
                let slot = (self.groups + 1) * 2 + *self.loops;
                *self.loops += 1;
                let start = self.push(Instruction::Match)?;
                self.push(Instruction::Save(slot))?;
                self.node(node)?;
                self.push(Instruction::Progress(slot))?;
                self.push(Instruction::Jump(start))?;
                let out = self.here();
                self.set(start, split(start + 1, out));
            }
            Some(max) => {
                let mut splits = Vec::new();
                for _ in min..max {
                    splits.push(self.push(Instruction::Match)?);
                    self.node(node)?;
                }
                let out = self.here();
                for at in splits {
                    self.set(at, split(at + 1, out));
                }
            }
        }
        Ok(())
    }
}

/// The number of the last group in a pattern.
fn groups(node: &Node) -> usize {
    match node {
        Node::Capture(group, node) => groups(node).max(*group as usize),
        Node::Atomic(node) | Node::Repeat { node, .. } | Node::Look { node, .. } => groups(node),
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().map(groups).max().unwrap_or(0),
        Node::Empty | Node::Set(_) | Node::Assert(_) | Node::BackReference { .. } => 0,
    }
}

/// How many bytes a node takes, where that is always the same.
fn length(node: &Node) -> Option<usize> {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } => Some(0),
        Node::Set(_) => Some(1),
        Node::Capture(_, node) | Node::Atomic(node) => length(node),
        Node::Concat(nodes) => nodes.iter().map(length).sum(),
        Node::Alternate(nodes) => {
            let mut lengths = nodes.iter().map(length);
            let first = lengths.next()??;
            lengths.all(|length| length == Some(first)).then_some(first)
        }
        Node::Repeat { node, min, max, .. } if Some(*min) == *max => {
            length(node).map(|length| length * *min as usize)
        }
        Node::Repeat { .. } | Node::BackReference { .. } => None,
    }
}

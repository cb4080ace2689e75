//! Nodes to the syntax of the `regex` crate, which matches in linear time.
//!
//! What that crate cannot express is refused, or approximated from above for `exact`. A possessive repeat is written
//! as a greedy one only where giving bytes back could never help the rest of the pattern: when
//! nothing that may follow starts with a byte the repeat could have taken.

use std::fmt::Write as _;

use super::{
    ast::{Assertion, Mode, Node},
    set::ByteSet,
};

/// Writes `node` as a pattern for `regex::bytes` with Unicode off.
///
/// # Errors
/// Says what the pattern uses that has no linear-time form.
pub(super) fn strict(node: &Node) -> Result<String, &'static str> {
    let mut out = String::new();
    write_node(node, &ByteSet::EMPTY, false, &mut out)?;
    Ok(out)
}

/// Writes a pattern that matches wherever `node` does, and perhaps elsewhere: look-around admits
/// everything, a back reference any text, and nothing is possessive.
pub(super) fn relaxed(node: &Node) -> String {
    let mut out = String::new();
    // Nothing is refused under `relaxed`.
    let _ = write_node(node, &ByteSet::EMPTY, true, &mut out);
    out
}

/// `follow` holds every byte that may come right after what `node` matches.
fn write_node(
    node: &Node,
    follow: &ByteSet,
    relax: bool,
    out: &mut String,
) -> Result<(), &'static str> {
    match node {
        Node::Empty => {}
        Node::Set(set) => write_set(set, out),
        Node::Assert(assertion) => out.push_str(match assertion {
            Assertion::TextStart => r"\A",
            Assertion::TextEnd => r"\z",
            Assertion::TextEndOrNewline => r"(?:\n?\z)",
            Assertion::LineStart => "(?m:^)",
            Assertion::LineEnd => "(?m:$)",
            Assertion::WordBoundary => r"\b",
            Assertion::NotWordBoundary => r"\B",
        }),
        Node::Capture(_, node) => {
            out.push('(');
            write_node(node, follow, relax, out)?;
            out.push(')');
        }
        Node::Concat(nodes) => {
            for (i, node) in nodes.iter().enumerate() {
                let rest = nodes.get(i + 1..).unwrap_or_default();
                let (mut next, nullable) = first_of_all(rest);
                if nullable {
                    next = next.union(follow);
                }
                write_grouped(node, &next, relax, out, matches!(node, Node::Alternate(_)))?;
            }
        }
        Node::Alternate(nodes) => {
            for (i, node) in nodes.iter().enumerate() {
                if i > 0 {
                    out.push('|');
                }
                write_node(node, follow, relax, out)?;
            }
        }
        Node::Repeat {
            node,
            min,
            max,
            mode,
        } => {
            let (own, _) = first(node);
            let possessive = *mode == Mode::Possessive && !relax;
            if possessive && !own.is_disjoint(follow) {
                return Err("a possessive quantifier that a linear-time pattern cannot express");
            }
            if possessive && !matches!(**node, Node::Set(_)) {
                return Err("a possessive quantifier over a group");
            }
            let inner = own.union(follow);
            write_grouped(
                node,
                &inner,
                relax,
                out,
                !matches!(**node, Node::Set(_) | Node::Capture(..)),
            )?;
            write_bounds(*min, *max, out);
            if *mode == Mode::Lazy {
                out.push('?');
            }
        }
        Node::Atomic(node) if relax => write_grouped(node, follow, relax, out, true)?,
        Node::Look { .. } if relax => {}
        Node::BackReference { .. } if relax => out.push_str("(?s:.*)"),
        Node::Atomic(_) => return Err("an atomic group, which has no linear-time form"),
        Node::Look { .. } => return Err("look-around, which has no linear-time form"),
        Node::BackReference { .. } => {
            return Err("a back reference, which has no linear-time form");
        }
    }
    Ok(())
}

fn write_grouped(
    node: &Node,
    follow: &ByteSet,
    relax: bool,
    out: &mut String,
    group: bool,
) -> Result<(), &'static str> {
    if group {
        out.push_str("(?:");
    }
    write_node(node, follow, relax, out)?;
    if group {
        out.push(')');
    }
    Ok(())
}

fn write_bounds(min: u32, max: Option<u32>, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match (min, max) {
        (0, None) => out.write_str("*"),
        (1, None) => out.write_str("+"),
        (0, Some(1)) => out.write_str("?"),
        (min, None) => write!(out, "{{{min},}}"),
        (min, Some(max)) if min == max => write!(out, "{{{min}}}"),
        (min, Some(max)) => write!(out, "{{{min},{max}}}"),
    };
}

fn write_set(set: &ByteSet, out: &mut String) {
    let ranges = set.ranges();
    match ranges.as_slice() {
        [(low, high)] if low == high => write_byte(*low, out),
        // An empty class is how `regex` spells "matches nothing".
        [] => out.push_str(r"[^\x00-\xff]"),
        _ => {
            out.push('[');
            for (low, high) in ranges {
                write_byte(low, out);
                if low != high {
                    out.push('-');
                    write_byte(high, out);
                }
            }
            out.push(']');
        }
    }
}

fn write_byte(b: u8, out: &mut String) {
    if b.is_ascii_alphanumeric() {
        out.push(char::from(b));
    } else {
        let _ = write!(out, "\\x{b:02x}");
    }
}

/// The bytes a match of `node` may start with, and whether it may match without taking any.
fn first(node: &Node) -> (ByteSet, bool) {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } => (ByteSet::EMPTY, true),
        Node::BackReference { .. } => (ByteSet::FULL, true),
        Node::Set(set) => (*set, false),
        Node::Capture(_, node) | Node::Atomic(node) => first(node),
        Node::Concat(nodes) => first_of_all(nodes),
        Node::Alternate(nodes) => nodes
            .iter()
            .map(first)
            .fold((ByteSet::EMPTY, false), |(set, nullable), (s, n)| {
                (set.union(&s), nullable || n)
            }),
        Node::Repeat { node, min, .. } => {
            let (set, nullable) = first(node);
            (set, nullable || *min == 0)
        }
    }
}

fn first_of_all(nodes: &[Node]) -> (ByteSet, bool) {
    let mut set = ByteSet::EMPTY;
    for node in nodes {
        let (own, nullable) = first(node);
        set = set.union(&own);
        if !nullable {
            return (set, false);
        }
    }
    (set, true)
}

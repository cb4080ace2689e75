//! The action list: `id:1,phase:2,deny,msg:'it\'s refused',t:lowercase`.

use super::{
    ast::ActionAst,
    lexer::Word,
    span::{Complaint, Spanned},
};

/// Splits an action list; after a fault in it the rest of the list is given up.
pub(crate) fn parse(word: &Word, complaints: &mut Vec<Complaint>) -> Vec<ActionAst> {
    let mut actions = Vec::new();
    let mut at = 0;
    loop {
        while word
            .text
            .get(at)
            .is_some_and(|&b| b == b',' || b.is_ascii_whitespace())
        {
            at += 1;
        }
        if at >= word.text.len() {
            return actions;
        }
        match action(word, at) {
            Ok((action, next)) => {
                actions.push(action);
                at = next;
            }
            Err(complaint) => {
                complaints.push(complaint);
                return actions;
            }
        }
    }
}

fn action(word: &Word, start: usize) -> Result<(ActionAst, usize), Complaint> {
    let text = &word.text;
    let byte = |at: usize| text.get(at).copied();
    let mut at = start;
    while byte(at).is_some_and(|b| b != b':' && b != b',' && !b.is_ascii_whitespace()) {
        at += 1;
    }
    let name = String::from_utf8_lossy(text.get(start..at).unwrap_or_default()).into_owned();
    let name = Spanned::new(name, word.at(start));
    if name.value.is_empty() {
        return Err(Complaint::new(
            word.at(start),
            "expected the name of an action",
        ));
    }
    if byte(at) != Some(b':') {
        return Ok((ActionAst { name, value: None }, at));
    }
    at += 1;
    let value_at = word.at(at);
    let value = if byte(at) == Some(b'\'') {
        let (value, next) = quoted(word, at)?;
        at = next;
        if byte(at).is_some_and(|b| b != b',' && !b.is_ascii_whitespace()) {
            return Err(Complaint::new(
                word.at(at),
                "expected a comma after the closing quote",
            ));
        }
        value
    } else {
        let from = at;
        while byte(at).is_some_and(|b| b != b',' && !b.is_ascii_whitespace()) {
            at += 1;
        }
        text.get(from..at).unwrap_or_default().to_vec()
    };
    let value = String::from_utf8(value)
        .map_err(|_| Complaint::new(value_at, "the value of the action is not UTF-8"))?;
    Ok((
        ActionAst {
            name,
            value: Some(Spanned::new(value, value_at)),
        },
        at,
    ))
}

/// Reads from the quote at `open`; `\'` and `\\` are escapes, other backslashes stay.
fn quoted(word: &Word, open: usize) -> Result<(Vec<u8>, usize), Complaint> {
    let byte = |at: usize| word.text.get(at).copied();
    let mut value = Vec::new();
    let mut at = open + 1;
    loop {
        match byte(at) {
            None => {
                let text = "the quote ' that opens here is never closed";
                return Err(Complaint::new(word.at(open), text));
            }
            Some(b'\'') => return Ok((value, at + 1)),
            Some(b'\\') if matches!(byte(at + 1), Some(b'\'' | b'\\')) => {
                value.extend(byte(at + 1));
                at += 2;
            }
            Some(b) => {
                value.push(b);
                at += 1;
            }
        }
    }
}

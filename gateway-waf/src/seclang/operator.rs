//! The operator of a `SecRule`: `!@name argument`, or a bare pattern, which is `@rx`.

use super::{
    ast::OperatorAst,
    lexer::Word,
    span::{Complaint, Spanned},
};

/// Splits the operator text into negation, name and argument.
pub(crate) fn parse(word: &Word) -> Result<OperatorAst, Complaint> {
    let text = &word.text;
    let mut at = skip_space(text, 0);
    let negated = text.get(at) == Some(&b'!');
    if negated {
        at = skip_space(text, at + 1);
    }
    if text.get(at) != Some(&b'@') {
        return Ok(OperatorAst {
            negated,
            name: Spanned::new("rx".to_owned(), word.at(at)),
            argument: Spanned::new(text.get(at..).unwrap_or_default().to_vec(), word.at(at)),
        });
    }
    let start = at + 1;
    let mut end = start;
    while text.get(end).is_some_and(|b| !b.is_ascii_whitespace()) {
        end += 1;
    }
    let name = text.get(start..end).unwrap_or_default();
    if name.is_empty() {
        return Err(Complaint::new(
            word.at(at),
            "expected the name of an operator after @",
        ));
    }
    let argument = skip_space(text, end);
    Ok(OperatorAst {
        negated,
        name: Spanned::new(String::from_utf8_lossy(name).into_owned(), word.at(at)),
        argument: Spanned::new(
            text.get(argument..).unwrap_or_default().to_vec(),
            word.at(argument),
        ),
    })
}

fn skip_space(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

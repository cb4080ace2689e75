//! Bracket classes and the escapes that stand for bytes.

use super::{
    parse::{Parser, SyntaxError},
    set::ByteSet,
};

/// Reads a class after its opening bracket.
pub(super) fn bracket(parser: &mut Parser<'_>) -> Result<ByteSet, SyntaxError> {
    let negated = parser.eat(b"^");
    let mut set = ByteSet::EMPTY;
    let mut first = true;
    loop {
        let Some(b) = parser.next() else {
            return Err(parser.error("a class that is never closed"));
        };
        let item = match b {
            b']' if !first => break,
            b'[' if posix_opens(parser) => posix(parser)?,
            b'\\' => escape_in_class(parser)?,
            _ => ByteSet::of([b]),
        };
        first = false;
        set = set.union(&range(parser, item)?);
    }
    if parser.flags.fold_case {
        set = set.fold_case();
    }
    Ok(if negated { set.complement() } else { set })
}

/// Extends a single byte to a range when `-` and another byte follow.
fn range(parser: &mut Parser<'_>, item: ByteSet) -> Result<ByteSet, SyntaxError> {
    let Some(low) = single(&item) else {
        return Ok(item);
    };
    if parser.peek() != Some(b'-') || matches!(parser.rest(), [b'-', b']', ..] | [b'-']) {
        return Ok(item);
    }
    parser.at += 1;
    let end = match parser.next() {
        Some(b'[') if posix_opens(parser) => posix(parser)?,
        Some(b'\\') => escape_in_class(parser)?,
        Some(b) => ByteSet::of([b]),
        None => return Err(parser.error("a class that is never closed")),
    };
    match single(&end) {
        Some(high) if high < low => Err(parser.error("a range whose ends are out of order")),
        Some(high) => Ok(ByteSet::of(low..=high)),
        // `[a-\d]`: the hyphen stands for itself.
        None => Ok(item.union(&end).union(&ByteSet::of([b'-']))),
    }
}

fn single(set: &ByteSet) -> Option<u8> {
    let mut bytes = set.iter();
    match (bytes.next(), bytes.next()) {
        (Some(b), None) => Some(b),
        _ => None,
    }
}

fn escape_in_class(parser: &mut Parser<'_>) -> Result<ByteSet, SyntaxError> {
    match parser.peek() {
        Some(b'b') => {
            parser.at += 1;
            Ok(ByteSet::of([0x08]))
        }
        Some(b'0'..=b'7') => match octal(parser, 3) {
            Some(b) => Ok(ByteSet::of([b])),
            None => Err(parser.error("an octal escape above one byte")),
        },
        Some(b'B' | b'R' | b'X' | b'N' | b'p' | b'P') => {
            Err(parser.error("an escape that a class does not support"))
        }
        _ => escape(parser),
    }
}

/// Reads an escape after its backslash that stands for one byte or a class of them.
pub(super) fn escape(parser: &mut Parser<'_>) -> Result<ByteSet, SyntaxError> {
    let Some(b) = parser.next() else {
        return Err(parser.error("a backslash at the end of the pattern"));
    };
    let byte = match b {
        b'd' => return Ok(digit()),
        b'D' => return Ok(digit().complement()),
        b's' => return Ok(space()),
        b'S' => return Ok(space().complement()),
        b'w' => return Ok(word()),
        b'W' => return Ok(word().complement()),
        b'h' => return Ok(ByteSet::of([b'\t', b' ', 0xa0])),
        b'H' => return Ok(ByteSet::of([b'\t', b' ', 0xa0]).complement()),
        b'v' => return Ok(ByteSet::of([b'\n', 0x0b, 0x0c, b'\r', 0x85])),
        b'V' => return Ok(ByteSet::of([b'\n', 0x0b, 0x0c, b'\r', 0x85]).complement()),
        b'a' => 0x07,
        b'e' => 0x1b,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0' => {
            parser.at -= 1;
            octal(parser, 3).unwrap_or(0)
        }
        b'o' => return Err(parser.error("\\o{} is not supported, write \\xHH")),
        b'x' => hexadecimal(parser)?,
        b'c' => match parser.next() {
            Some(c) if c.is_ascii() => c.to_ascii_uppercase() ^ 0x40,
            _ => return Err(parser.error("\\c needs an ASCII character")),
        },
        _ if b.is_ascii_alphanumeric() => {
            return Err(parser.error("an unknown escape"));
        }
        _ => b,
    };
    Ok(ByteSet::of([byte]))
}

/// `\xHH`, `\xH`, `\x`, `\x{HH}`: always a byte.
fn hexadecimal(parser: &mut Parser<'_>) -> Result<u8, SyntaxError> {
    let braced = parser.eat(b"{");
    let mut value = 0_u32;
    let mut digits = 0;
    while braced || digits < 2 {
        let Some(digit) = parser.peek().and_then(|b| char::from(b).to_digit(16)) else {
            break;
        };
        parser.at += 1;
        digits += 1;
        value = value.saturating_mul(16).saturating_add(digit);
    }
    if braced && (digits == 0 || !parser.eat(b"}")) {
        return Err(parser.error("a malformed \\x{}"));
    }
    u8::try_from(value).map_err(|_| parser.error("\\x{} above one byte: patterns match bytes"))
}

/// Up to `longest` octal digits; `None` when they spell more than a byte.
pub(super) fn octal(parser: &mut Parser<'_>, longest: usize) -> Option<u8> {
    let mut value = 0_u32;
    let mut used = 0;
    while used < longest {
        let Some(digit) = parser.peek().and_then(|b| char::from(b).to_digit(8)) else {
            break;
        };
        parser.at += 1;
        used += 1;
        value = value * 8 + digit;
    }
    if used == 0 {
        None
    } else {
        u8::try_from(value).ok()
    }
}

fn posix_opens(parser: &Parser<'_>) -> bool {
    let rest = parser.rest();
    rest.first() == Some(&b':')
        && rest
            .get(1..)
            .unwrap_or_default()
            .iter()
            .position(|b| !b.is_ascii_alphabetic() && *b != b'^')
            .is_some_and(|end| {
                rest.get(end + 1..)
                    .is_some_and(|tail| tail.starts_with(b":]"))
            })
}

/// Reads a POSIX class from the colon on.
fn posix(parser: &mut Parser<'_>) -> Result<ByteSet, SyntaxError> {
    parser.at += 1;
    let negated = parser.eat(b"^");
    let length = parser.rest().iter().position(|b| *b == b':').unwrap_or(0);
    let name = parser.rest().get(..length).unwrap_or_default();
    let ascii = |test: fn(&u8) -> bool| ByteSet::of((0..=127).filter(test));
    let set = match name {
        b"alnum" => ascii(u8::is_ascii_alphanumeric),
        b"alpha" => ascii(u8::is_ascii_alphabetic),
        b"ascii" => ascii(u8::is_ascii),
        b"blank" => ByteSet::of(*b" \t"),
        b"cntrl" => ascii(u8::is_ascii_control),
        b"digit" => digit(),
        b"graph" => ascii(u8::is_ascii_graphic),
        b"lower" => ascii(u8::is_ascii_lowercase),
        b"print" => ascii(|b| u8::is_ascii_graphic(b) || *b == b' '),
        b"punct" => ascii(u8::is_ascii_punctuation),
        b"space" => space(),
        b"upper" => ascii(u8::is_ascii_uppercase),
        b"word" => word(),
        b"xdigit" => ascii(u8::is_ascii_hexdigit),
        _ => return Err(parser.error("an unknown POSIX class")),
    };
    parser.at += length + 2;
    Ok(if negated { set.complement() } else { set })
}

fn digit() -> ByteSet {
    ByteSet::of(b'0'..=b'9')
}

fn space() -> ByteSet {
    ByteSet::of([b' ', b'\t', b'\n', 0x0b, 0x0c, b'\r'])
}

pub(super) fn word() -> ByteSet {
    ByteSet::of((0..=127).filter(|b: &u8| b.is_ascii_alphanumeric() || *b == b'_'))
}

//! One body on its way through the search.

use super::card;
use super::search::{Hit, LONGEST, Search};
use super::{Action, Kind};

/// How much of a private key follows its heading, at most.
const LONGEST_KEY: usize = 16 << 10;
/// How much of a stream of events is held back when no event ends.
const LONGEST_EVENT: usize = 64 << 10;
/// With what a text is masked.
const MASK: u8 = b'*';
/// With what a number is masked where only a number may stand.
const MASK_DIGIT: u8 = b'9';

/// How the pieces of a body belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// As one text.
    Text,
    /// As JSON, in which a number stays one.
    Json,
    /// As a stream of events, none of which waits for the next.
    Events,
}

/// Something that must not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found(pub Kind);

/// A private key that has not ended.
#[derive(Clone, Copy, Debug)]
struct OpenKey {
    /// How much of it is left, at most.
    left: usize,
    action: Action,
    /// An escape may lie across the border between two pieces.
    escape: Escape,
}

/// One body on its way.
#[derive(Debug)]
pub struct Screen {
    framing: Framing,
    /// What stands for the bytes in front, as they came.
    context: [u8; 2],
    /// What came and was not given back.
    held: Vec<u8>,
    /// The key whose heading was seen.
    key: Option<OpenKey>,
    counts: [u32; Kind::ALL.len()],
    stopped: bool,
}

impl Screen {
    /// A body that begins.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self {
            framing,
            context: [b' '; 2],
            held: Vec::new(),
            key: None,
            counts: [0; Kind::ALL.len()],
            stopped: false,
        }
    }

    /// Takes a piece, and gives back what is known to be clean or was masked.
    ///
    /// # Errors
    /// When something is in it that must not be sent; nothing from there on ever is.
    pub fn push(&mut self, search: &Search, piece: &[u8]) -> Result<Vec<u8>, Found> {
        self.held.extend_from_slice(piece);
        let safe = match self.framing {
            Framing::Events => self
                .events()
                .max(self.held.len().saturating_sub(LONGEST_EVENT)),
            Framing::Text | Framing::Json => self.held.len().saturating_sub(LONGEST),
        };
        self.release(search, safe, false)
    }

    /// Gives back what is left at the end of the body.
    ///
    /// # Errors
    /// As [`Screen::push`].
    pub fn finish(&mut self, search: &Search) -> Result<Vec<u8>, Found> {
        self.release(search, self.held.len(), true)
    }

    /// How many bytes are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// How many of each kind were found so far.
    pub fn counts(&self) -> impl Iterator<Item = (Kind, u32)> {
        let counts = Kind::ALL.into_iter().zip(self.counts);
        counts.filter(|(_, count)| *count > 0)
    }

    /// The end of the last event that is whole (HTML section 9.2.5).
    fn events(&self) -> usize {
        let ends = |pair: &[u8]| matches!(pair, [b'\n' | b'\r', b'\n'] | [b'\r', b'\r']);
        let mut at = self.held.len();
        while at >= 2 {
            let pair = self.held.get(at - 2..at).unwrap_or_default();
            let is_line_end =
                pair == b"\r\n" && !self.held.get(..at - 2).is_some_and(|b| b.ends_with(b"\n"));
            if ends(pair) && !is_line_end {
                return at;
            }
            at -= 1;
        }
        0
    }

    /// Gives back the bytes in front of `safe`, and those of matches that begin there.
    fn release(&mut self, search: &Search, safe: usize, is_end: bool) -> Result<Vec<u8>, Found> {
        if self.stopped || safe == 0 {
            return Ok(Vec::new());
        }
        // What stands in front decides whether a number is part of a longer one.
        let begin = self.context.len();
        let mut text = Vec::with_capacity(self.held.len() + begin);
        text.extend_from_slice(&self.context);
        text.append(&mut self.held);
        let hits = search.hits(&text, begin);
        let mut safe = safe + begin;
        // The next search has to see what came, not the mask that was laid over it.
        let came = (self.key.is_some() || !hits.is_empty()).then(|| text.clone());
        let mut covered = self.in_key(&mut text, begin, safe);
        for hit in hits {
            if hit.range.start >= safe {
                break;
            }
            // It was found before the key around it was masked.
            if hit.range.start < covered {
                continue;
            }
            // It may be longer than it is yet.
            if hit.range.end == text.len() && !is_end {
                safe = hit.range.start;
                break;
            }
            self.count(hit.kind);
            if hit.action == Action::Block {
                self.stopped = true;
                return Err(Found(hit.kind));
            }
            safe = safe.max(hit.range.end);
            if hit.opens {
                self.key = Some(OpenKey {
                    left: LONGEST_KEY,
                    action: hit.action,
                    escape: Escape::default(),
                });
                covered = self.in_key(&mut text, hit.range.end, safe);
            } else if hit.action == Action::Mask {
                mask(&mut text, &hit, self.framing);
            }
        }
        let given = came.as_ref().unwrap_or(&text).get(..safe);
        self.context = context(given.unwrap_or_default());
        self.held = text.split_off(safe);
        text.drain(..begin);
        Ok(text)
    }

    /// Masks the body of a key from `at` on, as far as `safe` or to its end; up to where.
    fn in_key(&mut self, text: &mut [u8], at: usize, safe: usize) -> usize {
        let Some(mut key) = self.key.take() else {
            return at;
        };
        let limit = safe.min(at.saturating_add(key.left)).max(at);
        // The end is looked for beyond what is given back, so that no border cuts it.
        let end = memchr::memmem::find(text.get(at..).unwrap_or_default(), b"-----END");
        let end = end.map(|end| at + end).filter(|end| *end < limit);
        let to = end.unwrap_or(limit);
        let is_masked = key.action == Action::Mask;
        if is_masked {
            for byte in text.get_mut(at..to).unwrap_or_default() {
                // An escaped line end inside of JSON is one with its backslash.
                let is_escape = key.escape.holds(*byte);
                if is_key_text(*byte) && !is_escape {
                    *byte = MASK;
                }
            }
        }
        key.left = key.left.saturating_sub(to - at);
        self.key = (end.is_none() && key.left > 0).then_some(key);
        if is_masked { to } else { at }
    }

    fn count(&mut self, kind: Kind) {
        if let Some(count) = self.counts.get_mut(kind as usize) {
            *count = count.saturating_add(1);
        }
    }
}

/// Two bytes that tell the next search as much as all that came before: the last byte, the last
/// that is no white space, and whether the run of backslashes at the end is odd.
fn context(before: &[u8]) -> [u8; 2] {
    let slashes = before.iter().rev().take_while(|byte| **byte == b'\\');
    match (slashes.count(), before.last()) {
        (0, Some(&last)) => {
            let mut solid = before
                .iter()
                .rev()
                .filter(|byte| !byte.is_ascii_whitespace());
            [*solid.next().unwrap_or(&b' '), last]
        }
        (0, None) => [b' '; 2],
        (run, Some(_)) if run % 2 == 1 => [b' ', b'\\'],
        (_, _) => [b'\\'; 2],
    }
}

/// What a key is written in; line ends, escaped ones too, stay what they are.
fn is_key_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Masks a match: of a card the last four digits stay, and what parts its groups; of anything
/// else nothing but what a text around it may need to be one.
fn mask(text: &mut [u8], hit: &Hit, framing: Framing) {
    let is_number = framing == Framing::Json && is_bare_number(text, hit);
    let shown = match hit.kind {
        Kind::Card => hit.range.end.saturating_sub(4),
        Kind::Key | Kind::StackTrace | Kind::SqlError => hit.range.end,
    };
    let mut escape = Escape::behind(text.get(..hit.range.start).unwrap_or_default());
    let found = text.get_mut(hit.range.start..shown).unwrap_or_default();
    for byte in found {
        let is_escape = escape.holds(*byte);
        match byte {
            _ if is_escape => {}
            b'0'..=b'9' if is_number => *byte = MASK_DIGIT,
            b'"' | b'\r' | b'\n' | b'<' | b'>' => {}
            b' ' | b'-' if hit.kind == Kind::Card => {}
            _ => *byte = MASK,
        }
    }
}

/// Follows the escapes of JSON, which have to stay whole (RFC 8259 section 7).
#[derive(Clone, Copy, Debug, Default)]
struct Escape {
    /// Whether the last byte began one.
    begun: bool,
    /// How many hexadecimal digits of one are left.
    digits: u8,
}

impl Escape {
    /// Behind bytes of which the last may begin one.
    fn behind(text: &[u8]) -> Self {
        let slashes = text.iter().rev().take_while(|byte| **byte == b'\\').count();
        Self {
            begun: slashes % 2 == 1,
            digits: 0,
        }
    }

    /// Whether a byte is part of one.
    fn holds(&mut self, byte: u8) -> bool {
        if self.begun {
            self.begun = false;
            self.digits = if byte == b'u' { 4 } else { 0 };
            return true;
        }
        if byte == b'\\' {
            self.begun = true;
            return true;
        }
        let is_digit = self.digits > 0;
        self.digits = self.digits.saturating_sub(1);
        is_digit
    }
}

/// Whether a match may be a number of JSON, outside of any string.
fn is_bare_number(text: &[u8], hit: &Hit) -> bool {
    let before = text.get(..hit.range.start).unwrap_or_default();
    let before = before.iter().rev().find(|byte| !byte.is_ascii_whitespace());
    let found = text.get(hit.range.clone()).unwrap_or_default();
    hit.kind == Kind::Card
        && found.len() <= card::LONGEST
        && found.iter().all(u8::is_ascii_digit)
        && matches!(before, Some(b':' | b'[' | b','))
}

//! Operators that find what is malformed.

/// Bytes that a value may hold.
#[derive(Debug)]
pub(crate) struct ByteRange(Box<[bool; 256]>);

impl ByteRange {
    /// Reads numbers and ranges of them (`10, 32-126`).
    ///
    /// # Errors
    /// Names the entry that is neither.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let mut allowed = Box::new([false; 256]);
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (low, high) = entry.split_once('-').unwrap_or((entry, entry));
            match (low.trim().parse::<u8>(), high.trim().parse::<u8>()) {
                (Ok(low), Ok(high)) if low <= high => {
                    for b in low..=high {
                        if let Some(slot) = allowed.get_mut(usize::from(b)) {
                            *slot = true;
                        }
                    }
                }
                _ => return Err(format!("`{entry}` is neither a byte nor a range of bytes")),
            }
        }
        Ok(Self(allowed))
    }

    /// Whether `value` holds a byte that it may not.
    pub(crate) fn is_violated(&self, value: &[u8]) -> bool {
        value
            .iter()
            .any(|b| !self.0.get(usize::from(*b)).copied().unwrap_or_default())
    }
}

/// Whether a percent sign is not followed by two hex digits.
pub(crate) fn has_bad_escape(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'%', rest) {
        let digits = rest.get(at + 1..at + 3).unwrap_or_default();
        if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return true;
        }
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    false
}

/// Whether the digits of `text` pass the check that card numbers carry (Luhn).
pub(crate) fn passes_luhn(text: &[u8]) -> bool {
    let mut digits = 0;
    let mut sum = 0;
    for (i, b) in text.iter().rev().filter(|b| b.is_ascii_digit()).enumerate() {
        let digit = u32::from(b - b'0');
        let doubled = if i % 2 == 1 { digit * 2 } else { digit };
        sum += if doubled > 9 { doubled - 9 } else { doubled };
        digits = i + 1;
    }
    digits > 0 && sum % 10 == 0
}

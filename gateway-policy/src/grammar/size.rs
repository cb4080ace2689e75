//! Sizes in bytes: `1MB`, `64KiB`, `10MB`, and a bare number of bytes.

use std::fmt;
use std::str::FromStr;

use super::Excerpt;
use super::number::split_digits;
use super::text::text_serde;

/// A number of bytes. `MB` and its kin are powers of ten, `MiB` and its kin powers of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

/// The units, large to small. `B` is the last so that everything can be written.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

impl Size {
    /// A size of so many bytes.
    #[must_use]
    pub const fn bytes(n: u64) -> Self {
        Self(n)
    }

    /// A size of so many kibibytes, saturating.
    #[must_use]
    pub const fn kib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 10))
    }

    /// A size of so many mebibytes, saturating.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 20))
    }

    /// The size in bytes.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The size in bytes as an index type; the largest one where the size does not fit.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A text that is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{input} is not a size: {fault}; write for example 64KiB, 1MB or a number of bytes")]
pub struct SizeError {
    /// What was written.
    pub input: Excerpt,
    /// What is wrong with it.
    pub fault: SizeFault,
}

/// Why a text is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeFault {
    /// A number was expected and something else came.
    #[error("a whole number was expected")]
    NoNumber,
    /// `10M`: other programs disagree about which of the two it is.
    #[error("{0} may mean powers of ten or of two; write {0}B or {0}iB")]
    Ambiguous(char),
    /// A unit that does not exist.
    #[error("there is no unit {0} (units are B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)")]
    UnknownUnit(Excerpt),
    /// More than 64 bits of bytes.
    #[error("it is more than 64 bits can count")]
    TooLarge,
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        parse(text.trim()).map_err(|fault| SizeError {
            input: Excerpt::of(text),
            fault,
        })
    }
}

fn parse(text: &str) -> Result<Size, SizeFault> {
    let (digits, word) = split_digits(text);
    if digits.is_empty() || word.starts_with('.') {
        return Err(SizeFault::NoNumber);
    }
    let unit = unit(word.trim())?;
    let number: u64 = digits.parse().map_err(|_| SizeFault::TooLarge)?;
    number
        .checked_mul(unit)
        .map(Size)
        .ok_or(SizeFault::TooLarge)
}

fn unit(word: &str) -> Result<u64, SizeFault> {
    if word.is_empty() {
        return Ok(1);
    }
    if let Some((_, bytes)) = UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
    {
        return Ok(*bytes);
    }
    let mut chars = word.chars();
    match (chars.next().map(|c| c.to_ascii_uppercase()), chars.next()) {
        (Some(c @ ('K' | 'M' | 'G' | 'T')), None) => Err(SizeFault::Ambiguous(c)),
        _ => Err(SizeFault::UnknownUnit(Excerpt::of(word))),
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The unit that leaves the smallest whole number is the one a person would have written.
        let fits = UNITS
            .iter()
            .find(|(_, bytes)| self.0 != 0 && self.0.is_multiple_of(*bytes));
        match fits {
            Some((name, bytes)) => write!(f, "{}{name}", self.0 / bytes),
            None => f.write_str("0B"),
        }
    }
}

text_serde!(Size, "a size such as 64KiB, 1MB or a number of bytes", numbers: true);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::text::check;
    use super::*;

    #[test]
    fn reads_what_guides_write() {
        for (text, bytes, shown) in [
            ("1MB", 1_000_000, "1MB"),
            ("1mb", 1_000_000, "1MB"),
            ("10 MB", 10_000_000, "10MB"),
            ("64KiB", 65_536, "64KiB"),
            ("64kib", 65_536, "64KiB"),
            ("1KB", 1000, "1kB"),
            ("2GiB", 2 << 30, "2GiB"),
            ("512B", 512, "512B"),
            ("1500", 1500, "1500B"),
            ("0", 0, "0B"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!(size, Size::bytes(bytes), "{text}");
            assert_eq!(size.to_string(), shown);
        }
        assert_eq!(Size::mib(1).as_usize(), 1 << 20);
        assert_eq!(Size::kib(64), "64KiB".parse().unwrap());
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        use SizeFault::*;
        for (text, fault) in [
            ("", NoNumber),
            ("MB", NoNumber),
            ("-1", NoNumber),
            ("1.5MB", NoNumber),
            ("10m", Ambiguous('M')),
            ("10K", Ambiguous('K')),
            ("10 parsecs", UnknownUnit(Excerpt::of("parsecs"))),
            ("18446744073709551616", TooLarge),
            ("99999999TiB", TooLarge),
        ] {
            assert_eq!(text.parse::<Size>().unwrap_err().fault, fault, "{text}");
        }
    }

    #[test]
    fn serde_takes_text_and_bare_bytes() {
        assert_eq!(check::read::<Size>("1MB"), Ok(Size::bytes(1_000_000)));
        assert_eq!(check::read::<Size>(4096u64), Ok(Size::kib(4)));
        assert_eq!(check::written(&Size::mib(8)), "8MiB");
    }

    proptest! {
        #[test]
        fn text_and_back(n: u64, round in 0u64..100_000) {
            for bytes in [n, round * 1_000_000, round << 20, round] {
                let size = Size::bytes(bytes);
                prop_assert_eq!(size.to_string().parse::<Size>(), Ok(size));
            }
        }

        #[test]
        fn any_text_gets_an_answer(text: String) {
            let _ = text.parse::<Size>();
        }
    }
}

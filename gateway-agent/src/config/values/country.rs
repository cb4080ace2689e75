//! Countries.

use std::fmt;
use std::str::FromStr;

use super::{quoted, text_serde};

/// A country by its two letters (ISO 3166-1 alpha-2), in upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The country as a number, which entries of the packet filter carry.
    #[must_use]
    pub const fn number(self) -> u32 {
        let [first, second] = self.0;
        (first as u32) << 8 | second as u32
    }

    /// The country with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        let [0, 0, letters @ ..] = number.to_be_bytes() else {
            return None;
        };
        let are_letters = letters.iter().all(u8::is_ascii_uppercase);
        are_letters.then_some(Self(letters))
    }

    /// Whether this is what a database calls the country.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        name.as_bytes() == self.0
    }
}

impl FromStr for CountryCode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match <[u8; 2]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Self(letters.map(|letter| letter.to_ascii_uppercase())))
            }
            Ok(_) | Err(_) => Err(format!(
                "found {}, expected the two letters of a country, such as KP",
                quoted(text)
            )),
        }
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.0.map(char::from);
        write!(f, "{first}{second}")
    }
}

text_serde!(CountryCode, "the two letters of a country", numbers: false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_and_nothing_else() {
        let code: CountryCode = "kp".parse().unwrap();
        assert_eq!(code.to_string(), "KP");
        assert!(code.is("KP") && !code.is("KR") && !code.is("KPX"));
        assert_eq!(CountryCode::from_number(code.number()), Some(code));
        for number in [0, 1, 0x4b, 0x6b70, 0x0001_4b50, u32::MAX] {
            assert_eq!(CountryCode::from_number(number), None, "{number:x}");
        }
        for text in ["", "K", "KPX", "K1", "ß"] {
            let said = text.parse::<CountryCode>().unwrap_err();
            assert!(said.contains("two letters of a country"), "{said}");
        }
    }
}

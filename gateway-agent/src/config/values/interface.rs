//! Names of network interfaces.

use std::fmt;
use std::str::FromStr;

use super::{quoted, text_serde};

/// The longest name that the kernel gives, in bytes (`IFNAMSIZ` less the final zero).
const MAX: usize = 15;

/// The name of a network interface, as the kernel would accept it (`dev_valid_name`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName(String);

impl InterfaceName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InterfaceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let valid = (1..=MAX).contains(&text.len())
            && !matches!(text, "." | "..")
            && !text
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':'));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "found {}, expected the name of an interface: 1 to {MAX} bytes without spaces, \
                 slashes or colons",
                quoted(text)
            ))
        }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(InterfaceName, "the name of an interface, such as eth0", numbers: false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_kernel_takes() {
        for text in ["eth0", "enp0s31f6", "br-lan.100", "a23456789012345"] {
            assert_eq!(text.parse::<InterfaceName>().unwrap().as_str(), text);
        }
        for text in ["", ".", "..", "a/b", "a b", "eth0:1", "a234567890123456"] {
            assert!(text.parse::<InterfaceName>().is_err(), "{text}");
        }
    }
}

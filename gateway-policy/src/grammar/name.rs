//! Names that an operator gives: roles, trusted networks, feeds.

use super::Excerpt;

/// The longest name, in bytes.
const MAX: usize = 128;

/// A text that is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{input} is not a name: 1 to 128 characters without spaces or control characters")]
pub struct NameError {
    /// What was written.
    pub input: Excerpt,
}

/// Checks what all names have in common: they must fit into a log line and a metric label.
fn check(text: &str) -> Result<&str, NameError> {
    let fits = (1..=MAX).contains(&text.len())
        && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits {
        Ok(text)
    } else {
        Err(NameError {
            input: Excerpt::of(text),
        })
    }
}

/// Defines one newtype of a checked, cheaply cloned name.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $expecting:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text).map(|text| Self(text.into()))
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        super::text::text_serde!($type, $expecting, numbers: false);
    };
}

name! {
    /// The name of a role: what tokens carry and routes require.
    RoleName, "the name of a role"
}

name! {
    /// The name of a trusted network.
    NetworkName, "the name of a network"
}

name! {
    /// The name of a feed.
    FeedName, "the name of a feed"
}

#[cfg(test)]
mod tests {
    use super::super::text::check;
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        for text in ["reader", "api:admin", "https://id.example/admin", "büro"] {
            assert_eq!(text.parse::<RoleName>().unwrap().to_string(), text);
        }
        for text in ["", "a b", "a\n", "\u{7f}", &"x".repeat(129)] {
            assert!(text.parse::<RoleName>().is_err(), "{text:?}");
        }
        let network: NetworkName = "internal".parse().unwrap();
        assert_eq!(check::read::<NetworkName>("internal"), Ok(network.clone()));
        assert_eq!(check::written(&network), "internal");
    }
}

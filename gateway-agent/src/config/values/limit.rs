//! A rate, or none.

use std::fmt;
use std::str::FromStr;

use gateway_policy::grammar::Rate;

use super::text_serde;

/// How fast something may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// As fast as it likes: `unlimited`.
    Unlimited,
    /// At most this fast.
    Rate(Rate),
}

impl Limit {
    /// The rate, unless there is none.
    #[must_use]
    pub const fn rate(self) -> Option<Rate> {
        match self {
            Self::Unlimited => None,
            Self::Rate(rate) => Some(rate),
        }
    }

    /// Whether it lets less through than `other`.
    #[must_use]
    pub fn is_below(self, other: Self) -> bool {
        match (self, other) {
            (Self::Unlimited, _) => false,
            (Self::Rate(_), Self::Unlimited) => true,
            (Self::Rate(a), Self::Rate(b)) => {
                // a.count / a.per < b.count / b.per without a division
                let cross = |x: Rate, y: Rate| {
                    u128::from(x.count().get()) * u128::from(y.per().as_nanos().0)
                };
                cross(a, b) < cross(b, a)
            }
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        text.parse()
            .map(Self::Rate)
            .map_err(|e| format!("{e}, or unlimited"))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Rate(rate) => rate.fmt(f),
        }
    }
}

text_serde!(Limit, "a rate such as 1000/minute or 5000/s, or unlimited", numbers: false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_across_units() {
        let below = |a: &str, b: &str| {
            a.parse::<Limit>()
                .unwrap()
                .is_below(b.parse::<Limit>().unwrap())
        };
        assert!(below("59/minute", "1/s"));
        assert!(!below("60/minute", "1/s"));
        assert!(below("1000/s", "unlimited"));
        assert!(!below("unlimited", "unlimited"));
        assert!(!below("unlimited", "1000000000/s"));
        assert!("10".parse::<Limit>().unwrap_err().ends_with("or unlimited"));
    }
}

//! What of a feed is left out, because no feed may say it.

use std::fmt;

use crate::grammar::Prefix;
use crate::import::Entry;
use crate::prefix_map::PrefixMap;

/// The shortest IPv4 prefix that a feed may bring. No list of abusers has a wider one; one that
/// does is broken, or somebody else's by now.
pub const WIDEST4: u8 = 8;
/// The same for IPv6.
pub const WIDEST6: u8 = 16;

/// Entries left out that are told one by one; of the others only the number is.
const TOLD: usize = 10;

/// Why an entry is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is wider than [`WIDEST4`] or [`WIDEST6`].
    TooWide,
    /// It shares an address with somebody who must not be denied.
    Protected {
        /// Their addresses.
        prefix: Prefix,
        /// Who they are: "the management network".
        what: String,
    },
}

/// An entry that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwanted {
    /// Its addresses.
    pub prefix: Prefix,
    /// The line it stood on.
    pub line: u32,
    /// Why.
    pub why: Why,
}

impl fmt::Display for Unwanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, line, why } = self;
        match why {
            Why::TooWide => write!(f, "line {line}: {prefix} is wider than a feed may name"),
            Why::Protected {
                prefix: covered,
                what,
            } => write!(f, "line {line}: {prefix} touches {covered}, {what}"),
        }
    }
}

/// A feed's entries without those that are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screened {
    /// What is taken, in the order it came.
    pub kept: Vec<Entry>,
    /// How many are left out.
    pub left_out: usize,
    /// The first ten of them.
    pub told: Vec<Unwanted>,
}

/// Leaves out what is too wide, and what shares an address with a prefix of `protected`.
#[must_use]
pub fn screen(entries: Vec<Entry>, protected: &[(Prefix, String)]) -> Screened {
    let mut map: PrefixMap<&str> = PrefixMap::default();
    for (prefix, what) in protected {
        // What it was called first stays.
        let _ = map.insert(*prefix, what.as_str());
    }
    let mut screened = Screened::default();
    for entry in entries {
        match objection(entry.prefix, &map) {
            None => screened.kept.push(entry),
            Some(why) => {
                screened.left_out += 1;
                if screened.told.len() < TOLD {
                    let Entry { prefix, line, .. } = entry;
                    screened.told.push(Unwanted { prefix, line, why });
                }
            }
        }
    }
    screened
}

fn objection(prefix: Prefix, protected: &PrefixMap<&str>) -> Option<Why> {
    let widest = match prefix.is_ipv4() {
        true => WIDEST4,
        false => WIDEST6,
    };
    if prefix.len() < widest {
        return Some(Why::TooWide);
    }
    let (prefix, what) = protected.overlapping(prefix)?;
    Some(Why::Protected {
        prefix,
        what: (*what).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn what_touches_the_protected_or_is_too_wide_is_left_out_and_told() {
        let protected = [
            (p("10.0.0.0/8"), "the trusted network internal".to_owned()),
            (p("203.0.113.7"), "the management network".to_owned()),
            (p("2001:db8::1"), "an upstream".to_owned()),
        ];
        let offered = [
            "9.255.255.255",
            "10.0.0.0/8",
            "10.1.2.3",
            "11.0.0.0/8",
            "0.0.0.0/7",
            "0.0.0.0/0",
            "203.0.113.0/24",
            "203.0.113.8",
            "2001:db8::/32",
            "2001:db9::/32",
            "2000::/15",
        ];
        let entries = offered.iter().zip(1..).map(|(text, line)| Entry {
            prefix: p(text),
            line,
            ttl: None,
        });
        let screened = screen(entries.collect(), &protected);
        let kept: Vec<String> = screened.kept.iter().map(|e| e.prefix.to_string()).collect();
        assert_eq!(
            kept,
            [
                "9.255.255.255",
                "11.0.0.0/8",
                "203.0.113.8",
                "2001:db9::/32"
            ]
        );
        assert_eq!(screened.left_out, 7);
        let told: Vec<String> = screened.told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "line 2: 10.0.0.0/8 touches 10.0.0.0/8, the trusted network internal",
                "line 3: 10.1.2.3 touches 10.0.0.0/8, the trusted network internal",
                "line 5: 0.0.0.0/7 is wider than a feed may name",
                "line 6: 0.0.0.0/0 is wider than a feed may name",
                "line 7: 203.0.113.0/24 touches 203.0.113.7, the management network",
                "line 9: 2001:db8::/32 touches 2001:db8::1, an upstream",
                "line 11: 2000::/15 is wider than a feed may name",
            ]
        );
    }

    #[test]
    fn only_the_first_are_told() {
        let everybody = [(p("10.0.0.0/8"), "x".to_owned())];
        let entries = (0..1_000_u32).map(|n| Entry {
            prefix: Prefix::host(std::net::Ipv4Addr::from(0x0a00_0000 + n).into()),
            line: n,
            ttl: None,
        });
        let screened = screen(entries.collect(), &everybody);
        assert_eq!((screened.left_out, screened.told.len()), (1_000, TOLD));
    }
}

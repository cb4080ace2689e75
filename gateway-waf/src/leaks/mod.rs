//! Secrets in responses: card numbers, keys, stack traces, errors of databases.
//!
//! A [`Screen`] takes a body piece by piece and gives it back, with what was found masked. A
//! match is found across any border between pieces: the end of what has come is held back until
//! it is known what follows. Time is linear in the length of the body, and what is held is
//! bounded.

mod card;
mod screen;
mod search;

pub use screen::{Found, Framing, Screen};
pub use search::Search;

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The number of a payment card.
    Card,
    /// A private key, or a credential of a known service.
    Key,
    /// The stack trace of a program.
    StackTrace,
    /// The error message of a database.
    SqlError,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Card, Self::Key, Self::StackTrace, Self::SqlError];

    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Key => "key",
            Self::StackTrace => "stack-trace",
            Self::SqlError => "sql-error",
        }
    }
}

/// What is done about a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Action {
    /// It is not looked for.
    #[default]
    Off,
    /// It is counted.
    Log,
    /// It is counted, and replaced by as many other characters.
    Mask,
    /// The body ends before it.
    Block,
}

impl Action {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Log => "log",
            Self::Mask => "mask",
            Self::Block => "block",
        }
    }
}

#[cfg(test)]
mod tests;

//! Lists that others keep: when each is asked for anew, what of it is taken, and what is not
//! believed.
//!
//! Nothing here fetches or writes. A feed is somebody else's word: it may be late, broken, taken
//! over by a stranger. So what it says is screened, and one that loses most of its entries at
//! once is held back until a person has looked.

mod agenda;
mod screen;

pub use agenda::{Agenda, FIRST_RETRY};
pub use screen::{Screened, Unwanted, WIDEST4, WIDEST6, Why, screen};

/// Entries from which on a feed that shrinks by more than half is held back. One that becomes
/// empty is, however few it had.
pub const TRIVIAL: usize = 20;

/// Whether a feed that held `held` entries and now offers `offered` has lost so many that it is
/// held back. A first load never is.
#[must_use]
pub const fn shrinks_too_much(held: usize, offered: usize) -> bool {
    let halved = held >= TRIVIAL && offered < held.div_ceil(2);
    halved || (held > 0 && offered == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_half_is_too_much() {
        for (held, offered, too_much) in [
            (0, 0, false),
            (0, 1_000, false),
            (1, 0, true),
            (19, 1, false),
            (20, 10, false),
            (20, 9, true),
            (21, 11, false),
            (21, 10, true),
            (100_000, 50_000, false),
            (100_000, 49_999, true),
            (100_000, 0, true),
        ] {
            assert_eq!(
                shrinks_too_much(held, offered),
                too_much,
                "{held} {offered}"
            );
        }
    }
}

//! The text grammars: one per idea, each a newtype with [`FromStr`](std::str::FromStr),
//! [`Display`](std::fmt::Display) that parses back to the same value, and serde through text.
//!
//! The config, the command line, the admin API and the tests all read these, so that a prefix
//! or a rate means the same wherever it is written.

mod excerpt;
mod factor;
mod name;
mod number;
mod period;
mod prefix;
mod rate;
mod size;
pub(crate) mod text;
mod unit;

pub use excerpt::Excerpt;
pub use factor::{Factor, FactorError, FactorFault};
pub use name::{FeedName, NameError, NetworkName, RoleName};
pub use period::{Period, PeriodError, PeriodFault};
pub use prefix::{Prefix, PrefixError};
pub use rate::{Rate, RateError, RateFault};
pub use size::{Size, SizeError, SizeFault};

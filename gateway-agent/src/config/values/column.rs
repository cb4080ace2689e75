//! Where in a feed the prefix stands.

use std::convert::Infallible;
use std::str::FromStr;

use gateway_policy::import::Column;

use super::text_serde;

/// A column or field, by name or by number from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeedColumn(pub(crate) Column);

impl FromStr for FeedColumn {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Column::from(text)))
    }
}

text_serde!(FeedColumn, "the name or the number of a column", numbers: true);

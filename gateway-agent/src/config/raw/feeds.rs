//! Lists that others keep.

use std::num::NonZeroU32;

use gateway_policy::bans::Mode;
use gateway_policy::grammar::{Period, Rate, Size};
use serde::Deserialize;

use crate::config::tree::{At, OneOrMany};
use crate::config::values::{CountryCode, FeedColumn, FeedFormat, FeedList, FeedUrl, FileName};

/// A list that somebody else keeps, at a URL or in a file.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Feed {
    /// Where it is fetched from, such as `https://lists.example/drop.txt`; this or `file`.
    pub(crate) url: Option<At<FeedUrl>>,
    /// The file that it is read from; this or `url`.
    pub(crate) file: Option<At<FileName>>,
    /// How often it is read, from `1s` to `30d`; a `url` at most once a minute. Default: `1h`.
    pub(crate) interval: Option<At<Period>>,
    /// `auto`, `plain`, `csv`, `json`, `ipset` or `nft`, as for `gateway deny import`. Default:
    /// `auto`, told from the content.
    pub(crate) format: Option<At<FeedFormat>>,
    /// The column or field that holds the prefix, by name or by number from 1. Default: looked
    /// for.
    pub(crate) column: Option<At<FeedColumn>>,
    /// `deny`, or `allow` for the safelist. Default: `deny`.
    pub(crate) list: Option<At<FeedList>>,
    /// `enforce`, or `shadow` to count what would be dropped; the safelist has no shadow. Default:
    /// `enforce`.
    pub(crate) mode: Option<At<Mode>>,
    /// How many entries it may have; one with more is not taken. Default: 500000.
    pub(crate) max_entries: Option<At<NonZeroU32>>,
    /// How many of its lines may be bad; they are passed over and counted. One with more is not
    /// taken. Default: 0.
    pub(crate) bad_lines: Option<At<u32>>,
    /// How large it may be, from `1KiB` to `256MiB`. Default: `32MiB`.
    pub(crate) max_size: Option<At<Size>>,
    /// How long fetching it may take in all, from `1s` to `10m`. Default: `30s`.
    pub(crate) timeout: Option<At<Period>>,
    /// A PEM file with the authorities that its server's certificate may come from. Default: those
    /// that this host trusts.
    pub(crate) ca: Option<At<FileName>>,
    /// `true` to fetch it without encryption: whoever is on the way may then write the list.
    /// Default: `false`.
    pub(crate) plaintext: Option<At<bool>>,
}

/// What becomes of sources by their country.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Countries {
    /// The database that knows the countries of addresses, in the MaxMind DB format, such as
    /// `GeoLite2-Country.mmdb`.
    pub(crate) database: At<FileName>,
    /// Countries whose sources are dropped, by their two letters (ISO 3166-1), such as `KP`.
    #[serde(default)]
    pub(crate) deny: OneOrMany<CountryCode>,
    /// Countries each of whose sources is held to `limit`, besides all other limits.
    #[serde(default)]
    pub(crate) limited: OneOrMany<CountryCode>,
    /// Packets that a source in a `limited` country may send, an IPv4 address or an IPv6 /64, such
    /// as `100/s`; bursts are those of `packet_limits`.
    pub(crate) limit: Option<At<Rate>>,
    /// `enforce`, or `shadow` to count what would be dropped. Default: `enforce`.
    pub(crate) mode: Option<At<Mode>>,
    /// How often the database is looked at for changes, from `1s` to `30d`. Default: `1h`.
    pub(crate) interval: Option<At<Period>>,
}

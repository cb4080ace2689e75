//! Feeds, and lists of countries, which are feeds too.

use gateway_policy::bans::Mode;
use gateway_policy::grammar::{FeedName, Period, Size};
use gateway_policy::import::{Column, Format};

use super::{Context, FilePath, Watched, setting};
use crate::config::raw;
use crate::config::report::Place;
use crate::config::tree::{At, Entries};
use crate::config::values::{CountryCode, FeedFormat, FeedList, FeedUrl, Limit};

/// A list that somebody else keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its name; lists of countries are called `country:KP`.
    pub name: FeedName,
    /// Where it comes from.
    pub source: FeedSource,
    /// The list that it is for.
    pub list: FeedList,
    /// Whether its entries act.
    pub mode: Mode,
    /// How often it is read.
    pub interval: Period,
    /// How many entries it may have.
    pub max_entries: u32,
}

/// Where a feed comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedSource {
    /// A URL.
    Url {
        /// The URL.
        url: FeedUrl,
        /// The authorities to trust; those of the host when absent.
        ca: Option<FilePath>,
        /// How long a fetch may take.
        timeout: Period,
        /// How to read it.
        form: FeedForm,
    },
    /// A file.
    File {
        /// The file.
        file: FilePath,
        /// How to read it.
        form: FeedForm,
    },
    /// The networks of a country in a database.
    Country {
        /// The database, in the MaxMind DB format.
        database: FilePath,
        /// The country.
        code: CountryCode,
        /// Whether its sources are held to the limit of countries, and on no list.
        limited: bool,
    },
}

impl Feed {
    /// The country whose sources it holds to the limit of countries; `None` for what is on a list.
    #[must_use]
    pub fn limits(&self) -> Option<CountryCode> {
        match self.source {
            FeedSource::Country {
                code,
                limited: true,
                ..
            } => Some(code),
            FeedSource::Url { .. } | FeedSource::File { .. } | FeedSource::Country { .. } => None,
        }
    }
}

/// How to read a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedForm {
    /// The format; told from the content when absent.
    pub format: Option<Format>,
    /// Where the prefix stands; looked for when absent.
    pub column: Option<Column>,
    /// Bad lines that are passed over.
    pub bad_lines: u32,
    /// Bytes that it may have.
    pub max_size: Size,
}

/// Names that begin so are those of countries.
const COUNTRY: &str = "country:";
/// Feeds of one gateway: each has its line in the status and its metrics.
const MAX_FEEDS: usize = 256;

const HOUR: Period = Period::from_secs(3600);
const INTERVALS: (Period, Period) = (Period::from_secs(1), Period::from_secs(30 * 24 * 3600));
/// Whoever publishes a list would shut out those who ask more often.
const LEAST_FOR_URLS: Period = Period::from_secs(60);
const TIMEOUTS: (Period, Period) = (Period::from_secs(1), Period::from_secs(600));

pub(super) fn check(
    feeds: Entries<raw::Feed>,
    countries: Option<At<raw::Countries>>,
    interfaces: bool,
    cx: &Context<'_>,
) -> (Vec<Feed>, Option<Watched>) {
    let mut all = Vec::new();
    let mut limit = None;
    let place = feeds.0.first().map(|(key, _)| key.place());
    let place = place.or_else(|| countries.as_ref().map(At::place));
    for (key, raw) in feeds.0 {
        all.extend(name(&key, cx).and_then(|name| feed(name, raw, cx)));
    }
    if let Some(raw) = countries.and_then(At::take) {
        let (countries, of_countries) = by_country(raw, cx);
        all.extend(countries);
        limit = of_countries;
    }
    let Some(place) = place else {
        return (all, limit);
    };
    if all.len() > MAX_FEEDS {
        let message = format!(
            "found {} feeds and countries, expected at most {MAX_FEEDS}",
            all.len()
        );
        cx.report.fault(place, message);
    }
    if !interfaces {
        let message = "feeds are not read without `interfaces`: there is no filter for them";
        cx.report.warning(place, message);
    }
    (all, limit)
}

fn name(key: &At<String>, cx: &Context<'_>) -> Option<FeedName> {
    let name = cx
        .report
        .take(key.place(), key.get()?.parse::<FeedName>())?;
    if name.as_str().starts_with(COUNTRY) {
        let message = format!("names that begin with `{COUNTRY}` are those of `countries`");
        cx.report.fault(key.place(), message);
        return None;
    }
    Some(name)
}

fn feed(name: FeedName, raw: At<raw::Feed>, cx: &Context<'_>) -> Option<Feed> {
    let place = raw.place();
    let mut raw = raw.take()?;
    let list = setting(raw.list.take(), FeedList::default());
    let mode_place = raw.mode.as_ref().map(At::place);
    let mode = setting(raw.mode.take(), Mode::Enforce);
    if let (FeedList::Allow, Mode::Shadow, Some(place)) = (list, mode, mode_place) {
        let message = "the safelist has no shadow mode; only deny entries do";
        cx.report.fault(place, message);
    }
    let interval = cx.period(raw.interval.take(), HOUR, INTERVALS);
    let max_entries = raw.max_entries.take().and_then(At::take);
    let source = source(raw, place, interval, cx)?;
    Some(Feed {
        name,
        source,
        list,
        mode,
        interval,
        max_entries: max_entries.map_or(500_000, std::num::NonZeroU32::get),
    })
}

fn source(raw: raw::Feed, place: Place, interval: Period, cx: &Context<'_>) -> Option<FeedSource> {
    let form = FeedForm {
        format: match setting(raw.format, FeedFormat::default()) {
            FeedFormat::Auto => None,
            FeedFormat::Plain => Some(Format::Plain),
            FeedFormat::Csv => Some(Format::Csv),
            FeedFormat::Json => Some(Format::Json),
            FeedFormat::Ipset => Some(Format::Ipset),
            FeedFormat::Nft => Some(Format::Nft),
        },
        column: raw.column.and_then(At::take).map(|column| column.0),
        bad_lines: setting(raw.bad_lines, 0),
        max_size: cx.size(raw.max_size, Size::mib(32), (Size::kib(1), Size::mib(256))),
    };
    for (key, there) in [
        ("ca", raw.ca.as_ref().map(At::place)),
        ("timeout", raw.timeout.as_ref().map(At::place)),
        ("plaintext", raw.plaintext.as_ref().map(At::place)),
    ] {
        if let (Some(place), None) = (there, &raw.url) {
            let message = format!("`{key}` is for feeds with a `url`");
            cx.report.fault(place, message);
        }
    }
    match (raw.url, raw.file) {
        (None, Some(file)) => Some(FeedSource::File {
            file: cx.file(&file)?,
            form,
        }),
        (Some(written), None) => {
            let place = written.place();
            let url = written.take()?;
            if !url.is_secure() && !setting(raw.plaintext, false) {
                cx.report.fault(
                    place,
                    "found a feed without encryption, expected https://, or `plaintext: true` \
                     beside it: whoever is on the way may write the list",
                );
            }
            if interval < LEAST_FOR_URLS {
                let message = format!(
                    "found a URL that is fetched every {interval}, expected at most once in \
                     {LEAST_FOR_URLS}: its server would shut you out"
                );
                cx.report.fault(place, message);
            }
            Some(FeedSource::Url {
                url,
                ca: raw.ca.and_then(|ca| cx.file(&ca)),
                timeout: cx.period(raw.timeout, Period::from_secs(30), TIMEOUTS),
                form,
            })
        }
        (Some(_), Some(_)) => {
            cx.report
                .fault(place, "found `url` and `file`, expected one of them");
            None
        }
        (None, None) => {
            cx.report.fault(
                place,
                "found neither `url` nor `file`, expected one of them",
            );
            None
        }
    }
}

/// A feed for each country, and the limit of those that have one.
fn by_country(raw: raw::Countries, cx: &Context<'_>) -> (Vec<Feed>, Option<Watched>) {
    let interval = cx.period(raw.interval, HOUR, INTERVALS);
    let mode = setting(raw.mode, Mode::Enforce);
    let Some(database) = cx.file(&raw.database) else {
        return (Vec::new(), None);
    };
    if raw.deny.0.is_empty() && raw.limited.0.is_empty() {
        let message = "no country is named in `deny` or `limited`: the database is of no use";
        cx.report.warning(raw.database.place(), message);
    }
    match (raw.limited.0.first(), &raw.limit) {
        (Some(limited), None) => {
            let message =
                "found `limited` without `limit`, expected a rate such as 100/s beside it";
            cx.report.fault(limited.place(), message);
        }
        (None, Some(limit)) => {
            let message = "no country is named in `limited`: the limit holds for nobody";
            cx.report.warning(limit.place(), message);
        }
        (None, None) | (Some(_), Some(_)) => {}
    }
    let limit = raw.limit.and_then(At::take).map(|rate| Watched {
        limit: Limit::Rate(rate),
        mode,
    });
    let denied = raw.deny.0.into_iter().map(|written| (written, false));
    let limited = raw.limited.0.into_iter().map(|written| (written, true));
    let mut feeds: Vec<Feed> = Vec::new();
    for (written, limited) in denied.chain(limited) {
        let place = written.place();
        let Some(code) = written.take() else {
            continue;
        };
        let Some(name) = cx.report.take(place, format!("{COUNTRY}{code}").parse()) else {
            continue;
        };
        if feeds.iter().any(|known| known.name == name) {
            cx.report
                .fault(place, format!("found the country {code} again"));
            continue;
        }
        feeds.push(Feed {
            name,
            source: FeedSource::Country {
                database: database.clone(),
                code,
                limited,
            },
            list: FeedList::Deny,
            mode,
            interval,
            max_entries: u32::MAX,
        });
    }
    (feeds, limit)
}

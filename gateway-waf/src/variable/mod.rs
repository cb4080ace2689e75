//! The variables a rule can name.

mod names;
mod selector;

pub(crate) use names::{Found, find, names};
pub(crate) use selector::Selector;

/// A variable of the rule language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Variable {
    Args,
    ArgsNames,
    ArgsGet,
    ArgsGetNames,
    ArgsPost,
    ArgsPostNames,
    ArgsCombinedSize,
    MatchedVar,
    MatchedVarName,
    MatchedVars,
    MatchedVarsNames,
    PathInfo,
    QueryString,
    RemoteAddr,
    RemotePort,
    ReqbodyError,
    ReqbodyErrorMsg,
    ReqbodyProcessor,
    RequestBasename,
    RequestBody,
    RequestBodyLength,
    RequestCookies,
    RequestCookiesNames,
    RequestFilename,
    RequestHeaders,
    RequestHeadersNames,
    RequestLine,
    RequestMethod,
    RequestProtocol,
    RequestUri,
    RequestUriRaw,
    Rule,
    ServerAddr,
    ServerName,
    ServerPort,
    Tx,
    UniqueId,
}

/// Where a variable's items are kept. Several variables may show the same store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    ArgsGet,
    ArgsPost,
    Cookies,
    Headers,
    PathInfo,
    QueryString,
    RemoteAddr,
    RemotePort,
    ReqbodyError,
    ReqbodyErrorMsg,
    ReqbodyProcessor,
    RequestBasename,
    RequestBody,
    RequestFilename,
    RequestLine,
    RequestMethod,
    RequestProtocol,
    RequestUri,
    RequestUriRaw,
    ServerAddr,
    ServerName,
    ServerPort,
    UniqueId,
}

impl Store {
    /// How many stores there are.
    pub(crate) const COUNT: usize = Self::UniqueId as usize + 1;
}

/// How a variable gets its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The values of these stores, in order.
    Values(&'static [Store]),
    /// The names of the items of these stores.
    Names(&'static [Store]),
    /// One value, worked out when asked.
    Computed(Computed),
    /// The values that the rule at hand matched so far, or their names.
    Matched {
        names: bool,
    },
    Tx,
    /// The rule at hand.
    Rule,
}

/// Single values that have no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Computed {
    ArgsCombinedSize,
    MatchedVar,
    MatchedVarName,
    RequestBodyLength,
}

impl Variable {
    /// Where the variable's items come from.
    pub(crate) fn source(self) -> Source {
        use Source::{Names, Values};
        match self {
            Self::Args => Values(&[Store::ArgsGet, Store::ArgsPost]),
            Self::ArgsNames => Names(&[Store::ArgsGet, Store::ArgsPost]),
            Self::ArgsGet => Values(&[Store::ArgsGet]),
            Self::ArgsGetNames => Names(&[Store::ArgsGet]),
            Self::ArgsPost => Values(&[Store::ArgsPost]),
            Self::ArgsPostNames => Names(&[Store::ArgsPost]),
            Self::PathInfo => Values(&[Store::PathInfo]),
            Self::QueryString => Values(&[Store::QueryString]),
            Self::RemoteAddr => Values(&[Store::RemoteAddr]),
            Self::RemotePort => Values(&[Store::RemotePort]),
            Self::ReqbodyError => Values(&[Store::ReqbodyError]),
            Self::ReqbodyErrorMsg => Values(&[Store::ReqbodyErrorMsg]),
            Self::ReqbodyProcessor => Values(&[Store::ReqbodyProcessor]),
            Self::RequestBasename => Values(&[Store::RequestBasename]),
            Self::RequestBody => Values(&[Store::RequestBody]),
            Self::RequestCookies => Values(&[Store::Cookies]),
            Self::RequestCookiesNames => Names(&[Store::Cookies]),
            Self::RequestFilename => Values(&[Store::RequestFilename]),
            Self::RequestHeaders => Values(&[Store::Headers]),
            Self::RequestHeadersNames => Names(&[Store::Headers]),
            Self::RequestLine => Values(&[Store::RequestLine]),
            Self::RequestMethod => Values(&[Store::RequestMethod]),
            Self::RequestProtocol => Values(&[Store::RequestProtocol]),
            Self::RequestUri => Values(&[Store::RequestUri]),
            Self::RequestUriRaw => Values(&[Store::RequestUriRaw]),
            Self::ServerAddr => Values(&[Store::ServerAddr]),
            Self::ServerName => Values(&[Store::ServerName]),
            Self::ServerPort => Values(&[Store::ServerPort]),
            Self::UniqueId => Values(&[Store::UniqueId]),
            Self::ArgsCombinedSize => Source::Computed(Computed::ArgsCombinedSize),
            Self::MatchedVar => Source::Computed(Computed::MatchedVar),
            Self::MatchedVarName => Source::Computed(Computed::MatchedVarName),
            Self::MatchedVars => Source::Matched { names: false },
            Self::MatchedVarsNames => Source::Matched { names: true },
            Self::RequestBodyLength => Source::Computed(Computed::RequestBodyLength),
            Self::Rule => Source::Rule,
            Self::Tx => Source::Tx,
        }
    }

    /// The variable's name as rules and logs write it.
    pub(crate) fn name(self) -> &'static str {
        names::name(self)
    }
}

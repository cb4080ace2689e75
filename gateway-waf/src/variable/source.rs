//! Where the values of variables come from.

/// Where items are kept in a transaction. Several variables may show the same store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    ArgsGet,
    ArgsPost,
    AuthType,
    Cookies,
    Environment,
    Files,
    FilesContent,
    FilesSizes,
    Geo,
    Headers,
    MultipartFilename,
    MultipartName,
    PartHeaders,
    PathInfo,
    QueryString,
    RemoteAddr,
    RemotePort,
    RemoteUser,
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
    ResponseBody,
    ResponseContentType,
    ResponseHeaders,
    ResponseProtocol,
    ResponseStatus,
    ServerAddr,
    ServerName,
    ServerPort,
    SessionId,
    StatusLine,
    UniqueId,
    UserId,
    XmlAttributes,
    XmlText,
}

impl Store {
    /// How many stores there are.
    pub(crate) const COUNT: usize = Self::XmlText as usize + 1;
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
    /// 1 where something is wrong with the request, else 0.
    Flag(Flag),
    /// The values that the rule at hand matched so far, or their names.
    Matched {
        names: bool,
    },
    /// A collection that outlives the transaction.
    Persistent(Persistent),
    Tx,
    /// The rule at hand.
    Rule,
}

/// Single values that have no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Computed {
    ArgsCombinedSize,
    Duration,
    FilesCombinedSize,
    FullRequest,
    FullRequestLength,
    HighestSeverity,
    MatchedVar,
    MatchedVarName,
    RequestBodyLength,
    ResponseContentLength,
    Time,
    TimeDay,
    TimeEpoch,
    TimeHour,
    TimeMin,
    TimeMon,
    TimeSec,
    TimeWday,
    TimeYear,
    WebAppId,
}

/// Things that can be wrong with a request; the `MULTIPART_*` ones with its multipart body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    InboundDataError,
    OutboundDataError,
    ReqbodyError,
    UrlencodedError,
    BoundaryQuoted,
    BoundaryWhitespace,
    CrlfLfLines,
    DataAfter,
    DataBefore,
    FileLimitExceeded,
    HeaderFolding,
    InvalidHeaderFolding,
    InvalidPart,
    InvalidQuoting,
    LfLine,
    MissingSemicolon,
    StrictError,
    UnmatchedBoundary,
}

/// Collections that outlive a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Persistent {
    Global,
    Ip,
    Resource,
    Session,
    User,
}

impl Persistent {
    /// How many of them there are.
    pub(crate) const COUNT: usize = Self::User as usize + 1;

    /// Finds a collection by name, any case.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let known = [
            ("global", Self::Global),
            ("ip", Self::Ip),
            ("resource", Self::Resource),
            ("session", Self::Session),
            ("user", Self::User),
        ];
        known
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|&(_, found)| found)
    }
}

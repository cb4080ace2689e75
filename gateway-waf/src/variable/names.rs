//! Names to variables and back.

use super::Variable;

/// What a name in a target or a macro stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The variable, and whether it is a collection, which a selector may narrow.
    Variable(Variable, bool),
    /// SecLang, but not carried out.
    Refused,
}

/// Finds a variable by name, any case.
pub(crate) fn find(name: &str) -> Option<Found> {
    let known = VARIABLES
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name));
    match known {
        Some(&(_, variable, collection)) => Some(Found::Variable(variable, collection)),
        None => REFUSED
            .iter()
            .any(|r| r.eq_ignore_ascii_case(name))
            .then_some(Found::Refused),
    }
}

/// Every name that can be used.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().map(|&(name, ..)| name)
}

/// A variable's name.
pub(super) fn name(variable: Variable) -> &'static str {
    VARIABLES
        .iter()
        .find(|(_, v, _)| *v == variable)
        .map_or("", |&(name, ..)| name)
}

const VARIABLES: &[(&str, Variable, bool)] = &[
    ("ARGS", Variable::Args, true),
    ("ARGS_COMBINED_SIZE", Variable::ArgsCombinedSize, false),
    ("ARGS_GET", Variable::ArgsGet, true),
    ("ARGS_GET_NAMES", Variable::ArgsGetNames, true),
    ("ARGS_NAMES", Variable::ArgsNames, true),
    ("ARGS_POST", Variable::ArgsPost, true),
    ("ARGS_POST_NAMES", Variable::ArgsPostNames, true),
    ("MATCHED_VAR", Variable::MatchedVar, false),
    ("MATCHED_VARS", Variable::MatchedVars, true),
    ("MATCHED_VARS_NAMES", Variable::MatchedVarsNames, true),
    ("MATCHED_VAR_NAME", Variable::MatchedVarName, false),
    ("PATH_INFO", Variable::PathInfo, false),
    ("QUERY_STRING", Variable::QueryString, false),
    ("REMOTE_ADDR", Variable::RemoteAddr, false),
    ("REMOTE_PORT", Variable::RemotePort, false),
    ("REQBODY_ERROR", Variable::ReqbodyError, false),
    ("REQBODY_ERROR_MSG", Variable::ReqbodyErrorMsg, false),
    ("REQBODY_PROCESSOR", Variable::ReqbodyProcessor, false),
    ("REQUEST_BASENAME", Variable::RequestBasename, false),
    ("REQUEST_BODY", Variable::RequestBody, false),
    ("REQUEST_BODY_LENGTH", Variable::RequestBodyLength, false),
    ("REQUEST_COOKIES", Variable::RequestCookies, true),
    ("REQUEST_COOKIES_NAMES", Variable::RequestCookiesNames, true),
    ("REQUEST_FILENAME", Variable::RequestFilename, false),
    ("REQUEST_HEADERS", Variable::RequestHeaders, true),
    ("REQUEST_HEADERS_NAMES", Variable::RequestHeadersNames, true),
    ("REQUEST_LINE", Variable::RequestLine, false),
    ("REQUEST_METHOD", Variable::RequestMethod, false),
    ("REQUEST_PROTOCOL", Variable::RequestProtocol, false),
    ("REQUEST_URI", Variable::RequestUri, false),
    ("REQUEST_URI_RAW", Variable::RequestUriRaw, false),
    ("RULE", Variable::Rule, true),
    ("SERVER_ADDR", Variable::ServerAddr, false),
    ("SERVER_NAME", Variable::ServerName, false),
    ("SERVER_PORT", Variable::ServerPort, false),
    ("TX", Variable::Tx, true),
    ("UNIQUE_ID", Variable::UniqueId, false),
];

const REFUSED: &[&str] = &[
    "AUTH_TYPE",
    "DURATION",
    "ENV",
    "FILES",
    "FILES_COMBINED_SIZE",
    "FILES_NAMES",
    "FILES_SIZES",
    "FILES_TMPNAMES",
    "FILES_TMP_CONTENT",
    "FULL_REQUEST",
    "FULL_REQUEST_LENGTH",
    "GEO",
    "GLOBAL",
    "HIGHEST_SEVERITY",
    "INBOUND_DATA_ERROR",
    "IP",
    "MODSEC_BUILD",
    "MULTIPART_BOUNDARY_QUOTED",
    "MULTIPART_BOUNDARY_WHITESPACE",
    "MULTIPART_CRLF_LF_LINES",
    "MULTIPART_DATA_AFTER",
    "MULTIPART_DATA_BEFORE",
    "MULTIPART_FILENAME",
    "MULTIPART_FILE_LIMIT_EXCEEDED",
    "MULTIPART_HEADER_FOLDING",
    "MULTIPART_INVALID_HEADER_FOLDING",
    "MULTIPART_INVALID_PART",
    "MULTIPART_INVALID_QUOTING",
    "MULTIPART_LF_LINE",
    "MULTIPART_MISSING_SEMICOLON",
    "MULTIPART_NAME",
    "MULTIPART_PART_HEADERS",
    "MULTIPART_SEMICOLON_MISSING",
    "MULTIPART_STRICT_ERROR",
    "MULTIPART_UNMATCHED_BOUNDARY",
    "OUTBOUND_DATA_ERROR",
    "REMOTE_HOST",
    "REMOTE_USER",
    "REQBODY_PROCESSOR_ERROR",
    "REQBODY_PROCESSOR_ERROR_MSG",
    "RESOURCE",
    "RESPONSE_BODY",
    "RESPONSE_CONTENT_LENGTH",
    "RESPONSE_CONTENT_TYPE",
    "RESPONSE_HEADERS",
    "RESPONSE_HEADERS_NAMES",
    "RESPONSE_PROTOCOL",
    "RESPONSE_STATUS",
    "SESSION",
    "SESSIONID",
    "STATUS_LINE",
    "TIME",
    "TIME_DAY",
    "TIME_EPOCH",
    "TIME_HOUR",
    "TIME_MIN",
    "TIME_MON",
    "TIME_SEC",
    "TIME_WDAY",
    "TIME_YEAR",
    "URLENCODED_ERROR",
    "USER",
    "USERAGENT_IP",
    "USERID",
    "WEBAPPID",
    "WEBSERVER_ERROR_LOG",
    "XML",
];

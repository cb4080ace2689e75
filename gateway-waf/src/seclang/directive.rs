//! The directives this engine knows by name, and those it knows of but does not carry out.

/// What a directive's name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rule,
    Action,
    DefaultAction,
    Marker,
    Include,
    IncludeOptional,
    Setting(Setting),
    /// SecLang, but this engine refuses it; the text says why.
    Refused(&'static str),
}

/// A directive that sets one value for the whole rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    RuleEngine,
    RequestBodyAccess,
    RequestBodyLimit,
    RequestBodyNoFilesLimit,
    RequestBodyLimitAction,
    RequestBodyJsonDepthLimit,
    ArgumentsLimit,
    ArgumentSeparator,
    ComponentSignature,
}

const LATER: &str = "is SecLang that this engine does not carry out yet";
const LUA: &str = "runs a script inside the filter, which this engine never does";

/// Finds a directive by name, any case.
pub(crate) fn find(name: &str) -> Option<Kind> {
    DIRECTIVES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|&(_, kind)| kind)
}

/// Every known directive name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    DIRECTIVES.iter().map(|&(name, _)| name)
}

const DIRECTIVES: &[(&str, Kind)] = &[
    ("Include", Kind::Include),
    ("IncludeOptional", Kind::IncludeOptional),
    ("SecAction", Kind::Action),
    (
        "SecArgumentSeparator",
        Kind::Setting(Setting::ArgumentSeparator),
    ),
    ("SecArgumentsLimit", Kind::Setting(Setting::ArgumentsLimit)),
    ("SecAuditEngine", Kind::Refused(LATER)),
    ("SecAuditLog", Kind::Refused(LATER)),
    ("SecAuditLog2", Kind::Refused(LATER)),
    ("SecAuditLogDirMode", Kind::Refused(LATER)),
    ("SecAuditLogFileMode", Kind::Refused(LATER)),
    ("SecAuditLogFormat", Kind::Refused(LATER)),
    ("SecAuditLogParts", Kind::Refused(LATER)),
    ("SecAuditLogRelevantStatus", Kind::Refused(LATER)),
    ("SecAuditLogStorageDir", Kind::Refused(LATER)),
    ("SecAuditLogType", Kind::Refused(LATER)),
    ("SecCollectionTimeout", Kind::Refused(LATER)),
    (
        "SecComponentSignature",
        Kind::Setting(Setting::ComponentSignature),
    ),
    ("SecCookieFormat", Kind::Refused(LATER)),
    ("SecDataDir", Kind::Refused(LATER)),
    ("SecDebugLog", Kind::Refused(LATER)),
    ("SecDebugLogLevel", Kind::Refused(LATER)),
    ("SecDefaultAction", Kind::DefaultAction),
    ("SecGeoLookupDb", Kind::Refused(LATER)),
    ("SecHashEngine", Kind::Refused(LATER)),
    ("SecMarker", Kind::Marker),
    ("SecPcreMatchLimit", Kind::Refused(LATER)),
    ("SecPcreMatchLimitRecursion", Kind::Refused(LATER)),
    (
        "SecRemoteRules",
        Kind::Refused("fetches rules over the network, which this engine never does"),
    ),
    (
        "SecRequestBodyAccess",
        Kind::Setting(Setting::RequestBodyAccess),
    ),
    ("SecRequestBodyInMemoryLimit", Kind::Refused(LATER)),
    (
        "SecRequestBodyJsonDepthLimit",
        Kind::Setting(Setting::RequestBodyJsonDepthLimit),
    ),
    (
        "SecRequestBodyLimit",
        Kind::Setting(Setting::RequestBodyLimit),
    ),
    (
        "SecRequestBodyLimitAction",
        Kind::Setting(Setting::RequestBodyLimitAction),
    ),
    (
        "SecRequestBodyNoFilesLimit",
        Kind::Setting(Setting::RequestBodyNoFilesLimit),
    ),
    ("SecResponseBodyAccess", Kind::Refused(LATER)),
    ("SecResponseBodyLimit", Kind::Refused(LATER)),
    ("SecResponseBodyLimitAction", Kind::Refused(LATER)),
    ("SecResponseBodyMimeType", Kind::Refused(LATER)),
    ("SecResponseBodyMimeTypesClear", Kind::Refused(LATER)),
    ("SecRule", Kind::Rule),
    ("SecRuleEngine", Kind::Setting(Setting::RuleEngine)),
    ("SecRuleRemoveById", Kind::Refused(LATER)),
    ("SecRuleRemoveByMsg", Kind::Refused(LATER)),
    ("SecRuleRemoveByTag", Kind::Refused(LATER)),
    ("SecRuleScript", Kind::Refused(LUA)),
    ("SecRuleUpdateActionById", Kind::Refused(LATER)),
    ("SecRuleUpdateTargetById", Kind::Refused(LATER)),
    ("SecRuleUpdateTargetByMsg", Kind::Refused(LATER)),
    ("SecRuleUpdateTargetByTag", Kind::Refused(LATER)),
    ("SecStatusEngine", Kind::Refused(LATER)),
    ("SecTmpDir", Kind::Refused(LATER)),
    ("SecUnicodeMapFile", Kind::Refused(LATER)),
    ("SecUploadDir", Kind::Refused(LATER)),
    ("SecUploadFileLimit", Kind::Refused(LATER)),
    ("SecUploadFileMode", Kind::Refused(LATER)),
    ("SecUploadKeepFiles", Kind::Refused(LATER)),
    ("SecWebAppId", Kind::Refused(LATER)),
];

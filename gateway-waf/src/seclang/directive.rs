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
    Tune(Tune),
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
    AuditEngine,
    AuditLog,
    AuditLogFormat,
    AuditLogParts,
    AuditLogRelevantStatus,
    AuditLogStorageDir,
    AuditLogType,
    CollectionTimeout,
    ResponseBodyAccess,
    ResponseBodyLimit,
    ResponseBodyLimitAction,
    ResponseBodyMimeType,
    ResponseBodyMimeTypesClear,
    UnicodeMapFile,
    UploadFileLimit,
    WebAppId,
    /// Accepted without effect; the text says why there is none.
    Inert(&'static str),
    /// Accepted with this value only; the text says why.
    Only(&'static str, &'static str),
}

/// A directive that changes rules loaded before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tune {
    RemoveById,
    RemoveByMsg,
    RemoveByTag,
    UpdateActionById,
    UpdateTargetById,
    UpdateTargetByMsg,
    UpdateTargetByTag,
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
    ("SecAuditEngine", Kind::Setting(Setting::AuditEngine)),
    ("SecAuditLog", Kind::Setting(Setting::AuditLog)),
    (
        "SecAuditLog2",
        Kind::Setting(Setting::Inert("there is one audit log")),
    ),
    (
        "SecAuditLogDirMode",
        Kind::Setting(Setting::Inert("the gateway decides the mode of its files")),
    ),
    (
        "SecAuditLogFileMode",
        Kind::Setting(Setting::Inert("the gateway decides the mode of its files")),
    ),
    ("SecAuditLogFormat", Kind::Setting(Setting::AuditLogFormat)),
    ("SecAuditLogParts", Kind::Setting(Setting::AuditLogParts)),
    (
        "SecAuditLogRelevantStatus",
        Kind::Setting(Setting::AuditLogRelevantStatus),
    ),
    (
        "SecAuditLogStorageDir",
        Kind::Setting(Setting::AuditLogStorageDir),
    ),
    ("SecAuditLogType", Kind::Setting(Setting::AuditLogType)),
    (
        "SecCacheTransformations",
        Kind::Setting(Setting::Inert(
            "transformed values are always cached within a request",
        )),
    ),
    (
        "SecChrootDir",
        Kind::Refused("confines a web server, which this gateway is not"),
    ),
    (
        "SecCollectionTimeout",
        Kind::Setting(Setting::CollectionTimeout),
    ),
    (
        "SecComponentSignature",
        Kind::Setting(Setting::ComponentSignature),
    ),
    ("SecConnEngine", Kind::Refused(LATER)),
    ("SecConnReadStateLimit", Kind::Refused(LATER)),
    ("SecConnWriteStateLimit", Kind::Refused(LATER)),
    (
        "SecContentInjection",
        Kind::Setting(Setting::Only("Off", "responses are not rewritten")),
    ),
    (
        "SecCookieFormat",
        Kind::Setting(Setting::Only("0", "cookies of version 1 are not read")),
    ),
    (
        "SecDataDir",
        Kind::Setting(Setting::Inert("collections are kept in memory")),
    ),
    (
        "SecDebugLog",
        Kind::Setting(Setting::Inert("the gateway has one log")),
    ),
    (
        "SecDebugLogLevel",
        Kind::Setting(Setting::Inert("the gateway has one log")),
    ),
    ("SecDefaultAction", Kind::DefaultAction),
    (
        "SecDisableBackendCompression",
        Kind::Setting(Setting::Only(
            "Off",
            "the gateway decides what it asks of upstreams",
        )),
    ),
    (
        "SecGeoLookupDb",
        Kind::Setting(Setting::Inert("rules look up no countries")),
    ),
    ("SecGsbLookupDb", Kind::Refused(LATER)),
    ("SecGuardianLog", Kind::Refused(LATER)),
    (
        "SecHashEngine",
        Kind::Setting(Setting::Only("Off", "links are not signed")),
    ),
    (
        "SecHttpBlKey",
        Kind::Setting(Setting::Inert("rules ask no name server")),
    ),
    ("SecMarker", Kind::Marker),
    (
        "SecPcreMatchLimit",
        Kind::Setting(Setting::Inert("patterns run in linear time")),
    ),
    (
        "SecPcreMatchLimitRecursion",
        Kind::Setting(Setting::Inert("patterns run in linear time")),
    ),
    ("SecReadStateLimit", Kind::Refused(LATER)),
    (
        "SecRemoteRules",
        Kind::Refused("fetches rules over the network, which this engine never does"),
    ),
    (
        "SecRemoteRulesFailAction",
        Kind::Setting(Setting::Inert("no rules are fetched over the network")),
    ),
    (
        "SecRequestBodyAccess",
        Kind::Setting(Setting::RequestBodyAccess),
    ),
    (
        "SecRequestBodyInMemoryLimit",
        Kind::Setting(Setting::Inert(
            "bodies are never written to disk, SecRequestBodyLimit bounds them",
        )),
    ),
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
    (
        "SecResponseBodyAccess",
        Kind::Setting(Setting::ResponseBodyAccess),
    ),
    (
        "SecResponseBodyLimit",
        Kind::Setting(Setting::ResponseBodyLimit),
    ),
    (
        "SecResponseBodyLimitAction",
        Kind::Setting(Setting::ResponseBodyLimitAction),
    ),
    (
        "SecResponseBodyMimeType",
        Kind::Setting(Setting::ResponseBodyMimeType),
    ),
    (
        "SecResponseBodyMimeTypesClear",
        Kind::Setting(Setting::ResponseBodyMimeTypesClear),
    ),
    ("SecRule", Kind::Rule),
    ("SecRuleEngine", Kind::Setting(Setting::RuleEngine)),
    ("SecRuleInheritance", Kind::Refused(LATER)),
    (
        "SecRulePerfTime",
        Kind::Setting(Setting::Inert("rules are not timed")),
    ),
    ("SecRuleRemoveById", Kind::Tune(Tune::RemoveById)),
    ("SecRuleRemoveByMsg", Kind::Tune(Tune::RemoveByMsg)),
    ("SecRuleRemoveByTag", Kind::Tune(Tune::RemoveByTag)),
    ("SecRuleScript", Kind::Refused(LUA)),
    (
        "SecRuleUpdateActionById",
        Kind::Tune(Tune::UpdateActionById),
    ),
    (
        "SecRuleUpdateTargetById",
        Kind::Tune(Tune::UpdateTargetById),
    ),
    (
        "SecRuleUpdateTargetByMsg",
        Kind::Tune(Tune::UpdateTargetByMsg),
    ),
    (
        "SecRuleUpdateTargetByTag",
        Kind::Tune(Tune::UpdateTargetByTag),
    ),
    (
        "SecSensorId",
        Kind::Setting(Setting::Inert(
            "log lines carry the host and the request id",
        )),
    ),
    (
        "SecServerSignature",
        Kind::Refused("changes a response header; routes do that here"),
    ),
    (
        "SecStatusEngine",
        Kind::Setting(Setting::Inert("nothing is reported to anyone")),
    ),
    (
        "SecStreamInBodyInspection",
        Kind::Setting(Setting::Only("Off", "STREAM_INPUT_BODY is not kept")),
    ),
    (
        "SecStreamOutBodyInspection",
        Kind::Setting(Setting::Only("Off", "STREAM_OUTPUT_BODY is not kept")),
    ),
    (
        "SecTmpDir",
        Kind::Setting(Setting::Inert("nothing is written to disk")),
    ),
    (
        "SecTmpSaveUploadedFiles",
        Kind::Setting(Setting::Inert("nothing is written to disk")),
    ),
    ("SecUnicodeMapFile", Kind::Setting(Setting::UnicodeMapFile)),
    (
        "SecUploadDir",
        Kind::Setting(Setting::Inert("uploads are not kept")),
    ),
    (
        "SecUploadFileLimit",
        Kind::Setting(Setting::UploadFileLimit),
    ),
    (
        "SecUploadFileMode",
        Kind::Setting(Setting::Inert("uploads are not kept")),
    ),
    (
        "SecUploadKeepFiles",
        Kind::Setting(Setting::Only("Off", "uploads are not kept")),
    ),
    ("SecWebAppId", Kind::Setting(Setting::WebAppId)),
    ("SecWriteStateLimit", Kind::Refused(LATER)),
    (
        "SecXmlExternalEntity",
        Kind::Setting(Setting::Only("Off", "external entities are never fetched")),
    ),
];

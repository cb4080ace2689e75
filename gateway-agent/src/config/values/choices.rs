//! Settings that are one of a few words.

use serde::Deserialize;

/// How the packet filter is attached to an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum XdpMode {
    /// Native, or generic when the driver refuses.
    #[default]
    Auto,
    /// In the driver, or not at all.
    Native,
    /// In the kernel's network stack, after the packet has its memory.
    Generic,
}

/// What is done about SYNs above the threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CookieMode {
    /// They are answered with cookies.
    #[default]
    Enforce,
    /// They are counted.
    Shadow,
    /// Nothing.
    Off,
}

impl CookieMode {
    /// The word, as the file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }
}

/// When the filter is ready to answer SYNs with cookies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CookieWhen {
    /// During a flood.
    #[default]
    Flood,
    /// Always.
    Always,
}

/// A protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// When attack mode is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AttackTrigger {
    /// When the packet filter counts an attack.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// The list that a feed is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FeedList {
    /// Its sources are dropped.
    #[default]
    Deny,
    /// Its sources are let in, whatever they send.
    Allow,
}

/// What form a feed has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FeedFormat {
    /// Told from its content.
    #[default]
    Auto,
    /// An address, a prefix or a range to a line.
    Plain,
    /// A column of a table.
    Csv,
    /// Strings or objects.
    Json,
    /// What `ipset save` writes.
    Ipset,
    /// What `nft list set` writes.
    Nft,
}

/// What the web application firewall does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WafMode {
    /// Refuses requests.
    #[default]
    Block,
    /// Logs what it would refuse.
    Detect,
    /// Does not look.
    Off,
}

/// What is looked for inside the values of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WafDecoder {
    /// Text in Base64 or base64url.
    Base64,
    /// Percent-encoding that is left.
    Url,
    /// JSON objects and arrays.
    Json,
    /// The header and claims of JSON web tokens.
    Jwt,
}

/// What a stage does with a request that it cannot judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FailMode {
    /// Lets it through.
    Open,
    /// Refuses it.
    #[default]
    Closed,
}

/// What is done about something that a response should not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LeakAction {
    /// It is not looked for.
    Off,
    /// It is counted in the access log.
    Log,
    /// It is counted, and replaced by as many asterisks.
    Mask,
    /// The response is refused, or ends before it.
    Block,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What did not work.
    Error,
    /// And what looks wrong.
    Warn,
    /// And what an operator wants to know of.
    #[default]
    Info,
    /// And what helps to find a fault.
    Debug,
    /// And everything else.
    Trace,
}

impl LogLevel {
    /// The word, as the file and log filters write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 5246.
    #[default]
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl std::str::FromStr for TlsVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "1.2" => Ok(Self::Tls12),
            "1.3" => Ok(Self::Tls13),
            "1.0" | "1.1" => Err(format!(
                "found TLS {text}, which is broken (RFC 8996), expected 1.2 or 1.3"
            )),
            _ => Err(format!(
                "found {}, expected 1.2 or 1.3",
                super::quoted(text)
            )),
        }
    }
}

super::text_serde!(TlsVersion, "the version 1.2 or 1.3", numbers: true);

//! How the types of the raw configuration look in a JSON Schema.

use std::borrow::Cow;
use std::num::NonZeroU32;

use gateway_policy::access::{HostPattern, MethodPattern, PathPattern, Permission};
use gateway_policy::bans::Mode;
use gateway_policy::grammar::{Factor, Period, Prefix, Rate, RoleName, Size};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::config::raw;
use crate::config::tree::{At, Entries, OneOrMany, OrOff, WordOrMap};
use crate::config::values::{
    AttackTrigger, Bind, CookieMode, CookieWhen, CountryCode, FailMode, FeedColumn, FeedFormat,
    FeedList, FeedUrl, FieldName, FieldValue, FileName, InterfaceName, LeakAction, Limit, LogLevel,
    LogTarget, PortRange, RuleChoice, Target, TlsVersion, Transport, WafDecoder, WafMode, XdpMode,
};
use crate::validation::{MediaRange, Unknown};

/// What [`JsonSchema`] is, for types that are not ours too.
pub(super) trait Shape {
    fn shape(generator: &mut SchemaGenerator) -> Schema;
}

/// Wrappers, which have no name of their own in the schema.
macro_rules! wrapper {
    ($type:ident, |$inner:ident| $schema:expr) => {
        impl<T: Shape> JsonSchema for $type<T> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let $inner = T::shape(generator);
                $schema
            }
        }

        impl<T: Shape> Shape for $type<T> {
            fn shape(generator: &mut SchemaGenerator) -> Schema {
                Self::json_schema(generator)
            }
        }
    };
}

wrapper!(At, |inner| inner);
wrapper!(OneOrMany, |inner| json_schema!({
    "anyOf": [inner.clone(), { "type": "array", "items": inner }]
}));
wrapper!(
    OrOff,
    |inner| json_schema!({ "anyOf": [inner, { "const": "off" }] })
);
wrapper!(
    Entries,
    |inner| json_schema!({ "type": "object", "additionalProperties": inner })
);

impl<W: Shape, M: Shape> JsonSchema for WordOrMap<W, M> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "WordOrMap".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [W::shape(generator), M::shape(generator)] })
    }
}

impl<W: Shape, M: Shape> Shape for WordOrMap<W, M> {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        Self::json_schema(generator)
    }
}

/// Types that the schema has a definition of.
macro_rules! defined {
    ($($type:ty),* $(,)?) => {
        $(impl Shape for $type {
            fn shape(generator: &mut SchemaGenerator) -> Schema {
                generator.subschema_for::<Self>()
            }
        })*
    };
}

defined!(
    raw::Admin,
    raw::AttackMode,
    raw::Ban,
    raw::Bans,
    raw::Certificate,
    raw::Countries,
    raw::DestinationLimit,
    raw::Feed,
    raw::HttpLimits,
    raw::Identity,
    raw::Interface,
    raw::Jwt,
    raw::Keep,
    raw::Leaks,
    raw::Listener,
    raw::Log,
    raw::NetworkLimits,
    raw::OpenApi,
    raw::PacketLimits,
    raw::Paths,
    raw::PortLimit,
    raw::RateLimits,
    raw::Require,
    raw::ResponseHeaders,
    raw::Role,
    raw::Route,
    raw::RouteMatch,
    raw::RouteWaf,
    raw::SiteLimits,
    raw::SourceLimits,
    raw::SynCookies,
    raw::Tls,
    raw::Upstream,
    raw::Validate,
    raw::Waf,
    AttackTrigger,
    CookieMode,
    CookieWhen,
    FailMode,
    FeedFormat,
    FeedList,
    LeakAction,
    LogLevel,
    Transport,
    Unknown,
    WafDecoder,
    WafMode,
    XdpMode,
);

/// Single values: a word for what they are, what JSON types they may have, and examples.
macro_rules! values {
    ($($type:ty: $title:literal, $json:tt, $examples:tt;)*) => {
        $(impl Shape for $type {
            fn shape(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "title": $title, "type": $json, "examples": $examples })
            }
        })*
    };
}

values! {
    Bind: "address and port", "string", ["[::]:443", "192.0.2.1:443", ":443"];
    CountryCode: "country", "string", ["KP"];
    FeedColumn: "column", ["string", "integer"], ["cidr", "2"];
    FeedUrl: "URL", "string", ["https://lists.example/drop.txt"];
    FieldName: "header field", "string", ["Server", "X-Powered-By"];
    FieldValue: "value or `off`", "string", ["same-origin", "off"];
    MediaRange: "media type", "string", ["application/json", "image/*"];
    FileName: "file", "string", ["/etc/gateway/cert.pem"];
    LogTarget: "file, `stderr` or `off`", "string", ["/var/log/gateway/access.log", "off"];
    Factor: "factor", ["string", "number"], ["2x", "1.5x"];
    HostPattern: "host", "string", ["api.example.org", "*.example.org"];
    InterfaceName: "interface", "string", ["eth0"];
    Limit: "rate or `unlimited`", "string", ["5000/s", "1000/minute", "unlimited"];
    MethodPattern: "method", "string", ["GET", "POST"];
    PathPattern: "path", "string", ["/api/**", "/api/*/items"];
    PortRange: "port or range", ["string", "integer"], ["53", "8000-8999"];
    Period: "duration", ["string", "number"], ["500ms", "30s", "1h30m"];
    Permission: "methods and path", "string", ["GET /api/**", "* /**"];
    Prefix: "prefix", "string", ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"];
    Rate: "rate", "string", ["10/minute"];
    RoleName: "role", "string", ["reader"];
    RuleChoice: "rules", ["string", "integer"], ["942100", "942100-942199", "tag:attack-sqli"];
    Size: "size", ["string", "integer"], ["64KiB", "1MB"];
    String: "text", "string", [];
    Target: "server", "string", ["http://127.0.0.1:9000"];
    bool: "true or false", "boolean", [];
}

impl Shape for NonZeroU32 {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "number", "type": "integer", "minimum": 1, "maximum": u32::MAX })
    }
}

impl Shape for u32 {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "number", "type": "integer", "minimum": 0, "maximum": u32::MAX })
    }
}

impl Shape for TlsVersion {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["1.2", "1.3", 1.2, 1.3] })
    }
}

impl Shape for Mode {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["enforce", "shadow"] })
    }
}

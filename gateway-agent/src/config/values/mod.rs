//! The grammars of single values that only the configuration has. Those that the command line
//! reads too are in `gateway_policy::grammar`.

mod bind;
mod choices;
mod column;
mod country;
mod feed_url;
mod field;
mod file;
mod interface;
mod limit;
mod ports;
mod rule_choice;
mod target;
mod text;

pub use bind::Bind;
pub(crate) use column::FeedColumn;
pub(crate) use field::{FieldName, FieldValue};
pub(crate) use file::{FileName, LogTarget};

pub use choices::{
    AttackTrigger, CookieMode, CookieWhen, FailMode, FeedFormat, FeedList, LeakAction, LogLevel,
    TlsVersion, Transport, WafDecoder, WafMode, XdpMode,
};
pub use country::CountryCode;
pub use feed_url::FeedUrl;
pub use interface::InterfaceName;
pub use limit::Limit;
pub use ports::PortRange;
pub use rule_choice::RuleChoice;
pub use target::{Target, TargetHost};

use text::{quoted, text_serde};

text_serde!(crate::validation::MediaRange, "a media type", numbers: false);

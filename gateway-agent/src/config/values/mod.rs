//! The grammars of single values that only the configuration has. Those that the command line
//! reads too are in `gateway_policy::grammar`.

mod bind;
mod choices;
mod field;
mod file;
mod interface;
mod limit;
mod ports;
mod target;
mod text;

pub use bind::Bind;
pub(crate) use field::{FieldName, FieldValue};
pub(crate) use file::{FileName, LogTarget};

pub use choices::{FailMode, LeakAction, LogLevel, TlsVersion, Transport, WafMode, XdpMode};
pub use interface::InterfaceName;
pub use limit::Limit;
pub use ports::PortRange;
pub use target::{Target, TargetHost};

use text::{quoted, text_serde};

text_serde!(crate::validation::MediaRange, "a media type", numbers: false);

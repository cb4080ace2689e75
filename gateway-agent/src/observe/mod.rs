//! What the gateway tells people and machines: the access log, the application log, metrics and
//! health.
//!
//! Nothing here makes a request wait, but for the log of the WAF: what cannot be taken at once is
//! counted and left out.

mod access_log;
mod app_log;
mod http_metrics;
mod keeper;
mod line;
mod log_file;
mod metrics;
mod monitor;
mod waf_log;
mod wall;

#[cfg(test)]
mod tests;

pub use access_log::AccessLog;
pub use app_log::{AppLogError, Format, init as init_app_log};
pub use http_metrics::HttpMetrics;
pub use keeper::Keeper;
pub use log_file::{LogCounts, Sink};
pub use metrics::Metrics;
pub use monitor::{Health, Monitor, MonitorError};
pub use waf_log::WafLog;
pub(crate) use wall::rfc3339;

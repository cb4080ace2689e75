//! The application log: what the gateway says of itself, to standard error.

use std::io;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object each.
    Json,
}

impl FromStr for Format {
    type Err = AppLogError;

    fn from_str(text: &str) -> Result<Self, AppLogError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(AppLogError::Format),
        }
    }
}

/// Why there is no application log.
#[derive(Debug, thiserror::Error)]
pub enum AppLogError {
    /// No such format.
    #[error("the log format is text or json")]
    Format,
    /// A filter that is none.
    #[error("{filter} is not a log level or filter ({source}); write info, or debug,hyper=warn")]
    Filter {
        /// What was written.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Called twice in one process.
    #[error("the application log was started already")]
    Twice(#[from] TryInitError),
}

/// Starts the log for the whole process.
///
/// # Errors
/// When the filter cannot be read, or the log was started before.
pub fn init(format: Format, filter: &str) -> Result<(), AppLogError> {
    let filter = EnvFilter::try_new(filter).map_err(|source| AppLogError::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false);
    match format {
        Format::Text => builder.finish().try_init()?,
        Format::Json => builder.json().flatten_event(true).finish().try_init()?,
    }
    Ok(())
}

//! Why a feed could not be fetched.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;

/// Why a feed could not be fetched, for the person who configured it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// It took too long.
    #[error("it was not here within {} s; `timeout` says how long it may take", .0.as_secs())]
    Timeout(Duration),
    /// The server has no address.
    #[error("its server's name has no address: {0}")]
    Name(std::io::Error),
    /// None of its addresses took a connection.
    #[error("its server takes no connection: {0}")]
    Connect(std::io::Error),
    /// TLS came to nothing.
    #[error("no secure connection to its server: {0}")]
    Tls(std::io::Error),
    /// Nobody is trusted.
    #[error("{0}")]
    Roots(String),
    /// What was sent is no HTTP, or not all of it.
    #[error("the answer of its server broke off or is no HTTP: {}", causes(.0))]
    Http(hyper::Error),
    /// It is not there.
    #[error("its server answers {0}")]
    Status(StatusCode),
    /// A redirect without end.
    #[error("its server redirects more than {0} times")]
    TooManyRedirects(usize),
    /// A redirect to nowhere.
    #[error("its server redirects to no URL")]
    BadRedirect,
    /// A redirect that would give up encryption.
    #[error("its server redirects to http, which is not encrypted")]
    Downgrade,
    /// It is larger than it may be.
    #[error("it has more than {0} bytes; `max_size` says how many it may have")]
    TooLarge(usize),
    /// It came compressed, which nobody asked for.
    #[error("its server sends it in the coding {:?}, which was not asked for", .0)]
    Encoded(String),
    /// The URL has no host that can be asked.
    #[error("its URL has no host that could be asked")]
    NoHost,
}

/// An error with what caused it; hyper's own words alone tell little.
fn causes(error: &hyper::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

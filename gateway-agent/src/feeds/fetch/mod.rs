//! Fetching a feed over HTTP/1.1: bounded in time, in size and in redirects.
//!
//! What the server said of the version it sent is kept and shown to it the next time, so that a
//! feed that has not changed costs one exchange without a body (RFC 9110, section 13.1).

mod error;
mod redirect;
mod roots;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, CONTENT_ENCODING, ETAG, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub(crate) use error::FetchError;
pub(crate) use roots::trusting;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// Addresses of a server that are tried.
const MAX_ADDRESSES: usize = 8;
/// How long one of them may take to answer; the next may be reached when this one is not.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of the longest `ETag` or `Last-Modified` that is kept.
const MAX_VALIDATOR: usize = 1024;

/// A response, and the task that moves its bytes.
type Exchanged = (Response<Incoming>, JoinSet<()>);

/// What to fetch.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    /// Where it is; a secure one never leads to one that is not.
    pub(crate) url: Uri,
    /// Whom to trust; needed where TLS is spoken.
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    /// How long it may take in all.
    pub(crate) timeout: Duration,
    /// Bytes that it may have.
    pub(crate) max_size: usize,
    /// What was said of the version that is there.
    pub(crate) known: Validators,
}

/// What a server says of a version (RFC 9110, section 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Validators {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// The version that is known is still the present one.
    Unchanged,
    /// Another one, or the first.
    New {
        /// All of it.
        body: Vec<u8>,
        /// What to show the server the next time.
        validators: Validators,
    },
}

impl Fetch {
    /// Fetches it.
    ///
    /// # Errors
    /// Whatever keeps it from being had whole and in time.
    pub(crate) async fn run(&self) -> Result<Fetched, FetchError> {
        timeout(self.timeout, self.follow())
            .await
            .map_err(|_| FetchError::Timeout(self.timeout))?
    }

    async fn follow(&self) -> Result<Fetched, FetchError> {
        let mut url = self.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            // With the driver goes the connection, whatever state it is in.
            let (response, _driver) = self.ask(&url).await?;
            let status = response.status();
            match status {
                StatusCode::OK => return self.take(response).await,
                StatusCode::NOT_MODIFIED if self.known != Validators::default() => {
                    return Ok(Fetched::Unchanged);
                }
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    url = redirect::target(&url, response.headers().get(LOCATION))?;
                }
                other => return Err(FetchError::Status(other)),
            }
        }
        Err(FetchError::TooManyRedirects(MAX_REDIRECTS))
    }

    /// One exchange, without the body.
    async fn ask(&self, url: &Uri) -> Result<Exchanged, FetchError> {
        let authority = url.authority().ok_or(FetchError::NoHost)?;
        let host = authority.host().trim_matches(['[', ']']);
        let secure = url.scheme_str() == Some("https");
        let port = authority
            .port_u16()
            .unwrap_or(if secure { 443 } else { 80 });
        let stream = connect(host, port).await?;
        let request = self.request(url, authority.as_str())?;
        if !secure {
            return exchange(stream, request).await;
        }
        let tls = self.tls.as_ref().ok_or(FetchError::NoHost)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| FetchError::NoHost)?;
        let stream = TlsConnector::from(Arc::clone(tls))
            .connect(name, stream)
            .await
            .map_err(FetchError::Tls)?;
        exchange(stream, request).await
    }

    fn request(&self, url: &Uri, authority: &str) -> Result<Request<Empty<Bytes>>, FetchError> {
        let target = url.path_and_query().map_or("/", |target| target.as_str());
        let mut request = Request::builder()
            .uri(target)
            .header(HOST, authority)
            .header(ACCEPT, "*/*")
            .header(USER_AGENT, concat!("gateway/", env!("CARGO_PKG_VERSION")));
        for (name, known) in [
            (IF_NONE_MATCH, &self.known.etag),
            (IF_MODIFIED_SINCE, &self.known.last_modified),
        ] {
            if let Some(known) = known {
                request = request.header(name, known);
            }
        }
        request.body(Empty::new()).map_err(|_| FetchError::NoHost)
    }

    /// The body, no more of it than may be.
    async fn take(&self, response: Response<Incoming>) -> Result<Fetched, FetchError> {
        let (head, mut body) = response.into_parts();
        if let Some(coding) = head.headers.get(CONTENT_ENCODING)
            && coding.as_bytes() != b"identity"
        {
            let coding = String::from_utf8_lossy(coding.as_bytes()).into_owned();
            return Err(FetchError::Encoded(coding));
        }
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(FetchError::Http)?;
            let Some(piece) = frame.data_ref() else {
                continue;
            };
            if bytes.len().saturating_add(piece.len()) > self.max_size {
                return Err(FetchError::TooLarge(self.max_size));
            }
            bytes.extend_from_slice(piece);
        }
        Ok(Fetched::New {
            body: bytes,
            validators: Validators::of(&head.headers),
        })
    }
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        let kept = |name| {
            let value: Option<&HeaderValue> = headers.get(name);
            value.filter(|value| value.len() <= MAX_VALIDATOR).cloned()
        };
        Self {
            etag: kept(ETAG),
            last_modified: kept(LAST_MODIFIED),
        }
    }
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, FetchError> {
    let addresses = lookup_host((host, port)).await.map_err(FetchError::Name)?;
    let mut last = None;
    for address in addresses.take(MAX_ADDRESSES) {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(refused)) => last = Some(refused),
            Err(_) => last = Some(std::io::ErrorKind::TimedOut.into()),
        }
    }
    Err(FetchError::Connect(
        last.unwrap_or_else(|| std::io::ErrorKind::NotFound.into()),
    ))
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Exchanged, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(FetchError::Http)?;
    let mut driver = JoinSet::new();
    driver.spawn(async move { drop(connection.await) });
    let response = sender
        .send_request(request)
        .await
        .map_err(FetchError::Http)?;
    Ok((response, driver))
}

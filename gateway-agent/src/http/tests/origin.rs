//! A tiny upstream.

use std::convert::Infallible;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;

/// What the upstream saw.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) connections: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    /// Answers that were given up before they were sent.
    pub(crate) cancelled: AtomicUsize,
}

impl Counts {
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

pub(crate) struct Origin {
    pub(crate) addr: SocketAddr,
    pub(crate) counts: Arc<Counts>,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Origin {
    /// Starts it. The path decides what it answers, see [`answer`].
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let shared = Arc::clone(&counts);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, shared) => {}
                }
            });
        });
        Self {
            addr,
            counts,
            _stop: stop,
        }
    }
}

async fn accept(listener: TcpListener, counts: Arc<Counts>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        counts.connections.fetch_add(1, Ordering::SeqCst);
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&counts)));
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Answer = Response<BoxBody<Bytes, std::io::Error>>;

/// - `/slow…` never answers
/// - `/reset` closes the connection
/// - `/stuck` begins a body of 10 bytes and never ends it
/// - `/cut` begins a body of 10 bytes and closes the connection
/// - `/big` 8 MiB
/// - `/empty` 204
/// - a request with `X-Say-Type`: that media type with the body of `X-Say` and the header field of
///   `X-Say-Field`; with `X-Say-Event` it is an event, with `X-Say-On` it does not end there, with
///   `X-Say-Late` it comes [`LATE`]
/// - everything else: what it saw, as JSON
async fn answer(request: Request<Incoming>, counts: Arc<Counts>) -> Result<Answer, std::io::Error> {
    counts.requests.fetch_add(1, Ordering::SeqCst);
    let whole = |text: String| Full::new(Bytes::from(text)).map_err(|never| match never {});
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/reset" => Err(std::io::Error::other("asked to")),
        slow if slow.starts_with("/slow") => {
            let guard = Cancelled(counts);
            std::future::pending::<Infallible>().await;
            drop(guard);
            unreachable!("pending")
        }
        "/stuck" => Ok(partial(Stuck {
            begun: false,
            flushed: false,
            cut: false,
        })),
        "/cut" => Ok(partial(Stuck {
            begun: false,
            flushed: false,
            cut: true,
        })),
        "/big" => Ok(Response::new(whole("x".repeat(8 << 20)).boxed())),
        "/empty" => Ok(Response::builder()
            .status(204)
            .body(whole(String::new()).boxed())
            .unwrap()),
        _ if request.headers().contains_key("x-say-type") => {
            let said = |name: &str| request.headers().get(name).cloned();
            let mut text = said("x-say").map_or_else(Vec::new, |text| text.as_bytes().to_vec());
            if said("x-say-event").is_some() {
                text.extend_from_slice(b"\n\n");
            }
            let text = Bytes::from(text);
            let body = if said("x-say-late").is_some() {
                Late(Some(text), Box::pin(tokio::time::sleep(LATE))).boxed()
            } else if said("x-say-on").is_some() {
                Endless(Some(text)).boxed()
            } else {
                Full::new(text).map_err(|never| match never {}).boxed()
            };
            let mut response = Response::builder()
                .header("content-type", said("x-say-type").unwrap())
                .header("server", "origin/1.0");
            if let Some(field) = said("x-say-field") {
                let (name, value) = field.to_str().unwrap().split_once(": ").unwrap();
                response = response.header(name, value);
            }
            Ok(response.body(body).unwrap())
        }
        _ => {
            let (head, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .map_err(std::io::Error::other)?
                .to_bytes();
            let headers: Vec<_> = head
                .headers
                .iter()
                .map(|(name, value)| {
                    json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])
                })
                .collect();
            let seen = json!({
                "method": head.method.as_str(),
                "target": head.uri.to_string(),
                "headers": headers,
                "body": String::from_utf8_lossy(&body),
            });
            Ok(Response::builder()
                .header("content-type", "application/json")
                .header("server", "origin/1.0")
                .header("connection", "x-hop")
                .header("x-hop", "1")
                .header("keep-alive", "timeout=1")
                .body(whole(seen.to_string()).boxed())
                .unwrap())
        }
    }
}

struct Cancelled(Arc<Counts>);

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.0.cancelled.fetch_add(1, Ordering::SeqCst);
    }
}

fn partial(body: Stuck) -> Answer {
    Response::builder()
        .header("content-length", "10")
        .body(body.boxed())
        .unwrap()
}

struct Stuck {
    begun: bool,
    flushed: bool,
    cut: bool,
}

impl Body for Stuck {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if !self.begun {
            self.begun = true;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"begun")))));
        }
        if self.cut {
            // The beginning is flushed first.
            if !std::mem::replace(&mut self.flushed, true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err(std::io::Error::other("asked to"))));
        }
        Poll::Pending
    }
}

/// Longer than anybody waits for the beginning of a body.
const LATE: std::time::Duration = std::time::Duration::from_millis(600);

/// A body that comes late.
struct Late(Option<Bytes>, Pin<Box<tokio::time::Sleep>>);

impl Body for Late {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        std::task::ready!(self.1.as_mut().poll(cx));
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// A body that begins and never ends.
struct Endless(Option<Bytes>);

impl Body for Endless {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}

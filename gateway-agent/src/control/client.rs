//! The command's side of the Unix socket.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use gateway_policy::grammar::Prefix;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

use super::api::{
    AddRequest, AttackOrder, AttackStatus, Changed, Confirmed, Explanation, FeedRequest,
    FeedStatus, Feeds, ImportDone, ImportRequest, OrderName, Page, PageQuery, ReloadRequest,
    Reloaded, RemoveRequest, Stats, Status,
};
use super::problem::Problem;
use super::{Control, Fault, FaultKind, wire};
use crate::store::ListName;

/// How long the agent may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a call may take; a large one waits for the disk and the kernel.
const CALL: Duration = Duration::from_secs(60);
/// How long an import may take: a million entries take seconds, on a busy machine minutes.
const IMPORT: Duration = Duration::from_secs(600);
/// Bytes of the longest answer: a page of the longest entries.
const MAX_ANSWER: usize = 64 << 20;

/// A running agent, as its socket shows it.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    runtime: Runtime,
    call: Duration,
}

impl Client {
    /// Reaches the agent at `socket`; `None` when none listens there.
    ///
    /// # Errors
    /// When one may be there but cannot be reached.
    pub fn reach(socket: &Path) -> Result<Option<Self>, Fault> {
        let client = Self::unseen(socket)?;
        match client.runtime.block_on(client.connect()) {
            Ok(_) => Ok(Some(client)),
            Err(Unreached::Absent) => Ok(None),
            Err(Unreached::Fault(fault)) => Err(fault),
        }
    }

    /// A client that has not looked whether anybody is there.
    pub(super) fn unseen(socket: &Path) -> Result<Self, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Fault::new(FaultKind::Transport, format!("no runtime: {e}")))?;
        Ok(Self {
            socket: socket.to_owned(),
            runtime,
            call: CALL,
        })
    }

    #[cfg(test)]
    pub(super) fn with_call_timeout(mut self, call: Duration) -> Self {
        self.call = call;
        self
    }

    async fn connect(&self) -> Result<UnixStream, Unreached> {
        match tokio::time::timeout(CONNECT, UnixStream::connect(&self.socket)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(e))
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Err(Unreached::Absent)
            }
            Ok(Err(e)) if e.kind() == io::ErrorKind::PermissionDenied => Err(self
                .fault("may only be used by root; run this as root")
                .into()),
            Ok(Err(e)) => Err(self.fault(e).into()),
            Err(_) => Err(self.fault("takes no connection; the agent hangs").into()),
        }
    }

    fn get<T: DeserializeOwned>(&self, target: &str) -> Result<T, Fault> {
        self.call(Method::GET, target, None::<&()>)
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Fault> {
        let body = match body {
            Some(body) => serde_json::to_vec(body).map_err(|e| self.fault(e))?,
            None => Vec::new(),
        };
        self.send(method, target, ("application/json", body), self.call)
    }

    fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        (media_type, body): (&str, Vec<u8>),
        patience: Duration,
    ) -> Result<T, Fault> {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, "gateway")
            .header(CONTENT_TYPE, media_type)
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| self.fault(e))?;
        // The timer needs the runtime, so it is made inside.
        let (status, body) = self
            .runtime
            .block_on(async { tokio::time::timeout(patience, self.exchange(request)).await })
            .map_err(|_| {
                self.fault(format_args!(
                    "gave no answer within {} s; whether the change was made, `gateway explain` \
                     and the lists tell",
                    patience.as_secs()
                ))
            })??;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|e| {
                self.fault(format_args!(
                    "answers in a form this command does not know: {e}"
                ))
            });
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(problem.into()),
            Err(_) => Err(self.fault(format_args!("answers with status {status}"))),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Fault> {
        let stream = self.connect().await.map_err(|unreached| match unreached {
            Unreached::Absent => self.fault("is gone; the agent has just ended"),
            Unreached::Fault(fault) => fault,
        })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| self.fault(e))?;
        let exchange = async {
            let response = sender
                .send_request(request)
                .await
                .map_err(|e| self.fault(e))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER)
                .collect()
                .await
                .map_err(|e| self.fault(e))?;
            Ok((status, body.to_bytes()))
        };
        // The connection moves the bytes of the exchange; its own end is not of interest.
        tokio::pin!(exchange);
        tokio::select! {
            done = &mut exchange => done,
            _ = connection => exchange.await,
        }
    }

    fn fault(&self, what: impl std::fmt::Display) -> Fault {
        let socket = self.socket.display();
        Fault::new(
            FaultKind::Transport,
            format!("the agent at {socket} {what}"),
        )
    }
}

/// Why there is no connection.
enum Unreached {
    /// Nobody listens.
    Absent,
    /// Somebody may.
    Fault(Fault),
}

impl From<Fault> for Unreached {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Control for Client {
    fn add(&self, list: ListName, request: &AddRequest) -> Result<Changed, Fault> {
        self.call(Method::POST, &format!("/v1/lists/{list}"), Some(request))
    }

    fn remove(&self, list: ListName, request: &RemoveRequest) -> Result<Changed, Fault> {
        self.call(Method::DELETE, &format!("/v1/lists/{list}"), Some(request))
    }

    fn import(&self, list: ListName, request: &ImportRequest) -> Result<ImportDone, Fault> {
        let body = wire::written(request)?.into_bytes();
        let target = format!("/v1/lists/{list}/import");
        self.send(Method::POST, &target, ("text/plain", body), IMPORT)
    }

    fn confirm(&self) -> Result<Confirmed, Fault> {
        self.call(Method::POST, "/v1/confirm", None::<&()>)
    }

    fn page(&self, list: ListName, query: &PageQuery) -> Result<Page, Fault> {
        self.get(&format!("/v1/lists/{list}?{}", query_text(query)))
    }

    fn lift(&self, prefix: Prefix) -> Result<Changed, Fault> {
        self.call(Method::DELETE, &format!("/v1/bans/{prefix}"), None::<&()>)
    }

    fn status(&self) -> Result<Status, Fault> {
        self.get("/v1/status")
    }

    fn stats(&self) -> Result<Stats, Fault> {
        self.get("/v1/stats")
    }

    fn explain(&self, address: IpAddr) -> Result<Explanation, Fault> {
        self.get(&format!("/v1/explain/{address}"))
    }

    fn reload(&self, request: &ReloadRequest) -> Result<Reloaded, Fault> {
        self.call(Method::POST, "/v1/reload", Some(request))
    }

    fn attack(&self) -> Result<AttackStatus, Fault> {
        self.get("/v1/attack")
    }

    fn order(&self, order: OrderName) -> Result<AttackStatus, Fault> {
        self.call(Method::POST, "/v1/attack", Some(&AttackOrder { order }))
    }

    fn feeds(&self) -> Result<Feeds, Fault> {
        self.get("/v1/feeds")
    }

    fn refresh_feed(&self, request: &FeedRequest) -> Result<FeedStatus, Fault> {
        self.call(Method::POST, "/v1/feeds/refresh", Some(request))
    }

    fn accept_feed(&self, request: &FeedRequest) -> Result<FeedStatus, Fault> {
        self.call(Method::POST, "/v1/feeds/accept", Some(request))
    }
}

/// A query as it stands in a target. Prefixes and names have only characters that may stand
/// there as they are (RFC 3986 section 3.4).
fn query_text(query: &PageQuery) -> String {
    let mut parts = Vec::new();
    if let Some(origin) = query.origin {
        parts.push(format!("origin={origin}"));
    }
    if let Some(after) = query.after {
        parts.push(format!("after={}", String::from(after)));
    }
    if let Some(limit) = query.limit {
        parts.push(format!("limit={limit}"));
    }
    parts.join("&")
}

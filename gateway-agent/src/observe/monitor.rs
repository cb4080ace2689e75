//! `/metrics` and `/healthz`, on a listener of their own.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

use super::Metrics;

/// The running listener; it ends when this is dropped.
#[derive(Debug)]
pub struct Monitor {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How the agent is.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Whether it does its work: 200, else 503.
    pub healthy: bool,
    /// What else the body says, beside `status`.
    pub detail: Map<String, Value>,
}

/// Why the listener did not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve metrics on {bind}: {source}")]
pub struct MonitorError {
    /// Where.
    pub bind: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

type Ask = Arc<dyn Fn() -> Health + Send + Sync>;

/// The most connections at once; others wait.
const CONNECTIONS: usize = 64;
/// How long a header section may take.
const HEADERS: Duration = Duration::from_secs(5);
/// How long a connection may last, whatever it does: scrapers come back.
const LIFETIME: Duration = Duration::from_secs(60);
/// How long `accept` waits when there are no file descriptors.
const BREATHE: Duration = Duration::from_millis(50);

impl Monitor {
    /// Listens, and answers from then on. `health` is asked at each `/healthz`; it must not
    /// block.
    ///
    /// # Errors
    /// When the address or a thread cannot be had.
    pub fn start(
        bind: SocketAddr,
        metrics: Arc<Metrics>,
        health: impl Fn() -> Health + Send + Sync + 'static,
    ) -> Result<Self, MonitorError> {
        let failed = |source| MonitorError { bind, source };
        let listener = TcpListener::bind(bind).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let listener = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(failed)?
        };
        let router = router(metrics, Arc::new(health));
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    _ = stopped => {}
                    () = accept(listener, router) => {}
                }
            });
        };
        let thread = thread::Builder::new()
            .name("monitor".into())
            .spawn(serve)
            .map_err(failed)?;
        Ok(Self {
            addr,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The address listened on, with its port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, router: Router) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(BREATHE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS)
                .serve_connection(TokioIo::new(stream), service);
            let _ = timeout(LIFETIME, served).await;
            drop(slot);
        });
    }
}

fn router(metrics: Arc<Metrics>, health: Ask) -> Router {
    Router::new()
        .route("/metrics", get(scrape).with_state(metrics))
        .route("/healthz", get(healthz).with_state(health))
}

async fn scrape(State(metrics): State<Arc<Metrics>>) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn healthz(State(health): State<Ask>) -> Response {
    let Health { healthy, detail } = health();
    let (code, status) = if healthy {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "failing")
    };
    let mut body = detail;
    body.insert("status".into(), status.into());
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (code, headers, Value::Object(body).to_string()).into_response()
}

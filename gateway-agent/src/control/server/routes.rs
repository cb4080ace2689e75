//! The resources, and how calls become answers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use gateway_policy::grammar::Prefix;
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::Peer;
use crate::control::api::{AttackOrder, PageQuery, ReloadRequest};
use crate::control::problem::{MEDIA_TYPE, Problem};
use crate::control::wire::Incoming;
use crate::control::{Control, Fault, FaultKind, Service, Session};
use crate::datapath::Datapath;
use crate::store::{ListName, Origin};

/// Bytes of the longest request: [`crate::control::api::MAX_PREFIXES`] of the longest prefixes.
const MAX_BODY: usize = 1 << 20;
/// Calls that are worked on at once; others wait.
const MAX_CALLS: usize = 16;

#[derive(Clone)]
struct Shared {
    service: Arc<Service>,
    calls: Arc<Semaphore>,
}

/// Every resource of the API.
pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/lists/{list}", get(page).post(add).delete(remove))
        .route("/v1/lists/{list}/import", post(import))
        .route("/v1/confirm", post(confirm))
        .route("/v1/bans", get(bans))
        .route("/v1/bans/{*prefix}", delete(lift))
        .route("/v1/status", get(status))
        .route("/v1/stats", get(stats))
        .route("/v1/explain/{address}", get(explain))
        .route("/v1/reload", post(reload))
        .route("/v1/attack", get(attack).post(order))
        .route("/v1/feeds", get(feeds))
        .route("/v1/feeds/refresh", post(refresh_feed))
        .route("/v1/feeds/accept", post(accept_feed))
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Shared {
            service,
            calls: Arc::new(Semaphore::new(MAX_CALLS)),
        })
}

type Caller = (State<Shared>, ConnectInfo<Peer>);
type Body = Result<Bytes, BytesRejection>;
type Paging = Result<Query<PageQuery>, QueryRejection>;

async fn page(caller: Caller, Path(list): Path<String>, query: Paging) -> Response {
    let asked = list_of(&list).and_then(|list| Ok((list, paging(query)?)));
    answer(caller, asked, |s, (list, query)| s.page(list, &query)).await
}

async fn add(caller: Caller, Path(list): Path<String>, body: Body) -> Response {
    let asked = list_of(&list).and_then(|list| Ok((list, json(body)?)));
    answer(caller, asked, |s, (list, request)| s.add(list, &request)).await
}

async fn remove(caller: Caller, Path(list): Path<String>, body: Body) -> Response {
    let asked = list_of(&list).and_then(|list| Ok((list, json(body)?)));
    answer(caller, asked, |s, (list, request)| s.remove(list, &request)).await
}

async fn import(caller: Caller, Path(list): Path<String>, body: axum::body::Body) -> Response {
    let incoming = async {
        let list = list_of(&list)?;
        let capacity = usize::try_from(Datapath::capacity(list.list())).unwrap_or(usize::MAX);
        let mut incoming = Incoming::new(capacity);
        let mut body = body;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| invalid(format!("the body: {e}")))?;
            if let Some(piece) = frame.data_ref() {
                incoming.take(piece)?;
            }
        }
        Ok((list, incoming.finish()?))
    };
    let asked = incoming.await;
    answer(caller, asked, |s, (list, request)| s.import(list, &request)).await
}

async fn confirm(caller: Caller) -> Response {
    answer(caller, Ok(()), |s, ()| s.confirm()).await
}

async fn bans(caller: Caller, query: Paging) -> Response {
    let asked = paging(query).map(|query| PageQuery {
        origin: Some(Origin::Ban),
        ..query
    });
    answer(caller, asked, |s, query| s.page(ListName::Deny, &query)).await
}

async fn lift(caller: Caller, Path(prefix): Path<String>) -> Response {
    let asked = prefix.parse::<Prefix>().map_err(|e| invalid(e.to_string()));
    answer(caller, asked, |s, prefix| s.lift(prefix)).await
}

async fn status(caller: Caller) -> Response {
    answer(caller, Ok(()), |s, ()| s.status()).await
}

async fn stats(caller: Caller) -> Response {
    answer(caller, Ok(()), |s, ()| s.stats()).await
}

async fn explain(caller: Caller, Path(address): Path<String>) -> Response {
    let asked = address
        .parse::<IpAddr>()
        .map_err(|_| invalid(format!("`{}` is not an address", address.escape_debug())));
    answer(caller, asked, |s, address| s.explain(address)).await
}

/// No body is a request for good.
async fn reload(caller: Caller, body: Body) -> Response {
    let asked = match &body {
        Ok(body) if body.is_empty() => Ok(ReloadRequest::default()),
        Ok(_) | Err(_) => json(body),
    };
    answer(caller, asked, |s, request| s.reload(&request)).await
}

async fn attack(caller: Caller) -> Response {
    answer(caller, Ok(()), |s, ()| s.attack()).await
}

async fn order(caller: Caller, body: Body) -> Response {
    let asked = json::<AttackOrder>(body);
    answer(caller, asked, |s, asked| s.order(asked.order)).await
}

async fn feeds(caller: Caller) -> Response {
    answer(caller, Ok(()), |s, ()| s.feeds()).await
}

async fn refresh_feed(caller: Caller, body: Body) -> Response {
    answer(caller, json(body), |s, request| s.refresh_feed(&request)).await
}

async fn accept_feed(caller: Caller, body: Body) -> Response {
    answer(caller, json(body), |s, request| s.accept_feed(&request)).await
}

async fn nowhere() -> Response {
    problem(Fault::new(FaultKind::NotFound, "there is no such resource").into())
}

async fn not_so() -> Response {
    problem(Problem {
        status: StatusCode::METHOD_NOT_ALLOWED.as_u16(),
        ..invalid("the resource has no such method").into()
    })
}

/// Carries out a call in the caller's name, off the runtime's threads: it may wait for the disk
/// and the kernel.
async fn answer<A, T>(
    (State(shared), ConnectInfo(peer)): Caller,
    asked: Result<A, Fault>,
    call: impl FnOnce(&Session, A) -> Result<T, Fault> + Send + 'static,
) -> Response
where
    A: Send + 'static,
    T: Serialize + Send + 'static,
{
    let busy = || Fault::new(FaultKind::Busy, "the agent is stopping; try again");
    let answered = async {
        let asked = asked?;
        let actor = peer
            .actor()
            .ok_or_else(|| invalid("the kernel does not say who is calling"))?;
        let _turn = shared.calls.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(move || call(&shared.service.session(actor), asked))
            .await
            .map_err(|_| busy())?
    };
    match answered.await {
        Ok(done) => Json(done).into_response(),
        Err(fault) => problem(fault.into()),
    }
}

fn problem(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], Json(problem)).into_response()
}

fn list_of(name: &str) -> Result<ListName, Fault> {
    ListName::ALL
        .iter()
        .find(|list| list.name() == name)
        .copied()
        .ok_or_else(|| Fault::new(FaultKind::NotFound, "there are the lists deny and allow"))
}

fn paging(query: Paging) -> Result<PageQuery, Fault> {
    query
        .map(|Query(query)| query)
        .map_err(|e| invalid(e.body_text()))
}

fn json<T: DeserializeOwned>(body: Body) -> Result<T, Fault> {
    let body = body.map_err(|e| invalid(e.body_text()))?;
    serde_json::from_slice(&body).map_err(|e| invalid(format!("the body: {e}")))
}

fn invalid(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, detail)
}

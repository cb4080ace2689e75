//! The way of a request through the gateway.
//!
//! Each stage takes what the stage before has proven and gives what it has proven itself, so
//! they cannot run in another order, nor can one be left out.

mod access;
mod body;
mod coding;
mod form;
mod forward;
mod identity;
mod leaks;
mod limit;
mod validate;
mod waf;

use std::sync::Arc;

use gateway_waf::Waf;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Request, Response, Version};
use hyper::body::Incoming;

use self::waf::Inspection;
use super::answer::{self, AnswerBody};
use super::delivery::Delivery;
use super::destination::Destination;
use super::drain::{self, Drain};
use super::exchange::Exchange;
use super::harden::Hardening;
use super::head::RawHead;
use super::refusal::Refusal;
use super::server::Connection;
use super::settings::Settings;
use super::stage::Stage;
use super::upstream::{ClientBody, Upload};

/// What the stages share of one request.
struct Visit<'s> {
    exchange: Box<Exchange>,
    connection: &'s Connection,
    settings: &'s Settings,
    /// The client's body, until it is on its way to an upstream.
    body: Option<ClientBody>,
    upload: Arc<Upload>,
    /// The head as it came; HTTP/2 has none.
    raw: Option<RawHead>,
    /// The rules of the WAF, if there are any.
    waf: Option<&'s Waf>,
    /// The rules at work, from the stage of the WAF on.
    inspection: Option<Inspection<'s>>,
    /// Where the request leads, once it may go there.
    destination: Option<Arc<Destination>>,
}

impl Visit<'_> {
    /// What is done to the header fields of the answer.
    fn hardening(&self) -> &Arc<Hardening> {
        let own = self
            .destination
            .as_ref()
            .and_then(|to| to.hardening.as_ref());
        own.unwrap_or(&self.settings.answers.hardening)
    }
}

/// The stages in the order they run.
///
/// The limit of the client's address comes first: it costs one look into a table, and it
/// protects what is dear, the check of a signature and the rules of the WAF, from whoever can
/// send many requests. What it needs, the address, is known before anything is parsed. Then the
/// form, so that all that follows sees what the upstream will see; then who asks; then whether
/// he may, so that strangers cannot make the WAF work on a body; then what he asks, and whether
/// the route takes it. What is refused for its form the rules see all the same: noise tells of who makes it.
async fn stages(visit: &mut Visit<'_>, head: Parts) -> Result<Response<Delivery>, Refusal> {
    visit.exchange.enter(Stage::Limit);
    let request = limit::hold(visit, head)?;
    visit.exchange.enter(Stage::Form);
    let request = match form::check(visit, request) {
        Ok(request) => request,
        Err(unformed) => {
            visit.exchange.enter(Stage::Waf);
            return Err(waf::witness(visit, *unformed).await);
        }
    };
    visit.exchange.enter(Stage::Identity);
    let request = identity::verify(visit, request)?;
    visit.exchange.enter(Stage::Access);
    let request = access::permit(visit.settings, request)?;
    visit.destination = Some(Arc::clone(request.destination()));
    visit.exchange.enter(Stage::Waf);
    let request = waf::inspect(visit, request).await?;
    visit.exchange.enter(Stage::Validate);
    let request = validate::judge(visit, request).await?;
    visit.exchange.enter(Stage::Upstream);
    let response = forward::send(visit, request).await?;
    visit.exchange.enter(Stage::Waf);
    let response = waf::respond(visit, response).await?;
    visit.exchange.enter(Stage::Leaks);
    let mut response = leaks::screen(visit, response).await?;
    forward::strip(response.headers_mut(), visit.hardening());
    Ok(response)
}

/// Answers one request.
pub(super) async fn serve(
    connection: &Connection,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    // The settings of this moment are the request's to its end.
    let settings = connection.gate.settings();
    let waf = settings.waf.load_full();
    let (head, incoming) = request.into_parts();
    let mut turn = connection.life.begin();
    let raw = turn.take_head();
    let misread = raw.as_ref().filter(|raw| raw.refusal().is_some());
    // Of a refused head the parser saw a stand-in.
    let head = misread.map_or(head, RawHead::parts);
    let unread = Unread::of(&head);
    let upload = Arc::new(Upload::default());
    let limits = &settings.bodies;
    let mut visit = Visit {
        exchange: Exchange::begin(connection, &settings, turn, &head, &upload),
        connection,
        settings: &settings,
        body: Some(ClientBody::new(
            incoming,
            limits.size,
            limits.piece,
            Arc::clone(&upload),
        )),
        upload,
        raw,
        waf: waf.as_deref(),
        inspection: None,
        destination: None,
    };
    if let Some(raw) = visit.raw.as_ref().filter(|raw| raw.refusal().is_some()) {
        visit.exchange.misread(raw.line());
    }
    let result = stages(&mut visit, head).await;
    if let Some(inspection) = &mut visit.inspection {
        let status = match &result {
            Ok(response) => response.status(),
            Err(refusal) => refusal.row().status,
        };
        visit.exchange.outcome().rules = inspection.conclude(status).await;
    }
    let hardening = Arc::clone(visit.hardening());
    let Visit { exchange, body, .. } = visit;
    let (id, note) = (exchange.request(), exchange.note());
    let mut response = match result {
        Ok(response) => relayed(response, exchange),
        Err(refusal) => refused(refusal, exchange, &settings, unread, body).await,
    };
    hardening.apply(response.headers_mut());
    let hsts = settings.answers.hsts.as_ref().filter(|_| connection.tls);
    answer::finish(response.headers_mut(), id, hsts, note);
    response
}

fn relayed(response: Response<Delivery>, mut exchange: Box<Exchange>) -> Response<AnswerBody> {
    exchange.answered(response.status());
    response.map(|relay| AnswerBody::relay(relay, exchange))
}

/// What becomes of a body that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unread {
    /// HTTP/2: it is taken while the answer goes out.
    Drained,
    /// HTTP/1.1: when it is short it is taken before the answer.
    Taken,
    /// HTTP/1.1, and the client waits until somebody wants it.
    Left,
}

impl Unread {
    fn of(head: &Parts) -> Self {
        if head.version == Version::HTTP_2 {
            Self::Drained
        } else if head.headers.contains_key(header::EXPECT) {
            Self::Left
        } else {
            Self::Taken
        }
    }
}

/// The answer to a refused request, of whose `body` some may be left.
async fn refused(
    refusal: Refusal,
    exchange: Box<Exchange>,
    settings: &Settings,
    unread: Unread,
    body: Option<ClientBody>,
) -> Response<AnswerBody> {
    let (mut response, exchange) = exchange.refuse(refusal, &settings.identity.realm);
    let body = body
        .filter(|body| !body.is_end())
        .map(ClientBody::into_rest);
    let (drain, is_left) = match (body, unread) {
        (None, _) => (None, false),
        (Some(body), Unread::Drained) => (Some(Drain::new(body)), false),
        (Some(body), Unread::Taken) => (None, !drain::take_short(body).await),
        (Some(_), Unread::Left) => (None, true),
    };
    if is_left {
        // The next request would stand behind bytes that nobody wants to read.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response.map(|bytes| AnswerBody::whole(bytes, drain, exchange))
}

//! The way of a request through the gateway.
//!
//! Each stage takes what the stage before has proven and gives what it has proven itself, so
//! they cannot run in another order, nor can one be left out.

mod access;
mod form;
mod forward;
mod identity;
mod limit;
mod waf;

use http::{Request, Response};
use hyper::body::Incoming;

use super::answer::{self, AnswerBody};
use super::exchange::Exchange;
use super::refusal::Refusal;
use super::server::Connection;
use super::settings::Settings;
use super::stage::Stage;
use super::upstream::Relay;

/// The stages in the order they run.
///
/// The limit of the client's address comes first: it costs one look into a table, and it
/// protects what is dear, the check of a signature and the rules of the WAF, from whoever can
/// send many requests. What it needs, the address, is known before anything is parsed. Then the
/// form, so that all that follows sees what the upstream will see; then who asks; then whether
/// he may, so that strangers cannot make the WAF work on a body; then what he asks.
async fn stages(
    exchange: &mut Exchange,
    connection: &Connection,
    settings: &Settings,
    request: Request<Incoming>,
) -> Result<Response<Relay>, Refusal> {
    exchange.enter(Stage::Limit);
    let request = limit::hold(exchange, settings, request)?;
    exchange.enter(Stage::Form);
    let request = form::check(exchange, settings, request)?;
    exchange.enter(Stage::Identity);
    let request = identity::verify(exchange, settings, request)?;
    exchange.enter(Stage::Access);
    let request = access::permit(settings, request)?;
    exchange.enter(Stage::Waf);
    let request = waf::inspect(exchange, connection, settings, request).await?;
    exchange.enter(Stage::Upstream);
    forward::send(exchange, connection, settings, request).await
}

/// Answers one request.
pub(super) async fn serve(
    connection: &Connection,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    // The settings of this moment are the request's to its end.
    let settings = connection.gate.settings();
    let (head, body) = request.into_parts();
    let mut exchange = Exchange::begin(connection, &settings, &head);
    let request = Request::from_parts(head, body);
    let result = stages(&mut exchange, connection, &settings, request).await;
    let (id, note) = (exchange.request(), exchange.note());
    let mut response = match result {
        Ok(response) => {
            exchange.answered(response.status());
            response.map(|relay| AnswerBody::relay(relay, exchange))
        }
        Err(refusal) => {
            let (response, exchange) = exchange.refuse(refusal, &settings.identity.realm);
            response.map(|bytes| AnswerBody::whole(bytes, exchange))
        }
    };
    let hsts = settings.answers.hsts.as_ref().filter(|_| connection.tls);
    answer::finish(response.headers_mut(), id, hsts, note);
    response
}

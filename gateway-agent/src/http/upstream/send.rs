//! One request to one of an upstream's targets.

use std::sync::Arc;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

use super::body::{BodyFault, Outgoing, Relay, Upload};
use super::pool::{Lease, Pool};
use super::{Upstream, UpstreamTimes};
use crate::http::refusal::UpstreamFault;

/// Whom a request was sent to.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    /// The target asked last.
    pub target: Option<Arc<str>>,
    /// How many targets were tried.
    pub count: u32,
    /// What went wrong last.
    pub error: Option<Box<str>>,
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// For a reason on the upstream's side.
    Upstream(UpstreamFault),
    /// For a reason in the client's body.
    Body(BodyFault),
}

/// Sends a request to the first target that takes a connection, and waits for the head of the
/// response.
///
/// A request goes to another connection only when nothing of it can have had an effect: it was
/// not written yet, or it is safe (RFC 9110 section 9.2.1), has no body, and the connection had
/// been idle, so the target had probably closed it.
///
/// # Errors
/// When no target gives a response in time.
pub(crate) async fn send(
    pool: &Arc<Pool>,
    upstream: &Upstream,
    request: Request<Outgoing>,
    upload: &Upload,
    attempt: &mut Attempt,
) -> Result<Response<Relay>, Failed> {
    let times = &upstream.times;
    let mut fault = UpstreamFault::NoTarget;
    let mut request = request;
    for target in upstream.candidates() {
        attempt.target = Some(Arc::clone(target.authority()));
        attempt.count += 1;
        // Idle connections may all turn out closed; each is taken out, so this ends with a new one.
        let mut reusable = true;
        loop {
            let lease = reusable.then(|| pool.reuse(target, times)).flatten();
            let lease = match lease {
                Some(lease) => lease,
                None => match pool.connect(target, times).await {
                    Ok(lease) => lease,
                    Err((what, error)) => {
                        target.rest(times.rest, &error);
                        attempt.error = Some(error.into());
                        fault = what;
                        break;
                    }
                },
            };
            target.recovered();
            reusable = lease.used;
            match ask(lease, request, upload, times).await {
                Ok(response) => return Ok(response),
                Err(Unanswered::Final(failed, error)) => {
                    attempt.error = Some(error);
                    return Err(failed);
                }
                Err(Unanswered::Again(again)) if reusable => request = *again,
                // Also the new connection was closed at once: this target does not serve.
                Err(Unanswered::Again(again)) => {
                    request = *again;
                    attempt.error = Some("the connection was closed at once".into());
                    fault = UpstreamFault::Reset;
                    break;
                }
            }
        }
    }
    Err(Failed::Upstream(fault))
}

enum Unanswered {
    Final(Failed, Box<str>),
    /// The connection was closed before it could do anything with the request.
    Again(Box<Request<Outgoing>>),
}

async fn ask(
    mut lease: Lease,
    request: Request<Outgoing>,
    upload: &Upload,
    times: &UpstreamTimes,
) -> Result<Response<Relay>, Unanswered> {
    let spare = lease.used.then(|| spare(&request)).flatten();
    let result = {
        let mut response = std::pin::pin!(lease.sender.try_send_request(request));
        let mut deadline = Instant::now() + times.response;
        loop {
            tokio::select! {
                biased;
                result = &mut response => break result,
                () = sleep_until(deadline) => {
                    let progress = upload.progress() + times.response;
                    if progress <= deadline {
                        let failed = Failed::Upstream(UpstreamFault::Timeout);
                        return Err(Unanswered::Final(failed, "no response in time".into()));
                    }
                    deadline = progress;
                }
            }
        }
    };
    match result {
        Ok(response) if response.status().is_informational() => Err(Unanswered::Final(
            Failed::Upstream(UpstreamFault::BadResponse),
            format!("unasked status {}", response.status().as_u16()).into(),
        )),
        Ok(response) => Ok(relay(response, times, lease)),
        Err(mut failure) => {
            if let Some(request) = failure.take_message() {
                return Err(Unanswered::Again(Box::new(request)));
            }
            let error = failure.into_error();
            match spare {
                Some(request) if is_closed(&error) => Err(Unanswered::Again(Box::new(request))),
                _ => Err(Unanswered::Final(
                    failed(&error, upload),
                    chain(&error).into(),
                )),
            }
        }
    }
}

fn relay(response: Response<Incoming>, times: &UpstreamTimes, lease: Lease) -> Response<Relay> {
    response.map(|incoming| Relay::new(incoming, times.piece, lease))
}

fn failed(error: &hyper::Error, upload: &Upload) -> Failed {
    match upload.fault() {
        Some(fault) => Failed::Body(fault),
        None if error.is_parse() => Failed::Upstream(UpstreamFault::BadResponse),
        None => Failed::Upstream(UpstreamFault::Reset),
    }
}

/// Whether the target had closed the connection, or did so instead of answering.
fn is_closed(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset};

    let io = std::error::Error::source(error)
        .and_then(|cause| cause.downcast_ref::<std::io::Error>())
        .is_some_and(|cause| matches!(cause.kind(), BrokenPipe | ConnectionReset));
    io || error.is_incomplete_message() || error.is_closed() || error.is_canceled()
}

/// A copy of a request that may be sent twice.
fn spare(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let body = request.body().again().filter(|_| safe)?;
    let mut copy = Request::new(body);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

/// An error with its causes.
fn chain(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

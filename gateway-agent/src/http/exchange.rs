//! One request and its answer: what is noted on the way, and told at the end.

use std::sync::Arc;

use gateway_common::time::Nanos;
use gateway_policy::bans::{Evidence, Offence};
use gateway_waf::leaks::Kind;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Version};

use super::address::{ClientAddr, PeerAddr};
use super::answer::Note;
use super::gate::{Gate, Requests};
use super::head::RequestLine;
use super::ids::RequestId;
use super::load::Present;
use super::outcome::{Ending, Outcome, Timings};
use super::refusal::Refusal;
use super::server::{Connection, Turn};
use super::settings::Settings;
use super::stage::Stage;
use super::upstream::Upload;
use super::{answer, mask};
use crate::clock;

/// The exchange. Dropped, it tells its outcome; dropped before the answer was handed to the
/// connection, or before the body's end, the outcome says that the client left.
#[derive(Debug)]
pub(super) struct Exchange {
    gate: Arc<Gate>,
    /// Shared only when it is told.
    outcome: Arc<Outcome>,
    turn: Option<Turn>,
    /// Held while the request counts among those being served; `None` when there are too many.
    present: Option<Present<Requests>>,
    upload: Arc<Upload>,
    note: Option<Note>,
    stage: Stage,
    mark: Nanos,
    handed: bool,
    ended: bool,
    /// Whether the answer has a body on the wire.
    bodiless: bool,
}

impl Exchange {
    /// A request that begins.
    pub(super) fn begin(
        connection: &Connection,
        settings: &Settings,
        turn: Turn,
        head: &Parts,
        upload: &Arc<Upload>,
    ) -> Box<Self> {
        let gate = Arc::clone(&connection.gate);
        let peer = PeerAddr::from(connection.peer);
        let client = settings.proxies.client(peer, &head.headers);
        let request =
            inherited_id(settings, peer, &head.headers).unwrap_or_else(|| gate.ids.request());
        let host = head
            .uri
            .authority()
            .map(|authority| authority.as_str().as_bytes())
            .or_else(|| {
                head.headers
                    .get(http::header::HOST)
                    .map(|host| host.as_bytes())
            })
            .unwrap_or_default();
        let headers = settings
            .logged
            .iter()
            .filter_map(|name| Some((name.clone(), mask::header(name, head.headers.get(name)?))))
            .collect();
        Box::new(Self {
            outcome: Arc::new(Outcome {
                tls: connection.tls,
                version: head.version,
                method: Some(head.method.clone()),
                host: mask::bounded(&String::from_utf8_lossy(host)).into(),
                path: mask::path(head.uri.path()),
                query: mask::query(head.uri.query().unwrap_or_default()),
                headers,
                ..blank(request, peer, client)
            }),
            turn: Some(turn),
            present: Requests::enter(gate.load(), settings.requests),
            upload: Arc::clone(upload),
            note: None,
            stage: Stage::Limit,
            mark: clock::monotonic(),
            handed: false,
            ended: false,
            bodiless: head.method == Method::HEAD,
            gate,
        })
    }

    /// The request's id.
    pub(super) fn request(&self) -> RequestId {
        self.outcome.request
    }

    /// Who asks.
    pub(super) fn client(&self) -> ClientAddr {
        self.outcome.client
    }

    /// The other end of the connection.
    pub(super) fn peer(&self) -> PeerAddr {
        self.outcome.peer
    }

    /// What all requests share.
    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Whether there are too many requests at once, this one among them.
    pub(super) fn is_one_too_many(&self) -> bool {
        self.present.is_none()
    }

    /// Notes the request line of a request that did not parse.
    pub(super) fn misread(&mut self, line: RequestLine<'_>) {
        let target = String::from_utf8_lossy(line.target);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let outcome = self.outcome();
        outcome.method = Method::from_bytes(line.method).ok();
        outcome.path = mask::path(path);
        outcome.query = mask::query(query);
    }

    /// The record so far.
    pub(super) fn outcome(&mut self) -> &mut Outcome {
        Arc::make_mut(&mut self.outcome)
    }

    /// Goes on to a stage; the time since the last call was the last stage's.
    pub(super) fn enter(&mut self, stage: Stage) {
        self.lap(clock::monotonic());
        self.stage = stage;
    }

    /// The client is to be told of its limit.
    pub(super) fn announce(&mut self, note: Note) {
        self.note = Some(note);
    }

    /// What the client is to be told of its limit.
    pub(super) fn note(&self) -> Option<Note> {
        self.note
    }

    /// Notes why the request is refused, and makes the answer.
    pub(super) fn refuse(
        mut self: Box<Self>,
        refusal: Refusal,
        realm: &str,
    ) -> (http::Response<bytes::Bytes>, Box<Self>) {
        let response = answer::refused(&refusal.row(), self.request(), realm);
        let outcome = self.outcome();
        outcome.status = response.status();
        outcome.refusal = Some(refusal);
        (response, self)
    }

    /// Notes the status of an upstream's answer.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.outcome().status = status;
    }

    /// The answer is handed to the connection: what the client did wrong, or has proven, is told now.
    pub(super) fn hand_off(&mut self) {
        let now = clock::monotonic();
        self.lap(now);
        self.stage = Stage::Response;
        self.handed = true;
        if let Some(turn) = &mut self.turn {
            turn.ready();
        }
        let Some(refusal) = &self.outcome.refusal else {
            self.tell_proof();
            return;
        };
        if let Some(kind) = refusal.row().offence {
            self.gate.offence(&Offence {
                client: self.outcome.client.ip(),
                kind,
                at: now,
                evidence: Evidence::new(&self.outcome.request.to_string(), &refusal.evidence()),
            });
        }
    }

    /// A request that was let through with a valid token proves its sender, unless a proxy sent
    /// it for somebody else.
    fn tell_proof(&self) {
        let Outcome {
            tls, subject, peer, ..
        } = &*self.outcome;
        if let Some(subject) = subject
            && *tls
            && self.outcome.client.ip() == peer.ip()
        {
            self.gate.proven(peer.ip(), subject);
        }
    }

    /// The client took what was there.
    pub(super) fn taken(&self) {
        if let Some(turn) = &self.turn {
            turn.taken();
        }
    }

    /// So many more bytes are there for the client.
    pub(super) fn sent(&mut self, bytes: u64) {
        let outcome = self.outcome();
        outcome.sent = outcome.sent.saturating_add(bytes);
        if let Some(turn) = &mut self.turn {
            turn.ready();
        }
    }

    /// Notes what was found in the answer so far.
    pub(super) fn leaks(&mut self, found: Vec<(Kind, u32)>) {
        if !found.is_empty() && self.outcome.leaks != found {
            self.outcome().leaks = found;
        }
    }

    /// The answer has come to its end.
    pub(super) fn end(&mut self, ending: Ending) {
        if !self.ended {
            self.ended = true;
            self.outcome().ending = ending;
        }
    }

    fn lap(&mut self, now: Nanos) {
        let (stage, span) = (self.stage, now.since(self.mark));
        self.outcome().timings.add(stage, span);
        self.mark = now;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let now = clock::monotonic();
        self.lap(now);
        self.outcome().ended = now;
        if !self.handed {
            let gone = Refusal::ClientGone;
            self.outcome().status = gone.row().status;
            self.outcome().refusal = Some(gone);
        } else if !self.ended && self.bodiless {
            self.outcome().ending = Ending::Complete;
        }
        let received = self.upload.bytes();
        self.outcome().received = received;
        self.gate.outcome(&self.outcome);
    }
}

/// Tells of bytes that hyper refused and answered by itself. Heads of HTTP/1.1 requests do not
/// come so far.
pub(super) fn unparsed(connection: &Connection, refusal: Refusal) {
    let peer = PeerAddr::from(connection.peer);
    let request = connection.gate.ids.request();
    connection.gate.outcome(&Arc::new(Outcome {
        tls: connection.tls,
        status: refusal.row().status,
        refusal: Some(refusal),
        ending: Ending::Complete,
        ended: clock::monotonic(),
        ..blank(request, peer, peer.into())
    }));
}

/// A record with nothing in it yet.
fn blank(request: RequestId, peer: PeerAddr, client: ClientAddr) -> Outcome {
    Outcome {
        request,
        client,
        peer,
        tls: false,
        version: Version::HTTP_11,
        method: None,
        host: Box::default(),
        path: Box::default(),
        query: Box::default(),
        headers: Vec::new(),
        status: StatusCode::OK,
        refusal: None,
        shadow: None,
        leaks: Vec::new(),
        ending: Ending::ClientGone,
        rules: Vec::new(),
        degraded: None,
        subject: None,
        upstream: None,
        received: 0,
        sent: 0,
        timings: Timings::default(),
        ended: Nanos::ZERO,
    }
}

/// The id that a trusted proxy gave the request. From anybody else it would let a client choose
/// what stands in the log.
fn inherited_id(settings: &Settings, peer: PeerAddr, headers: &HeaderMap) -> Option<RequestId> {
    let given = headers.get(answer::REQUEST_ID)?;
    settings
        .proxies
        .trusts(peer.ip())
        .then(|| RequestId::parse(given.as_bytes()))
        .flatten()
}

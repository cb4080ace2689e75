//! A small HTTP/1.1 server that tells what reached it, and misbehaves on demand.

mod http;

use std::collections::{HashMap, VecDeque};
use std::io::{BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use socket2::SockRef;

pub use http::Request;

/// How many requests are remembered; older ones are forgotten first.
const MEMORY: usize = 1024;
/// How many connections may be open at once; more are closed as they come.
const CONNECTIONS: usize = 1024;
/// What a connection's thread needs.
const STACK: usize = 256 * 1024;

/// What an origin does with a request that it has read whole.
///
/// An upstream that refuses connections is a port without an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers 200 with the request as JSON: `method`, `target`, `headers` (each name in lower
    /// case with the array of its values), `body` as text and `body_bytes`.
    Echo,
    /// As [`Behaviour::Echo`], after this long.
    Delay(Duration),
    /// Answers with this status and the same body.
    Status(u16),
    /// Never answers, and keeps the connection open.
    Silent,
    /// Closes the connection without an answer.
    Close,
    /// Announces a longer body than it sends, then closes the connection.
    Truncate,
}

/// A server on threads of this process. Dropping it closes its port and all its connections.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: TcpListener,
    acceptor: Option<JoinHandle<()>>,
}

impl Origin {
    /// Serves a listener, in whatever network namespace it was made.
    ///
    /// # Errors
    ///
    /// When the process is out of descriptors or threads.
    pub fn serve(listener: TcpListener) -> Result<Self> {
        let address = listener
            .local_addr()
            .context("an origin without an address")?;
        let shared = Arc::new(Shared::new());
        let acceptor = {
            let (listener, shared) = (listener.try_clone()?, Arc::clone(&shared));
            thread::Builder::new()
                .name("origin".into())
                .spawn(move || accept(&listener, &shared))
                .context("no thread for an origin")?
        };
        Ok(Self {
            address,
            shared,
            listener,
            acceptor: Some(acceptor),
        })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Changes what happens to requests that come from now on, on open connections too.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.lock().behaviour = behaviour;
    }

    /// How many requests have come in all.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// The last requests, the oldest first, at most 1024.
    pub fn seen(&self) -> Vec<Request> {
        self.shared.lock().seen.iter().cloned().collect()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        // Wakes the acceptor: accept(2) fails on a socket that was shut down.
        let _already_closed = SockRef::from(&self.listener).shutdown(Shutdown::Both);
        for stream in self.shared.lock().streams.values() {
            let _already_closed = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _panicked = acceptor.join();
        }
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    requests: AtomicU64,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    stopped: bool,
    seen: VecDeque<Request>,
    streams: HashMap<u64, TcpStream>,
}

impl Shared {
    fn new() -> Self {
        let state = State {
            behaviour: Behaviour::Echo,
            stopped: false,
            seen: VecDeque::new(),
            streams: HashMap::new(),
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            requests: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, request: &Request) -> Behaviour {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let mut state = self.lock();
        if state.seen.len() == MEMORY {
            state.seen.pop_front();
        }
        state.seen.push_back(request.clone());
        state.behaviour
    }

    /// Pauses for as long as asked, or until the origin stops; says whether it goes on.
    fn pause(&self, length: Duration) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), length, |state| !state.stopped);
        !waited.map_or_else(
            |poisoned| poisoned.into_inner().0.stopped,
            |(state, _)| state.stopped,
        )
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for number in 0.. {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(_) if shared.lock().stopped => return,
            // One connection that failed before it was accepted says nothing of the next.
            Err(_) => continue,
        };
        if admit(number, &stream, shared).is_none() {
            continue;
        }
        let own = Arc::clone(shared);
        let worker = move || {
            // Whatever ends a conversation, the connection is closed and that is all.
            let _ended = converse(&stream, &own);
            own.lock().streams.remove(&number);
        };
        let spawned = thread::Builder::new().stack_size(STACK).spawn(worker);
        if spawned.is_err() {
            shared.lock().streams.remove(&number);
        }
    }
}

/// Notes a connection, so that it can be closed from outside.
fn admit(number: u64, stream: &TcpStream, shared: &Shared) -> Option<()> {
    let own = stream.try_clone().ok()?;
    let mut state = shared.lock();
    if state.stopped || state.streams.len() >= CONNECTIONS {
        return None;
    }
    state.streams.insert(number, own);
    Some(())
}

fn converse(stream: &TcpStream, shared: &Shared) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = http::read(&mut reader, stream)? {
        let status = match shared.note(&request) {
            Behaviour::Echo => 200,
            Behaviour::Status(status) => status,
            Behaviour::Delay(length) => {
                if !shared.pause(length) {
                    break;
                }
                200
            }
            Behaviour::Silent => {
                shared.pause(Duration::MAX);
                break;
            }
            Behaviour::Close => break,
            Behaviour::Truncate => {
                let mut stream = stream;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")?;
                break;
            }
        };
        http::answer(
            stream,
            status,
            &request,
            echo(&request).to_string().as_bytes(),
        )?;
    }
    stream.shutdown(Shutdown::Both)?;
    Ok(())
}

fn echo(request: &Request) -> serde_json::Value {
    let mut headers: HashMap<String, Vec<&str>> = HashMap::new();
    for (name, value) in &request.headers {
        headers
            .entry(name.to_ascii_lowercase())
            .or_default()
            .push(value);
    }
    json!({
        "method": request.method,
        "target": request.target,
        "headers": headers,
        "body": String::from_utf8_lossy(&request.body),
        "body_bytes": request.body.len(),
    })
}

#[cfg(test)]
mod tests;

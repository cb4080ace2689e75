//! HTTP: listeners, connections, the pipeline of stages, and the way to upstreams.
//!
//! It knows nothing of the configuration file, of kernel maps or of logs. It is given
//! [`Settings`], which a reload replaces as one, and it tells [`Observer`]s what happened.
//!
//! ```text
//! server/    sockets, threads, TLS, HTTP/1.1 and HTTP/2, who wastes a connection
//! pipeline/  limit, form, identity, access, waf, validate, forward, leaks: the stages in order
//! upstream/  targets, pooled connections, bodies on their way
//! exchange   one request from its head to the end of its answer, and its Outcome
//! refusal    every way to be refused, and the table of what follows
//! ```

mod address;
mod answer;
mod case;
mod delivery;
mod destination;
mod drain;
mod exchange;
mod gate;
mod harden;
mod head;
mod headers;
mod ids;
mod limiters;
mod load;
mod mask;
mod observer;
mod outcome;
mod pipeline;
mod refusal;
mod server;
mod settings;
mod stage;
mod upstream;

#[cfg(test)]
pub(crate) mod tests;

pub use address::{ClientAddr, PeerAddr, TrustedProxies};
pub use case::Case;
pub use delivery::Leaks;
pub use destination::Destination;
pub use gate::Gate;
pub use harden::Hardening;
pub use ids::RequestId;
pub use load::{ConnectionEnd, Load};
pub use observer::{Banned, Observer, Written};
pub use outcome::{Ending, Outcome, Reached, RuleHit, Timings};
pub use refusal::{Adds, Exceeded, Malformation, Refusal, Row, UpstreamFault};
#[doc(hidden)]
pub use server::readings_agree;
pub use server::{Drained, ListenError, Server, StartError};
pub use settings::{
    Answers, Beyond, BodyLimits, ConnectionLimits, Guard, Identification, Keep, Listen, Quotas,
    Settings, Transport, default_logged,
};
pub use stage::{FailMode, FailModes, Stage};
pub use upstream::{Target, TargetError, Upstream, UpstreamTimes};

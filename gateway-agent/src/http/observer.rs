//! Who is told what happened.

use std::net::IpAddr;
use std::sync::Arc;

use gateway_policy::bans::Offence;
use gateway_waf::RuleMatch;
use tokio::sync::oneshot;

use super::case::Case;
use super::outcome::Outcome;

/// Somebody who is told of requests. The calls come from the worker threads: they must not
/// block, and should take microseconds.
pub trait Observer: Send + Sync {
    /// A client did something that may lead to a ban. Comes when the answer is handed to the
    /// connection, before [`Observer::outcome`] of the same request.
    fn offence(&self, offence: &Offence) {
        let _ = offence;
    }

    /// A holder of a valid token has been let through to an upstream, over TLS that ends here, from
    /// this address: neither can be forged. Comes when the answer is handed to the connection.
    fn proven(&self, source: IpAddr, subject: &str) {
        let _ = (source, subject);
    }

    /// All that rules found in a request, in the order they matched. Comes at most once for each
    /// request, before its answer begins; where something is given back, the answer waits a
    /// little for it.
    fn found(&self, matches: &[RuleMatch]) -> Option<Written> {
        let _ = matches;
        None
    }

    /// A request in which rules found something, or one of the samples of others, where
    /// [`Keep`](super::Keep) asks for it. Comes at most once for each request, before its answer
    /// begins; where something is given back, the answer waits a little for it.
    fn case(&self, case: &Arc<Case>) -> Option<Written> {
        let _ = case;
        None
    }

    /// A request has ended. Comes once for each, also for those that did not parse.
    fn outcome(&self, outcome: &Arc<Outcome>) {
        let _ = outcome;
    }
}

/// Resolves, in either way, when what was found is written down, or cannot be.
pub type Written = oneshot::Receiver<()>;

/// What knows of bans. Asked for each request of a client behind a trusted proxy, from the
/// worker threads: it must not block.
pub trait Banned: Send + Sync {
    /// Whether requests of this client are to be refused.
    fn is_banned(&self, client: IpAddr) -> bool;
}

impl<F: Fn(IpAddr) -> bool + Send + Sync> Banned for F {
    fn is_banned(&self, client: IpAddr) -> bool {
        self(client)
    }
}

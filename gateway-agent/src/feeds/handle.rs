//! What others may want of the feeds.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use gateway_policy::grammar::FeedName;
use tokio::sync::mpsc;

use super::board::{Board, Standing};
use super::turn::taken_in;
use super::worker::Wish;
use crate::clock;
use crate::config::Feed;
use crate::control::api::FeedStatus;
use crate::control::{Actor, Fault, FaultKind, FeedOutcome, Service};
use crate::store::UnixMillis;

/// How long who asks for a feed is made to wait for it; the control socket's client waits for a
/// minute.
const PATIENCE: Duration = Duration::from_secs(50);

/// The feeds, for whoever wants something of them; clones are the same.
#[derive(Clone, Debug)]
pub struct Handle {
    wishes: mpsc::Sender<Wish>,
    board: Arc<Board>,
    /// The service holds the agent's hooks, and these the handle.
    service: Weak<Service>,
}

impl Handle {
    pub(super) fn new(
        wishes: mpsc::Sender<Wish>,
        board: Arc<Board>,
        service: Weak<Service>,
    ) -> Self {
        Self {
            wishes,
            board,
            service,
        }
    }

    /// Takes up other feeds. With `anew` all are read again: who is protected may have changed.
    pub fn configure(&self, feeds: Vec<Feed>, anew: bool) {
        if self
            .wishes
            .try_send(Wish::Configure { feeds, anew })
            .is_err()
        {
            tracing::error!("the feeds stay as they were configured: too much waits for them");
        }
    }

    /// How every feed does, by name.
    #[must_use]
    pub fn status(&self) -> Vec<FeedStatus> {
        self.board.feeds().values().map(Standing::status).collect()
    }

    /// Reads a feed now and waits for what comes of it. Blocks.
    ///
    /// # Errors
    /// When there is no such feed, it could not be taken, or it takes long.
    pub fn refresh(&self, name: &str) -> Result<FeedStatus, Fault> {
        let feed: FeedName = match self.board.get(name) {
            Some(standing) => standing.feed.name.clone(),
            None => return Err(self.unknown(name)),
        };
        let (done, over) = sync_channel(1);
        let wish = Wish::Refresh { name: feed, done };
        let busy = || Fault::new(FaultKind::Busy, "too much waits for the feeds; try again");
        self.wishes.try_send(wish).map_err(|_| busy())?;
        wait(&over, name)?;
        let standing = self.board.get(name).ok_or_else(|| self.unknown(name))?;
        match &standing.error {
            None => Ok(standing.status()),
            Some(error) => Err(Fault::new(
                FaultKind::Invalid,
                format!(
                    "{name} was not taken, its entries stay ({}): {error}",
                    standing.entries
                ),
            )),
        }
    }

    /// Takes what was held back of a feed. Blocks.
    ///
    /// # Errors
    /// When there is no such feed, nothing is held back, or the store or the kernel refuses.
    pub fn accept(&self, actor: &Actor, name: &str) -> Result<FeedStatus, Fault> {
        let stopping = || Fault::new(FaultKind::Busy, "the agent is stopping; try again");
        let service = self.service.upgrade().ok_or_else(stopping)?;
        let _writing = self.board.writing();
        let standing = self.board.get(name).ok_or_else(|| self.unknown(name))?;
        let Some(offer) = standing.offer else {
            return Err(Fault::new(
                FaultKind::NotFound,
                format!("nothing of {name} is held back; nothing was changed"),
            ));
        };
        if let FeedOutcome::Taken(taken) = service.update_feed(offer, Some(actor))? {
            let now = UnixMillis(clock::unix_millis());
            self.board
                .note(&standing.feed, |standing| taken_in(standing, taken, now));
        }
        let standing = self.board.get(name).ok_or_else(|| self.unknown(name))?;
        Ok(standing.status())
    }

    fn unknown(&self, name: &str) -> Fault {
        let feeds = self.board.feeds();
        let known: Vec<&str> = feeds.keys().map(FeedName::as_str).collect();
        let known = match known.is_empty() {
            true => "none is configured".to_owned(),
            false => format!("there are {}", known.join(", ")),
        };
        let name = name.escape_debug();
        Fault::new(
            FaultKind::NotFound,
            format!("there is no feed `{name}`: {known}"),
        )
    }

    /// Says of each feed in shadow mode what it would have dropped.
    pub(super) fn sum(&self, feeds: &mut [FeedStatus]) -> Result<(), Fault> {
        match self.service.upgrade() {
            Some(service) => service.sum_feeds(feeds),
            None => Ok(()),
        }
    }

    /// For metrics.
    pub(super) fn standings(&self) -> Vec<Standing> {
        self.board.feeds().values().cloned().collect()
    }
}

/// Waits for the end of a turn, for a while.
fn wait(over: &Receiver<()>, name: &str) -> Result<(), Fault> {
    over.recv_timeout(PATIENCE).map_err(|error| match error {
        RecvTimeoutError::Disconnected => Fault::new(
            FaultKind::NotFound,
            format!("the configuration names {name} no more, or the agent is stopping"),
        ),
        RecvTimeoutError::Timeout => Fault::new(
            FaultKind::Busy,
            format!("{name} is still being read; `gateway feeds list` tells when it was"),
        ),
    })
}

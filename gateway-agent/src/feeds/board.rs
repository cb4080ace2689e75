//! How each feed does, as far as it is known since the start.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_policy::grammar::FeedName;

use super::fetch::Validators;
use super::source::{list_of, words};
use crate::config::Feed;
use crate::control::FeedOrder;
use crate::control::api::{FeedDetail, FeedState, FeedStatus, FeedTarget};
use crate::store::{Mode, UnixMillis};

/// The feeds by name.
#[derive(Debug)]
pub(super) struct Board {
    feeds: Mutex<BTreeMap<FeedName, Standing>>,
    /// Held by whoever writes a feed's entries, so that none is written as an older configuration
    /// wants it.
    writing: Mutex<()>,
}

/// How a feed does.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) feed: Arc<Feed>,
    pub(super) state: FeedState,
    pub(super) entries: u64,
    pub(super) changed: Option<UnixMillis>,
    pub(super) tried: Option<UnixMillis>,
    pub(super) success: Option<UnixMillis>,
    pub(super) next: Option<UnixMillis>,
    /// In a row.
    pub(super) failures: u32,
    /// Since the start.
    pub(super) failures_ever: u64,
    pub(super) error: Option<String>,
    /// What it says and was held back.
    pub(super) offer: Option<FeedOrder>,
    pub(super) known: Known,
    pub(super) bad_lines: u64,
    pub(super) left_out: u64,
    pub(super) remarks: Vec<String>,
    pub(super) last: String,
}

/// The version that was taken, or held back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) validators: Validators,
    /// A hash of all its bytes.
    pub(super) content: Option<u64>,
}

impl Standing {
    pub(super) fn new(feed: Arc<Feed>) -> Self {
        Self {
            feed,
            state: FeedState::Waiting,
            entries: 0,
            changed: None,
            tried: None,
            success: None,
            next: None,
            failures: 0,
            failures_ever: 0,
            error: None,
            offer: None,
            known: Known::default(),
            bad_lines: 0,
            left_out: 0,
            remarks: Vec::new(),
            last: String::new(),
        }
    }

    /// For the control socket.
    pub(super) fn status(&self) -> FeedStatus {
        let offered = |offer: &FeedOrder| u64::try_from(offer.entries.len()).unwrap_or(u64::MAX);
        FeedStatus {
            name: self.feed.name.to_string(),
            list: match self.feed.limits() {
                Some(_) => FeedTarget::Limit,
                None => list_of(&self.feed).into(),
            },
            state: self.state,
            entries: self.entries,
            changed_unix_ms: self.changed,
            would_drop: None,
            agent: Some(FeedDetail {
                source: words(&self.feed),
                mode: mode_of(&self.feed),
                interval_ms: self.feed.interval.as_nanos().0 / 1_000_000,
                tried_unix_ms: self.tried,
                success_unix_ms: self.success,
                next_unix_ms: self.next,
                failures: self.failures,
                error: self.error.clone(),
                offered: self.offer.as_ref().map(offered),
                bad_lines: self.bad_lines,
                left_out: self.left_out,
                remarks: self.remarks.clone(),
                last: self.last.clone(),
            }),
        }
    }
}

/// Whether a feed's entries act.
pub(super) const fn mode_of(feed: &Feed) -> Mode {
    match feed.mode {
        gateway_policy::bans::Mode::Enforce => Mode::Enforce,
        gateway_policy::bans::Mode::Shadow => Mode::Shadow,
    }
}

impl Board {
    /// Feeds of which nothing is known yet.
    pub(super) fn of(feeds: &[Feed]) -> Self {
        let standing = |feed: &Feed| {
            let standing = Standing::new(Arc::new(feed.clone()));
            (feed.name.clone(), standing)
        };
        Self {
            feeds: Mutex::new(feeds.iter().map(standing).collect()),
            writing: Mutex::default(),
        }
    }

    /// The right to write entries of feeds.
    pub(super) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn feeds(&self) -> MutexGuard<'_, BTreeMap<FeedName, Standing>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a feed does, if there is one of that name.
    pub(super) fn get(&self, name: &str) -> Option<Standing> {
        self.feeds().get(name).cloned()
    }

    /// Changes what is known of a feed, unless its configuration has changed since `feed`.
    pub(super) fn note(&self, feed: &Arc<Feed>, change: impl FnOnce(&mut Standing)) {
        let mut feeds = self.feeds();
        if let Some(standing) = feeds.get_mut(&feed.name)
            && Arc::ptr_eq(&standing.feed, feed)
        {
            change(standing);
        }
    }

    /// Whether this is still how the feed is configured.
    pub(super) fn is_current(&self, feed: &Arc<Feed>) -> bool {
        let feeds = self.feeds();
        let standing = feeds.get(&feed.name);
        standing.is_some_and(|standing| Arc::ptr_eq(&standing.feed, feed))
    }
}

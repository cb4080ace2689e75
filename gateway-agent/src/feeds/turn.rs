//! One turn of a feed: read it, look at it, hand it to the service, note what came of it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::board::{Board, Known, Standing, mode_of};
use super::source::{self, Content, Parsed, list_of};
use crate::clock;
use crate::config::Feed;
use crate::control::api::{FeedState, ImportDone};
use crate::control::{FeedOrder, FeedOutcome, FeedTaken, Service};
use crate::store::UnixMillis;

/// Remarks that are kept.
const MAX_REMARKS: usize = 10;

/// What turns have in common.
#[derive(Clone)]
pub(super) struct Turns {
    pub(super) board: Arc<Board>,
    pub(super) service: Arc<Service>,
    /// Tells versions apart that no server tells apart.
    pub(super) hasher: RandomState,
}

impl Turns {
    /// Lets a feed have its turn; says whether it came to a good end.
    pub(super) async fn take(self, feed: Arc<Feed>) -> bool {
        let known = match self.board.get(feed.name.as_str()) {
            Some(standing) => standing.known,
            None => return true,
        };
        let now = UnixMillis(clock::unix_millis());
        self.board.note(&feed, |standing| {
            standing.tried = Some(now);
            standing.next = None;
        });
        let came = match source::content(&feed, known.validators.clone()).await {
            Err(error) => Err(error),
            Ok(Content::Unchanged) => Ok(None),
            Ok(Content::Whole { bytes, validators }) => {
                let turns = self.clone();
                let feed = Arc::clone(&feed);
                let looked_at = move || turns.look_at(&feed, &bytes, (known, validators));
                match spawn_blocking(looked_at).await {
                    Ok(came) => came,
                    Err(_) => Err("taking it came to no end".to_owned()),
                }
            }
        };
        self.note(&feed, came)
    }

    /// Takes what has changed; `None` when nothing has.
    fn look_at(
        &self,
        feed: &Arc<Feed>,
        bytes: &[u8],
        (known, validators): (Known, super::fetch::Validators),
    ) -> Result<Option<Came>, String> {
        let content = self.hasher.hash_one(bytes);
        let version = Known {
            validators,
            content: Some(content),
        };
        if known.content == Some(content) {
            // Its server may have another name for it now.
            self.board.note(feed, |standing| standing.known = version);
            return Ok(None);
        }
        let Parsed {
            entries,
            bad_lines,
            remarks,
        } = source::parsed(feed, bytes)?;
        let order = FeedOrder {
            name: feed.name.clone(),
            list: list_of(feed),
            mode: mode_of(feed),
            source: source::words(feed),
            entries,
            limits: feed.limits(),
        };
        let _writing = self.board.writing();
        if !self.board.is_current(feed) {
            return Ok(None);
        }
        let outcome = self
            .service
            .update_feed(order, None)
            .map_err(|fault| fault.to_string())?;
        Ok(Some(Came {
            version,
            bad_lines,
            remarks,
            outcome,
        }))
    }

    fn note(&self, feed: &Arc<Feed>, came: Result<Option<Came>, String>) -> bool {
        let now = UnixMillis(clock::unix_millis());
        let name = feed.name.as_str();
        let well = came.is_ok();
        self.board.note(feed, |standing| match came {
            Err(error) => {
                standing.failures = standing.failures.saturating_add(1);
                standing.failures_ever = standing.failures_ever.saturating_add(1);
                tracing::warn!(
                    feed = name,
                    entries = standing.entries,
                    failures = standing.failures,
                    "the feed was not taken, its entries stay: {error}"
                );
                standing.state = FeedState::Failed;
                standing.error = Some(error);
            }
            Ok(came) => {
                standing.failures = 0;
                standing.error = None;
                standing.success = Some(now);
                match came {
                    Some(came) => came.note(standing, now),
                    None => {
                        tracing::debug!(feed = name, "the feed has not changed");
                        standing.state = match standing.offer {
                            Some(_) => FeedState::HeldBack,
                            None => FeedState::Fresh,
                        };
                    }
                }
            }
        });
        well
    }
}

/// A version of a feed that was looked at.
struct Came {
    version: Known,
    bad_lines: usize,
    remarks: Vec<String>,
    outcome: FeedOutcome,
}

impl Came {
    fn note(self, standing: &mut Standing, now: UnixMillis) {
        let Self {
            version,
            bad_lines,
            remarks,
            outcome,
        } = self;
        standing.known = version;
        standing.bad_lines = count(bad_lines);
        standing.remarks = remarks;
        let name = standing.feed.name.clone();
        if let Some(first) = standing.remarks.first() {
            tracing::warn!(feed = %name, bad_lines, "bad lines were passed over: {first}");
        }
        match outcome {
            FeedOutcome::Taken(taken) => taken_in(standing, taken, now),
            FeedOutcome::HeldBack { held, offer } => {
                tracing::warn!(
                    feed = %name,
                    entries = held,
                    offered = offer.entries.len(),
                    "the feed has lost more than half of its entries and is held back: look at \
                     it, and say `gateway feeds accept {name}` if that is right"
                );
                standing.state = FeedState::HeldBack;
                standing.offer = Some(offer);
            }
        }
    }
}

/// Notes that a feed's entries are on the list.
pub(super) fn taken_in(standing: &mut Standing, taken: FeedTaken, now: UnixMillis) {
    let FeedTaken {
        done,
        entries,
        left_out,
        told,
    } = taken;
    let ImportDone {
        added,
        removed,
        changed,
        unchanged,
        ..
    } = done;
    let feed = standing.feed.name.as_str();
    if let Some(first) = told.first() {
        tracing::warn!(feed, left_out, "entries that no feed may bring: {first}");
    }
    if added + removed + changed > 0 {
        tracing::info!(feed, added, removed, changed, unchanged, "feed taken");
        standing.changed = Some(now);
    }
    standing.state = FeedState::Fresh;
    standing.offer = None;
    standing.entries = count(entries);
    standing.left_out = count(left_out);
    let room = MAX_REMARKS.saturating_sub(standing.remarks.len());
    standing.remarks.extend(told.into_iter().take(room));
    standing.last =
        format!("{added} added, {removed} removed, {changed} changed, {unchanged} unchanged");
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

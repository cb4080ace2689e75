//! The thread: lets feeds have their turns, and hears wishes in between.

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use gateway_policy::feeds::Agenda;
use gateway_policy::grammar::FeedName;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet, spawn_blocking};

use super::board::{Board, Standing, mode_of};
use super::source::{list_of, words};
use super::turn::Turns;
use crate::clock;
use crate::config::{CountryCode, Feed};
use crate::control::Service;
use crate::store::UnixMillis;

/// Feeds that are read at a time; each may take as much memory as it may be large.
const AT_ONCE: usize = 4;
/// How long one that is being written may take when the agent stops.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest sleep: the clock is looked at again, should it have been set.
const NAP: Duration = Duration::from_secs(60);

/// What is wanted of the thread.
#[derive(Debug)]
pub(super) enum Wish {
    /// Other feeds; `anew` when the same feed may mean something else now.
    Configure { feeds: Vec<Feed>, anew: bool },
    /// A feed now; who waits is told when it has had its turn.
    Refresh {
        name: FeedName,
        done: SyncSender<()>,
    },
}

/// Reads feeds until it is told to stop.
pub(super) fn run(
    runtime: Runtime,
    board: Arc<Board>,
    service: Arc<Service>,
    feeds: Vec<Feed>,
    channels: (mpsc::Receiver<Wish>, mpsc::Receiver<()>),
) {
    let worker = Worker {
        turns: Turns {
            board,
            service,
            hasher: RandomState::new(),
        },
        agenda: Agenda::new(AT_ONCE),
        under_way: JoinSet::new(),
        turns_of: HashMap::new(),
        waiting: Vec::new(),
    };
    runtime.block_on(worker.attend(feeds, channels));
    runtime.shutdown_timeout(PATIENCE);
}

/// Whose turn it was, whether it came to a good end, and who waits for it.
type Ended = (FeedName, bool, Vec<SyncSender<()>>);

struct Worker {
    turns: Turns,
    agenda: Agenda,
    /// The turns that have begun.
    under_way: JoinSet<Ended>,
    /// Whose turn each task is.
    turns_of: HashMap<Id, FeedName>,
    /// Who waits for a turn that has not begun.
    waiting: Vec<(FeedName, SyncSender<()>)>,
}

impl Worker {
    async fn attend(
        mut self,
        feeds: Vec<Feed>,
        (mut wishes, mut stopped): (mpsc::Receiver<Wish>, mpsc::Receiver<()>),
    ) {
        self.configure(feeds, true).await;
        loop {
            while let Some(name) = self.agenda.begin(clock::monotonic()) {
                self.begin(name);
            }
            let sleep = match self.agenda.wake() {
                Some(at) => at.since(clock::monotonic()).as_duration().min(NAP),
                None => NAP,
            };
            tokio::select! {
                _ = stopped.recv() => return,
                wish = wishes.recv() => match wish {
                    Some(Wish::Configure { feeds, anew }) => self.configure(feeds, anew).await,
                    Some(Wish::Refresh { name, done }) => {
                        if self.agenda.hasten(&name, clock::monotonic()) {
                            self.waiting.push((name, done));
                        }
                    }
                    None => return,
                },
                Some(ended) = self.under_way.join_next_with_id(),
                    if !self.under_way.is_empty() => self.ended(ended),
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    fn begin(&mut self, name: FeedName) {
        let standing = self.turns.board.get(name.as_str());
        let is_its = |(other, _): &mut (FeedName, _)| *other == name;
        let waiting: Vec<_> = self
            .waiting
            .extract_if(.., is_its)
            .map(|(_, w)| w)
            .collect();
        let turns = self.turns.clone();
        let its = name.clone();
        let task = self.under_way.spawn(async move {
            let well = match standing {
                Some(standing) => turns.take(standing.feed).await,
                None => true,
            };
            (name, well, waiting)
        });
        self.turns_of.insert(task.id(), its);
    }

    /// A turn that panicked has noted nothing, and is tried again as one that failed.
    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        match ended {
            Ok((task, (name, well, waiting))) => {
                self.turns_of.remove(&task);
                self.end(&name, well, waiting);
            }
            Err(error) => {
                if let Some(name) = self.turns_of.remove(&error.id()) {
                    tracing::error!(feed = %name, "reading the feed came to no end: {error}");
                    self.end(&name, false, Vec::new());
                }
            }
        }
    }

    fn end(&mut self, name: &FeedName, well: bool, waiting: Vec<SyncSender<()>>) {
        let now = clock::monotonic();
        self.agenda.end(name, well, now);
        if let Some((due, _)) = self.agenda.standing(name)
            && let Some(standing) = self.turns.board.feeds().get_mut(name)
        {
            standing.next = Some(UnixMillis(clock::to_unix_millis(due)));
        }
        for waiting in waiting {
            // Who asked may have gone away.
            let _ = waiting.try_send(());
        }
    }

    /// Takes up a configuration: what it does not name goes, what it has in another mode acts so
    /// from now on, whether the feed can be read or not.
    async fn configure(&mut self, feeds: Vec<Feed>, anew: bool) {
        let turns = self.turns.clone();
        let wanted: Vec<Arc<Feed>> = feeds.into_iter().map(Arc::new).collect();
        let settled = wanted.clone();
        let fresh = spawn_blocking(move || settle(&turns, &settled, anew)).await;
        let fresh = fresh.unwrap_or_default();
        let now = clock::monotonic();
        self.agenda
            .retain(|name| wanted.iter().any(|feed| feed.name == *name));
        for feed in &wanted {
            self.agenda.set(&feed.name, feed.interval, now);
            if fresh.contains(&feed.name) {
                self.agenda.hasten(&feed.name, now);
            }
        }
        let known = |name: &FeedName| wanted.iter().any(|feed| feed.name == *name);
        // Who waits for a feed that is gone hears so, by its end of the channel.
        self.waiting.retain(|(name, _)| known(name));
    }
}

/// Brings the board and the lists in step with a configuration; says which feeds are to be read
/// now, since they are new or another.
fn settle(turns: &Turns, wanted: &[Arc<Feed>], anew: bool) -> Vec<FeedName> {
    let board = &turns.board;
    let _writing = board.writing();
    let mut fresh = Vec::new();
    {
        let mut standings = board.feeds();
        standings.retain(|name, _| wanted.iter().any(|feed| feed.name == *name));
        for feed in wanted {
            let same = standings
                .get(&feed.name)
                .is_some_and(|standing| standing.feed == *feed);
            if !same || anew {
                let standing = Standing::new(Arc::clone(feed));
                standings.insert(feed.name.clone(), standing);
                fresh.push(feed.name.clone());
            }
        }
    }
    let keeps = |list, tag: &str| {
        wanted.iter().any(|feed| {
            feed.name.as_str() == tag && list_of(feed) == list && feed.limits().is_none()
        })
    };
    match turns.service.drop_feeds(keeps) {
        Ok(gone) => {
            for gone in gone {
                tracing::info!(
                    feed = gone.tag,
                    list = gone.list.name(),
                    entries = gone.entries,
                    "the configuration names the feed no more: its entries are gone"
                );
            }
        }
        Err(fault) => tracing::error!("entries of feeds that are gone stay: {fault}"),
    }
    let limited: Vec<CountryCode> = wanted.iter().filter_map(|feed| feed.limits()).collect();
    match turns.service.keep_limited(&limited) {
        Ok(0) => {}
        Ok(entries) => tracing::info!(
            entries,
            "the configuration limits fewer countries: networks of others have no limit any more"
        ),
        Err(fault) => tracing::error!("limits of countries that are gone stay: {fault}"),
    }
    let on_lists = wanted.iter().filter(|feed| feed.limits().is_none());
    for feed in on_lists.filter(|feed| fresh.contains(&feed.name)) {
        let (list, mode) = (list_of(feed), mode_of(feed));
        match turns
            .service
            .settle_feed(&feed.name, (list, mode), &words(feed))
        {
            Ok(entries) => board.note(feed, |standing| {
                standing.entries = u64::try_from(entries).unwrap_or(u64::MAX);
            }),
            Err(fault) => {
                tracing::error!(feed = %feed.name, "its entries stay as they were: {fault}");
            }
        }
    }
    let changed = turns.service.feed_tags().unwrap_or_default();
    for tagged in changed {
        if let Some(standing) = board.feeds().get_mut(tagged.tag.as_str()) {
            standing.changed = Some(tagged.changed);
        }
    }
    fresh
}

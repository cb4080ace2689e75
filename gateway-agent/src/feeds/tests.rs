//! The thread over lists and a store in memory, with feeds in files.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gateway_common::lists::MODE_SHADOW;
use gateway_common::tables::List;
use gateway_lab::mmdb;
use gateway_policy::bans::Mode;
use gateway_policy::grammar::{Period, Size};

use super::*;
use crate::config::{FeedForm, FeedList, FeedSource};
use crate::control::api::{FeedDetail, FeedState, FeedStatus};
use crate::control::fake::FakeLists;
use crate::control::{Actor, FaultKind, Lists, NoAgent};
use crate::store::Store;

struct Bench {
    folder: tempfile::TempDir,
    lists: Arc<FakeLists>,
    service: Arc<Service>,
    feeds: Feeds,
}

impl Bench {
    /// Feeds in files of these names, an hour apart.
    fn start(names: &[&str], files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let lists: Arc<FakeLists> = Arc::default();
        let service = Arc::new(Service::new(
            Arc::clone(&lists) as Arc<dyn Lists>,
            Store::in_memory().unwrap(),
            Arc::new(NoAgent),
        ));
        let feeds = names.iter().map(|name| in_file(folder.path(), name));
        let feeds = Feeds::start(feeds.collect(), Arc::clone(&service)).unwrap();
        Self {
            folder,
            lists,
            service,
            feeds,
        }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn status(&self, name: &str) -> FeedStatus {
        let all = self.feeds.handle().status();
        all.into_iter().find(|feed| feed.name == name).unwrap()
    }

    /// Waits until a feed is in a state.
    fn until(&self, name: &str, state: FeedState) -> FeedStatus {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let status = self.status(name);
            if status.state == state {
                return status;
            }
            assert!(Instant::now() < until, "{status:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn denied(&self) -> Vec<String> {
        let entries = self.lists.entries(List::Deny).unwrap();
        entries
            .iter()
            .map(|(prefix, _)| prefix.to_string())
            .collect()
    }
}

fn in_file(folder: &Path, name: &str) -> Feed {
    Feed {
        name: name.parse().unwrap(),
        source: FeedSource::File {
            file: folder.join(name).into(),
            form: FeedForm {
                format: None,
                column: None,
                bad_lines: 0,
                max_size: Size::kib(64),
            },
        },
        list: FeedList::Deny,
        mode: Mode::Enforce,
        interval: Period::from_secs(3600),
        max_entries: 1_000,
    }
}

fn hosts(count: u32) -> String {
    let host = |n| format!("{}\n", std::net::Ipv4Addr::from(0xc633_0000 + n));
    (0..count).map(host).collect()
}

fn detail(status: FeedStatus) -> FeedDetail {
    status.agent.unwrap()
}

#[test]
fn a_feed_is_read_at_the_start_and_when_it_is_asked_for() {
    let bench = Bench::start(&["drop"], &[("drop", "192.0.2.0/24\n192.0.2.7\n")]);
    let status = bench.until("drop", FeedState::Fresh);
    assert_eq!(status.entries, 2);
    assert_eq!(bench.denied(), ["192.0.2.0/24", "192.0.2.7"]);
    bench.write("drop", "192.0.2.0/24\n203.0.113.9\n");
    let status = bench.feeds.handle().refresh("drop").unwrap();
    assert_eq!(
        detail(status).last,
        "1 added, 1 removed, 0 changed, 1 unchanged"
    );
    assert_eq!(bench.denied(), ["192.0.2.0/24", "203.0.113.9"]);
    let calls = bench.lists.state().calls.len();
    let detail = detail(bench.feeds.handle().refresh("drop").unwrap());
    assert_eq!(bench.lists.state().calls.len(), calls);
    assert!(detail.success_unix_ms >= detail.tried_unix_ms && detail.next_unix_ms.is_some());
    let refused = bench.feeds.handle().refresh("dorp").unwrap_err();
    assert_eq!(refused.kind, FaultKind::NotFound);
    assert_eq!(refused.detail, "there is no feed `dorp`: there are drop");
    bench.feeds.stop();
}

#[test]
fn one_that_fails_keeps_what_it_had() {
    let bench = Bench::start(&["drop"], &[("drop", "192.0.2.0/24\n")]);
    bench.until("drop", FeedState::Fresh);
    for (text, why) in [
        ("192.0.2.0/24\noops\n", "line 2: `oops` is not an address"),
        ("<!DOCTYPE html>\n<title>Sorry</title>\n", "line 1: "),
        (
            &hosts(1_001),
            "it has 1001 entries; `max_entries` allows 1000",
        ),
        (&"#".repeat(70_000), "more than 65536 bytes"),
    ] {
        bench.write("drop", text);
        let refused = bench.feeds.handle().refresh("drop").unwrap_err();
        assert!(refused.detail.contains(why), "{refused}");
        assert!(refused.detail.contains("its entries stay (1)"), "{refused}");
        assert_eq!(bench.denied(), ["192.0.2.0/24"]);
    }
    std::fs::remove_file(bench.folder.path().join("drop")).unwrap();
    let refused = bench.feeds.handle().refresh("drop").unwrap_err();
    assert!(refused.detail.contains("cannot be read"), "{refused}");
    let failing = bench.status("drop");
    assert_eq!((failing.state, failing.entries), (FeedState::Failed, 1));
    let failing = detail(failing);
    assert_eq!(failing.failures, 5);
    assert!(failing.error.unwrap().contains("cannot be read"));
    // What it said before, once more: it is well again.
    bench.write("drop", "192.0.2.0/24\n");
    let well = bench.feeds.handle().refresh("drop").unwrap();
    assert_eq!(well.state, FeedState::Fresh);
    assert_eq!(detail(well).failures, 0);
    bench.feeds.stop();
}

#[test]
fn one_that_shrinks_waits_for_somebody_to_accept_it() {
    let bench = Bench::start(&["drop"], &[("drop", &hosts(40))]);
    bench.until("drop", FeedState::Fresh);
    let handle = bench.feeds.handle();
    let nobody = Actor::cli(0, None);
    let refused = handle.accept(&nobody, "drop").unwrap_err();
    assert!(
        refused.detail.contains("nothing of drop is held back"),
        "{refused}"
    );
    bench.write("drop", &hosts(10));
    // Also when it is read again and says the same.
    for _ in 0..2 {
        let held = handle.refresh("drop").unwrap();
        assert_eq!((held.state, held.entries), (FeedState::HeldBack, 40));
        assert_eq!(detail(held).offered, Some(10));
        assert_eq!(bench.denied().len(), 40);
    }
    let accepted = handle.accept(&nobody, "drop").unwrap();
    assert_eq!((accepted.state, accepted.entries), (FeedState::Fresh, 10));
    assert_eq!(bench.denied().len(), 10);
    let status = handle.refresh("drop").unwrap();
    assert_eq!(status.state, FeedState::Fresh);

    // One that comes back by itself needs nobody.
    bench.write("drop", "");
    assert_eq!(handle.refresh("drop").unwrap().state, FeedState::HeldBack);
    bench.write("drop", &hosts(12));
    let back = handle.refresh("drop").unwrap();
    assert_eq!((back.state, back.entries), (FeedState::Fresh, 12));
    assert_eq!(detail(back).offered, None);
    bench.feeds.stop();
}

#[test]
fn another_configuration_holds_though_the_feed_is_gone() {
    let bench = Bench::start(&["a", "b"], &[("a", "192.0.2.1\n"), ("b", "192.0.2.2\n")]);
    bench.until("a", FeedState::Fresh);
    bench.until("b", FeedState::Fresh);
    std::fs::remove_file(bench.folder.path().join("b")).unwrap();
    let shadow = Feed {
        mode: Mode::Shadow,
        ..in_file(bench.folder.path(), "b")
    };
    bench.feeds.handle().configure(vec![shadow], false);
    let until = Instant::now() + Duration::from_secs(20);
    let mode = || bench.lists.entry(List::Deny, "192.0.2.2").unwrap().mode;
    while bench.denied() != ["192.0.2.2"] || mode() != MODE_SHADOW {
        assert!(Instant::now() < until, "{:?}", bench.denied());
        std::thread::sleep(Duration::from_millis(5));
    }
    let failed = bench.until("b", FeedState::Failed);
    assert_eq!(failed.entries, 1);
    assert_eq!(bench.feeds.handle().status().len(), 1);
    bench.feeds.stop();
}

#[test]
fn what_a_feed_had_outlives_the_agent() {
    let bench = Bench::start(&["drop"], &[("drop", &hosts(30))]);
    bench.until("drop", FeedState::Fresh);
    let Bench {
        folder,
        lists,
        service,
        feeds,
    } = bench;
    feeds.stop();
    std::fs::remove_file(folder.path().join("drop")).unwrap();
    let again = vec![in_file(folder.path(), "drop")];
    let feeds = Feeds::start(again, Arc::clone(&service)).unwrap();
    let bench = Bench {
        folder,
        lists,
        service,
        feeds,
    };
    let status = bench.until("drop", FeedState::Failed);
    assert_eq!(status.entries, 30);
    assert!(status.changed_unix_ms.is_some());
    assert_eq!(bench.denied().len(), 30);
    // And it still knows what was there, should less of it come back.
    bench.write("drop", &hosts(3));
    let held = bench.feeds.handle().refresh("drop").unwrap();
    assert_eq!(held.state, FeedState::HeldBack);
    bench.feeds.stop();
    drop(bench.service);
}

#[test]
fn countries_are_feeds_and_their_database_is_read_again() {
    let bench = Bench::start(&[], &[]);
    let database = mmdb::countries(&[("192.0.2.0/24", "KP"), ("198.51.100.0/24", "DE")]).unwrap();
    let path = bench.folder.path().join("countries.mmdb");
    std::fs::write(&path, database).unwrap();
    let country = |code: &str| Feed {
        name: format!("country:{code}").parse().unwrap(),
        source: FeedSource::Country {
            database: path.clone().into(),
            code: code.parse().unwrap(),
            limited: false,
        },
        ..in_file(bench.folder.path(), "x")
    };
    bench
        .feeds
        .handle()
        .configure(vec![country("KP"), country("UK")], false);
    let until = Instant::now() + Duration::from_secs(20);
    while bench.feeds.handle().status().len() < 2 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
    bench.until("country:KP", FeedState::Fresh);
    let wrong = bench.until("country:UK", FeedState::Failed);
    assert!(detail(wrong).error.unwrap().contains("no network of UK"));
    assert_eq!(bench.denied(), ["192.0.2.0/24"]);
    let database = mmdb::countries(&[("203.0.113.0/25", "KP")]).unwrap();
    std::fs::write(&path, database).unwrap();
    bench.feeds.handle().refresh("country:KP").unwrap();
    assert_eq!(bench.denied(), ["203.0.113.0/25"]);
    bench.feeds.stop();
}

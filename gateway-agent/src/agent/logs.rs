//! The logs of requests.

use std::sync::Arc;

use anyhow::Context;

use crate::{
    config::{Config, LogTo},
    http::Observer,
    observe::{AccessLog, Keeper, LogCounts, Sink, WafLog},
    records::{self, Bounds, RingCounts},
};

/// Access log lines, and answers with WAF log lines, that may wait for the disk.
const WAITING: usize = 16_384;

/// Cases that may wait for the disk; each has a request with it.
const CASES: usize = 256;

/// The logs that there shall be.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    access: Option<Arc<AccessLog>>,
    waf: Option<Arc<WafLog>>,
    keeper: Option<Arc<Keeper>>,
}

impl Logs {
    /// Opens them.
    ///
    /// # Errors
    /// When one of them cannot be written to.
    pub(super) fn start(config: &Config) -> anyhow::Result<Self> {
        let access = sink(&config.log.access).map(|sink| AccessLog::start(sink, WAITING));
        let waf = sink(&config.waf.log).map(|sink| WafLog::start(sink, WAITING));
        let keeper = config.waf.keep.map(|keep| {
            let bounds = Bounds {
                size: keep.size.as_u64(),
                age: keep.age.as_duration(),
            };
            Keeper::start(records::folder(&config.paths.store), bounds, CASES)
        });
        Ok(Self {
            access: access.transpose().context("the access log")?.map(Arc::new),
            waf: waf.transpose().context("the WAF log")?.map(Arc::new),
            keeper: keeper.transpose().context("the WAF records")?.map(Arc::new),
        })
    }

    /// Opens them anew, after a log rotation.
    pub(super) fn reopen(&self) {
        if let Some(log) = &self.access {
            log.reopen();
        }
        if let Some(log) = &self.waf {
            log.reopen();
        }
    }

    /// Those who are to be told what happens.
    pub(super) fn observers(&self) -> Vec<Arc<dyn Observer>> {
        let mut observers: Vec<Arc<dyn Observer>> = Vec::new();
        observers.extend(self.access.clone().map(|log| log as _));
        observers.extend(self.waf.clone().map(|log| log as _));
        observers.extend(self.keeper.clone().map(|keeper| keeper as _));
        observers
    }

    /// What became of the files of the records.
    pub(super) fn record_files(&self) -> Option<Arc<RingCounts>> {
        self.keeper
            .as_ref()
            .map(|keeper| Arc::clone(keeper.files()))
    }

    /// What became of lines, by the name of the log.
    pub(super) fn counts(&self) -> Vec<(&'static str, Arc<LogCounts>)> {
        let access = self.access.as_ref().map(|log| ("access", log.counts()));
        let waf = self.waf.as_ref().map(|log| ("waf", log.counts()));
        let kept = self.keeper.as_ref();
        let kept = kept.map(|keeper| ("waf_records", keeper.counts()));
        access
            .into_iter()
            .chain(waf)
            .chain(kept)
            .map(|(name, counts)| (name, Arc::clone(counts)))
            .collect()
    }
}

fn sink(to: &LogTo) -> Option<Sink> {
    match to {
        LogTo::Off => None,
        LogTo::Stderr => Some(Sink::Stderr),
        LogTo::File(file) => Some(Sink::File(file.path().to_owned())),
    }
}

//! A packet with what became of it.

use std::rc::Rc;

use gateway_common::Verdict;
use serde::Serialize;

use super::capture::{Record, UnixNanos};
use super::look::Look;
use crate::control::api::EntryView;

/// A packet, and what the loaded program says of it.
#[derive(Debug)]
pub(super) struct Traced {
    /// From 1.
    pub(super) number: u64,
    pub(super) record: Record,
    /// Bytes that the capture has of it.
    pub(super) captured: usize,
    pub(super) look: Look,
    pub(super) outcome: Outcome,
}

/// What became of a packet.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The loaded program's answer, with the entry that led to it.
    Told(Verdict, Option<Rc<EntryView>>),
    /// There is no answer.
    Untold(Untold),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Untold {
    /// The capture holds too little of it.
    CutByTheCapture,
    /// The kernel runs no program on it.
    TooShort,
    /// The kernel cannot be asked about it.
    TooLong,
}

impl Untold {
    pub(super) const ALL: [Self; 3] = [Self::CutByTheCapture, Self::TooShort, Self::TooLong];

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::CutByTheCapture => "cut by the capture",
            Self::TooShort => "too short for the kernel",
            Self::TooLong => "too long to ask about",
        }
    }
}

impl Outcome {
    pub(super) const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Told(verdict, _) => Some(*verdict),
            Self::Untold(_) => None,
        }
    }

    pub(super) fn decided_by(&self) -> Option<&EntryView> {
        match self {
            Self::Told(_, entry) => entry.as_deref(),
            Self::Untold(_) => None,
        }
    }
}

/// What the API calls the fate of a packet.
pub(super) const fn fate(verdict: Verdict) -> &'static str {
    verdict.action().name()
}

impl UnixNanos {
    pub(super) const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Microseconds within the second.
    pub(super) const fn micros_of_second(self) -> u64 {
        self.0 % 1_000_000_000 / 1_000
    }
}

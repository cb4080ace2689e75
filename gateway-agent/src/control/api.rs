//! The shapes of the control API: what goes over the socket, and what `--json` prints. Fields
//! are added, never renamed. Times are milliseconds since the Unix epoch.

mod attack;
mod changes;
mod explain;
mod feeds;
mod lists;
mod reconcile;
mod stats;
mod status;

pub use attack::{AttackOrder, AttackStatus, AttackWatch, OrderName};
pub use changes::{Confirmed, ReloadRequest, Reloaded};
pub use explain::{ChangeView, CountryView, Explanation};
pub use feeds::{FeedDetail, FeedRequest, FeedState, FeedStatus, FeedTarget, Feeds};
pub use lists::{
    AddRequest, Changed, EntryView, HitsView, ImportDone, ImportRequest, Page, PageQuery, Place,
    RemoveRequest, WouldDrop,
};
pub use reconcile::{ReconcileStatus, Repairs};
pub use stats::{BusyRule, InterfaceStats, Stats, Totals, VerdictStats};
pub use status::{
    AgentStatus, FilterStatus, InterfaceStatus, LimitStatus, ListsStatus, Status, SynCookieStatus,
    TrialStatus, UpstreamStatus, WafStatus,
};

/// Prefixes that one call may name.
pub const MAX_PREFIXES: usize = 10_000;
/// Entries that one page may hold.
pub const MAX_PAGE: u32 = 10_000;
/// Bytes of the longest tag.
pub const MAX_TAG: usize = 128;
/// Bytes of the longest reason.
pub const MAX_REASON: usize = 500;

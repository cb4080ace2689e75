//! What operators do to the lists, and what they are told besides.

use gateway_policy::grammar::Prefix;

use super::Service;
use super::apply::{Op, Plan, Step};
use super::guard::distinct;
use crate::control::api::{AddRequest, Changed, EntryView, RemoveRequest};
use crate::control::now::Now;
use crate::control::{Actor, Fault, FaultKind};
use crate::store::{
    Action, Durability, ListName, Mode, NewRecord, Origin, Reader, Record, StoreError,
};

/// Bans inside one safelisted prefix that are lifted with it; the rest are named in a note.
const MAX_LIFTED: u32 = 10_000;

impl Service {
    pub(super) fn add(
        &self,
        actor: &Actor,
        list: ListName,
        request: &AddRequest,
    ) -> Result<Changed, Fault> {
        let prefixes = self.check_add(list, request)?;
        let now = self.now();
        let mode = if request.shadow {
            Mode::Shadow
        } else {
            Mode::Enforce
        };
        let put = |prefix: &Prefix| Step {
            op: Op::Put(NewRecord {
                list,
                prefix: *prefix,
                origin: Origin::Operator,
                mode,
                expires: request.ttl.map(|ttl| now.after(ttl.as_nanos())),
                reason: request.reason.clone(),
                created: now.wall,
                created_by: actor.to_string(),
            }),
            logged: Some(Action::Add),
        };
        let mut steps: Vec<Step> = prefixes.iter().map(put).collect();

        let mut store = self.store();
        let mut lifted = Vec::new();
        if list == ListName::Allow {
            // A ban inside is more specific, so it would go on dropping what is safe now.
            lifted = bans_inside(&store.read(), &prefixes, now)?;
            steps.extend(lifted.iter().cloned().flat_map(lift_steps));
        }
        self.apply(
            &mut store,
            &Plan {
                steps,
                actor,
                note: &request.reason,
                durability: Durability::Synced,
                now,
            },
        )?;
        let mut changed = Changed {
            lifted: views(lifted, now),
            ..Changed::default()
        };
        store.snapshot(|reader| {
            for prefix in &prefixes {
                let added = reader.get(list, *prefix, Origin::Operator)?;
                changed.entries.extend(added.map(|r| EntryView::of(r, now)));
                let remarks = remarks(reader, list, *prefix, mode, now)?;
                changed.notes.extend(remarks);
            }
            Ok::<_, StoreError>(())
        })?;
        drop(store);
        if list == ListName::Allow {
            self.hooks.safelist_changed();
        }
        for ban in &changed.lifted {
            self.hooks.lifted(ban.prefix);
        }
        Ok(changed)
    }

    pub(super) fn remove(
        &self,
        actor: &Actor,
        list: ListName,
        request: &RemoveRequest,
    ) -> Result<Changed, Fault> {
        let prefixes = distinct(&request.prefixes)?;
        let now = self.now();
        let mut store = self.store();
        let reader = store.read();
        let mut gone = Vec::with_capacity(prefixes.len());
        for prefix in &prefixes {
            let mut on = reader.on(list, *prefix)?;
            on.retain(|r| r.entry.origin == Origin::Operator && r.is_live(now.wall));
            if on.is_empty() {
                return Err(not_there(&reader, list, *prefix, now)?);
            }
            gone.append(&mut on);
        }
        let remove = |record: Record| Step {
            op: Op::Remove(record),
            logged: Some(Action::Remove),
        };
        self.apply(
            &mut store,
            &Plan {
                steps: gone.iter().cloned().map(remove).collect(),
                actor,
                note: "",
                durability: Durability::Synced,
                now,
            },
        )?;
        let reader = store.read();
        let mut notes = Vec::new();
        for prefix in &prefixes {
            notes.extend(still_there(&reader, list, *prefix, now)?);
        }
        drop(store);
        if list == ListName::Allow {
            self.hooks.safelist_changed();
        }
        Ok(Changed {
            entries: views(gone, now),
            lifted: Vec::new(),
            notes,
        })
    }

    /// Every live entry of the safelist: what no ban may touch.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn safelist(&self) -> Result<Vec<Prefix>, Fault> {
        let mut all = Vec::new();
        let now = self.now().wall;
        self.store()
            .read()
            .live(ListName::Allow, now, |live| all.push(live.prefix))?;
        all.dedup();
        Ok(all)
    }
}

/// Takes a ban off the deny list and forgets what it was for.
pub(super) fn lift_steps(ban: Record) -> [Step; 2] {
    let client = ban.entry.prefix;
    [
        Step {
            op: Op::Remove(ban),
            logged: Some(Action::Lift),
        },
        Step {
            op: Op::ForgetBans(client),
            logged: None,
        },
    ]
}

pub(super) fn views(records: Vec<Record>, now: Now) -> Vec<EntryView> {
    records.into_iter().map(|r| EntryView::of(r, now)).collect()
}

fn bans_inside(
    reader: &Reader<'_>,
    prefixes: &[Prefix],
    now: Now,
) -> Result<Vec<Record>, StoreError> {
    let mut bans: Vec<Record> = Vec::new();
    for prefix in prefixes {
        let inside = reader.inside(
            ListName::Deny,
            *prefix,
            Some(Origin::Ban),
            now.wall,
            MAX_LIFTED,
        )?;
        bans.extend(inside);
    }
    bans.sort_by_key(|ban| ban.entry.prefix);
    bans.dedup_by_key(|ban| ban.entry.prefix);
    Ok(bans)
}

/// Why an entry cannot be taken away.
fn not_there(
    reader: &Reader<'_>,
    list: ListName,
    prefix: Prefix,
    now: Now,
) -> Result<Fault, StoreError> {
    let others = reader.on(list, prefix)?;
    let live = others.into_iter().find(|r| r.is_live(now.wall));
    let words = list.words();
    Ok(match live.map(|r| r.entry.origin) {
        None | Some(Origin::Operator) => Fault::new(
            FaultKind::NotFound,
            format!("{prefix} is not on {words}; nothing was changed"),
        ),
        Some(Origin::Ban) => not_yours(format!(
            "{prefix} is on {words} because the agent banned it; lift that with \
             `gateway bans lift {prefix}`"
        )),
        Some(Origin::Feed) => not_yours(match list {
            ListName::Deny => format!(
                "{prefix} is on {words} because a feed says so, and would be back with its next \
                 version; to let it in, use `gateway allow add {prefix}`"
            ),
            ListName::Allow => format!(
                "{prefix} is on {words} because a feed says so, and would be back with its next \
                 version; leave it out of the feed"
            ),
        }),
        Some(Origin::Config) => not_yours(format!(
            "{prefix} is on {words} because the configuration says so; take it out there and \
             run `gateway reload`"
        )),
    })
}

fn not_yours(detail: String) -> Fault {
    Fault::new(FaultKind::NotYours, detail)
}

/// What an entry just added does not do, though one may think so.
fn remarks(
    reader: &Reader<'_>,
    list: ListName,
    prefix: Prefix,
    mode: Mode,
    now: Now,
) -> Result<Vec<String>, StoreError> {
    let mut notes = Vec::new();
    let other = list.other();
    let mut same = reader.on(other, prefix)?;
    same.retain(|r| r.is_live(now.wall));
    if list == ListName::Deny && !same.is_empty() {
        notes.push(format!(
            "{prefix} is on the safelist too, and there the safelist wins: it stays without effect"
        ));
    }
    let inside = reader.inside(other, prefix, None, now.wall, 1_001)?;
    let inside = inside.iter().filter(|r| r.entry.prefix != prefix).count();
    if inside > 0 {
        let many = if inside > 1_000 {
            "more than 1000".to_owned()
        } else {
            inside.to_string()
        };
        notes.push(format!(
            "{many} more specific {} inside {prefix} on {} still decide{}",
            if inside == 1 { "entry" } else { "entries" },
            other.words(),
            if inside == 1 { "s" } else { "" },
        ));
    }
    if mode == Mode::Shadow {
        let on = reader.on(list, prefix)?;
        if on
            .iter()
            .any(|r| r.is_live(now.wall) && r.entry.mode == Mode::Enforce)
        {
            notes.push(format!(
                "{prefix} is on the deny list from elsewhere too, and not in shadow mode: it is \
                 dropped"
            ));
        }
    }
    Ok(notes)
}

/// What still stands on a prefix after an operator's entry is gone.
fn still_there(
    reader: &Reader<'_>,
    list: ListName,
    prefix: Prefix,
    now: Now,
) -> Result<Vec<String>, StoreError> {
    let left = reader.on(list, prefix)?;
    let left = left.iter().filter(|r| r.is_live(now.wall));
    Ok(left
        .map(|r| {
            let by = match r.entry.origin {
                Origin::Operator => "by an operator",
                Origin::Feed => "by a feed",
                Origin::Ban => "as a ban of the agent",
                Origin::Config => "by the configuration",
            };
            format!(
                "{prefix} is still on {} {by} (rule {})",
                list.words(),
                r.rule
            )
        })
        .collect())
}

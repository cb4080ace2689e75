//! The model: every offence and every ban in two lists, nothing bounded, nothing indexed.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

struct Model {
    policy: BanPolicy,
    immune: Vec<Prefix>,
    offences: Vec<(ClientKey, OffenceKind, Nanos)>,
    bans: Vec<Ban>,
}

impl Model {
    fn history(&self, client: ClientKey) -> impl Iterator<Item = &Ban> {
        self.bans
            .iter()
            .filter(move |ban| ban.prefix == client.prefix())
    }

    /// The last ban of a client, when it runs: a later one takes the place of an earlier one.
    fn running(&self, client: ClientKey, now: Nanos) -> Option<&Ban> {
        self.history(client).last().filter(|ban| ban.until > now)
    }

    /// The number of the next ban: one more than those since the last quiet time.
    fn next_strike(&self, client: ClientKey, mode: Mode, now: Nanos) -> u32 {
        let mut counting = Vec::new();
        let mut forget_at = Nanos::ZERO;
        for ban in self.history(client) {
            if ban.from >= forget_at {
                counting.clear();
            }
            counting.push(ban.mode);
            let forget = self.policy.rule(ban.offence).unwrap().forget().as_nanos();
            forget_at = forget_at.max(ban.until.saturating_add(forget));
        }
        if now >= forget_at {
            counting.clear();
        }
        counting.retain(|m| mode == Mode::Shadow || *m == Mode::Enforce);
        counting.len() as u32 + 1
    }

    fn record(&mut self, o: Offence) -> Ruling {
        let Some(rule) = self.policy.rule(o.kind).copied() else {
            return Ruling::Off;
        };
        let client = ClientKey::from(o.client);
        if self.immune.iter().any(|p| p.overlaps(client.prefix())) {
            // The reason is tested with the immune set; here only that there is one.
            return Ruling::Spared(ImmuneReason::Safelist);
        }
        if let Some(ban) = self.running(client, o.at)
            && (ban.mode == Mode::Enforce || rule.mode() == Mode::Shadow)
        {
            return Ruling::AlreadyBanned { until: ban.until };
        }
        self.offences.push((client, o.kind, o.at));
        let counts = |(c, k, at): &&(ClientKey, OffenceKind, Nanos)| {
            *c == client && *k == o.kind && at.saturating_add(rule.window()) > o.at
        };
        let count = self.offences.iter().filter(counts).count() as u32;
        let limit = rule.threshold();
        if count < limit {
            return Ruling::Noted { count, limit };
        }
        let strike = self.next_strike(client, rule.mode(), o.at);
        let ban = Ban {
            prefix: client.prefix(),
            mode: rule.mode(),
            from: o.at,
            until: o.at.saturating_add(rule.duration(strike).as_nanos()),
            strike,
            offence: o.kind,
            evidence: o.evidence,
        };
        self.bans.push(ban.clone());
        let all = ban.mode == Mode::Enforce;
        self.offences
            .retain(|(c, k, _)| *c != client || !(all || *k == o.kind));
        Ruling::Ban(ban)
    }

    fn lift(&mut self, prefix: Prefix) {
        self.offences.retain(|(c, ..)| !c.prefix().overlaps(prefix));
        self.bans.retain(|ban| !ban.prefix.overlaps(prefix));
    }

    fn active(&self, now: Nanos) -> Vec<Ban> {
        let mut clients: Vec<Prefix> = self.bans.iter().map(|ban| ban.prefix).collect();
        clients.sort();
        clients.dedup();
        let running = |p: &Prefix| {
            self.running(ClientKey::from_prefix(*p).unwrap(), now)
                .cloned()
        };
        clients.iter().filter_map(running).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Offend { client: IpAddr, kind: OffenceKind },
    Wait { secs: u64 },
    Expire,
    Lift(Prefix),
}

/// A few clients of each family, several addresses to a /64.
fn client() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0u8..4).prop_map(|n| Ipv4Addr::new(192, 0, 2, n).into()),
        (0u16..3, 0u16..3)
            .prop_map(|(net, host)| { Ipv6Addr::new(0x2001, 0xdb8, 0, net, 0, 0, 0, host).into() }),
    ]
}

fn prefix() -> impl Strategy<Value = Prefix> {
    (client(), 0u8..=10).prop_map(|(addr, up)| {
        let len = if addr.is_ipv4() { 32 } else { 128 };
        Prefix::holding(addr, len - up * if addr.is_ipv4() { 1 } else { 8 }).unwrap()
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (client(), prop::sample::select(&OffenceKind::ALL[..]))
            .prop_map(|(client, kind)| Step::Offend { client, kind }),
        4 => (0u64..400).prop_map(|secs| Step::Wait { secs }),
        2 => Just(Step::Expire),
        1 => prefix().prop_map(Step::Lift),
    ]
}

fn some_rule() -> impl Strategy<Value = Option<BanRule>> {
    let factor = prop::sample::select(&["1x", "1.5x", "2x", "3x"][..]);
    let mode = prop::sample::select(&[Mode::Enforce, Mode::Shadow][..]);
    let rule = (
        1u64..6,
        1u64..300,
        1u64..200,
        factor,
        0u64..400,
        0u64..600,
        mode,
    )
        .prop_map(|(count, window, ban, factor, more, forget, mode)| {
            let limit = format!("{count}/{window}s").parse().unwrap();
            let (ban, max) = (Period::from_secs(ban), Period::from_secs(ban + more));
            BanRule::new(limit, ban, factor.parse().unwrap(), max)
                .unwrap()
                .forgetting_after(Period::from_secs(forget))
                .with_mode(mode)
        });
    prop::option::weighted(0.9, rule)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn agrees_with_the_model(
        rules in (some_rule(), some_rule(), some_rule(), some_rule()),
        immune in prop::collection::vec(prefix(), 0..2),
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let policy = BanPolicy { failed_auth: rules.0, waf_block: rules.1, limit_exceeded: rules.2, invalid_request: rules.3 };
        let mut set = Immune::default();
        immune.iter().for_each(|p| set.add(*p, ImmuneReason::Safelist));
        let mut ledger = Ledger::new(policy, set, Capacity { clients: 4096, bans: 64 });
        let mut model = Model { policy, immune: immune.clone(), offences: vec![], bans: vec![] };
        let mut now = Nanos::ZERO;
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Offend { client, kind } => {
                    let evidence = Evidence::new(&n.to_string(), "");
                    let offence = Offence { client, kind, at: now, evidence };
                    let ruling = ledger.record(offence.clone());
                    if let Ruling::Ban(ban) = &ruling {
                        prop_assert!(!immune.iter().any(|p| p.overlaps(ban.prefix)));
                        prop_assert!(ban.prefix.contains(client));
                    }
                    prop_assert_eq!(ruling, model.record(offence));
                }
                Step::Wait { secs } => now = now.saturating_add(Nanos::from_secs(secs)),
                Step::Expire => {
                    let ended = ledger.expire(now);
                    prop_assert!(ended.iter().all(|ban| ban.until <= now && model.bans.contains(ban)));
                }
                Step::Lift(prefix) => {
                    let running = model.active(now);
                    let running = running.iter().map(|b| b.prefix).filter(|p| p.overlaps(prefix));
                    let lifted = ledger.lift(prefix);
                    for p in running {
                        let lift = Command::Lift { prefix: p, cause: LiftCause::Operator };
                        prop_assert!(lifted.contains(&lift), "{} is not lifted", p);
                    }
                    model.lift(prefix);
                }
            }
            let active: Vec<Ban> = ledger.active(now).into_iter().cloned().collect();
            prop_assert_eq!(active, model.active(now));
        }
    }

    #[test]
    fn a_restart_in_between_makes_no_difference_to_bans(
        rules in (some_rule(), some_rule(), some_rule(), some_rule()),
        before in prop::collection::vec(step(), 1..80),
        after in prop::collection::vec(step(), 1..80),
    ) {
        let policy = BanPolicy { failed_auth: rules.0, waf_block: rules.1, limit_exceeded: rules.2, invalid_request: rules.3 };
        let new = || Ledger::new(policy, Immune::default(), Capacity { clients: 4096, bans: 64 });
        let mut ledger = new();
        let mut now = Nanos::ZERO;
        // What the store would hold: a ban's row is written when it starts and removed when an
        // operator lifts it.
        let mut store: Vec<Ban> = Vec::new();
        let mut play = |ledger: &mut Ledger, store: &mut Vec<Ban>, step| {
            match step {
                Step::Offend { client, kind } => {
                    let offence = Offence { client, kind, at: now, evidence: Evidence::default() };
                    if let Ruling::Ban(ban) = ledger.record(offence) {
                        store.push(ban);
                    }
                }
                Step::Wait { secs } => now = now.saturating_add(Nanos::from_secs(secs)),
                Step::Expire => { ledger.expire(now); }
                Step::Lift(prefix) => {
                    ledger.lift(prefix);
                    store.retain(|ban| !ban.prefix.overlaps(prefix));
                }
            }
            now
        };
        let mut at = Nanos::ZERO;
        for step in before {
            at = play(&mut ledger, &mut store, step);
        }
        let mut restarted = new();
        let restored = restarted.restore(store.clone(), at);
        prop_assert_eq!(&restored.refused, &vec![]);
        let orders: Vec<Command> = ledger.active(at).into_iter().cloned().map(Command::Ban).collect();
        prop_assert_eq!(&restored.commands, &orders);
        prop_assert_eq!(restarted.active(at), ledger.active(at));

        // The windows are lost with the old run; without them both go on alike.
        let everybody = ["0.0.0.0/0", "::/0"].map(|p| p.parse::<Prefix>().unwrap());
        for everyone in everybody {
            ledger.tracked.forget_within(everyone);
        }
        for step in after {
            let at_before = at;
            at = play(&mut ledger, &mut store, step.clone());
            match step {
                Step::Offend { client, kind } => {
                    let evidence = Evidence::default();
                    restarted.record(Offence { client, kind, at: at_before, evidence });
                }
                Step::Wait { .. } => {}
                Step::Expire => { restarted.expire(at); }
                Step::Lift(prefix) => { restarted.lift(prefix); }
            }
            prop_assert_eq!(restarted.active(at), ledger.active(at));
        }
    }
}

//! The pipeline against the plain model, over random lists and frames.

use std::{collections::BTreeMap, net::IpAddr};

use gateway_common::{
    Verdict,
    limiter::TICK_NANOS,
    lists::{MODE_ENFORCE, MODE_SHADOW},
    settings::{LIMIT_CLASSES, Limit},
    time::Nanos,
};
use gateway_policy::grammar::Prefix;
use gateway_tests::{
    model::{Client, Model},
    oracle::{Memory, NOW},
    random::{self, Frames, Op, Recipe},
    setup::{FUTURE, Setup, allow, ban, deny, shadow, zone},
};
use proptest::prelude::*;

fn limits() -> impl Strategy<Value = Vec<Limit>> {
    let limit = prop_oneof![
        2 => Just(Limit::default()),
        3 => (1..20_000_u64, 0..20_000_u64, 0..2_u64).prop_map(|(interval, tolerance, mode)| Limit {
            interval,
            tolerance,
            mode,
        }),
    ];
    prop::collection::vec(limit, LIMIT_CLASSES)
}

/// Nothing, or attack mode in which some are known.
fn attack() -> impl Strategy<Value = Option<Vec<(IpAddr, Nanos)>>> {
    let until = prop_oneof![2 => Just(FUTURE), 1 => Just(NOW), 1 => Just(Nanos(NOW.0 + 1_000))];
    prop::option::of(prop::collection::vec((random::address(), until), 0..20))
}

/// Frames, and the ticks that pass before each.
fn frames(most: usize) -> impl Strategy<Value = Vec<(Recipe, u64)>> {
    let ticks = prop_oneof![3 => Just(0_u64), 1 => 0..1000_u64];
    prop::collection::vec((random::recipe(), ticks), 1..most)
}

fn agree(
    ops: &[Op],
    limits: Vec<Limit>,
    attack: Option<Vec<(IpAddr, Nanos)>>,
    frames: &[(Recipe, u64)],
    seed: u64,
) -> Result<(), TestCaseError> {
    let mut memory = Memory::new(seed);
    let mut model = Model {
        limits: limits.clone(),
        now: NOW,
        ..Model::default()
    };
    memory.set_limits(&limits);
    if let Some(known) = attack {
        memory.set_attack(&known);
        let clients = known.into_iter();
        model.attack = Some(clients.map(|(s, until)| (Client::of(s), until)).collect());
    }
    for op in ops {
        random::apply(op, &mut memory, &mut model.lists);
    }
    let listed: Vec<Prefix> = model.lists.items().iter().map(|item| item.prefix).collect();
    for (recipe, ticks) in frames {
        model.now = Nanos(model.now.0 + ticks * TICK_NANOS);
        memory.set_now(model.now);
        let frame = recipe.frame(&listed);
        let expected = model.decide(&frame);
        let got = memory.decide(&frame);
        prop_assert!(
            Model::agrees(expected, got),
            "{frame:02x?}: the model says {expected:?}, the pipeline {got:?}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(random::config(400))]

    #[test]
    fn pipeline_and_model_agree(
        ops in random::ops(40, random::prefix()),
        limits in limits(),
        attack in attack(),
        frames in frames(40),
        seed in any::<u64>(),
    ) {
        agree(&ops, limits, attack, &frames, seed)?;
    }
}

proptest! {
    #![proptest_config(random::config(12))]

    /// As above, with prefixes down to no length at all: they fill the summary from end to end,
    /// which is slow.
    #[test]
    fn pipeline_and_model_agree_on_prefixes_of_any_length(
        ops in random::ops(12, random::wide_prefix()),
        frames in frames(40),
        seed in any::<u64>(),
    ) {
        agree(&ops, Vec::new(), None, &frames, seed)?;
    }
}

proptest! {
    #![proptest_config(random::config(100))]

    /// Lists that grew and shrank are those that were made at once: nothing is left of what is
    /// gone, and the order does not matter.
    #[test]
    fn the_summary_remembers_nothing(
        ops in random::ops(60, random::prefix()),
        seed in any::<u64>(),
    ) {
        let mut grown = Memory::new(seed);
        let mut lists = gateway_tests::model::Lists::default();
        for op in &ops {
            random::apply(op, &mut grown, &mut lists);
        }
        let mut made = Memory::new(seed);
        for item in lists.items().iter().rev() {
            made.insert(item);
        }
        prop_assert!(grown.words() == made.words());
        for item in lists.items() {
            prop_assert!(made.remove(item.list, item.key()));
        }
        let (words4, words6) = made.words();
        prop_assert!(words4.iter().chain(words6).all(|word| *word == 0));
    }
}

/// A property over frames that never get past the first check would hold of anything.
#[test]
fn random_frames_meet_every_verdict() {
    let limit = Limit::new(1000, Nanos::from_secs(1), Nanos::ZERO, MODE_ENFORCE);
    let watched = Limit {
        mode: MODE_SHADOW.into(),
        ..limit
    };
    let setup = Setup::of([
        deny("10.1.2.0/24", 1),
        deny("10.1.3.3", 2),
        shadow("10.1.3.4", 3),
        shadow("10.1.3.5", 4),
        allow("10.1.4.0/22", 5),
        ban("10.9.0.0/16", 6),
        zone("10.8.0.0/16", 1),
        zone("10.7.0.0/16", 2),
        deny("2001:db8:1::/48", 7),
        deny("2001:db8:2::2", 8),
        allow("2001:db8:3::/64", 9),
        zone("2001:db8:4::/48", 1),
        shadow("2001:db8:5::5", 10),
    ])
    .limits(&[Limit::default(), limit, watched]);
    let listed: Vec<Prefix> = setup.items.iter().map(|item| item.prefix).collect();
    let mut model = Model::of(&setup, NOW);
    let mut met = BTreeMap::<_, u32>::new();
    for frame in Frames::new(&listed, 1).take(20_000) {
        *met.entry(model.decide(&frame).verdict).or_default() += 1;
    }
    println!("{met:?}");
    for verdict in Verdict::ALL {
        let times = met.get(verdict).copied().unwrap_or_default();
        // One verdict is about the settings and not about the frame; those of the limits besides
        // the packet rate have tables of their own, which run in the kernel too.
        let elsewhere = matches!(
            verdict,
            Verdict::Unconfigured
                | Verdict::PenaltyBox
                | Verdict::ByteLimited
                | Verdict::ConnectionLimited
                | Verdict::SiteLimited
                | Verdict::PortLimited
                | Verdict::DestinationLimited
                | Verdict::SynCookie
                | Verdict::UnknownLimited
                | Verdict::CountryLimited
        );
        assert!(
            elsewhere || times >= 20,
            "{verdict:?} was met {times} times"
        );
    }
}

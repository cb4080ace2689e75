//! Maps that somebody else has written to: found, mended, and told by kind.

use std::sync::Arc;

use aya::maps::{Array, HashMap, Map, MapData};
use gateway_agent::{
    control::{
        Actor, Control, Kernel as Lists, NoAgent, Round, Service,
        api::{AddRequest, Repairs},
    },
    datapath::{Datapath, Program, SummaryWalk},
    store::{ListName, Store},
};
use gateway_common::{
    Verdict,
    abi::maps,
    lists::{
        Entry, Key4, Key6, MODE_SHADOW, ORIGIN_CONFIG,
        cells::place4,
        index4::{Bucket, bucket4},
    },
    settings::Settings,
    tables::List,
};
use gateway_policy::grammar::Prefix;
use gateway_tests::{
    kernel::Pinned,
    packet::{Ipv4, Packet, Transport},
};

struct World {
    pins: Pinned,
    kernel: Arc<Lists>,
    service: Arc<Service>,
    /// Loaded once: the verifier takes its time.
    program: Program,
    walk: SummaryWalk,
}

impl World {
    fn new() -> Self {
        let pins = Pinned::new();
        let kernel = Arc::new(Lists::new(Datapath::load(pins.path()).unwrap()));
        let program = kernel.datapath().program().unwrap();
        let dir = std::env::temp_dir().join(format!("gateway-audit-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join(pins.path().file_name().unwrap());
        let _ = std::fs::remove_file(&file);
        let store = Store::open(&file, gateway_agent::store::Options::default()).unwrap();
        let service = Arc::new(Service::new(
            Arc::clone(&kernel) as _,
            store,
            Arc::new(NoAgent),
        ));
        Self {
            pins,
            kernel,
            service,
            program,
            walk: SummaryWalk::default(),
        }
    }

    fn add(&self, list: ListName, prefixes: &[&str]) {
        let request = AddRequest {
            prefixes: prefixes.iter().map(|text| text.parse().unwrap()).collect(),
            ..AddRequest::default()
        };
        let session = self.service.session(Actor::agent());
        session.add(list, &request).unwrap();
    }

    fn audit(&mut self) -> Round {
        let round = self.service.audit(&mut self.walk, &mut |_, _| true);
        let round = round.unwrap();
        assert!(round.whole);
        round
    }

    fn hash<K: aya::Pod>(&self, name: &str) -> HashMap<MapData, K, Entry> {
        let data = MapData::from_pin(self.pins.map(name)).unwrap();
        HashMap::try_from(Map::HashMap(data)).unwrap()
    }

    fn array<V: aya::Pod>(&self, name: &str) -> Array<MapData, V> {
        let data = MapData::from_pin(self.pins.map(name)).unwrap();
        Array::try_from(Map::Array(data)).unwrap()
    }

    fn verdict(&self, source: [u8; 4]) -> Verdict {
        let frame = Packet::from(Ipv4::new(source, [192, 0, 2, 1], Transport::syn())).bytes();
        self.program.probe(&frame).unwrap().verdict
    }
}

#[test]
fn what_others_wrote_into_the_maps_is_mended() {
    let mut world = World::new();
    world.add(
        ListName::Deny,
        &[
            "198.51.100.7",
            "198.51.100.8",
            "198.18.0.0/24",
            "2001:db8::/48",
        ],
    );
    world.add(ListName::Allow, &["203.0.113.9"]);
    let trusted = Entry {
        origin: ORIGIN_CONFIG,
        class: 1,
        ..Entry::default()
    };
    for network in ["10.0.0.0/8", "172.16.0.0/12"] {
        let network: Prefix = network.parse().unwrap();
        let mut datapath = world.kernel.datapath();
        datapath.insert(List::Zone, network, trusted).unwrap();
    }
    assert_eq!(world.audit().repairs, Repairs::default());

    let mut deny4 = world.hash::<Key4>(maps::DENY4);
    let gone = Key4::new([198, 51, 100, 7], 32);
    deny4.remove(&gone).unwrap();
    let changed = Key4::new([198, 51, 100, 8], 32);
    let shadow = Entry {
        mode: MODE_SHADOW,
        ..deny4.get(&changed, 0).unwrap()
    };
    deny4.insert(changed, shadow, 0).unwrap();
    let six = "2001:db8::".parse::<std::net::Ipv6Addr>().unwrap().octets();
    let mut deny6 = world.hash::<Key6>(maps::DENY6);
    deny6.remove(&Key6::new(six, 48)).unwrap();
    let mut allow4 = world.hash::<Key4>(maps::ALLOW4);
    let foreign = Key4::new([203, 0, 113, 10], 32);
    allow4.insert(foreign, Entry::default(), 0).unwrap();
    let mut zone4 = world.hash::<Key4>(maps::ZONE4);
    zone4.remove(&Key4::new([10, 0, 0, 0], 8)).unwrap();
    let network = Key4::new([172, 16, 0, 0], 12);
    let other = Entry {
        class: 0,
        ..trusted
    };
    zone4.insert(network, other, 0).unwrap();
    zone4
        .insert(Key4::new([0, 0, 0, 0], 0), trusted, 0)
        .unwrap();
    // The index says that 198.51.100.0/24 and 198.18.0.0/24 have nothing, and the cell of the
    // second does too.
    let mut index4 = world.array::<Bucket>(maps::INDEX4);
    let shift = world
        .array::<Settings>(maps::SETTINGS)
        .get(&0, 0)
        .unwrap()
        .index_shift;
    for block in [[198, 51, 100, 0], [198, 18, 0, 0]] {
        let bucket = bucket4(u32::from_be_bytes(block), shift);
        index4.set(bucket, Bucket::default(), 0).unwrap();
    }
    let mut cells4 = world.array::<u64>(maps::CELLS4);
    let place = place4([198, 18, 0, 0]);
    cells4.set(place.word, 0, 0).unwrap();
    let mut settings = world.array::<Settings>(maps::SETTINGS);
    let right = settings.get(&0, 0).unwrap();
    let mut wrong = right;
    wrong.deny = Default::default();
    settings.set(0, wrong, 0).unwrap();
    for source in [[198, 51, 100, 7], [198, 18, 0, 1]] {
        assert_eq!(world.verdict(source), Verdict::Pass, "{source:?}");
    }

    // A round looks at a part of the summary; this one begins with the index.
    world.walk = SummaryWalk::default();
    let round = world.audit();
    assert_eq!(
        round.repairs,
        Repairs {
            missing: 3,
            different: 2,
            extra: 2,
            summary: 3,
            settings: 1,
            ..Repairs::default()
        }
    );
    assert_eq!((round.wanted, round.in_force), (7, 2));
    for (source, verdict) in [
        ([198, 51, 100, 7], Verdict::DeniedExact),
        ([198, 51, 100, 8], Verdict::DeniedExact),
        ([198, 18, 0, 1], Verdict::DeniedPrefix),
        ([203, 0, 113, 9], Verdict::Safelisted),
        ([203, 0, 113, 10], Verdict::Pass),
    ] {
        assert_eq!(world.verdict(source), verdict, "{source:?}");
    }
    assert_eq!(settings.get(&0, 0).unwrap(), right);
    assert!(allow4.get(&foreign, 0).is_err());
    assert_eq!(zone4.get(&network, 0).unwrap(), trusted);
    assert_eq!(zone4.keys().count(), 2);
    assert_eq!(world.audit().repairs, Repairs::default());
}

/// Bans come and go while it looks: none of that is drift.
#[test]
fn changes_meanwhile_are_no_drift() {
    let mut world = World::new();
    let many: Vec<String> = (0..5_000)
        .map(|n| format!("10.1.{}.{}", n >> 8, n & 255))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    world.add(ListName::Deny, &many);
    let service = Arc::clone(&world.service);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| {
            let session = service.session(Actor::agent());
            let mut turns = 0_u32;
            while !done.load(std::sync::atomic::Ordering::Acquire) {
                let prefixes = vec![Prefix::host([10, 9, 0, (turns % 200) as u8].into())];
                let request = AddRequest {
                    prefixes: prefixes.clone(),
                    ..AddRequest::default()
                };
                session.add(ListName::Deny, &request).unwrap();
                let request = gateway_agent::control::api::RemoveRequest { prefixes };
                session.remove(ListName::Deny, &request).unwrap();
                turns += 1;
            }
            turns
        });
        for _ in 0..2 {
            assert_eq!(world.audit().repairs, Repairs::default());
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        assert!(changing.join().unwrap() > 0);
    });
}

//! What a client notices of the flood while somebody drops it.
//!
//! The client, the gateway and its upstream run on all CPUs, the flood on the last one, at a
//! fixed rate: who needs longer for a packet leaves less to everybody else.

use std::{
    fs,
    net::SocketAddrV4,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use gateway_lab::{
    Agent, Certificate, Drawn, Host, Lab, Node, Trafgen,
    agent::{base, merge},
    net::WAN,
    visitor::Visits,
};
use gateway_tests::bench::stats::Summary;
use serde_json::json;

use crate::{
    client,
    defenders::{self, Candidate, Constant, Defender},
    sender::{Paced, Sender},
    shapes::Shape,
};

/// How long the client makes requests in each turn.
const TURN: Duration = Duration::from_secs(2);
/// How long it does so before, so that everything is warm.
const WARM_UP: Duration = Duration::from_millis(200);
/// No two sources in one /24: what is hardest for our lists.
const SHAPE: Shape = Shape::Scattered;
/// What trafgen's denied sources are drawn from; it knows no other shape.
const BLOCK: [u8; 2] = [198, 18];
/// Packets after which trafgen ends by itself, should nobody end it.
const MOST: u64 = 50_000_000;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: u32,
    /// Packets per second.
    pub(crate) rate: u32,
}

/// The flood beside a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// None.
    Nothing,
    /// Live frames from scattered sources, all denied.
    Live,
    /// trafgen, from sources that are denied as a block.
    Denied,
    /// trafgen, from sources anywhere.
    Anywhere,
}

impl Beside {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "no flood",
            Self::Live => "live frames",
            Self::Denied => "trafgen, denied",
            Self::Anywhere => "trafgen, random",
        }
    }
}

/// What a client noticed.
pub(crate) struct Noticed {
    pub(crate) name: &'static str,
    pub(crate) beside: Beside,
    /// The figures, or why there are none.
    pub(crate) figures: Result<Figures>,
}

#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Packets per second that the flood reached.
    pub(crate) rate: Summary,
    /// Packets that the gateway's program has dropped, over all rounds.
    pub(crate) dropped: Option<u64>,
    /// Milliseconds that half of the requests took at most, and 99 of 100.
    pub(crate) p50: Summary,
    pub(crate) p99: Summary,
    /// Requests that were answered, and that were not, over all rounds.
    pub(crate) answered: usize,
    pub(crate) failed: usize,
}

/// Somebody's turns.
struct Row {
    name: &'static str,
    beside: Beside,
    by: Result<By>,
    rates: Vec<f64>,
    dropped: Option<u64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    answered: usize,
    failed: usize,
}

/// Who drops the flood.
enum By {
    /// The agent with its own program.
    Gateway,
    /// Somebody else, in front of an agent without interfaces.
    Other(Box<dyn Defender>),
}

/// Runs `gateway` with every defender in turn.
pub(crate) fn measure(
    lab: &Lab,
    sender: &mut Sender,
    gateway: &Path,
    effort: Effort,
) -> Result<Vec<Noticed>> {
    let _origin = lab.origin(9000)?;
    // Answers to sources that nobody has dropped have to go somewhere.
    default_route(lab.host(Host::Gateway))?;
    let certificate = Certificate::make(lab.state(), "gateway")?;
    // What a client may ask is not what is measured; nor is attack mode, which holds a client that
    // nobody knows to fewer packets than this one sends.
    let quiet = json!({
        "rate_limits": {"untrusted": "unlimited"},
        "attack_mode": {"trigger": "off"},
    });
    let config = merge(base(lab, "filtering", &certificate), &quiet);
    let mut filtering = Agent::prepare(lab, "filtering", gateway, &config)?;
    let config = merge(base(lab, "bare", &certificate), &quiet);
    let config = merge(config, &json!({"interfaces": []}));
    let mut bare = Agent::prepare(lab, "bare", gateway, &config)?;
    let list = lab.state().join("flood.txt");
    let lines: Vec<_> = SHAPE.hosts().map(|host| format!("{host}\n")).collect();
    fs::write(&list, lines.concat())?;
    let list = list.to_str().context("a path that is no text")?;
    // From here on its store has the list, and each start puts it into the kernel.
    filtering.start()?;
    filtering.gateway(["deny", "import", list])?.done()?;
    let [a, b] = BLOCK;
    filtering
        .gateway(["deny", "add", &format!("{a}.{b}.0.0/16")])?
        .done()?;
    filtering.terminate()?;
    filtering.gateway(["detach", "--yes"])?.done()?;

    let mut rows = vec![
        Row::new("gateway", Beside::Nothing, Ok(By::Gateway)),
        Row::new("gateway", Beside::Live, Ok(By::Gateway)),
    ];
    for Candidate { name, defender } in defenders::others(lab, SHAPE) {
        // What the lab holds from the first part serves again.
        rows.push(Row::new(name, Beside::Live, defender.map(By::Other)));
    }
    for beside in [Beside::Live, Beside::Denied] {
        let nobody = Constant::pass_all()?;
        rows.push(Row::new("nobody", beside, Ok(By::Other(Box::new(nobody)))));
    }
    for beside in [Beside::Denied, Beside::Anywhere] {
        rows.push(Row::new("gateway", beside, Ok(By::Gateway)));
    }
    for round in 0..effort.rounds {
        for row in &mut rows {
            sender.draw_from(SHAPE.sources(), round)?;
            row.turn(lab, sender, (&mut filtering, &mut bare), effort.rate)
                .with_context(|| format!("{} in front of the client", row.name))?;
        }
    }
    Ok(rows.into_iter().map(Row::finish).collect())
}

impl Row {
    fn new(name: &'static str, beside: Beside, by: Result<By>) -> Self {
        Self {
            name,
            beside,
            by,
            rates: Vec::new(),
            dropped: None,
            p50: Vec::new(),
            p99: Vec::new(),
            answered: 0,
            failed: 0,
        }
    }

    fn turn(
        &mut self,
        lab: &Lab,
        sender: &mut Sender,
        (filtering, bare): (&mut Agent, &mut Agent),
        rate: u32,
    ) -> Result<()> {
        let flood = (self.beside, rate);
        let (paced, visits) = match &mut self.by {
            Err(_) => return Ok(()),
            Ok(By::Gateway) => {
                filtering.start()?;
                let seen = beside(lab, sender, flood);
                let dropped = filtering.stats()?.total("dropped_packets");
                self.dropped = Some(self.dropped.unwrap_or_default() + dropped);
                filtering.terminate()?;
                filtering.gateway(["detach", "--yes"])?.done()?;
                seen?
            }
            Ok(By::Other(defender)) => {
                bare.start()?;
                defender.put_up(lab)?;
                let seen = beside(lab, sender, flood);
                defender.take_down(lab)?;
                bare.terminate()?;
                seen?
            }
        };
        let per_second = paced.map(|paced| paced.sent as f64 / paced.took.as_secs_f64());
        self.rates.push(per_second.unwrap_or_default());
        let millis = |percent| visits.percentile(percent).as_secs_f64() * 1e3;
        self.p50.push(millis(50));
        self.p99.push(millis(99));
        self.answered += visits.took.len();
        self.failed += visits.failures.len();
        Ok(())
    }

    fn finish(self) -> Noticed {
        let (rates, p50, p99) = (self.rates, self.p50, self.p99);
        let (answered, failed) = (self.answered, self.failed);
        Noticed {
            name: self.name,
            beside: self.beside,
            figures: self.by.map(|_| Figures {
                rate: Summary::of(rates),
                dropped: self.dropped,
                p50: Summary::of(p50),
                p99: Summary::of(p99),
                answered,
                failed,
            }),
        }
    }
}

/// Lets the client make its requests beside a flood, live frames at this rate.
fn beside(
    lab: &Lab,
    sender: &mut Sender,
    (beside, rate): (Beside, u32),
) -> Result<(Option<Paced>, Visits)> {
    client::visit(lab, WARM_UP)?;
    match beside {
        Beside::Nothing => Ok((None, client::visit(lab, TURN)?)),
        Beside::Live => live(lab, sender, rate),
        Beside::Denied => ring(lab, Drawn::Within(BLOCK)),
        Beside::Anywhere => ring(lab, Drawn::Anywhere),
    }
}

fn live(lab: &Lab, sender: &mut Sender, rate: u32) -> Result<(Option<Paced>, Visits)> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let flood = scope.spawn(|| sender.pace(lab, rate, || !over.load(Ordering::Relaxed)));
        let visits = client::visit(lab, TURN);
        over.store(true, Ordering::Relaxed);
        let paced = flood.join().map_err(|_| anyhow!("the flood panicked"))??;
        Ok((Some(paced), visits?))
    })
}

/// As fast as trafgen goes. What counts as sent is what arrived: the switch may lose some.
fn ring(lab: &Lab, sources: Drawn) -> Result<(Option<Paced>, Visits)> {
    let gateway = lab.host(Host::Gateway);
    let to = SocketAddrV4::new(Host::Gateway.ip4(), 80);
    let before = gateway.counters(WAN)?.rx_packets;
    let mut flood = Trafgen::syn(to, sources, MOST).start(lab.host(Host::Attacker))?;
    let visits = client::visit(lab, TURN)?;
    ensure!(flood.goes_on()?, "trafgen has ended before the client");
    let took = flood.stop()?.took;
    let sent = gateway.counters(WAN)?.rx_packets - before;
    Ok((Some(Paced { sent, took }), visits))
}

/// Routes everything that has no other way to the attacker.
fn default_route(gateway: &Node) -> Result<()> {
    let via = Host::Attacker.ip4().to_string();
    let out = gateway
        .command("ip")
        .args(["route", "add", "default", "via", &via, "dev", WAN])
        .output()
        .context("cannot run ip")?;
    ensure!(
        out.status.success(),
        "ip: {}",
        String::from_utf8_lossy(&out.stderr).trim()
    );
    Ok(())
}

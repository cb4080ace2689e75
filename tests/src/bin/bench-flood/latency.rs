//! What a client notices of the flood while somebody drops it.
//!
//! The client, the gateway and its upstream run on all CPUs, the flood on the last one, at a
//! fixed rate: who needs longer for a packet leaves less to everybody else.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use gateway_lab::{
    Agent, Certificate, Host, Lab, Node,
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

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: u32,
    /// Packets per second.
    pub(crate) rate: u32,
}

/// What a client noticed.
pub(crate) struct Noticed {
    pub(crate) name: &'static str,
    pub(crate) flooded: bool,
    /// The figures, or why there are none.
    pub(crate) figures: Result<Figures>,
}

#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Packets per second that the flood reached.
    pub(crate) rate: Summary,
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
    flooded: bool,
    by: Result<By>,
    rates: Vec<f64>,
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
    // What a client may ask is not what is measured.
    let quiet = json!({"rate_limits": {"untrusted": "unlimited"}});
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
    filtering.terminate()?;
    filtering.gateway(["detach", "--yes"])?.done()?;

    let mut rows = vec![
        Row::new("gateway", false, Ok(By::Gateway)),
        Row::new("gateway", true, Ok(By::Gateway)),
    ];
    for Candidate { name, defender } in defenders::others(lab, SHAPE) {
        // What the lab holds from the first part serves again.
        rows.push(Row::new(name, true, defender.map(By::Other)));
    }
    let nobody = Constant::pass_all()?;
    rows.push(Row::new("nobody", true, Ok(By::Other(Box::new(nobody)))));
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
    fn new(name: &'static str, flooded: bool, by: Result<By>) -> Self {
        Self {
            name,
            flooded,
            by,
            rates: Vec::new(),
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
        let rate = self.flooded.then_some(rate);
        let (paced, visits) = match &mut self.by {
            Err(_) => return Ok(()),
            Ok(By::Gateway) => {
                filtering.start()?;
                let seen = beside(lab, sender, rate);
                filtering.terminate()?;
                filtering.gateway(["detach", "--yes"])?.done()?;
                seen?
            }
            Ok(By::Other(defender)) => {
                bare.start()?;
                defender.put_up(lab)?;
                let seen = beside(lab, sender, rate);
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
            flooded: self.flooded,
            figures: self.by.map(|_| Figures {
                rate: Summary::of(rates),
                p50: Summary::of(p50),
                p99: Summary::of(p99),
                answered,
                failed,
            }),
        }
    }
}

/// Lets the client make its requests, beside a flood if there is to be one.
fn beside(lab: &Lab, sender: &mut Sender, rate: Option<u32>) -> Result<(Option<Paced>, Visits)> {
    client::visit(lab, WARM_UP)?;
    let Some(rate) = rate else {
        return Ok((None, client::visit(lab, TURN)?));
    };
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let flood = scope.spawn(|| sender.pace(lab, rate, || !over.load(Ordering::Relaxed)));
        let visits = client::visit(lab, TURN);
        over.store(true, Ordering::Relaxed);
        let paced = flood.join().map_err(|_| anyhow!("the flood panicked"))??;
        Ok((Some(paced), visits?))
    })
}

/// Routes everything that has no other way to the attacker.
fn default_route(gateway: &Node) -> Result<()> {
    let via = Host::Attacker.ip4().to_string();
    let out = gateway
        .command("ip")
        .args(["route", "add", "default", "via", &via, "dev", WAN])
        .output()
        .context("cannot run ip")?;
    anyhow::ensure!(
        out.status.success(),
        "ip: {}",
        String::from_utf8_lossy(&out.stderr).trim()
    );
    Ok(())
}

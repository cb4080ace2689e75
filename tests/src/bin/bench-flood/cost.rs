//! What a dropped packet costs: every round runs everybody once, so that a machine that slows
//! down for a while slows all of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gateway_lab::{Host, Lab, net::WAN, wait};
use gateway_tests::bench::stats::Summary;

use crate::{
    defenders::{self, Candidate, Constant, Defender, Ours},
    sender::Sender,
    shapes::Shape,
};

/// The share of packets that go before the timed ones: one for so many.
const WARM_UP: u32 = 4;
/// The name of what everybody is compared with.
pub(crate) const BARE: &str = "bare drop";
/// How long the last packets may take to arrive.
const SETTLE: Duration = Duration::from_secs(5);

/// What was measured.
pub(crate) struct Costs {
    /// Nanoseconds that making a frame takes, which is in every other figure.
    pub(crate) made: Summary,
    pub(crate) rows: Vec<Cost>,
}

/// What dropping a flood of one shape costs somebody.
pub(crate) struct Cost {
    pub(crate) shape: Shape,
    pub(crate) name: &'static str,
    /// The figures, or why there are none.
    pub(crate) figures: Result<Figures>,
}

#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Nanoseconds for each packet, from its making to its end.
    pub(crate) ns: Summary,
    /// The same as a multiple of what the bare drop took in the same round.
    pub(crate) over_bare: Summary,
    /// The same multiple without what making the frame takes.
    pub(crate) over_bare_received: Summary,
}

/// Somebody's turns.
struct Row {
    shape: Shape,
    candidate: Candidate,
    ns: Vec<f64>,
    over_bare: Vec<f64>,
    over_bare_received: Vec<f64>,
}

/// Sees that everybody drops all they should, in every round, and times them.
pub(crate) fn measure(lab: &Lab, sender: &mut Sender, rounds: u32, packets: u32) -> Result<Costs> {
    let mut rows = Vec::new();
    for shape in Shape::ALL {
        let ours = Ours::new(shape).map(|ours| Box::new(ours) as Box<dyn Defender>);
        rows.push(Row::new(
            shape,
            Candidate {
                name: Ours::NAME,
                defender: Ok(ours?),
            },
        ));
        // Others hold the same list for both shapes that have the same sources.
        if shape != Shape::Blocks {
            let others = defenders::others(lab, shape);
            rows.extend(others.into_iter().map(|other| Row::new(shape, other)));
        }
    }
    let mut bare = Row::new(
        Shape::Blocks,
        Candidate {
            name: BARE,
            defender: Ok(Box::new(Constant::drop_all()?)),
        },
    );
    let mut made = Vec::new();
    for round in 0..rounds {
        sender.draw_from(Shape::Blocks.sources(), round)?;
        sender.make_only(lab, packets / WARM_UP)?;
        let floor = sender.make_only(lab, packets)?;
        made.push(floor);
        let least = bare
            .turn(lab, sender, round, packets)?
            .context("nothing to compare with")?;
        bare.note(least, least, floor);
        for row in &mut rows {
            let turn = row
                .turn(lab, sender, round, packets)
                .with_context(|| format!("{} with {}", row.candidate.name, row.shape.name()))?;
            if let Some(ns) = turn {
                row.note(ns, least, floor);
            }
        }
    }
    rows.insert(0, bare);
    Ok(Costs {
        made: Summary::of(made),
        rows: rows.into_iter().map(Row::finish).collect(),
    })
}

impl Row {
    fn new(shape: Shape, candidate: Candidate) -> Self {
        Self {
            shape,
            candidate,
            ns: Vec::new(),
            over_bare: Vec::new(),
            over_bare_received: Vec::new(),
        }
    }

    /// One turn of a defender that there is: nanoseconds for each packet.
    fn turn(
        &mut self,
        lab: &Lab,
        sender: &mut Sender,
        round: u32,
        packets: u32,
    ) -> Result<Option<f64>> {
        let Ok(defender) = &mut self.candidate.defender else {
            return Ok(None);
        };
        defender.put_up(lab)?;
        sender.draw_from(self.shape.sources(), round)?;
        let timed = attack(lab, sender, defender.as_mut(), packets);
        defender.take_down(lab)?;
        timed.map(Some)
    }

    fn note(&mut self, ns: f64, bare: f64, made: f64) {
        self.ns.push(ns);
        self.over_bare.push(ns / bare);
        self.over_bare_received.push((ns - made) / (bare - made));
    }

    fn finish(self) -> Cost {
        let (ns, over_bare, over_bare_received) =
            (self.ns, self.over_bare, self.over_bare_received);
        Cost {
            shape: self.shape,
            name: self.candidate.name,
            figures: self.candidate.defender.map(|_| Figures {
                ns: Summary::of(ns),
                over_bare: Summary::of(over_bare),
                over_bare_received: Summary::of(over_bare_received),
            }),
        }
    }
}

/// Sends a flood, and sees that all of it arrived and was dropped.
fn attack(
    lab: &Lab,
    sender: &mut Sender,
    defender: &mut dyn Defender,
    packets: u32,
) -> Result<f64> {
    send(lab, sender, packets / WARM_UP)?;
    let before = defender.dropped(lab)?;
    let ns = send(lab, sender, packets)?;
    let dropped = defender.dropped(lab)?.saturating_sub(before);
    ensure!(
        dropped >= u64::from(packets),
        "it dropped {dropped} of {packets} packets"
    );
    Ok(ns)
}

fn send(lab: &Lab, sender: &mut Sender, packets: u32) -> Result<f64> {
    let arrived = || -> Result<u64> { Ok(lab.host(Host::Gateway).counters(WAN)?.rx_packets) };
    let before = arrived()?;
    sender.send(lab, packets, || {
        let all = before + u64::from(packets);
        wait::until(SETTLE, "the last packets to arrive", || {
            arrived().is_ok_and(|now| now >= all).then_some(())
        })
    })
}

//! The figures, for people and for programs.

use std::{fmt, fs};

use anyhow::Error;
use gateway_tests::bench::{machine::Machine, stats::Summary};
use serde_json::{Value, json};

use crate::{
    cost::{Cost, Costs},
    latency::{Beside, Effort, Noticed},
};

/// All that was measured.
pub(crate) struct Report {
    json: bool,
    rounds: u32,
    packets: u32,
    /// Before and after.
    load: [String; 2],
    pub(crate) cost: Costs,
    pub(crate) client: Option<(Effort, Vec<Noticed>)>,
}

impl Report {
    /// Notes how busy the machine is before anything is measured.
    pub(crate) fn begin(json: bool, rounds: u32, packets: u32) -> Self {
        Self {
            json,
            rounds,
            packets,
            load: [load(), String::new()],
            cost: Costs {
                made: Summary::of(Vec::new()),
                rows: Vec::new(),
            },
            client: None,
        }
    }

    /// Notes how busy it was.
    pub(crate) fn end(&mut self) {
        let [_, after] = &mut self.load;
        *after = load();
    }

    fn json(&self) -> Value {
        let machine = Machine::read();
        let client = self.client.as_ref().map(|(effort, rows)| {
            json!({
                "rounds": effort.rounds,
                "flood_rate": effort.rate,
                "results": rows.iter().map(noticed).collect::<Vec<_>>(),
            })
        });
        json!({
            "results": self.cost.rows.iter().map(cost).collect::<Vec<_>>(),
            "made_ns": rounded(self.cost.made.median, 10.0),
            "client": client,
            "machine": {
                "kernel": machine.kernel,
                "processor": machine.processor,
                "load": self.load,
                "rounds": self.rounds,
                "packets": self.packets,
            },
        })
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = Machine::read();
        let [before, after] = &self.load;
        writeln!(f, "{}, Linux {}", machine.processor, machine.kernel)?;
        writeln!(f, "load {before} before, {after} after")?;
        writeln!(
            f,
            "\nns of CPU time per packet: median and middle half of {} rounds of {} packets;",
            self.rounds, self.packets
        )?;
        writeln!(
            f,
            "{:.1} of them for making the frame, which the last column leaves out",
            self.cost.made.median
        )?;
        writeln!(
            f,
            "\n{:11}{:12}{:>8}{:>18}{:>10}{:>8}{:>16}{:>7}{:>12}",
            "sources", "", "ns", "", "Mpps/CPU", "x bare", "", "goal", "x, received"
        )?;
        for row in &self.cost.rows {
            let shape = if is_bare(row) {
                "any"
            } else {
                row.shape.name()
            };
            write!(f, "{shape:11}{:12}", row.name)?;
            match &row.figures {
                Err(error) => writeln!(f, "  left out: {error:#}")?,
                Ok(figures) => {
                    write!(
                        f,
                        "{:>8.1}{:>18}{:>10.2}{:>8.2}{:>16}",
                        figures.ns.median,
                        half(figures.ns, 1),
                        1e3 / figures.ns.median,
                        figures.over_bare.median,
                        half(figures.over_bare, 2),
                    )?;
                    match goal(row) {
                        Some(goal) => write!(f, "{goal:>7.1}")?,
                        None => write!(f, "{:>7}", "")?,
                    }
                    writeln!(f, "{:>12.2}", figures.over_bare_received.median)?;
                }
            }
        }
        if let Some((effort, rows)) = &self.client {
            client_table(f, *effort, rows)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.json {
            self.json().fmt(f)
        } else {
            self.table(f)
        }
    }
}

fn client_table(f: &mut fmt::Formatter<'_>, effort: Effort, rows: &[Noticed]) -> fmt::Result {
    writeln!(
        f,
        "\nms per request of a client beside a flood, live frames at {} packets/s from scattered\n\
         sources or as many as trafgen makes: medians over {} rounds of the round's p50 and p99,\n\
         and the middle half of the latter",
        effort.rate, effort.rounds
    )?;
    writeln!(
        f,
        "\n{:12}{:16}{:>10}{:>10}{:>8}{:>8}{:>18}{:>10}{:>8}",
        "dropped by", "flood", "packets/s", "dropped", "p50", "p99", "", "answered", "failed"
    )?;
    for row in rows {
        write!(f, "{:12}{:16}", row.name, row.beside.name())?;
        match &row.figures {
            Err(error) => writeln!(f, "  left out: {error:#}")?,
            Ok(figures) => {
                if row.beside == Beside::Nothing {
                    write!(f, "{:>10}", "")?;
                } else {
                    write!(f, "{:>10.0}", figures.rate.median)?;
                }
                match figures.dropped {
                    Some(dropped) => write!(f, "{dropped:>10}")?,
                    None => write!(f, "{:>10}", "")?,
                }
                writeln!(
                    f,
                    "{:>8.2}{:>8.2}{:>18}{:>10}{:>8}",
                    figures.p50.median,
                    figures.p99.median,
                    half(figures.p99, 2),
                    figures.answered,
                    figures.failed,
                )?;
            }
        }
    }
    Ok(())
}

fn cost(row: &Cost) -> Value {
    let figures = match &row.figures {
        Err(error) => {
            return left_out(
                json!({"name": row.name, "sources": row.shape.name()}),
                error,
            );
        }
        Ok(figures) => figures,
    };
    json!({
        "name": row.name,
        "sources": (!is_bare(row)).then(|| row.shape.name()),
        "ns": rounded(figures.ns.median, 10.0),
        "spread": figures.ns.quartiles.map(|ns| rounded(ns, 10.0)),
        "packets_per_second": (1e9 / figures.ns.median).round(),
        "over_bare": rounded(figures.over_bare.median, 100.0),
        "over_bare_spread": figures.over_bare.quartiles.map(|ratio| rounded(ratio, 100.0)),
        "over_bare_received": rounded(figures.over_bare_received.median, 100.0),
        "goal": goal(row),
    })
}

fn noticed(row: &Noticed) -> Value {
    let base = json!({"name": row.name, "flood": row.beside.name()});
    let figures = match &row.figures {
        Err(error) => return left_out(base, error),
        Ok(figures) => figures,
    };
    json!({
        "name": row.name,
        "flood": row.beside.name(),
        "dropped": figures.dropped,
        "packets_per_second": figures.rate.median.round(),
        "p50_ms": rounded(figures.p50.median, 1e3),
        "p50_spread": figures.p50.quartiles.map(|ms| rounded(ms, 1e3)),
        "p99_ms": rounded(figures.p99.median, 1e3),
        "p99_spread": figures.p99.quartiles.map(|ms| rounded(ms, 1e3)),
        "answered": figures.answered,
        "failed": figures.failed,
    })
}

fn left_out(mut value: Value, why: &Error) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.insert("left_out".into(), json!(format!("{why:#}")));
    }
    value
}

/// What the project set itself; others have no goal.
fn goal(row: &Cost) -> Option<f64> {
    (row.name == crate::defenders::Ours::NAME).then(|| row.shape.goal())
}

fn is_bare(row: &Cost) -> bool {
    row.name == crate::cost::BARE
}

/// The middle half, for the table.
fn half(summary: Summary, digits: usize) -> String {
    let [low, high] = summary.quartiles;
    format!("[{low:.digits$}, {high:.digits$}]")
}

/// Rounded to one part in `parts`: what lies below is noise.
fn rounded(figure: f64, parts: f64) -> f64 {
    (figure * parts).round() / parts
}

/// How many processes have wanted a CPU in the last minute.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

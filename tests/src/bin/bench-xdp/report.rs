//! The figures, for people and for programs.

use std::fmt;

use gateway_tests::bench::{machine::Machine, stats::Summary};
use serde_json::{Value, json};

use crate::{
    rounds::{Effort, Measured},
    stock::{Filling, Stock},
};

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Table,
    /// One object.
    Json,
}

/// All that was measured.
pub(crate) struct Report {
    effort: Effort,
    form: Form,
    parts: Vec<(Filling, Vec<Measured>)>,
}

impl Report {
    pub(crate) fn new(effort: Effort, form: Form) -> Self {
        Self {
            effort,
            form,
            parts: Vec::new(),
        }
    }

    /// Adds what was measured over lists of one size.
    pub(crate) fn add(&mut self, filling: Filling, measured: Vec<Measured>) {
        self.parts.push((filling, measured));
    }

    fn json(&self) -> Value {
        let rows = |wanted: fn(&Measured) -> bool| -> Vec<_> {
            self.parts
                .iter()
                .flat_map(|(filling, rows)| rows.iter().map(|row| (filling.stock, row)))
                .filter(|(_, row)| wanted(row))
                .map(|(stock, row)| result(stock, row))
                .collect()
        };
        let lists: Vec<_> = self
            .parts
            .iter()
            .map(|(filling, _)| {
                json!({
                    "entries": filling.stock.deny,
                    "safelist": filling.stock.allow,
                    "load_ms": tenths(filling.load.as_secs_f64() * 1e3),
                    "insert_us_median": tenths(filling.insert_us.median),
                    "insert_us_spread": filling.insert_us.quartiles.map(tenths),
                })
            })
            .collect();
        let machine = Machine::read();
        json!({
            "results": rows(|row| row.over_parse.is_some()),
            "floors": rows(|row| row.over_parse.is_none()),
            "lists": lists,
            "machine": {
                "kernel": machine.kernel,
                "processor": machine.processor,
                "rounds": self.effort.rounds,
                "packets": self.effort.packets,
            },
        })
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = Machine::read();
        writeln!(f, "{}, Linux {}", machine.processor, machine.kernel)?;
        writeln!(
            f,
            "ns per packet: median and middle half of {} rounds of {} packets",
            self.effort.rounds, self.effort.packets
        )?;
        for (filling, rows) in &self.parts {
            writeln!(
                f,
                "\n{} deny entries, {} on the safelist: loaded in {:.0} ms, then {:.1} µs for one more",
                filling.stock.deny,
                filling.stock.allow,
                filling.load.as_secs_f64() * 1e3,
                filling.insert_us.median,
            )?;
            writeln!(
                f,
                "{:32}{:>8}{:>18}{:>12}{:>18}",
                "", "ns", "", "over parse", ""
            )?;
            for row in rows {
                let name = match row.build.as_deref().or(row.peer) {
                    Some(whose) => format!("{} ({whose})", row.name),
                    None => row.name.to_owned(),
                };
                write!(f, "{name:32}{:>8.1}{:>18}", row.ns.median, half(row.ns))?;
                if let Some(over) = row.over_parse {
                    write!(f, "{:>+12.1}{:>18}", over.median, half(over))?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::Table => self.table(f),
            Form::Json => self.json().fmt(f),
        }
    }
}

fn result(stock: Stock, row: &Measured) -> Value {
    let mut value = json!({
        "name": row.name,
        "entries": stock.deny,
        "safelist": stock.allow,
        "ns": tenths(row.ns.median),
        "spread": row.ns.quartiles.map(tenths),
    });
    if let Some(fields) = value.as_object_mut() {
        if let Some(over) = row.over_parse {
            fields.insert("over_parse_ns".into(), json!(tenths(over.median)));
            fields.insert(
                "over_parse_spread".into(),
                json!(over.quartiles.map(tenths)),
            );
        }
        if let Some(build) = &row.build {
            fields.insert("build".into(), json!(build));
        }
        if let Some(peer) = row.peer {
            fields.insert("peer".into(), json!(peer));
        }
    }
    value
}

/// The middle half, for the table.
fn half(summary: Summary) -> String {
    let [low, high] = summary.quartiles;
    format!("[{low:.1}, {high:.1}]")
}

/// Rounded: what lies below a tenth is noise.
fn tenths(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

//! The figures, for people and for programs.

use std::fmt;

use gateway_tests::bench::{
    limiter::{Measured, loaded::Spoofed},
    machine::Machine,
};
use serde_json::{Value, json};

/// All that was measured.
pub(crate) struct Report {
    json: bool,
    parts: Vec<(&'static str, Vec<Measured>)>,
    spoofed: Option<Spoofed>,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            parts: Vec::new(),
            spoofed: None,
        }
    }

    pub(crate) fn part(&mut self, name: &'static str, rows: impl IntoIterator<Item = Measured>) {
        self.parts.push((name, rows.into_iter().collect()));
    }

    pub(crate) fn spoofed(&mut self, spoofed: Spoofed) {
        self.parts.push((
            "clients in the loaded program beside the flood",
            vec![spoofed.clients.clone()],
        ));
        self.spoofed = Some(spoofed);
    }

    /// Whether every bound that is stated was kept.
    pub(crate) fn holds(&self) -> bool {
        let mut rows = self.parts.iter().flat_map(|(_, rows)| rows);
        rows.all(Measured::holds)
            && self
                .spoofed
                .as_ref()
                .is_none_or(|spoofed| spoofed.lost == 0)
    }

    fn json(&self) -> Value {
        let machine = Machine::read();
        let rows = self.parts.iter().flat_map(|(part, rows)| {
            rows.iter().map(move |row| {
                json!({
                    "part": part,
                    "name": row.name,
                    "sources": row.sources,
                    "offered": row.offered,
                    "allowed": row.allowed,
                    "admitted": row.admitted,
                    "short": row.short,
                    "times": row.times,
                    "bound": {
                        "admitted": row.bound.admitted,
                        "times": row.bound.times,
                        "short": row.bound.short,
                    },
                    "holds": row.holds(),
                })
            })
        });
        json!({
            "results": rows.collect::<Vec<_>>(),
            "spoofed": self.spoofed.as_ref().map(|spoofed| json!({
                "forged": spoofed.forged,
                "refused": spoofed.refused,
                "entries": spoofed.entries,
                "lost": spoofed.lost,
            })),
            "holds": self.holds(),
            "machine": {"kernel": machine.kernel, "processor": machine.processor},
        })
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = Machine::read();
        writeln!(f, "{}, Linux {}", machine.processor, machine.kernel)?;
        for (part, rows) in &self.parts {
            writeln!(
                f,
                "\n{part}\n{:54}{:>9}{:>10}{:>10}{:>8}{:>9}{:>7}  bound",
                "", "sources", "allowed", "admitted", "ratio", "short", "times"
            )?;
            for row in rows {
                write!(
                    f,
                    "{:54}{:>9}{:>10}{:>10}{:>8.4}{:>9}",
                    row.name,
                    row.sources,
                    row.allowed,
                    row.admitted,
                    row.ratio(),
                    share(row.short_share()),
                )?;
                match row.times {
                    Some(times) => write!(f, "{times:>7}")?,
                    None => write!(f, "{:>7}", "")?,
                }
                writeln!(
                    f,
                    "  {}{}",
                    bound(row),
                    if row.holds() { "" } else { " BROKEN" }
                )?;
            }
        }
        if let Some(spoofed) = &self.spoofed {
            write!(
                f,
                "\n{} forged packets, {} of them over a limit; {} of {} bans and safelist entries lost",
                spoofed.forged, spoofed.refused, spoofed.lost, spoofed.entries
            )?;
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

fn bound(row: &Measured) -> String {
    let bound = row.bound;
    let parts = [
        bound.admitted.map(|most| format!("admitted {most}")),
        bound.times.map(|most| format!("times {most}")),
        bound.short.map(|most| format!("short {}", share(most))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn share(part: f64) -> String {
    if part == 0.0 {
        "0".to_owned()
    } else {
        format!("{:.3} %", part * 100.0)
    }
}

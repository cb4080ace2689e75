//! Every row of every table: on the host, asked of the loaded program, and run through it.

use gateway_agent::datapath::DatapathError;
use gateway_common::Verdict::{
    self, Neighbour, NotIp, Pass, Safelisted, Unconfigured, WouldDeny, WouldLimit,
};
use gateway_tests::{
    kernel::{Kernel, Moved, SHORTEST},
    oracle::Memory,
    table::{self, Row, Table},
};

const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;

/// The verdicts that let a frame in, written down once more: what the pipeline says of itself is
/// not asked.
const PASSING: [Verdict; 7] = [
    Pass,
    Safelisted,
    NotIp,
    Neighbour,
    WouldDeny,
    WouldLimit,
    Unconfigured,
];

#[test]
fn host_and_kernel_give_every_row_its_verdict() -> Result<(), DatapathError> {
    let mut kernel = Kernel::empty()?;
    let mut wrong = Vec::new();
    for table in table::all() {
        kernel.apply(&table.setup)?;
        let faults = run(&kernel, &table)?;
        kernel.clear(&table.setup)?;
        wrong.extend(
            faults
                .into_iter()
                .map(|fault| format!("{}: {fault}", table.name)),
        );
    }
    assert!(
        wrong.is_empty(),
        "{} faults:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(())
}

fn run(kernel: &Kernel, table: &Table) -> Result<Vec<String>, DatapathError> {
    let memory = Memory::with(&table.setup, 7);
    let mut wrong = Vec::new();
    let mut skipped = 0;
    for row in &table.rows {
        let host = memory.decide(&row.frame);
        if host != row.expected {
            wrong.push(format!(
                "{}: the host says {host:?}, not {:?}",
                row.name, row.expected
            ));
        }
        if row.frame.len() >= SHORTEST {
            wrong.extend(in_kernel(kernel, row)?);
        } else {
            skipped += 1;
        }
    }
    println!(
        "{}: {} rows, {skipped} of them on the host alone: the kernel runs no program on frames \
         under {SHORTEST} bytes",
        table.name,
        table.rows.len()
    );
    Ok(wrong)
}

fn in_kernel(kernel: &Kernel, row: &Row) -> Result<Vec<String>, DatapathError> {
    let Row {
        name,
        expected,
        frame,
    } = row;
    let mut wrong = Vec::new();
    let probe = kernel.probe(frame)?;
    if probe != *expected {
        wrong.push(format!(
            "{name}: the program answers {probe:?}, not {expected:?}"
        ));
    }
    let (action, moved) = kernel.run(frame, 1)?;
    let wanted = if PASSING.contains(&expected.verdict) {
        XDP_PASS
    } else {
        XDP_DROP
    };
    if action != wanted {
        wrong.push(format!(
            "{name}: the program returns {action}, not {wanted}"
        ));
    }
    let counted = [Moved {
        verdict: expected.verdict,
        packets: 1,
        bytes: frame.len() as u64,
    }];
    if moved != counted {
        wrong.push(format!("{name}: counted {moved:?}, not {counted:?}"));
    }
    Ok(wrong)
}

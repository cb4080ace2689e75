//! Every row of every table, on the host.

use gateway_tests::{
    model::Model,
    oracle::{Memory, NOW},
    table,
};

#[test]
fn the_pipeline_gives_every_row_its_verdict() {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for table in table::all() {
        let memory = Memory::with(&table.setup, 7);
        rows += table.rows.len();
        for row in &table.rows {
            let got = memory.decide(&row.frame);
            if got != row.expected {
                wrong.push(format!(
                    "{}: {}: {got:?}, not {:?}",
                    table.name, row.name, row.expected
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {rows} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A table and the model that contradict each other would leave one of them untested.
#[test]
fn the_model_agrees_with_every_row() {
    let mut wrong = Vec::new();
    for table in table::all() {
        let mut model = Model::of(&table.setup, NOW);
        for row in &table.rows {
            let expected = model.decide(&row.frame);
            if !Model::agrees(expected, row.expected) {
                wrong.push(format!(
                    "{}: {}: {expected:?}, not {:?}",
                    table.name, row.name, row.expected
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

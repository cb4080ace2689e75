//! Nothing carries a denied source past the lists: every way to be denied, behind every stack of
//! tags, in every shape.

use super::{
    Row, Table,
    shapes::{self, Shape, TAGS},
    sources::{self, Denied},
};

pub(super) fn table() -> Table {
    let mut rows = Vec::new();
    for denied in sources::denied4() {
        rows.extend(product(&denied, shapes::v4(denied.source)));
    }
    for denied in sources::denied6() {
        rows.extend(product(&denied, shapes::v6(denied.source)));
    }
    Table {
        name: "denied sources",
        setup: sources::lists(),
        rows,
    }
}

fn product<A: std::fmt::Display>(denied: &Denied<A>, shapes: Vec<Shape>) -> Vec<Row> {
    let mut rows = Vec::new();
    for shape in shapes {
        for (tags, stack) in TAGS {
            let name = format!("{}, {tags}, {}", denied.source, shape.name);
            rows.push(Row::new(name, shape.tagged(stack), denied.verdict).by(denied.rule));
        }
    }
    rows
}

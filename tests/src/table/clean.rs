//! The same shapes from sources on no list: each meets its own verdict, whatever the tags.

use std::net::Ipv6Addr;

use gateway_common::Verdict;

use super::{
    Row, Table,
    shapes::{self, Shape, TAGS},
    sources::{self, CLEAN4, CLEAN6},
};

pub(super) fn table() -> Table {
    let mut rows = product("IPv4", shapes::v4(CLEAN4));
    rows.extend(product("IPv6", shapes::v6(CLEAN6)));
    rows.extend(product("link-local", shapes::v6(link_local())));
    let mut mapped = shapes::v6(CLEAN4.to_ipv6_mapped());
    for shape in &mut mapped {
        // The address is looked at once version and length are known to be right.
        if shape.clean != Verdict::BadLength && !shape.name.starts_with("version") {
            shape.clean = Verdict::BadSource;
        }
    }
    rows.extend(product("IPv4 in IPv6", mapped));
    Table {
        name: "clean sources",
        setup: sources::lists(),
        rows,
    }
}

fn link_local() -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9)
}

fn product(who: &str, shapes: Vec<Shape>) -> Vec<Row> {
    let mut rows = Vec::new();
    for shape in shapes {
        for (tags, stack) in TAGS {
            let name = format!("{who}, {tags}, {}", shape.name);
            rows.push(Row::new(name, shape.tagged(stack), shape.clean));
        }
    }
    rows
}

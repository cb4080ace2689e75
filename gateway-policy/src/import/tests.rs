//! Files as they come, files that are wrong, and files that mean harm.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::grammar::{Period, Prefix};

const CAPACITY: usize = 1_000;

fn options(format: Option<Format>, column: Option<&str>) -> Options {
    Options {
        format,
        column: column.map(Column::from),
        capacity: CAPACITY,
        bad_lines: 0,
    }
}

fn auto(file: &str) -> Imported {
    read(file.as_bytes(), &options(None, None)).unwrap()
}

fn refused(file: &str) -> String {
    read(file.as_bytes(), &options(None, None))
        .unwrap_err()
        .to_string()
}

/// The entries as `prefix@line`, with the time left where there is one.
fn shown(imported: &Imported) -> Vec<String> {
    let entry = |e: &Entry| match e.ttl {
        None => format!("{}@{}", e.prefix, e.line),
        Some(ttl) => format!("{}@{} {ttl}", e.prefix, e.line),
    };
    imported.entries.iter().map(entry).collect()
}

#[test]
fn plain_feeds_with_their_comments() {
    let drop = "; Spamhaus DROP List\n1.10.16.0/20 ; SBL256894\r\n\n 1.19.0.0/16;SBL434604\n";
    let found = auto(drop);
    assert_eq!(found.format, Format::Plain);
    assert_eq!(shown(&found), ["1.10.16.0/20@2", "1.19.0.0/16@4"]);

    let netset =
        "#\n# firehol_level1, ipv4 hash:net ipset\n192.0.2.9-192.0.2.12\n2001:db8::1 # a\n";
    assert_eq!(
        shown(&auto(netset)),
        [
            "192.0.2.9@3",
            "192.0.2.10/31@3",
            "192.0.2.12@3",
            "2001:db8::1@4"
        ]
    );
    let latin1 = b"192.0.2.1 # caf\xe9\n";
    assert_eq!(read(latin1, &options(None, None)).unwrap().entries.len(), 1);
    assert_eq!(shown(&auto("\u{feff}192.0.2.1")), ["192.0.2.1@1"]);
}

#[test]
fn what_is_said_twice_is_merged_and_what_is_covered_stays() {
    let found = auto("10.0.0.0/8\n10.1.0.0/16\n10.1.2.3\n192.0.2.1\n10.1.0.0/16\n");
    assert_eq!((found.duplicates, found.covered), (1, 2));
    assert_eq!(found.entries.len(), 4);
    assert_eq!(found.entries[1].line, 2);
    let timed = auto("add x 192.0.2.1 timeout 5\nadd x 192.0.2.1 timeout 9\n");
    assert_eq!(shown(&timed), ["192.0.2.1@1 9s"]);
}

#[test]
fn tables() {
    let named = "id,IP_Prefix,\"who, what\"\n1,10.0.0.0/8,\"a\nb\"\n2,192.0.2.1-192.0.2.1,c\n";
    let found = auto(named);
    assert_eq!(found.format, Format::Csv);
    assert_eq!(shown(&found), ["10.0.0.0/8@2", "192.0.2.1@4"]);
    assert_eq!(shown(&auto("x,192.0.2.1\ny,192.0.2.2\n")).len(), 2);

    let semicolons = b"name;net\na;10.0.0.0/8\n";
    let csv = |column| read(semicolons, &options(Some(Format::Csv), column));
    for column in ["net", "2"] {
        assert_eq!(shown(&csv(Some(column)).unwrap()), ["10.0.0.0/8@2"]);
    }
    assert_eq!(
        csv(Some("wo")).unwrap_err().to_string(),
        "the header has no column `wo`"
    );
    assert!(csv(None).unwrap_err().to_string().contains("--column"));
    assert_eq!(
        refused("ip,n\n10.0.0.0/8,1\nx,2\n"),
        "line 3: `x` is not an address or prefix; write for example 10.0.0.0/8, 192.0.2.1 or \
         2001:db8::/32"
    );
}

#[test]
fn json_in_its_shapes() {
    for file in [
        "[\"10.0.0.0/8\",\n \"192.0.2.1\"]",
        "[{\"cidr\": \"10.0.0.0/8\", \"n\": [1]},\n{\"ip\": \"192.0.2.1\"}]",
        "{\"cidr\":\"10.0.0.0/8\"}\n{\"cidr\":\"192.0.2.1\"}\n{\"type\":\"metadata\",\"size\":2}",
        "{\"list\": \"deny\", \"entries\": [{\"prefix\": \"10.0.0.0/8\", \"left_ms\": null},\n\
         {\"prefix\": \"192.0.2.1\", \"rule\": 7}]}",
    ] {
        let found = auto(file);
        assert_eq!(found.format, Format::Json);
        assert_eq!(shown(&found), ["10.0.0.0/8@1", "192.0.2.1@2"], "{file}");
    }
    let ours = "{\"entries\": [{\"prefix\": \"10.0.0.0/8\", \"left_ms\": 9000}]}";
    assert_eq!(shown(&auto(ours)), ["10.0.0.0/8@1 9s"]);
    let source = read(
        b"[{\"source\": \"192.0.2.1\"}]",
        &options(None, Some("source")),
    );
    assert_eq!(shown(&source.unwrap()), ["192.0.2.1@1"]);
    assert!(refused("[{\"where\": \"192.0.2.1\"}, 7]").contains("--column"));
    assert!(refused("[\"192.0.2.1\"").starts_with("the file is no JSON: "));
}

#[test]
fn ipset_save() {
    let save = "create evil hash:net family inet hashsize 1024 maxelem 65536 timeout 60\n\
                add evil 10.0.0.0/8\nadd evil 192.0.2.1 timeout 30 comment \"nomatch me\"\n\
                add evil 192.0.2.2 timeout 0\n";
    let found = auto(save);
    assert_eq!(found.format, Format::Ipset);
    assert_eq!(
        shown(&found),
        ["10.0.0.0/8@2", "192.0.2.1@3 30s", "192.0.2.2@4"]
    );
    for (line, words) in [
        ("add evil 10.0.0.1,tcp:80", "more than an address"),
        ("add evil 10.0.0.0/9 nomatch", "exception"),
        ("add evil 10.0.0.1 timeout soon", "`soon` is no timeout"),
        ("add evil", "names no element"),
        ("destroy evil", "no command"),
    ] {
        let said = refused(&format!("create evil hash:ip\n{line}\n"));
        assert!(
            said.starts_with("line 2: ") && said.contains(words),
            "{said}"
        );
    }
}

#[test]
fn nft_in_both_languages() {
    let text = "table inet filter {\n\tset evil {\n\t\ttype ipv4_addr\n\t\tflags interval,timeout\n\
                \t\telements = { 10.0.0.0/8, 192.0.2.1-192.0.2.2 comment \"a, } b\",\n\
                \t\t\t     198.51.100.7 timeout 1h expires 30m5s996ms }\n\t}\n}\n";
    let found = auto(text);
    assert_eq!(found.format, Format::Nft);
    let entries = [
        "10.0.0.0/8@5",
        "192.0.2.1@5",
        "192.0.2.2@5",
        "198.51.100.7@6 30m5s996ms",
    ];
    assert_eq!(shown(&found), entries);

    let json = "{\"nftables\": [{\"metainfo\": {\"version\": \"1.1.3\"}}, {\"set\": {\"family\": \
                \"inet\", \"name\": \"evil\", \"table\": \"filter\", \"type\": \"ipv4_addr\", \
                \"elem\": [{\"prefix\": {\"addr\": \"10.0.0.0\", \"len\": 8}},\n{\"range\": \
                [\"192.0.2.1\", \"192.0.2.2\"]}, {\"elem\": {\"val\": \"198.51.100.7\", \
                \"timeout\": 3600, \"expires\": 1805}}]}}]}";
    let found = auto(json);
    assert_eq!(found.format, Format::Nft);
    assert_eq!(found.entries.len(), 4);
    assert_eq!(found.entries[3].ttl, Some(Period::from_secs(1805)));

    let joined = text.replace("comment", ". 80 comment");
    assert!(refused(&joined).contains("more than an address"));
    let open = "set x { elements = { 10.0.0.0/8, ";
    assert!(refused(open).contains("line 1 is never closed"));
}

#[test]
fn bad_lines_are_told_by_number_ten_of_them() {
    let bad: String = (0..12).map(|n| format!("192.0.2.{n}\nx{n}\n")).collect();
    let said = refused(&bad);
    assert!(said.starts_with("line 2: `x0` is not an address"), "{said}");
    assert!(said.ends_with("\nand 2 more"), "{said}");
    assert_eq!(said.lines().count(), MAX_TOLD + 1);
    assert!(refused("10.0.0.5/8").contains("host bits set; write 10.0.0.0/8"));
    assert!(refused("10.0.0.9-10.0.0.1").contains("ends before it begins"));
    assert!(refused("10.0.0.9-::1").contains("mixes"));
    assert_eq!(refused("# nothing\n"), "the file has no entries");
}

#[test]
fn everything_is_bounded() {
    let long = format!("192.0.2.1\n#{}\n", "x".repeat(MAX_LINE));
    assert!(refused(&long).starts_with("line 2 has more than 64 KiB"));
    let many: String = (0..=CAPACITY as u32)
        .map(|n| format!("{}\n", Ipv4Addr::from(n * 3)))
        .collect();
    assert_eq!(
        refused(&many),
        "the file has more IPv4 entries than the list holds (1000)"
    );
    // So often the same is no harm.
    assert_eq!(auto(&"192.0.2.1\n".repeat(9_000)).duplicates, 8_999);
    // A range of 2^32 addresses is a few prefixes.
    assert_eq!(auto("0.0.0.1-255.255.255.254").entries.len(), 62);
    for (open, close) in [("[", "]"), ("{\"prefix\":", "}")] {
        let deep = format!("[{}1{}]", open.repeat(100_000), close.repeat(100_000));
        assert!(refused(&deep).len() < 1_000);
    }
    let huge = vec![b'#'; MAX_FILE + 1];
    let options = options(None, None);
    assert_eq!(read(&huge, &options), Err(ImportError::TooLarge));
}

/// A listing in every format.
fn written(format: Format, prefixes: &[Prefix]) -> String {
    let joined = |separator: &str, one: fn(&Prefix) -> String| {
        let all: Vec<String> = prefixes.iter().map(one).collect();
        all.join(separator)
    };
    match format {
        Format::Plain => joined("\n", Prefix::to_string),
        Format::Csv => format!("prefix,n\n{}", joined("\n", |p| format!("\"{p}\",1"))),
        Format::Json => format!("[{}]", joined(",\n", |p| format!("\"{p}\""))),
        Format::Ipset => joined("\n", |p| format!("add x {p}")),
        Format::Nft => format!(
            "set x {{ elements = {{ {} }} }}",
            joined(", ", Prefix::to_string)
        ),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_in_every_format(
        hosts in prop::collection::vec((any::<u32>(), 8u8..=32), 1..50)
    ) {
        let prefixes: Vec<Prefix> = hosts
            .into_iter()
            .map(|(host, len)| Prefix::holding(Ipv4Addr::from(host).into(), len).unwrap())
            .collect();
        for format in Format::ALL {
            let found = auto(&written(format, &prefixes));
            prop_assert_eq!(found.format, format);
            let read: Vec<Prefix> = found.entries.iter().map(|e| e.prefix).collect();
            let mut sorted = prefixes.clone();
            sorted.sort();
            sorted.dedup();
            prop_assert_eq!(&read, &sorted);
            prop_assert_eq!(found.duplicates, prefixes.len() - sorted.len());
        }
    }

    #[test]
    fn a_range_is_exactly_its_addresses(first: u32, len in 0u32..5_000) {
        let last = first.saturating_add(len);
        let file = format!("{}-{}", Ipv4Addr::from(first), Ipv4Addr::from(last));
        let found = auto(&file);
        let mut next = u64::from(first);
        for entry in &found.entries {
            prop_assert_eq!(entry.prefix.network(), Ipv4Addr::from(next as u32));
            next += 1 << (32 - entry.prefix.len());
        }
        prop_assert_eq!(next, u64::from(last) + 1);
    }

    #[test]
    fn any_bytes_get_an_answer(file: Vec<u8>, format in 0usize..6) {
        let options = options(Format::ALL.get(format).copied(), None);
        let _ = read(&file, &options);
    }

    #[test]
    fn anything_like_a_listing_gets_an_answer(
        file in "([0-9.:/a-f, \"{}=\\[\\]#;\n-]|elements|add x|timeout|prefix){0,60}",
        format in 0usize..6
    ) {
        let options = options(Format::ALL.get(format).copied(), None);
        if let Ok(found) = read(file.as_bytes(), &options) {
            let sorted = found.entries.windows(2).all(|w| w[0].prefix < w[1].prefix);
            prop_assert!(sorted);
        }
    }
}

#[test]
fn bad_lines_are_passed_over_when_that_was_said_and_no_further() {
    let file = b"192.0.2.1\noops\n192.0.2.2\n10.0.0.5/8\n";
    let read_with = |bad_lines| {
        let options = Options {
            bad_lines,
            capacity: CAPACITY,
            ..Options::default()
        };
        read(file, &options)
    };
    let found = read_with(2).unwrap();
    assert_eq!((found.entries.len(), found.bad_lines), (2, 2));
    let told: Vec<u32> = found.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(told, [2, 4]);
    let Err(ImportError::Lines { faults, more: 0 }) = read_with(1) else {
        panic!("two lines are bad");
    };
    assert_eq!(faults.len(), 2);
}

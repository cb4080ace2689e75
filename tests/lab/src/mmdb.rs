//! Small databases in the MaxMind DB format (version 2.0), for tests.
//!
//! A search tree of 24-bit records over IPv6, IPv4 networks below `::/96`; behind it sixteen zero
//! bytes, the records, the marker and the metadata.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};

/// What stands in front of the metadata.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// A database that has `country.iso_code` for each network (`192.0.2.0/24`).
///
/// # Errors
///
/// When a network is none, or a text is too long.
pub fn countries(networks: &[(&str, &str)]) -> Result<Vec<u8>> {
    database(networks, |code| {
        map(&[("country", map(&[("iso_code", text(code)?)])?)])
    })
}

/// A database that has the code of the country as the text `field` of each record.
///
/// # Errors
///
/// When a network is none, or a text is too long.
pub fn flat(field: &str, networks: &[(&str, &str)]) -> Result<Vec<u8>> {
    database(networks, |code| map(&[(field, text(code)?)]))
}

/// What a record of the tree leads to.
#[derive(Clone, Copy)]
enum Leads {
    Nowhere,
    Node(usize),
    /// To this place of the data section.
    Data(usize),
}

fn database(
    networks: &[(&str, &str)],
    record: impl Fn(&str) -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    let mut tree = vec![[Leads::Nowhere; 2]];
    let mut data = Vec::new();
    for (network, code) in networks {
        grow(&mut tree, network, data.len())?;
        data.extend(record(code)?);
    }
    let mut file = Vec::new();
    for side in tree.iter().flatten() {
        let value = match side {
            Leads::Nowhere => tree.len(),
            Leads::Node(node) => *node,
            Leads::Data(at) => tree.len() + 16 + at,
        };
        file.extend(u32::try_from(value)?.to_be_bytes().iter().skip(1));
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(MARKER);
    file.extend(map(&[
        ("binary_format_major_version", number(5, 2)?),
        ("binary_format_minor_version", number(5, 0)?),
        ("build_epoch", number(9, 1_763_830_000)?),
        ("database_type", text("Lab-Country")?),
        ("description", map(&[])?),
        ("ip_version", number(5, 6)?),
        // An empty array: type 11.
        ("languages", vec![0x00, 0x04]),
        ("node_count", number(6, u64::try_from(tree.len())?)?),
        ("record_size", number(5, 24)?),
    ])?);
    Ok(file)
}

/// Makes a network lead to a place of the data section.
fn grow(tree: &mut Vec<[Leads; 2]>, network: &str, at: usize) -> Result<()> {
    let (address, length) = network
        .split_once('/')
        .context("a network without length")?;
    let length: u32 = length.parse()?;
    let (bits, length) = match address.parse()? {
        IpAddr::V4(address) => (u128::from(u32::from(address)), length + 96),
        IpAddr::V6(address) => (u128::from(address), length),
    };
    ensure!((1..=128).contains(&length), "{network} is no network");
    let mut node = 0;
    for depth in 0..length {
        let side = usize::from(bits >> (127 - depth) & 1 == 1);
        let next = tree.len();
        let place = tree
            .get_mut(node)
            .and_then(|sides| sides.get_mut(side))
            .context("a node that is not there")?;
        if depth + 1 == length {
            *place = Leads::Data(at);
            return Ok(());
        }
        match place {
            Leads::Node(further) => node = *further,
            Leads::Nowhere | Leads::Data(_) => {
                *place = Leads::Node(next);
                tree.push([Leads::Nowhere; 2]);
                node = next;
            }
        }
    }
    Ok(())
}

/// UTF-8 text, type 2, of less than 29 bytes.
fn text(text: &str) -> Result<Vec<u8>> {
    ensure!(text.len() < 29, "{text} is too long");
    let mut bytes = vec![0x40 | u8::try_from(text.len())?];
    bytes.extend(text.as_bytes());
    Ok(bytes)
}

/// A map, type 7, of less than 29 pairs.
fn map(pairs: &[(&str, Vec<u8>)]) -> Result<Vec<u8>> {
    ensure!(pairs.len() < 29, "too many pairs");
    let mut bytes = vec![0xe0 | u8::try_from(pairs.len())?];
    for (key, value) in pairs {
        bytes.extend(text(key)?);
        bytes.extend(value);
    }
    Ok(bytes)
}

/// An unsigned number: type 5 has 16 bits, 6 has 32, 9 has 64 and is an extended one.
fn number(kind: u8, value: u64) -> Result<Vec<u8>> {
    let bytes = value
        .to_be_bytes()
        .into_iter()
        .skip_while(|byte| *byte == 0);
    let bytes: Vec<u8> = bytes.collect();
    let size = u8::try_from(bytes.len())?;
    let mut all = match kind {
        0..=7 => vec![kind << 5 | size],
        8..=u8::MAX => vec![size, kind - 7],
    };
    all.extend(bytes);
    Ok(all)
}

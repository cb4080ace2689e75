//! The networks of a country, from a database in the MaxMind DB format.

use std::collections::HashMap;

use gateway_policy::feeds::{WIDEST4, WIDEST6};
use gateway_policy::grammar::Prefix;
use gateway_policy::import::Entry;
use ipnet::IpNet;
use maxminddb::{LookupResult, MaxMindDbError, PathElement, Reader, WithinOptions};

use crate::config::CountryCode;

/// Bytes of the largest database; those of countries have some ten million.
pub(super) const MAX_DATABASE: usize = 512 << 20;
/// Networks that are looked at. A tree whose branches meet again could have any number of them.
const MAX_NETWORKS: usize = 16_000_000;

/// Where records have the country: MaxMind's and DB-IP's, then flat ones.
const PATHS: [&[PathElement<'static>]; 3] = [
    &[PathElement::Key("country"), PathElement::Key("iso_code")],
    &[PathElement::Key("country_code")],
    &[PathElement::Key("country")],
];

/// The networks of a country, by prefix, as few as hold exactly its addresses; none is wider
/// than a feed may bring.
pub(super) fn networks(database: &[u8], code: CountryCode) -> Result<Vec<Entry>, String> {
    let reader = Reader::from_source(database).map_err(|e| broken(&e))?;
    let options = WithinOptions::default().include_networks_without_data();
    let mut found: Vec<IpNet> = Vec::new();
    // Many networks share a record.
    let mut judged: HashMap<usize, bool> = HashMap::new();
    let all = reader.networks(options).map_err(|e| broken(&e))?;
    for (number, network) in all.enumerate() {
        if number >= MAX_NETWORKS {
            return Err(format!("it has more than {MAX_NETWORKS} networks"));
        }
        let network = network.map_err(|e| broken(&e))?;
        let Some(offset) = network.offset() else {
            continue;
        };
        let inside = match judged.get(&offset) {
            Some(inside) => *inside,
            None => {
                let inside = lies_in(&network, code).map_err(|e| broken(&e))?;
                judged.insert(offset, inside);
                inside
            }
        };
        if inside {
            let at = network.network().map_err(|e| broken(&e))?;
            found.push(
                IpNet::new(at.ip(), at.prefix())
                    .map_err(|_| "it has a network that is none".to_owned())?
                    .trunc(),
            );
        }
    }
    if found.is_empty() {
        return Err(format!(
            "it has no network of {code}; is that the country's code in ISO 3166-1?"
        ));
    }
    let mut entries: Vec<Entry> = IpNet::aggregate(&found)
        .into_iter()
        .flat_map(narrow)
        .map(|prefix| Entry {
            prefix,
            line: 0,
            ttl: None,
        })
        .collect();
    entries.sort_unstable_by_key(|entry| entry.prefix);
    entries.dedup_by_key(|entry| entry.prefix);
    Ok(entries)
}

fn lies_in(network: &LookupResult<'_, &[u8]>, code: CountryCode) -> Result<bool, MaxMindDbError> {
    for path in PATHS {
        match network.decode_path::<&str>(path) {
            Ok(Some(name)) => return Ok(code.is(name)),
            // What stands there is a map in one kind of database and text in the other.
            Ok(None) | Err(MaxMindDbError::Decoding { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(false)
}

/// The network, or the parts of it that are narrow enough.
fn narrow(net: IpNet) -> Vec<Prefix> {
    let widest = match net {
        IpNet::V4(_) => WIDEST4,
        IpNet::V6(_) => WIDEST6,
    };
    let parts = net.subnets(widest.max(net.prefix_len()));
    parts
        .into_iter()
        .flatten()
        .filter_map(|part| Prefix::holding(part.network(), part.prefix_len()).ok())
        .collect()
}

fn broken(error: &MaxMindDbError) -> String {
    format!("it is no MaxMind database that can be read: {error}")
}

#[cfg(test)]
mod tests {
    use gateway_lab::mmdb;

    use super::*;

    fn code(text: &str) -> CountryCode {
        text.parse().unwrap()
    }

    fn shown(database: &[u8], country: &str) -> Vec<String> {
        let entries = networks(database, code(country)).unwrap();
        entries.iter().map(|e| e.prefix.to_string()).collect()
    }

    #[test]
    fn the_networks_of_a_country_joined_and_split() {
        let database = mmdb::countries(&[
            ("192.0.2.0/25", "KP"),
            ("192.0.2.128/25", "KP"),
            ("198.51.100.0/24", "DE"),
            ("203.0.113.7/32", "KP"),
            ("64.0.0.0/6", "US"),
            ("2001:db8::/32", "KP"),
            ("2600::/14", "US"),
        ])
        .unwrap();
        assert_eq!(
            shown(&database, "KP"),
            ["192.0.2.0/24", "203.0.113.7", "2001:db8::/32"]
        );
        assert_eq!(
            shown(&database, "US"),
            [
                "64.0.0.0/8",
                "65.0.0.0/8",
                "66.0.0.0/8",
                "67.0.0.0/8",
                "2600::/16",
                "2601::/16",
                "2602::/16",
                "2603::/16"
            ]
        );
        let said = networks(&database, code("UK")).unwrap_err();
        assert!(said.contains("no network of UK"), "{said}");
    }

    #[test]
    fn flat_records_do_too() {
        for field in ["country", "country_code"] {
            let database =
                mmdb::flat(field, &[("192.0.2.0/24", "KP"), ("10.0.0.0/8", "DE")]).unwrap();
            assert_eq!(shown(&database, "KP"), ["192.0.2.0/24"], "{field}");
        }
    }

    #[test]
    fn whatever_is_broken_is_told_and_ends() {
        let whole = mmdb::countries(&[("192.0.2.0/24", "KP"), ("2001:db8::/32", "DE")]).unwrap();
        for text in [&b""[..], b"192.0.2.0/24\n", &[0; 4096]] {
            let said = networks(text, code("KP")).unwrap_err();
            assert!(said.contains("no MaxMind database"), "{said}");
        }
        for at in 0..whole.len() {
            for change in [0x00, 0xff, 0x41] {
                let mut damaged = whole.clone();
                damaged[at] = change;
                // It may be right all the same; it must come to an end.
                let _ = networks(&damaged, code("KP"));
            }
            let _ = networks(&whole[..at], code("KP"));
        }
    }
}

//! Prefixes as blobs that sort as prefixes do: family, address, length.

use std::net::IpAddr;

use gateway_policy::grammar::Prefix;

/// A prefix as the file holds it: 4 or 6, the address in network byte order, the length.
pub(super) fn encode(prefix: Prefix) -> Vec<u8> {
    key(prefix.network(), prefix.len())
}

/// The prefix that [`encode`] wrote; `None` for anything else.
pub(super) fn decode(blob: &[u8]) -> Option<Prefix> {
    let (family, rest) = blob.split_first()?;
    let (len, address) = rest.split_last()?;
    let address: IpAddr = match family {
        4 => <[u8; 4]>::try_from(address).ok()?.into(),
        6 => <[u8; 16]>::try_from(address).ok()?.into(),
        _ => return None,
    };
    let prefix = Prefix::holding(address, *len).ok()?;
    (prefix.network() == address).then_some(prefix)
}

/// The keys between which lie `prefix` and every prefix inside it, and no other.
pub(super) fn inside(prefix: Prefix) -> (Vec<u8>, Vec<u8>) {
    let last = prefix.as_ipnet().broadcast();
    let longest = if prefix.is_ipv4() { 32 } else { 128 };
    (encode(prefix), key(last, longest))
}

/// Every prefix that holds all of `prefix`, longest first, itself included.
pub(super) fn around(prefix: Prefix) -> impl Iterator<Item = Prefix> {
    (0..=prefix.len())
        .rev()
        .filter_map(move |len| Prefix::holding(prefix.network(), len).ok())
}

fn key(address: IpAddr, len: u8) -> Vec<u8> {
    let mut blob = Vec::with_capacity(18);
    match address {
        IpAddr::V4(a) => {
            blob.push(4);
            blob.extend_from_slice(&a.octets());
        }
        IpAddr::V6(a) => {
            blob.push(6);
            blob.extend_from_slice(&a.octets());
        }
    }
    blob.push(len);
    blob
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn blobs_read_back_and_sort_as_prefixes() {
        let mut all = [
            "10.0.0.0/8",
            "10.0.0.0/16",
            "9.9.9.9",
            "255.255.255.255",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/32",
            "2001:db8::1",
        ]
        .map(p);
        for prefix in all {
            assert_eq!(decode(&encode(prefix)), Some(prefix));
        }
        let mut blobs = all.map(encode);
        blobs.sort();
        all.sort();
        assert_eq!(blobs.map(|b| decode(&b).unwrap()), all);
    }

    #[test]
    fn other_blobs_are_refused() {
        let host_bits = [4, 10, 0, 0, 1, 8];
        let too_long = [4, 10, 0, 0, 0, 33];
        for blob in [
            &[][..],
            &[4],
            &[4, 10, 0, 0, 8],
            &[5, 10, 0, 0, 0, 8],
            &host_bits,
            &too_long,
        ] {
            assert_eq!(decode(blob), None, "{blob:?}");
        }
    }

    #[test]
    fn inside_holds_exactly_what_the_prefix_covers() {
        let (first, last) = inside(p("10.1.0.0/16"));
        for (text, within) in [
            ("10.1.0.0/16", true),
            ("10.1.0.0/17", true),
            ("10.1.255.255", true),
            ("10.0.0.0/8", false),
            ("10.0.0.0/15", false),
            ("10.2.0.0/16", false),
            ("::/0", false),
        ] {
            let blob = encode(p(text));
            assert_eq!(first <= blob && blob <= last, within, "{text}");
        }
    }

    #[test]
    fn around_goes_from_long_to_short() {
        let texts = |text| around(p(text)).map(|p| p.to_string()).collect::<Vec<_>>();
        assert_eq!(
            texts("128.0.0.0/2"),
            ["128.0.0.0/2", "128.0.0.0/1", "0.0.0.0/0"]
        );
        assert_eq!(around(p("2001:db8::1")).count(), 129);
        assert_eq!(around(p("::1")).count(), 129);
    }
}

//! Names for requests: the request id, and the trace context of W3C.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// The name of one request, 128 bits; 32 hexadecimal digits in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(u128);

impl RequestId {
    /// Reads 32 hexadecimal digits, with or without the hyphens of a UUID (RFC 9562 section 4).
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text.len() {
            32 => hex(text).map(Self),
            36 => {
                let mut digits = [0; 32];
                let mut filled = 0;
                for (i, byte) in text.iter().enumerate() {
                    if matches!(i, 8 | 13 | 18 | 23) {
                        if *byte != b'-' {
                            return None;
                        }
                    } else {
                        *digits.get_mut(filled)? = *byte;
                        filled += 1;
                    }
                }
                hex(&digits).map(Self)
            }
            _ => None,
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A source of ids: a keyed hash of a counter. Unique in this process, and nobody outside can
/// tell the next from those seen, so an id tells nothing of how many requests there were.
#[derive(Debug, Default)]
pub(super) struct Ids {
    high: RandomState,
    low: RandomState,
    count: AtomicU64,
}

impl Ids {
    /// A new request id.
    #[must_use]
    pub(super) fn request(&self) -> RequestId {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        RequestId(u128::from(self.high.hash_one(n)) << 64 | u128::from(self.low.hash_one(n)))
    }

    /// A `traceparent` that starts a trace at `request`, not sampled
    /// (W3C Trace Context section 3.2).
    #[must_use]
    pub(super) fn traceparent(&self, request: RequestId) -> String {
        let parent = self.high.hash_one((request.0, "parent"));
        // All zeroes would be invalid in either field.
        format!("00-{:032x}-{:016x}-00", request.0.max(1), parent.max(1))
    }
}

/// Whether `value` is a `traceparent` to pass on: version 00, ids not zero
/// (W3C Trace Context section 3.2.2).
#[must_use]
pub(super) fn is_traceparent(value: &[u8]) -> bool {
    let fields: Vec<&[u8]> = value.split(|byte| *byte == b'-').collect();
    let [version, trace, parent, flags] = fields.as_slice() else {
        return false;
    };
    let lower = |field: &[u8]| !field.iter().any(u8::is_ascii_uppercase);
    *version == b"00"
        && trace.len() == 32
        && parent.len() == 16
        && flags.len() == 2
        && [trace, parent, flags].into_iter().all(|field| lower(field))
        && hex(trace).is_some_and(|id| id != 0)
        && hex(parent).is_some_and(|id| id != 0)
        && hex(flags).is_some()
}

fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0u128, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_and_read_back() {
        let ids = Ids::default();
        let seen: HashSet<_> = (0..1000).map(|_| ids.request()).collect();
        assert_eq!(seen.len(), 1000);
        for id in seen {
            assert_eq!(RequestId::parse(id.to_string().as_bytes()), Some(id));
        }
    }

    #[test]
    fn uuids_are_read_and_junk_is_not() {
        let uuid = RequestId::parse(b"0190b6f0-1111-7222-8333-444455556666").unwrap();
        assert_eq!(uuid.to_string(), "0190b6f0111172228333444455556666");
        for junk in [
            &b""[..],
            b"0190b6f0",
            b"0190b6f0-1111-7222-8333-44445555666g",
            b"0190b6f0+1111-7222-8333-444455556666",
            b"0190b6f01-111-7222-8333-444455556666",
            b"0190b6f0111172228333444455556666\n",
        ] {
            assert_eq!(RequestId::parse(junk), None, "{junk:?}");
        }
    }

    #[test]
    fn made_traceparents_are_valid_and_bad_ones_are_not() {
        let ids = Ids::default();
        assert!(is_traceparent(ids.traceparent(ids.request()).as_bytes()));
        assert!(is_traceparent(
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        ));
        for bad in [
            &b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"[..],
            b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            b"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            b"junk",
        ] {
            assert!(!is_traceparent(bad), "{bad:?}");
        }
    }
}

//! The units of time that durations and rates share.

/// Every unit from large to small: short name, other accepted names, nanoseconds.
const UNITS: [(&str, &[&str], u64); 8] = [
    ("w", &["week", "weeks"], 7 * 86_400 * SECOND),
    ("d", &["day", "days"], 86_400 * SECOND),
    ("h", &["hr", "hour", "hours"], 3_600 * SECOND),
    ("m", &["min", "mins", "minute", "minutes"], 60 * SECOND),
    ("s", &["sec", "secs", "second", "seconds"], SECOND),
    ("ms", &["millisecond", "milliseconds"], 1_000_000),
    ("us", &["µs", "microsecond", "microseconds"], 1_000),
    ("ns", &["nanosecond", "nanoseconds"], 1),
];

const SECOND: u64 = 1_000_000_000;

/// The length in nanoseconds of the unit called `name`; names are lower case.
pub(super) fn nanos_of(name: &str) -> Option<u64> {
    UNITS
        .iter()
        .find(|(short, long, _)| *short == name || long.contains(&name))
        .map(|u| u.2)
}

/// The units that a duration is written in, large to small. Weeks are read but not written:
/// `7d` is what people compare with `24h` and `30d`.
pub(super) fn written() -> impl Iterator<Item = (&'static str, u64)> {
    UNITS
        .iter()
        .skip(1)
        .map(|(short, _, nanos)| (*short, *nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_larger_than_the_next_and_names_are_unique() {
        assert!(UNITS.windows(2).all(|w| w[0].2 > w[1].2));
        let mut names: Vec<&str> = UNITS
            .iter()
            .flat_map(|(s, l, _)| std::iter::once(*s).chain(l.iter().copied()))
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

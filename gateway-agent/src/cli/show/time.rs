//! Instants and spans in words.

use gateway_common::time::Nanos;

use crate::store::UnixMillis;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A span in its two largest units: `9m 58s`, `3d 4h`; below a second, `less than 1s`.
pub(in crate::cli) fn span(millis: u64) -> String {
    let units = [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)];
    let Some(first) = units.iter().position(|(_, size)| millis >= *size) else {
        return "less than 1s".to_owned();
    };
    let mut rest = millis;
    let mut parts = Vec::new();
    for (name, size) in units.iter().skip(first).take(2) {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            parts.push(format!("{count}{name}"));
        }
    }
    parts.join(" ")
}

/// What is left of an entry: `9m 58s left`, or `for good`.
pub(in crate::cli) fn left(millis: Option<u64>) -> String {
    match millis {
        Some(millis) => format!("{} left", span(millis)),
        None => "for good".to_owned(),
    }
}

/// An instant as a date and a time of day: `2026-11-22 17:44:03 UTC`.
pub(in crate::cli) fn date(at: UnixMillis) -> String {
    let (year, month, day) = civil(at.0 / DAY);
    let of_day = Nanos::from_millis(at.0 % DAY).as_duration().as_secs();
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year, and in eras of
/// 400 years, which all have 146097 days (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    const TO_1970: u64 = 719_468;
    const ERA: u64 = 146_097;
    let day = days + TO_1970;
    let (era, of_era) = (day / ERA, day % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        for (millis, words) in [
            (0, "less than 1s"),
            (999, "less than 1s"),
            (1_000, "1s"),
            (59_999, "59s"),
            (60_000, "1m"),
            (598_000, "9m 58s"),
            (3_600_000, "1h"),
            (3_605_000, "1h"),
            (3_660_000, "1h 1m"),
            (90_061_000, "1d 1h"),
            (86_400_000 * 400, "400d"),
        ] {
            assert_eq!(span(millis), words, "{millis}");
        }
        assert_eq!(left(Some(598_000)), "9m 58s left");
        assert_eq!(left(None), "for good");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, words) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_763_833_443, "2025-11-22 17:44:03 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
        ] {
            assert_eq!(date(UnixMillis(seconds * 1_000 + 7)), words);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut last = civil(0);
        for day in 1..200_000 {
            let next = civil(day);
            let (y, m, d) = last;
            assert!(
                next == (y, m, d + 1) || next == (y, m + 1, 1) || next == (y + 1, 1, 1) && m == 12,
                "{last:?} {next:?}"
            );
            last = next;
        }
    }
}

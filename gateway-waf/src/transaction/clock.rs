//! Calendar fields of a moment, in UTC.

/// A moment taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) year: u64,
    /// 0 to 11.
    pub(super) month: u64,
    /// 1 to 31.
    pub(super) day: u64,
    /// 0 is Sunday.
    pub(super) weekday: u64,
    pub(super) hour: u64,
    pub(super) minute: u64,
    pub(super) second: u64,
}

impl Moment {
    /// Takes seconds since the epoch apart, by the Gregorian calendar.
    pub(super) fn from_epoch(seconds: u64) -> Self {
        let days = seconds / 86_400;
        let rest = seconds % 86_400;
        // Years that begin in March put the leap day last; eras of 400 years repeat.
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = (march_month + 2) % 12;
        let year = year_of_era + era * 400 + u64::from(month < 2);
        Self {
            year,
            month,
            day,
            weekday: (days + 4) % 7,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (epoch, expected) in [
            (0, (1970, 0, 1, 4, 0, 0, 0)),
            (951_782_400, (2000, 1, 29, 2, 0, 0, 0)),
            (1_700_000_000, (2023, 10, 14, 2, 22, 13, 20)),
            (4_107_542_399, (2100, 1, 28, 0, 23, 59, 59)),
        ] {
            let m = Moment::from_epoch(epoch);
            let got = (
                m.year, m.month, m.day, m.weekday, m.hour, m.minute, m.second,
            );
            assert_eq!(got, expected, "{epoch}");
        }
    }
}

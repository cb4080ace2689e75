//! Single-valued variables that are worked out when asked.

use super::{Transaction, clock::Moment};
use crate::{
    operator::leading_integer,
    variable::{Computed, Store},
};

/// What `HIGHEST_SEVERITY` reads before any rule with a severity matched.
const NO_SEVERITY: u64 = 255;

impl Transaction<'_> {
    /// Writes the variable's value; says whether it has one.
    pub(super) fn write_computed(&self, computed: Computed, out: &mut Vec<u8>) -> bool {
        let seconds = self.now.0 / 1000;
        let moment = || Moment::from_epoch(seconds);
        let number = match computed {
            Computed::MatchedVar => {
                return self.matched.last().is_some_and(|found| {
                    out.extend_from_slice(self.pool.get(found.value));
                    true
                });
            }
            Computed::MatchedVarName => {
                return self.matched.last().is_some_and(|found| {
                    self.write_name(found, out);
                    true
                });
            }
            Computed::FullRequest => {
                self.write_head(out);
                out.extend_from_slice(self.body.bytes());
                return true;
            }
            Computed::Time => {
                let m = moment();
                let text = format!("{:02}:{:02}:{:02}", m.hour, m.minute, m.second);
                out.extend_from_slice(text.as_bytes());
                return true;
            }
            Computed::WebAppId => {
                out.extend_from_slice(self.rules.settings.web_app_id.as_bytes());
                return true;
            }
            Computed::ArgsCombinedSize => {
                let arguments = [Store::ArgsGet, Store::ArgsPost];
                let items = arguments.iter().flat_map(|store| self.items(*store));
                let sizes = items
                    .map(|item| self.pool.get(item.name).len() + self.pool.get(item.value).len());
                sizes.sum::<usize>() as u64
            }
            Computed::Duration => self
                .now
                .0
                .saturating_sub(self.started.0)
                .saturating_mul(1000),
            Computed::FilesCombinedSize => {
                let sizes = self.items(Store::FilesSizes).iter();
                let sizes = sizes.map(|item| leading_integer(self.pool.get(item.value)));
                u64::try_from(sizes.sum::<i64>()).unwrap_or_default()
            }
            Computed::FullRequestLength => {
                let mut head = Vec::new();
                self.write_head(&mut head);
                head.len() as u64 + self.body.received()
            }
            Computed::HighestSeverity => self.highest.map_or(NO_SEVERITY, |s| s as u64),
            Computed::RequestBodyLength => self.body.received(),
            Computed::ResponseContentLength => {
                let items = self.items(Store::ResponseHeaders).iter();
                let mut lengths = items.filter(|item| {
                    self.pool
                        .get(item.name)
                        .eq_ignore_ascii_case(b"content-length")
                });
                let length = lengths
                    .next()
                    .map(|i| leading_integer(self.pool.get(i.value)));
                length
                    .and_then(|length| u64::try_from(length).ok())
                    .unwrap_or_default()
            }
            Computed::TimeDay => moment().day,
            Computed::TimeEpoch => seconds,
            Computed::TimeHour => moment().hour,
            Computed::TimeMin => moment().minute,
            Computed::TimeMon => moment().month,
            Computed::TimeSec => moment().second,
            Computed::TimeWday => moment().weekday,
            Computed::TimeYear => moment().year,
        };
        out.extend_from_slice(number.to_string().as_bytes());
        true
    }

    /// The request line and headers as they came.
    fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.first(Store::RequestLine));
        out.extend_from_slice(b"\r\n");
        for item in self.items(Store::Headers) {
            out.extend_from_slice(self.pool.get(item.name));
            out.extend_from_slice(b": ");
            out.extend_from_slice(self.pool.get(item.value));
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
}

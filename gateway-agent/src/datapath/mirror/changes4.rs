//! The order in which words of the IPv4 summary are written.

use gateway_common::lists::cells::{Table4, table4};

/// Words that change: index, what it was, what it becomes.
#[derive(Default)]
pub(in crate::datapath) struct Changes(Vec<(u32, u64, u64)>);

impl Changes {
    /// Takes note of a change; of the one before, if it is of the same word.
    pub(in crate::datapath) fn note(&mut self, index: u32, old: u64, new: u64) {
        match self.0.last_mut() {
            Some((last, _, word)) if *last == index => *word = new,
            _ => self.0.push((index, old, new)),
        }
    }

    /// The writes, in an order that keeps the summary sound at every instant: a mixed cell has
    /// the marks and the short lengths of all its entries, and a region with a listed cell says
    /// so. So marks and lengths gain bits before the cells that lead to them are written and lose
    /// bits after, and regions, which lead to cells, come after them. Where wide prefixes are
    /// comes last: it leads past the index, which is written before all of these.
    pub(in crate::datapath) fn in_order(self) -> Vec<(u32, u64)> {
        let of = |table| {
            let changes = self.0.iter();
            changes.filter(move |(index, ..)| table4(*index) == table)
        };
        let led_to = || of(Table4::Marks).chain(of(Table4::Short));
        let widened = led_to()
            .filter(|(_, old, new)| old | new != *old)
            .map(|(index, old, new)| (*index, old | new));
        let narrowed = led_to()
            .filter(|(_, old, new)| old | new != *new)
            .map(|(index, _, new)| (*index, *new));
        let plain = |(index, _, new): &(u32, u64, u64)| (*index, *new);
        widened
            .chain(of(Table4::Cells).map(plain))
            .chain(of(Table4::Regions).map(plain))
            .chain(of(Table4::Wide).map(plain))
            .chain(narrowed)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use gateway_common::lists::cells::{marks4, place4, region4};

    use super::*;

    #[test]
    fn what_is_led_to_is_written_before_what_leads_there() {
        let address = [10, 0, 0, 0];
        let (region, cell) = (region4(address).word, place4(address).word);
        let marks = marks4(address);
        let mut changes = Changes::default();
        changes.note(region, 0, 1);
        changes.note(cell, 0, 1);
        changes.note(cell, 1, 5);
        changes.note(marks, 0b011, 0b110);
        assert_eq!(
            changes.in_order(),
            [(marks, 0b111), (cell, 5), (region, 1), (marks, 0b110)]
        );
    }
}

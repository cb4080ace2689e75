//! Medians and quartiles.

/// The middle of a set of figures and where its middle half lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The 50th percentile.
    pub median: f64,
    /// 25th and 75th percentile.
    pub quartiles: [f64; 2],
}

impl Summary {
    /// Of `figures`, in any order; zeros for none.
    #[must_use]
    pub fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        Self {
            median: quantile(&figures, 1, 2),
            quartiles: [quantile(&figures, 1, 4), quantile(&figures, 3, 4)],
        }
    }
}

/// The quantile `part` / `of` of sorted figures, between neighbours in proportion.
fn quantile(sorted: &[f64], part: usize, of: usize) -> f64 {
    let place = sorted.len().saturating_sub(1) * part;
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    let (low, rest) = (place / of, place % of);
    if rest == 0 {
        return at(low);
    }
    at(low) + (at(low + 1) - at(low)) * rest as f64 / of as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_few_and_many() {
        let summary = Summary::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!(summary.median, 2.5);
        assert_eq!(summary.quartiles, [1.75, 3.25]);
        assert_eq!(Summary::of(vec![7.0]).median, 7.0);
        assert_eq!(Summary::of(Vec::new()).median, 0.0);
    }
}

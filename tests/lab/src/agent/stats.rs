//! What the filter has counted.

use serde_json::Value;

/// The output of `gateway stats --json`.
#[derive(Clone, Debug)]
pub struct Stats {
    value: Value,
}

impl Stats {
    pub(super) fn new(value: Value) -> Self {
        Self { value }
    }

    /// Packets that got this verdict, on all interfaces; 0 for a verdict that is not listed.
    pub fn packets(&self, verdict: &str) -> u64 {
        let interfaces = self.value.get("interfaces").and_then(Value::as_array);
        interfaces
            .into_iter()
            .flatten()
            .filter_map(|one| one.get("verdicts")?.as_array())
            .flatten()
            .filter(|one| one.get("verdict").and_then(Value::as_str) == Some(verdict))
            .filter_map(|one| one.get("packets")?.as_u64())
            .sum()
    }

    /// A sum over all verdicts and interfaces, such as `dropped_packets`.
    pub fn total(&self, name: &str) -> u64 {
        self.value
            .pointer(&format!("/total/{name}"))
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }

    /// All of it.
    pub fn into_value(self) -> Value {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn verdicts_are_summed_over_interfaces() {
        let one = |packets| json!({"verdicts": [{"verdict": "banned", "packets": packets}]});
        let stats = Stats::new(json!({
            "interfaces": [one(3), one(4)], "total": {"dropped_packets": 9},
        }));
        assert_eq!(stats.packets("banned"), 7);
        assert_eq!(stats.packets("pass"), 0);
        assert_eq!(stats.total("dropped_packets"), 9);
    }
}

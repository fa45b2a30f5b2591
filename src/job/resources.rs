//! How much an agent asks for: little, and within what the namespace allows.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use serde_json::{Value, json};

use crate::quantity::Quantity;

/// Requests and limits. All four are set, as a quota may demand each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    cpu: Bounds,
    memory: Bounds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    request: Quantity,
    limit: Quantity,
}

const MIB: i64 = 1 << 20;

impl Default for Resources {
    fn default() -> Self {
        Self {
            cpu: Bounds { request: Quantity::from_milli(50), limit: Quantity::from_milli(1000) },
            memory: Bounds { request: Quantity::from_bytes(64 * MIB), limit: Quantity::from_bytes(512 * MIB) },
        }
    }
}

impl Resources {
    /// Fits them into every LimitRange of the namespace, given as a list.
    #[must_use]
    pub fn within(mut self, limit_ranges: &Value) -> Self {
        let ranges = limit_ranges["items"].as_array().into_iter().flatten();
        let items = ranges.flat_map(|range| range["spec"]["limits"].as_array().into_iter().flatten());
        for item in items.filter(|item| matches!(item["type"].as_str(), Some("Container" | "Pod"))) {
            self.cpu = self.cpu.within(item, "cpu");
            self.memory = self.memory.within(item, "memory");
        }
        self
    }

    /// Writes them as a container has them.
    pub fn manifest(&self) -> Value {
        json!({
            "requests": {"cpu": self.cpu.request.cpu(), "memory": self.memory.request.mem()},
            "limits": {"cpu": self.cpu.limit.cpu(), "memory": self.memory.limit.mem()},
        })
    }
}

impl Bounds {
    fn within(mut self, item: &Value, resource: &str) -> Self {
        let amount = |field: &str| item[field][resource].as_str()?.parse::<Quantity>().ok();
        if let Some(max) = amount("max") {
            self.limit = self.limit.min(max);
        }
        if let Some(min) = amount("min") {
            self.request = self.request.max(min);
            self.limit = self.limit.max(min);
        }
        self.request = self.request.min(self.limit);
        if let Some(ratio) = amount("maxLimitRequestRatio") {
            let least = self.limit.saturating_ratio(1000, ratio.milli().max(1000));
            self.request = self.request.max(least).min(self.limit);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(limits: &Value) -> Value {
        Resources::default().within(&json!({"items": [{"spec": {"limits": [limits]}}]})).manifest()
    }

    #[test]
    fn all_four_are_set() {
        let plain = json!({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}});
        assert_eq!(Resources::default().within(&json!({})).manifest(), plain);
        assert_eq!(fitted(&json!({"type": "PersistentVolumeClaim", "max": {"memory": "1Mi"}})), plain);
    }

    #[test]
    fn they_stay_within_a_limit_range() {
        let tight = fitted(&json!({"type": "Container", "max": {"cpu": "200m", "memory": "128Mi"}}));
        assert_eq!(tight["limits"], json!({"cpu": "200m", "memory": "128Mi"}));
        let high = fitted(&json!({"type": "Container", "min": {"cpu": "2", "memory": "1Gi"}}));
        assert_eq!(high, json!({"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}}));
        let steady = fitted(&json!({"type": "Container", "maxLimitRequestRatio": {"memory": "2"}}));
        assert_eq!(steady["requests"]["memory"], "256Mi");
    }
}

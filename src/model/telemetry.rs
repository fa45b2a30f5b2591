//! What monitoring says: alerts and time series.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// Names and values, in order.
pub type Labels = BTreeMap<String, String>;

/// Memory in use without what the kernel may take back: what eviction looks at.
pub const WORKING_SET: &str = "container_memory_working_set_bytes";

/// The largest working set of the hour before, as a monitoring system adds it up.
pub const WORKING_SET_MAX: &str = "container_memory_working_set_bytes:max_over_time1h";

/// Cores in use, as a gauge: what is sampled, and what a monitoring system works out.
pub const CPU_CORES: &str = "container_cpu_usage_cores";

/// Core-seconds since the start.
pub const CPU_SECONDS: &str = "container_cpu_usage_seconds_total";

/// The label that names who measured, where that was not a monitoring system: `metrics-server`, `kubelet`.
pub const SOURCE: &str = "source";

/// How long a server still tells of an alert that was not renewed: Alertmanager's `resolve_timeout`.
const RESOLVE_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);

/// What a server says of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertState {
    /// It fires.
    Active,
    /// Its condition holds, not yet for long enough.
    Pending,
    /// Somebody silenced it, or another alert inhibits it.
    Suppressed,
    /// It is over.
    Resolved,
}

impl AlertState {
    /// Returns the word of Alertmanager.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Suppressed => "suppressed",
            Self::Resolved => "resolved",
        }
    }
}

/// One alert of Alertmanager or Prometheus.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    pub labels: Labels,
    pub annotations: Labels,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub state: AlertState,
}

impl Alert {
    /// Returns its name, or the empty string.
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }

    /// Returns whether it fires at a moment.
    pub fn fires(&self, now: Timestamp) -> bool {
        self.state == AlertState::Active && self.ends_at.is_none_or(|end| now.duration_since(end) <= RESOLVE_TIMEOUT)
    }
}

/// One time series of Prometheus.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// With the metric's name as `__name__`.
    pub labels: Labels,
    /// Seconds since the epoch and values, in order of time.
    pub samples: Vec<(f64, f64)>,
}

impl Series {
    /// Returns the metric's name, or the empty string.
    pub fn name(&self) -> &str {
        self.label("__name__").unwrap_or_default()
    }

    /// Returns a label that is there and not empty.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

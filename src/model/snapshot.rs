//! Everything that was read at one moment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Alert, Gap, Kind, Objects, Series, Target};

/// What the user asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// Namespaces to examine, sorted; empty means all.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// The objects that were named, in order; empty for whole namespaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
}

impl Scope {
    /// Makes the scope of one namespace.
    pub fn namespace(name: &str) -> Self {
        Self { namespaces: vec![name.to_owned()], targets: Vec::new() }
    }

    /// Returns whether objects of this namespace are in scope.
    pub fn includes(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|name| name == namespace)
    }
}

/// The address of a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerRef {
    pub namespace: String,
    pub pod: String,
    pub container: String,
}

/// The ends of a container's logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerLogs {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// Of the run before; `None` also when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// A point sample of metrics.k8s.io, as Kubernetes quantities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub cpu: String,
    /// The working set.
    pub memory: String,
    /// When it was measured, which may be in the life before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

/// Everything that was read at one moment: what rules judge, and what a capture keeps.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The moment; nothing in the core reads a clock.
    pub taken_at: Timestamp,
    /// The server's version as `/version` gives it: `v1.36.3`.
    pub server: Option<String>,
    /// The kubeconfig context.
    pub context: Option<String>,
    pub scope: Scope,
    pub objects: Objects,
    pub logs: BTreeMap<ContainerRef, ContainerLogs>,
    pub usage: BTreeMap<ContainerRef, Usage>,
    /// Lines of a kubelet's `/metrics/cadvisor` for the suspicious pods, by node.
    pub cadvisor: BTreeMap<String, String>,
    /// `None` when nobody asked, or nobody answered.
    pub alerts: Option<Vec<Alert>>,
    /// `None` when nobody asked, or nobody answered.
    pub metrics: Option<Vec<Series>>,
    pub gaps: Vec<Gap>,
    /// How many different secrets were replaced by placeholders.
    pub redacted: usize,
}

impl Snapshot {
    /// Makes an empty snapshot of a scope.
    pub fn new(taken_at: Timestamp, scope: Scope) -> Self {
        Self {
            taken_at,
            server: None,
            context: None,
            scope,
            objects: Objects::default(),
            logs: BTreeMap::new(),
            usage: BTreeMap::new(),
            cadvisor: BTreeMap::new(),
            alerts: None,
            metrics: None,
            gaps: Vec::new(),
            redacted: 0,
        }
    }

    /// Brings everything into its one order: the same objects make the same snapshot, however they arrived.
    pub fn normalise(&mut self) {
        self.objects.sort();
        self.alerts.iter_mut().for_each(|alerts| alerts.sort());
        self.metrics.iter_mut().for_each(|series| series.sort_by(|a, b| a.labels.cmp(&b.labels)));
        self.gaps.sort();
        self.gaps.dedup();
    }

    /// Returns the gaps of a kind.
    pub fn gaps_of(&self, kind: Kind) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(move |gap| gap.kind == Some(kind) && gap.name.is_none())
    }
}
